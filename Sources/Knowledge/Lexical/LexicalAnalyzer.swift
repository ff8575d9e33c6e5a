import Foundation

/// Cuts text into the terms of a full-text index: words in lower case, without diacritics and English endings.
///
/// It does what SQLite's `porter unicode61 remove_diacritics 2` does, for stores that have no such analysis of their own.
public enum LexicalAnalyzer {
    /// Returns the terms of a text in order, with repetitions.
    public static func terms(in text: String) -> [String] {
        var terms: [String] = []
        var word: [UInt8] = []
        for scalar in text.unicodeScalars {
            if scalar.isASCII {
                let byte = UInt8(scalar.value)
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): word.append(byte)
                case UInt8(ascii: "A")...UInt8(ascii: "Z"): word.append(byte + 0x20)
                default: self.end(&word, into: &terms)
                }
            } else if self.isWordScalar(scalar) {
                word += self.folded(scalar)
            } else if word.isEmpty || !self.isDiacritic(scalar) {
                self.end(&word, into: &terms)
            }
        }
        self.end(&word, into: &terms)
        return terms
    }

    /// Returns how often each term occurs in a text.
    public static func frequencies(in text: String) -> [String: Int] {
        Dictionary(self.terms(in: text).map { ($0, 1) }, uniquingKeysWith: +)
    }

    private static func end(_ word: inout [UInt8], into terms: inout [String]) {
        guard !word.isEmpty else { return }
        PorterStemmer.stem(&word)
        terms.append(String(decoding: word, as: UTF8.self))
        word.removeAll(keepingCapacity: true)
    }

    private static func isWordScalar(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
            .letterNumber, .otherNumber, .privateUse:
            true
        default: false
        }
    }

    /// Within a word, combining marks are passed over.
    private static func isDiacritic(_ scalar: Unicode.Scalar) -> Bool {
        (0x300...0x36F).contains(scalar.value)
    }

    /// The lower-case letter; a Latin one without what is put above or below it.
    private static func folded(_ scalar: Unicode.Scalar) -> [UInt8] {
        let lower = scalar.properties.lowercaseMapping.unicodeScalars
        guard let letter = lower.first else { return [] }
        let base = String(letter).decomposedStringWithCanonicalMapping.unicodeScalars.first ?? letter
        return Array(String(base.isASCII ? base : letter).utf8)
    }
}
