/// Host names and IP addresses.
enum HostFormat {
    /// A name of RFC 1123, section 2.1, whose labels of the form `xn--…` decode as RFC 5891 wants.
    static func isHostname(_ text: String) -> Bool {
        guard text.utf8.count <= 253, !text.isEmpty else { return false }
        return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { self.isLabel(String($0)) }
    }

    /// A name with letters of any script.
    ///
    /// The rules of RFC 5892 that depend on the place of a letter are checked; that letters are of one script, or that
    /// right-to-left text is in order (RFC 5893), is not.
    static func isInternationalHostname(_ text: String) -> Bool {
        let separators: Set<Unicode.Scalar> = [".", "\u{3002}", "\u{FF0E}", "\u{FF61}"]
        guard !text.isEmpty else { return false }
        let labels = text.unicodeScalars.split(omittingEmptySubsequences: false) { separators.contains($0) }
        var length = labels.count - 1
        for label in labels {
            let scalars = Array(label)
            if scalars.allSatisfy(\.isASCII) {
                guard self.isLabel(String(String.UnicodeScalarView(scalars))) else { return false }
                length += scalars.count
            } else {
                // Encoded, a label is at least as long as before; one that is too long is not looked at.
                guard scalars.count <= 59, self.isUnicodeLabel(scalars), let encoded = Punycode.encode(scalars),
                    encoded.count <= 59
                else {
                    return false
                }
                length += encoded.count + 4
            }
        }
        return length <= 253
    }

    private static func isLabel(_ label: String) -> Bool {
        let bytes = Array(label.utf8)
        guard let first = bytes.first, let last = bytes.last, bytes.count <= 63 else { return false }
        let hyphen = UInt8(ascii: "-")
        guard first != hyphen, last != hyphen,
            bytes.allSatisfy({ $0.isASCIILetter || $0.isASCIIDigit || $0 == hyphen })
        else { return false }
        guard bytes.count >= 4, bytes[2] == hyphen, bytes[3] == hyphen else { return true }
        let encoded = Array(label.lowercased().utf8.dropFirst(4))
        guard label.lowercased().hasPrefix("xn--"), let decoded = Punycode.decode(encoded) else { return false }
        // Each label has one encoding only (RFC 5891, section 5.4).
        return !decoded.allSatisfy(\.isASCII) && self.isUnicodeLabel(decoded) && Punycode.encode(decoded) == encoded
    }

    /// RFC 5891, section 4.2.3, and RFC 5892, appendix A.
    private static func isUnicodeLabel(_ scalars: [Unicode.Scalar]) -> Bool {
        guard let first = scalars.first, let last = scalars.last, first != "-", last != "-" else { return false }
        if scalars.count >= 4, scalars[2] == "-", scalars[3] == "-" { return false }
        switch first.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: return false
        default: break
        }
        return scalars.indices.allSatisfy { self.isAllowed(scalars, at: $0) }
    }

    private static func isAllowed(_ scalars: [Unicode.Scalar], at index: Int) -> Bool {
        let scalar = scalars[index]
        let before = index > 0 ? scalars[index - 1] : nil
        let after = index + 1 < scalars.count ? scalars[index + 1] : nil
        switch scalar.value {
        case 0x2D, 0xDF, 0x3C2, 0x6FD, 0x6FE, 0xF0B, 0x3007: return true
        case 0x640, 0x7FA, 0x302E, 0x302F, 0x3031...0x3035, 0x303B: return false
        // Middle dot: between two small l.
        case 0xB7: return before == "l" && after == "l"
        // Greek keraia: before a Greek letter.
        case 0x375:
            return after.map { (0x370...0x3FF).contains($0.value) || (0x1F00...0x1FFF).contains($0.value) } ?? false
        // Hebrew geresh and gershayim: after a Hebrew letter.
        case 0x5F3, 0x5F4: return before.map { (0x590...0x5FF).contains($0.value) } ?? false
        // Katakana middle dot: somewhere beside Hiragana, Katakana or Han.
        case 0x30FB: return scalars.contains(where: self.isJapanese)
        // The two sets of Arabic digits are not mixed.
        case 0x660...0x669: return !scalars.contains { (0x6F0...0x6F9).contains($0.value) }
        case 0x6F0...0x6F9: return !scalars.contains { (0x660...0x669).contains($0.value) }
        // Joiners: after a virama.
        case 0x200C, 0x200D: return before?.properties.canonicalCombiningClass == .virama
        default:
            switch scalar.properties.generalCategory {
            case .lowercaseLetter, .modifierLetter, .otherLetter, .nonspacingMark, .spacingMark, .decimalNumber:
                return true
            default: return false
            }
        }
    }

    private static func isJapanese(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x30FB: false
        case 0x3041...0x309F, 0x30A1...0x30FF, 0x31F0...0x31FF, 0x3005, 0x3007: true
        default: scalar.properties.isUnifiedIdeograph
        }
    }

    /// RFC 2673, section 3.2.
    static func isIPv4(_ text: some StringProtocol) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                guard (1...3).contains(part.count), part.allSatisfy(\.isASCIIDigit) else { return false }
                if part.count > 1, part.first == UInt8(ascii: "0") { return false }
                return part.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) } <= 255
            }
    }

    /// RFC 4291, section 2.2.
    static func isIPv6(_ text: some StringProtocol) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count >= 3 else { return false }
        var groups = 0
        var gaps = 0
        for (index, part) in parts.enumerated() {
            let isLast = index == parts.count - 1
            if part.isEmpty {
                // At the ends, an empty part is half of a '::'.
                if index == 0 {
                    guard parts[1].isEmpty else { return false }
                } else if isLast {
                    guard parts[index - 1].isEmpty else { return false }
                } else {
                    gaps += 1
                }
            } else if isLast, part.contains(".") {
                guard self.isIPv4(part) else { return false }
                groups += 2
            } else {
                guard part.utf8.count <= 4, part.utf8.allSatisfy({ $0.hexadecimalValue != nil }) else { return false }
                groups += 1
            }
        }
        return gaps == 0 ? groups == 8 : gaps == 1 && groups < 8
    }
}

extension Unicode.CanonicalCombiningClass {
    fileprivate static var virama: Self { Self(rawValue: 9) }
}
