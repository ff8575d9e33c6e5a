/// The uncased WordPiece tokenizer of BERT: text is cleaned, split at blanks, punctuation and CJK characters, stripped of
/// accents, put in lower case, and each word is cut into the longest pieces that the vocabulary knows.
///
/// The names of special tokens, such as `[SEP]`, are ordinary text here, so that a document can't forge one.
///
/// Devlin et al., arXiv:1810.04805; Wu et al., arXiv:1609.08144.
struct WordPieceTokenizer: Sendable {
    /// A piece of the vocabulary, and the UTF-8 bytes of the original text that it came from.
    struct Token: Sendable, Equatable {
        var id: Int32
        var span: Range<Int>
    }

    /// A word after normalisation, and where each of its bytes came from.
    private struct Word {
        var bytes: [UInt8] = []
        var sources: [Range<Int>] = []
        var characters = 0

        /// Longer words are unknown, as in the reference; of those, no more than the ends is kept.
        static let maximumLength = 100

        mutating func append(_ byte: UInt8, from source: Range<Int>) {
            guard self.beginsCharacter(from: source) else { return }
            self.bytes.append(byte)
            self.sources.append(source)
        }

        mutating func append(_ character: [UInt8], from source: Range<Int>) {
            guard self.beginsCharacter(from: source) else { return }
            self.bytes += character
            for _ in character { self.sources.append(source) }
        }

        private mutating func beginsCharacter(from source: Range<Int>) -> Bool {
            self.characters += 1
            if self.characters > Self.maximumLength { self.sources[self.sources.count - 1] = source }
            return self.characters <= Self.maximumLength
        }

        mutating func removeAll() {
            self.bytes.removeAll(keepingCapacity: true)
            self.sources.removeAll(keepingCapacity: true)
            self.characters = 0
        }
    }

    /// How many different characters are remembered within one text.
    private static let maximumFoldedCharacters = 4096

    let vocabulary: Vocabulary

    /// The tokens of a text, without special ones.
    ///
    /// - Parameter limit: How many tokens are wanted; the text is read no further than that.
    func tokens(of text: String, limit: Int = .max) -> [Token] {
        var tokens: [Token] = []
        var word = Word()
        var folded: [Unicode.Scalar: FoldedCharacter] = [:]
        var offset = 0
        for scalar in text.unicodeScalars {
            let span = offset..<(offset + UTF8.width(scalar))
            offset = span.upperBound
            if scalar.isASCII {
                let byte = UInt8(truncatingIfNeeded: scalar.value)
                switch byte {
                case 0x61...0x7a, 0x30...0x39: word.append(byte, from: span)
                case 0x41...0x5a: word.append(byte + 0x20, from: span)
                case 0x20, 0x09, 0x0a, 0x0d: self.end(&word, &tokens)
                case 0x00..<0x20, 0x7f: continue
                default: self.append(symbol: [byte], from: span, after: &word, &tokens)
                }
            } else {
                let character: FoldedCharacter
                if let known = folded[scalar] {
                    character = known
                } else {
                    character = FoldedCharacter(scalar)
                    if folded.count == Self.maximumFoldedCharacters { folded.removeAll(keepingCapacity: true) }
                    folded[scalar] = character
                }
                for part in character.parts {
                    switch part {
                    case .blank: self.end(&word, &tokens)
                    case .letter(let bytes): word.append(bytes, from: span)
                    case .symbol(let bytes): self.append(symbol: bytes, from: span, after: &word, &tokens)
                    }
                }
            }
            if tokens.count >= limit { return Array(tokens.prefix(limit)) }
        }
        self.end(&word, &tokens)
        return tokens.count > limit ? Array(tokens.prefix(limit)) : tokens
    }

    private func append(symbol: [UInt8], from span: Range<Int>, after word: inout Word, _ tokens: inout [Token]) {
        self.end(&word, &tokens)
        word.append(symbol, from: span)
        self.end(&word, &tokens)
    }

    /// Cuts a word into its longest known pieces, from the left, and begins a new one.
    private func end(_ word: inout Word, _ tokens: inout [Token]) {
        guard let first = word.sources.first, let last = word.sources.last else { return }
        defer { word.removeAll() }
        let count = tokens.count
        var start = word.characters > Word.maximumLength ? nil : 0
        while let from = start, from < word.bytes.count {
            let piece = self.vocabulary.longestPiece(of: word.bytes, from: from)
            if let piece {
                let span = word.sources[from].lowerBound..<word.sources[piece.end - 1].upperBound
                tokens.append(Token(id: piece.id, span: span))
            }
            start = piece?.end
        }
        if start == nil {
            tokens.removeSubrange(count...)
            tokens.append(Token(id: self.vocabulary.unknown, span: first.lowerBound..<last.upperBound))
        }
    }
}
