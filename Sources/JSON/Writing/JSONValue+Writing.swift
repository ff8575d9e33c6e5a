extension JSONValue {
    /// Appends the value as compact JSON text in UTF-8.
    ///
    /// Parsing the text gives the same value again: members keep their order, a double stays one (`1.0`), decimals keep
    /// their digits. The exception is a double that is not finite, for which JSON has no text: it is written as `null`,
    /// as ECMAScript does. ``JSONValue/init(finite:)`` refuses such numbers before they get this far.
    public func write(to output: inout [UInt8]) {
        JSONWriter.write(self, to: &output)
    }

    /// The value as compact JSON text in UTF-8.
    ///
    /// See ``write(to:)``.
    public func serialized() -> [UInt8] {
        var output: [UInt8] = []
        self.write(to: &output)
        return output
    }

    /// The value as JSON text.
    ///
    /// See ``write(to:)``.
    ///
    /// - Parameter pretty: Whether to give each element and member a line of its own, for people to read.
    /// - Returns: The text, which ends without a line break.
    public func serializedString(pretty: Bool = false) -> String {
        guard pretty else { return String(decoding: self.serialized(), as: UTF8.self) }
        var output: [UInt8] = []
        JSONWriter.writePretty(self, to: &output)
        return String(decoding: output, as: UTF8.self)
    }
}
