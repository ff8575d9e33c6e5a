/// A header value with parameters: `form-data; name="file"; filename="a.md"`.
struct HeaderParameters: Equatable, Sendable {
    /// The value before the first semicolon, in lower case.
    let value: String
    /// The parameters by name in lower case.
    ///
    /// Of several with one name, the first counts.
    let parameters: [String: String]

    init(_ text: String) {
        var pieces = Self.split(text)[...]
        self.value = Self.trim(pieces.popFirst() ?? "").lowercased()
        self.parameters = Dictionary(
            pieces.compactMap { piece in
                guard let equals = piece.firstIndex(of: "=") else { return nil }
                let name = Self.trim(piece[..<equals]).lowercased()
                return (name, Self.unquote(Self.trim(piece[piece.index(after: equals)...])))
            },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// Splits at the semicolons that are not inside quotes.
    private static func split(_ text: String) -> [Substring] {
        var isQuoted = false
        var isEscaped = false
        return text.split(omittingEmptySubsequences: false) { character in
            defer { isEscaped = isQuoted && character == "\\" && !isEscaped }
            if character == "\"", !isEscaped { isQuoted.toggle() }
            return character == ";" && !isQuoted
        }
    }

    /// Removes quotes.
    ///
    /// A backslash escapes only a quote and itself: some clients send Windows paths as they are.
    private static func unquote(_ text: Substring) -> String {
        guard text.count >= 2, text.first == "\"", text.last == "\"" else { return String(text) }
        var result = ""
        var rest = text.dropFirst().dropLast()
        while let character = rest.popFirst() {
            if character == "\\", let next = rest.first, next == "\"" || next == "\\" {
                result.append(rest.removeFirst())
            } else {
                result.append(character)
            }
        }
        return result
    }

    private static func trim(_ text: Substring) -> Substring {
        var text = text
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}

extension HeaderParameters {
    /// The boundary of a `multipart/form-data` media type, if this is one and its boundary has the form of RFC 2046.
    var multipartBoundary: String? {
        guard self.value == "multipart/form-data", let boundary = self.parameters["boundary"],
            (1...70).contains(boundary.utf8.count), boundary.last != " ",
            boundary.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else { return nil }
        return boundary
    }
}
