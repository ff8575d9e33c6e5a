/// Cutting text into words, and identifiers into their parts.
enum Words {
    /// Returns the runs of letters, marks and digits of a text, as the full-text index cuts them too.
    static func all(in text: String) -> [Substring] {
        text.unicodeScalars.split { !Self.isWordScalar($0) }.map { Substring($0) }
    }

    /// Returns the words that a camel-case identifier is made of, in lower case; nothing for an ordinary word.
    ///
    /// `maxRetries` gives max and retries, `HTTPServer2` gives http and server2. Identifiers joined by other signs,
    /// such as `max_retries`, are several words already.
    static func identifierParts(of word: Substring) -> [String] {
        // Nearly all words have no capital behind their first letter, and it is quick to see.
        if word.utf8.dropFirst().allSatisfy({ $0 < 0x80 && !(UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }) {
            return []
        }
        let scalars = Array(word.unicodeScalars)
        var parts: [String] = []
        var current = String.UnicodeScalarView()
        for (index, scalar) in scalars.enumerated() {
            let isUpper = scalar.properties.isUppercase
            let afterLower = index > 0 && !scalars[index - 1].properties.isUppercase
            let beforeLower = index + 1 < scalars.count && scalars[index + 1].properties.isLowercase
            if isUpper, !current.isEmpty, afterLower || beforeLower {
                parts.append(String(current).lowercased())
                current = String.UnicodeScalarView()
            }
            current.append(scalar)
        }
        parts.append(String(current).lowercased())
        return parts.count > 1 ? parts.filter { $0.count > 1 } : []
    }

    /// Returns the parts of all identifiers of a text, separated by spaces, for the index.
    static func identifierParts(in text: String) -> String {
        Self.all(in: text).flatMap { Self.identifierParts(of: $0) }.joined(separator: " ")
    }

    /// Returns a word without the commonest English endings, for comparing words outside the full-text index.
    static func stem(_ word: String) -> String {
        for ending in ["ingly", "edly", "ing", "ies", "ied", "ed", "es", "ly", "s", "y", "e"]
        where word.hasSuffix(ending) && word.count >= ending.count + 3 {
            return String(word.dropLast(ending.count))
        }
        return word
    }

    private static func isWordScalar(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII {
            return ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
        }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
            .letterNumber, .otherNumber, .nonspacingMark, .spacingMark, .privateUse:
            return true
        default:
            return false
        }
    }
}
