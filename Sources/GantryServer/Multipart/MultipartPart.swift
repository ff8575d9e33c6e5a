/// The headers of one part of a form.
struct MultipartPart: Equatable, Sendable {
    /// The name of the form field.
    var name: String
    /// The name of the file, without any directories, if the part is a file.
    var filename: String?
    /// The media type in lower case without parameters, if the part has one.
    var mediaType: String?

    init(name: String, filename: String? = nil, mediaType: String? = nil) {
        self.name = name
        self.filename = filename
        self.mediaType = mediaType
    }

    /// Reads the header lines of a part.
    init(headerBlock: some Collection<UInt8>) throws(MultipartError) {
        guard let text = String(validating: headerBlock, as: UTF8.self) else {
            throw MultipartError(code: .malformed, message: "The headers of a part are not UTF-8.")
        }
        var disposition: HeaderParameters?
        for line in text.split(separator: "\r\n") {
            guard let colon = line.firstIndex(of: ":") else {
                throw MultipartError(code: .malformed, message: "A header line of a part has no colon.")
            }
            let value = HeaderParameters(String(line[line.index(after: colon)...]))
            switch line[..<colon].lowercased() {
            case "content-disposition": disposition = value
            case "content-type": self.mediaType = value.value
            default: break
            }
        }
        guard let disposition, disposition.value == "form-data", let name = disposition.parameters["name"] else {
            throw MultipartError(
                code: .malformed,
                message: "Each part needs “Content-Disposition: form-data” with a name (RFC 7578 section 4.2)."
            )
        }
        self.name = name
        self.filename = try disposition.parameters["filename"].map(Self.baseName)
    }

    /// The last component of a path.
    ///
    /// The directories are the business of the machine that it comes from.
    private static func baseName(_ filename: String) throws(MultipartError) -> String {
        // Browsers write these three characters percent-encoded (RFC 7578 section 4.2 and the HTML standard).
        let decoded = filename.replacing("%22", with: "\"").replacing("%0D", with: "\r").replacing("%0A", with: "\n")
        let name = decoded.split { $0 == "/" || $0 == "\\" }.last.map(String.init) ?? ""
        let isPrintable = name.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
        guard !name.isEmpty, name != ".", name != "..", isPrintable, name.utf8.count <= 255 else {
            throw MultipartError(
                code: .malformed,
                message: "A file name must have 1 to 255 bytes and no control characters."
            )
        }
        return name
    }
}
