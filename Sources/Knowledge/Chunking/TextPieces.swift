/// Cutting a block into the smallest pieces that a chunk is put together from.
struct TextPieces {
    let bytes: [UInt8]
    let tokens: TokenMap
    let maximumTokens: Int

    /// Returns the pieces of a block: sentences and lines, cut further where one alone is longer than a chunk.
    func pieces(of block: Block) -> [Range<Int>] {
        let natural: [Range<Int>]
        switch block.kind {
        case .heading: natural = [block.span]
        case .paragraph, .listItem: natural = self.split(block.span, atSentences: true)
        case .table, .code: natural = self.split(block.span, atSentences: false)
        }
        return natural.flatMap { self.fitted($0) }
    }

    private func split(_ span: Range<Int>, atSentences: Bool) -> [Range<Int>] {
        var pieces: [Range<Int>] = []
        var start = span.lowerBound
        for position in span {
            let isLineEnd = self.bytes[position] == 0x0A || self.bytes[position] == 0x0D
            guard isLineEnd || (atSentences && self.isSentenceEnd(position, in: span)) else { continue }
            self.append(start..<position + 1, to: &pieces)
            start = position + 1
        }
        self.append(start..<span.upperBound, to: &pieces)
        return pieces
    }

    private func isSentenceEnd(_ position: Int, in span: Range<Int>) -> Bool {
        let byte = self.bytes[position]
        guard byte == UInt8(ascii: ".") || byte == UInt8(ascii: "!") || byte == UInt8(ascii: "?") else { return false }
        return position + 1 < span.upperBound && self.isSpace(self.bytes[position + 1])
    }

    /// Adds a piece without the white space around it; indentation stays out too, as pieces are joined with what is
    /// between them.
    private func append(_ range: Range<Int>, to pieces: inout [Range<Int>]) {
        var lower = range.lowerBound
        var upper = range.upperBound
        while lower < upper, self.isSpace(self.bytes[lower]) { lower += 1 }
        while lower < upper, self.isSpace(self.bytes[upper - 1]) { upper -= 1 }
        if lower < upper { pieces.append(lower..<upper) }
    }

    private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private func fitted(_ piece: Range<Int>) -> [Range<Int>] {
        var pieces: [Range<Int>] = []
        var rest = piece
        while self.tokens.cost(of: rest) > self.maximumTokens {
            let byTokens = self.tokens.offset(after: self.maximumTokens, from: rest.lowerBound) ?? rest.upperBound
            let byBytes = rest.lowerBound + self.maximumTokens * TokenMap.bytesPerToken
            let cut = self.scalarBoundary(atOrBefore: min(byTokens, byBytes, rest.upperBound - 1))
            self.append(rest.lowerBound..<cut, to: &pieces)
            rest = cut..<rest.upperBound
        }
        self.append(rest, to: &pieces)
        return pieces
    }

    private func scalarBoundary(atOrBefore offset: Int) -> Int {
        var offset = offset
        while offset > 0, self.bytes[offset] & 0xC0 == 0x80 { offset -= 1 }
        return offset
    }
}
