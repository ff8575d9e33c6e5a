import Foundation

/// What the tokenizer makes of one character of the text: nothing, a blank, or characters in lower case without accents.
struct FoldedCharacter {
    enum Part {
        /// Ends a word.
        case blank
        /// A part of a word, in UTF-8.
        case letter([UInt8])
        /// A word of its own: a punctuation mark or an ideograph, in UTF-8.
        case symbol([UInt8])
    }

    var parts: [Part]

    /// Follows the uncased BERT normaliser: control characters go, each ideograph stands alone, accents are those
    /// nonspacing marks that canonical decomposition (Unicode Standard Annex 15, form D) brings out.
    init(_ scalar: Unicode.Scalar) {
        if Self.isDropped(scalar) {
            self.parts = []
        } else if scalar.properties.isWhitespace {
            self.parts = [.blank]
        } else {
            self.parts = String(scalar).decomposedStringWithCanonicalMapping.unicodeScalars
                .filter { $0.properties.generalCategory != .nonspacingMark }
                .flatMap { $0.properties.lowercaseMapping.unicodeScalars }
                .map(Self.part)
        }
    }

    private static func part(_ scalar: Unicode.Scalar) -> Part {
        let bytes = Array(String(scalar).utf8)
        return self.isIdeograph(scalar) || self.isPunctuation(scalar) ? .symbol(bytes) : .letter(bytes)
    }

    /// Blocks of CJK ideographs. Not all of them: this is the list of the reference.
    static func isIdeograph(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x4e00...0x9fff, 0x3400...0x4dbf, 0x20000...0x2a6df, 0x2a700...0x2b73f, 0x2b740...0x2b81f,
            0x2b820...0x2ceaf, 0xf900...0xfaff, 0x2f800...0x2fa1f:
            true
        default: false
        }
    }

    private static func isDropped(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value == 0xfffd { return true }
        return switch scalar.properties.generalCategory {
        case .control, .format, .privateUse, .surrogate: true
        default: false
        }
    }

    private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        // In ASCII, the reference counts symbols such as = and ` too. The sign ≠ comes here as =.
        if scalar.isASCII {
            switch scalar.value {
            case 0x21...0x2f, 0x3a...0x40, 0x5b...0x60, 0x7b...0x7e: return true
            default: return false
            }
        }
        return switch scalar.properties.generalCategory {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
            .finalPunctuation, .otherPunctuation:
            true
        default: false
        }
    }
}
