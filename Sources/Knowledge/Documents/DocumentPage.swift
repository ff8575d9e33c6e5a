/// A part of a document's text that fits a budget of tokens.
public struct DocumentPage: Sendable, Hashable {
    /// The text of the part.
    public var text: String
    /// Where it lies in the document's text, in UTF-8 byte offsets.
    public var span: Range<Int>
    /// How many tokens it has, by estimate.
    public var tokenCount: Int
    /// How many bytes of UTF-8 the whole text has.
    public var totalBytes: Int

    /// Where the next part begins, or nothing if this one reaches the end.
    public var next: Int? { self.span.upperBound < self.totalBytes ? self.span.upperBound : nil }

    /// Cuts a part out of a text.
    ///
    /// It ends at the end of the text or, within its last third, at the latest empty line, else line break, else white
    /// space; where there is none, after the last whole character.
    ///
    /// - Parameters:
    ///   - text: The whole text.
    ///   - start: Where to begin, in bytes of UTF-8; an offset within a character is moved back to its beginning.
    ///   - maximumTokens: The most tokens, at least 1. A run of 16 bytes counts as one token at least, so the part has at
    ///     most 16 times as many bytes.
    public init(of text: String, from start: Int, maximumTokens: Int) {
        let bytes = Array(text.utf8)
        let start = Self.characterBoundary(atOrBefore: min(max(0, start), bytes.count), in: bytes)
        let farthest = min(bytes.count, start + maximumTokens * TokenMap.bytesPerToken)
        let slice = String(
            decoding: bytes[start..<Self.characterBoundary(atOrBefore: farthest, in: bytes)],
            as: UTF8.self
        )
        let tokens = ApproximateTokenizer.tokenSpans(of: slice)
        var end = start + slice.utf8.count
        if tokens.count > maximumTokens { end = start + tokens[maximumTokens].lowerBound }
        if end < bytes.count { end = Self.cut(bytes, from: start, to: end) }
        self.text = String(decoding: bytes[start..<end], as: UTF8.self)
        self.span = start..<end
        self.tokenCount = tokens.count { $0.upperBound <= end - start }
        self.totalBytes = bytes.count
    }

    private static func characterBoundary(atOrBefore offset: Int, in bytes: [UInt8]) -> Int {
        var offset = offset
        while offset > 0, offset < bytes.count, bytes[offset] & 0xC0 == 0x80 { offset -= 1 }
        return offset
    }

    /// The best place to stop between two offsets.
    private static func cut(_ bytes: [UInt8], from start: Int, to end: Int) -> Int {
        let earliest = end - (end - start) / 3
        let newline = UInt8(ascii: "\n")
        var lineEnd: Int?
        var space: Int?
        var offset = end
        while offset > earliest, offset > start {
            let byte = bytes[offset - 1]
            if byte == newline {
                if offset - 2 >= start, bytes[offset - 2] == newline { return offset }
                if lineEnd == nil { lineEnd = offset }
            } else if byte == UInt8(ascii: " "), space == nil {
                space = offset
            }
            offset -= 1
        }
        return lineEnd ?? space ?? end
    }
}
