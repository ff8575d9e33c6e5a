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

    /// What becomes of a character.
    private enum Reading {
        case dropped
        case blank
        /// In lower case and without accents: often one scalar, none for an accent, several for some.
        ///
        /// Those that stand alone are a word of their own.
        case parts([(scalar: Unicode.Scalar, standsAlone: Bool)])
    }

    /// Longer words are unknown, as in the reference.
    private static let maximumWordLength = 100

    private let pieces: PieceTree
    private let unknown: Int32
    let classification: Int32
    let separator: Int32
    let vocabularySize: Int

    /// - Parameter vocabulary: The pieces in the order of their ids, one per line.
    /// - Throws: ``EmbeddingError`` if a special token is missing.
    init(vocabulary: String) throws(EmbeddingError) {
        let lines = vocabulary.split(separator: "\n")
        func id(_ piece: String) throws(EmbeddingError) -> Int32 {
            guard let id = lines.firstIndex(where: { $0 == piece }) else {
                throw EmbeddingError(.modelCorrupt, "The vocabulary has no \(piece); run `make setup` again.")
            }
            return Int32(id)
        }
        self.unknown = try id("[UNK]")
        self.classification = try id("[CLS]")
        self.separator = try id("[SEP]")
        self.pieces = PieceTree(lines)
        self.vocabularySize = lines.count
    }

    /// The tokens of a text, without special ones.
    ///
    /// - Parameters:
    ///   - text: Any text.
    ///   - limit: How many tokens are wanted; what lies behind them isn't looked at.
    /// - Returns: The tokens in the order of the text.
    func tokens(of text: String, limit: Int = .max) -> [Token] {
        var tokens: [Token] = []
        var word: [Unit] = []
        // Most texts have few different characters beyond ASCII, and what becomes of one takes long to find out.
        var readings: [Unicode.Scalar: Reading] = [:]
        var offset = 0
        func endWord() {
            guard word.isEmpty == false else { return }
            self.append(word, to: &tokens)
            word.removeAll(keepingCapacity: true)
        }
        func add(_ unit: Unit, standsAlone: Bool) {
            if standsAlone { endWord() }
            if word.count > Self.maximumWordLength {
                // It is unknown already: only where it ends is of interest.
                word[word.count - 1] = unit
            } else {
                word.append(unit)
            }
            if standsAlone { endWord() }
        }
        for scalar in text.unicodeScalars {
            guard tokens.count < limit else { break }
            let span = offset..<(offset + UTF8.width(scalar))
            offset = span.upperBound
            switch scalar.value {
            case 0x20, 0x09, 0x0a, 0x0d: endWord()
            case 0x00..<0x20, 0x7f: continue
            case 0x41...0x5a:
                let lower = Unicode.Scalar(UInt8(scalar.value + 32))
                add(Unit(scalar: lower, span: span), standsAlone: false)
            case 0x30...0x39, 0x61...0x7a: add(Unit(scalar: scalar, span: span), standsAlone: false)
            case 0x21..<0x7f: add(Unit(scalar: scalar, span: span), standsAlone: true)
            default:
                let reading: Reading
                if let known = readings[scalar] {
                    reading = known
                } else {
                    reading = Self.reading(of: scalar)
                    readings[scalar] = reading
                }
                switch reading {
                case .dropped: continue
                case .blank: endWord()
                case .parts(let parts):
                    for part in parts { add(Unit(scalar: part.scalar, span: span), standsAlone: part.standsAlone) }
                }
            }
        }
        endWord()
        if tokens.count > limit { tokens.removeSubrange(limit...) }
        return tokens
    }

    /// Cuts a word into its longest known pieces, from the left.
    private func append(_ word: [Unit], to tokens: inout [Token]) {
        let first = tokens.count
        var start = 0
        while start < word.count, word.count <= Self.maximumWordLength {
            guard let piece = self.pieces.longest(in: word[start...].lazy.map(\.scalar), startsWord: start == 0) else {
                break
            }
            let last = start + piece.length - 1
            tokens.append(Token(id: piece.id, span: word[start].span.lowerBound..<word[last].span.upperBound))
            start = last + 1
        }
        guard start < word.count else { return }
        tokens.removeSubrange(first...)
        let whole = word[0].span.lowerBound..<word[word.count - 1].span.upperBound
        tokens.append(Token(id: self.unknown, span: whole))
    }

    /// What becomes of a character beyond ASCII.
    private static func reading(of scalar: Unicode.Scalar) -> Reading {
        if Self.isDropped(scalar) { return .dropped }
        if scalar.properties.isWhitespace { return .blank }
        let folded = String(scalar).decomposedStringWithCanonicalMapping.unicodeScalars
            .filter { $0.properties.generalCategory != .nonspacingMark }
            .flatMap { Array($0.properties.lowercaseMapping.unicodeScalars) }
        return .parts(folded.map { ($0, Self.isIdeograph($0) || Self.isPunctuation($0)) })
    }

    private static func isDropped(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value == 0xfffd { return true }
        switch scalar.properties.generalCategory {
        case .control, .format, .privateUse, .surrogate: return true
        default: return false
        }
    }

    /// As in the reference, the symbols of ASCII are punctuation too, also those that were part of another character: ≠ is
    /// an = with a stroke.
    private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x21...0x2f, 0x3a...0x40, 0x5b...0x60, 0x7b...0x7e: return true
        default: break
        }
        return switch scalar.properties.generalCategory {
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
