/// A URI or a relative reference, taken apart as RFC 3986, section 3, describes.
struct URIReference: Hashable, CustomStringConvertible {
    var scheme: String?
    var authority: String?
    var path: String
    var query: String?
    var fragment: String?

    /// Takes a reference apart.
    ///
    /// Any text can be: what is odd ends up in the path.
    init(_ text: String) {
        var rest = text[...]
        if let hash = rest.firstIndex(of: "#") {
            self.fragment = String(rest[rest.index(after: hash)...])
            rest = rest[..<hash]
        }
        if let mark = rest.firstIndex(of: "?") {
            self.query = String(rest[rest.index(after: mark)...])
            rest = rest[..<mark]
        }
        if let colon = rest.firstIndex(of: ":"), Self.isScheme(rest[..<colon]) {
            self.scheme = String(rest[..<colon]).lowercased()
            rest = rest[rest.index(after: colon)...]
        }
        if rest.hasPrefix("//") {
            rest = rest.dropFirst(2)
            let end = rest.firstIndex(of: "/") ?? rest.endIndex
            self.authority = String(rest[..<end])
            rest = rest[end...]
        }
        self.path = String(rest)
    }

    /// Whether there is a scheme, so that the reference does not depend on a base.
    var isAbsolute: Bool { self.scheme != nil }

    /// The same reference without its fragment.
    var withoutFragment: URIReference {
        var copy = self
        copy.fragment = nil
        return copy
    }

    /// What the reference means inside of a document that has a base (RFC 3986, section 5.2.2).
    func resolved(against base: URIReference) -> URIReference {
        var target = self
        if self.scheme == nil {
            target.scheme = base.scheme
            if self.authority == nil {
                target.authority = base.authority
                if self.path.isEmpty {
                    target.path = base.path
                    target.query = self.query ?? base.query
                    return target
                }
                if !self.path.hasPrefix("/") { target.path = Self.merge(base, self.path) }
            }
        }
        // Paths without a slash, such as those of URNs, have no segments to remove.
        if target.path.contains("/") { target.path = Self.withoutDotSegments(target.path) }
        return target
    }

    var description: String {
        var text = ""
        if let scheme = self.scheme { text += scheme + ":" }
        if let authority = self.authority { text += "//" + authority }
        text += self.path
        if let query = self.query { text += "?" + query }
        if let fragment = self.fragment { text += "#" + fragment }
        return text
    }

    /// Section 5.2.3.
    private static func merge(_ base: URIReference, _ path: String) -> String {
        if base.authority != nil, base.path.isEmpty { return "/" + path }
        guard let slash = base.path.lastIndex(of: "/") else { return path }
        return base.path[...slash] + path
    }

    /// Section 5.2.4.
    private static func withoutDotSegments(_ path: String) -> String {
        let isRooted = path.hasPrefix("/")
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst(isRooted ? 1 : 0)
        var output: [Substring] = []
        for segment in segments {
            switch segment {
            case ".": break
            case "..": _ = output.popLast()
            default: output.append(segment)
            }
        }
        // A dot at the end leaves a directory.
        if let last = segments.last, last == "." || last == ".." { output.append("") }
        return (isRooted ? "/" : "") + output.joined(separator: "/")
    }

    /// Section 3.1.
    private static func isScheme(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, first.isASCIILetter else { return false }
        return text.utf8.allSatisfy {
            $0.isASCIILetter || $0.isASCIIDigit || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-")
                || $0 == UInt8(ascii: ".")
        }
    }

    /// Text with percent-escapes decoded (section 2.1), or `nil` if that does not give valid UTF-8.
    static func percentDecoded(_ text: String) -> String? {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
        var output: [UInt8] = []
        var bytes = text.utf8.makeIterator()
        while let byte = bytes.next() {
            guard byte == UInt8(ascii: "%") else {
                output.append(byte)
                continue
            }
            guard let high = bytes.next()?.hexadecimalValue, let low = bytes.next()?.hexadecimalValue else {
                return nil
            }
            output.append(high << 4 | low)
        }
        return String(validating: output, as: UTF8.self)
    }
}

extension UInt8 {
    var isASCIILetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) }

    var isASCIIDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }

    /// The value of a hexadecimal digit.
    var hexadecimalValue: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
