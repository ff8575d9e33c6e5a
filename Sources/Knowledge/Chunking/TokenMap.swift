/// Where the tokens of a text begin, to count those of any part of it without cutting it again.
struct TokenMap: Sendable {
    private let starts: [Int]

    /// Bytes that count as one token where the tokenizer sees fewer, so that a long run that it takes for one unknown
    /// word, such as Base64, can't make a chunk of any size.
    static let bytesPerToken = 16

    init(spans: [Range<Int>]) { self.starts = spans.map(\.lowerBound) }

    /// Creates the map with an embedder's tokenizer, or by estimate without one.
    init(text: String, embedder: (any Embedder)?) {
        self.init(spans: embedder?.tokenSpans(of: text) ?? ApproximateTokenizer.tokenSpans(of: text))
    }

    /// Returns how many tokens begin in a range of UTF-8 byte offsets, or what its bytes count for if that is more.
    func cost(of range: Range<Int>) -> Int {
        let tokens = self.firstToken(at: range.upperBound) - self.firstToken(at: range.lowerBound)
        return max(tokens, range.count / Self.bytesPerToken)
    }

    /// Returns where the first token begins that is past the given number of tokens from an offset.
    func offset(after tokens: Int, from offset: Int) -> Int? {
        let index = self.firstToken(at: offset) + tokens
        return index < self.starts.count ? self.starts[index] : nil
    }

    private func firstToken(at offset: Int) -> Int {
        var low = 0
        var high = self.starts.count
        while low < high {
            let middle = (low + high) / 2
            if self.starts[middle] < offset { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
