import Foundation

/// The uncased WordPiece tokenizer of BERT: text is cleaned, split at blanks, punctuation and CJK characters, stripped of
/// accents, put in lower case, and each word is cut into the longest pieces that the vocabulary knows.
///
/// Devlin et al., arXiv:1810.04805; Wu et al., arXiv:1609.08144.
struct WordPieceTokenizer: Sendable {
    /// A piece of the vocabulary, and the UTF-8 bytes of the original text that it came from.
    struct Token: Sendable, Equatable {
        var id: Int32
        var span: Range<Int>
    }

    /// A character after normalisation, and the bytes that it came from.
    private struct Unit {
        var scalar: Unicode.Scalar
        var span: Range<Int>
    }

    /// Longer words are unknown, as in the reference.
    private static let maximumWordLength = 100

    private let ids: [String: Int32]
    private let unknown: Int32
    let classification: Int32
    let separator: Int32

    /// - Parameter vocabulary: The pieces in the order of their ids, one per line.
    /// - Throws: ``EmbeddingError`` if a special token is missing.
    init(vocabulary: String) throws(EmbeddingError) {
        var ids: [String: Int32] = [:]
        for (id, piece) in vocabulary.split(separator: "\n").enumerated() {
            ids[String(piece)] = Int32(id)
        }
        guard let unknown = ids["[UNK]"], let classification = ids["[CLS]"], let separator = ids["[SEP]"] else {
            throw EmbeddingError(.modelCorrupt, "The vocabulary has no [UNK], [CLS] or [SEP]; run `make setup` again.")
        }
        self.ids = ids
        self.unknown = unknown
        self.classification = classification
        self.separator = separator
    }

    var vocabularySize: Int { self.ids.count }

    /// The tokens of a text, without special ones.
    func tokens(of text: String) -> [Token] {
        var tokens: [Token] = []
        var word: [Unit] = []
        var offset = 0
        func endWord() {
            guard word.isEmpty == false else { return }
            self.append(word, to: &tokens)
            word.removeAll(keepingCapacity: true)
        }
        for scalar in text.unicodeScalars {
            let span = offset..<(offset + UTF8.width(scalar))
            offset = span.upperBound
            if scalar.isASCII {
                switch scalar.value {
                case 0x20, 0x09, 0x0a, 0x0d: endWord()
                case 0x00..<0x20, 0x7f: continue
                case 0x41...0x5a: word.append(Unit(scalar: Unicode.Scalar(UInt8(scalar.value + 32)), span: span))
                case 0x30...0x39, 0x61...0x7a: word.append(Unit(scalar: scalar, span: span))
                default:
                    endWord()
                    self.append([Unit(scalar: scalar, span: span)], to: &tokens)
                }
                continue
            }
            if Self.isDropped(scalar) { continue }
            if scalar.properties.isWhitespace {
                endWord()
                continue
            }
            for part in Self.folded(scalar) {
                let unit = Unit(scalar: part, span: span)
                if Self.isIdeograph(part) || Self.isPunctuation(part) {
                    endWord()
                    self.append([unit], to: &tokens)
                } else {
                    word.append(unit)
                }
            }
        }
        endWord()
        return tokens
    }

    /// Cuts a word into its longest known pieces, from the left.
    private func append(_ word: [Unit], to tokens: inout [Token]) {
        let whole = word[0].span.lowerBound..<word[word.count - 1].span.upperBound
        guard word.count <= Self.maximumWordLength else {
            tokens.append(Token(id: self.unknown, span: whole))
            return
        }
        let first = tokens.count
        var start = 0
        while start < word.count {
            var piece = start == 0 ? "" : "##"
            var found: (id: Int32, end: Int)?
            for end in start..<word.count {
                piece.unicodeScalars.append(word[end].scalar)
                if let id = self.ids[piece] {
                    found = (id, end)
                }
            }
            guard let found else {
                tokens.removeSubrange(first...)
                tokens.append(Token(id: self.unknown, span: whole))
                return
            }
            tokens.append(Token(id: found.id, span: word[start].span.lowerBound..<word[found.end].span.upperBound))
            start = found.end + 1
        }
    }

    /// The character without accents and in lower case: often one, none for an accent, several for some.
    private static func folded(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        String(scalar).decomposedStringWithCanonicalMapping.unicodeScalars
            .filter { $0.properties.generalCategory != .nonspacingMark }
            .flatMap { Array($0.properties.lowercaseMapping.unicodeScalars) }
    }

    private static func isDropped(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value == 0xfffd { return true }
        switch scalar.properties.generalCategory {
        case .control, .format, .privateUse, .surrogate: return true
        default: return false
        }
    }

    private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
            .finalPunctuation, .otherPunctuation:
            true
        default: false
        }
    }

    /// The blocks of CJK ideographs, each of which is a word of its own.
    private static func isIdeograph(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x4e00...0x9fff, 0x3400...0x4dbf, 0x20000...0x2a6df, 0x2a700...0x2b73f, 0x2b740...0x2b81f,
            0x2b820...0x2ceaf, 0xf900...0xfaff, 0x2f800...0x2fa1f:
            true
        default: false
        }
    }
}
