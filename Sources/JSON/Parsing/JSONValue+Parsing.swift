extension JSONValue {
    /// Parses a JSON text (RFC 8259) in UTF-8.
    ///
    /// - Parameters:
    ///   - bytes: One value, with nothing but white space around it.
    ///   - limits: What to accept at most.
    /// - Throws: A ``JSONError`` that says what is wrong, and at which byte.
    public init(parsing bytes: UnsafeRawBufferPointer, limits: JSONLimits = .default) throws(JSONError) {
        self = try JSONParser.parse(bytes, limits: limits)
    }

    /// Parses a JSON text (RFC 8259) in UTF-8.
    ///
    /// - Parameters:
    ///   - bytes: One value, with nothing but white space around it.
    ///   - limits: What to accept at most.
    /// - Throws: A ``JSONError`` that says what is wrong, and at which byte.
    public init(parsing bytes: [UInt8], limits: JSONLimits = .default) throws(JSONError) {
        // A result, because these closures cannot throw a typed error.
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(JSONError) in try JSONParser.parse(buffer, limits: limits) }
        }
        self = try result.get()
    }

    /// Parses a JSON text (RFC 8259).
    ///
    /// - Parameters:
    ///   - text: One value, with nothing but white space around it.
    ///   - limits: What to accept at most.
    /// - Throws: A ``JSONError`` that says what is wrong, and at which byte of the text's UTF-8.
    public init(parsing text: String, limits: JSONLimits = .default) throws(JSONError) {
        var text = text
        let result = text.withUTF8 { buffer in
            Result { () throws(JSONError) in try JSONParser.parse(UnsafeRawBufferPointer(buffer), limits: limits) }
        }
        self = try result.get()
    }
}
