/// URIs (RFC 3986, appendix A) and IRIs (RFC 3987, section 2.2).
enum URIFormat {
    private static let unreserved = "-._~"
    private static let subDelimiters = "!$&'()*+,;="

    static func accepts(_ text: String, isInternational: Bool, allowsRelative: Bool) -> Bool {
        let uri = URIReference(text)
        guard uri.isAbsolute || allowsRelative else { return false }
        func consists(_ part: String, of punctuation: String, isPrivate: Bool = false) -> Bool {
            self.consists(part, of: punctuation, isInternational, isPrivate)
        }
        if let authority = uri.authority, !self.isAuthority(authority, isInternational) { return false }
        let pathPunctuation = self.unreserved + self.subDelimiters + ":@/"
        guard consists(uri.path, of: pathPunctuation), self.isPathInPlace(uri) else { return false }
        if let query = uri.query, !consists(query, of: pathPunctuation + "?", isPrivate: true) { return false }
        if let fragment = uri.fragment, !consists(fragment, of: pathPunctuation + "?") { return false }
        return true
    }

    /// Section 3.3: without an authority there are no two slashes, and in a relative reference no colon in front.
    private static func isPathInPlace(_ uri: URIReference) -> Bool {
        if uri.authority != nil { return uri.path.isEmpty || uri.path.hasPrefix("/") }
        if uri.isAbsolute { return true }
        return !(uri.path.split(separator: "/", omittingEmptySubsequences: false).first?.contains(":") ?? false)
    }

    /// Section 3.2.
    private static func isAuthority(_ text: String, _ isInternational: Bool) -> Bool {
        var host = text[...]
        if let at = host.firstIndex(of: "@") {
            let punctuation = self.unreserved + self.subDelimiters + ":"
            guard self.consists(String(host[..<at]), of: punctuation, isInternational, false) else { return false }
            host = host[host.index(after: at)...]
        }
        if host.hasPrefix("[") {
            guard let end = host.firstIndex(of: "]") else { return false }
            let address = host[host.index(after: host.startIndex)..<end]
            guard HostFormat.isIPv6(address) || self.isFutureAddress(address) else { return false }
            let rest = host[host.index(after: end)...]
            return rest.isEmpty || rest.hasPrefix(":") && rest.dropFirst().utf8.allSatisfy(\.isASCIIDigit)
        }
        if let colon = host.lastIndex(of: ":") {
            guard host[host.index(after: colon)...].utf8.allSatisfy(\.isASCIIDigit) else { return false }
            host = host[..<colon]
        }
        return self.consists(String(host), of: self.unreserved + self.subDelimiters, isInternational, false)
    }

    /// `IPvFuture` of section 3.2.2.
    private static func isFutureAddress(_ text: Substring) -> Bool {
        guard text.lowercased().hasPrefix("v"), let dot = text.firstIndex(of: ".") else { return false }
        let version = text[..<dot].dropFirst()
        let address = text[text.index(after: dot)...]
        guard !version.isEmpty, version.utf8.allSatisfy({ $0.hexadecimalValue != nil }), !address.isEmpty else {
            return false
        }
        return !address.contains("%")
            && self.consists(String(address), of: self.unreserved + self.subDelimiters + ":", false, false)
    }

    /// Whether text consists of letters, digits, percent-escapes and the punctuation that its part of a URI allows.
    private static func consists(
        _ text: String,
        of punctuation: String,
        _ isInternational: Bool,
        _ isPrivate: Bool
    ) -> Bool {
        let scalars = Array(text.unicodeScalars)
        var index = 0
        while index < scalars.count {
            let scalar = scalars[index]
            index += 1
            if scalar == "%" {
                guard index + 2 <= scalars.count, scalars[index].isHexadecimal, scalars[index + 1].isHexadecimal else {
                    return false
                }
                index += 2
            } else if scalar.isASCII {
                let byte = UInt8(scalar.value)
                guard byte.isASCIILetter || byte.isASCIIDigit || punctuation.utf8.contains(byte) else { return false }
            } else {
                guard isInternational, self.isInternationalLetter(scalar, isPrivate) else { return false }
            }
        }
        return true
    }

    /// `ucschar` and, in queries, `iprivate` of RFC 3987.
    private static func isInternationalLetter(_ scalar: Unicode.Scalar, _ isPrivate: Bool) -> Bool {
        switch scalar.value {
        case 0xA0...0xD7FF, 0xF900...0xFDCF, 0xFDF0...0xFFEF: true
        case 0x10000...0xDFFFF: scalar.value & 0xFFFF <= 0xFFFD
        case 0xE1000...0xEFFFD: true
        case 0xE000...0xF8FF, 0xF0000...0xFFFFD, 0x100000...0x10FFFD: isPrivate
        default: false
        }
    }
}

extension Unicode.Scalar {
    fileprivate var isHexadecimal: Bool { self.isASCII && UInt8(self.value).hexadecimalValue != nil }
}
