/// E-mail addresses: a mailbox of RFC 5321, section 4.1.2, or of RFC 6531 where letters of any script are allowed.
enum MailFormat {
    static func accepts(_ text: String, isInternational: Bool) -> Bool {
        guard let at = text.lastIndex(of: "@") else { return false }
        let local = text[..<at]
        let domain = text[text.index(after: at)...]
        guard !local.isEmpty, local.utf8.count <= 64 else { return false }
        return self.isLocalPart(local, isInternational) && self.isDomain(domain, isInternational)
    }

    private static func isLocalPart(_ text: Substring, _ isInternational: Bool) -> Bool {
        if text.utf8.first == UInt8(ascii: "\"") { return self.isQuoted(Array(text.utf8), isInternational) }
        return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { atom in
            !atom.isEmpty
                && atom.utf8.allSatisfy { byte in
                    byte.isASCIILetter || byte.isASCIIDigit || (byte >= 0x80 && isInternational)
                        || "!#$%&'*+-/=?^_`{|}~".utf8.contains(byte)
                }
        }
    }

    private static func isQuoted(_ bytes: [UInt8], _ isInternational: Bool) -> Bool {
        guard bytes.count >= 2, bytes.last == UInt8(ascii: "\"") else { return false }
        var isEscaped = false
        for byte in bytes.dropFirst().dropLast() {
            guard byte >= 0x20, byte < 0x7F || byte >= 0x80 && isInternational else { return false }
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                return false
            }
        }
        return !isEscaped
    }

    private static func isDomain(_ text: Substring, _ isInternational: Bool) -> Bool {
        guard text.hasPrefix("[") else {
            return isInternational
                ? HostFormat.isInternationalHostname(String(text)) : HostFormat.isHostname(String(text))
        }
        guard text.hasSuffix("]") else { return false }
        let address = text.dropFirst().dropLast()
        return address.hasPrefix("IPv6:") ? HostFormat.isIPv6(address.dropFirst(5)) : HostFormat.isIPv4(address)
    }
}
