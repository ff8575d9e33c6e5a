/// An estimate of where a WordPiece tokenizer cuts, for use without an embedding model.
///
/// A run of letters and digits is one token for every six of its characters or part of them, every other visible
/// character is a token of its own, and so is every character from U+2E80 on, where the CJK scripts begin. On English
/// prose this counts a little more tokens than the vocabulary of BERT does.
public enum ApproximateTokenizer {
    /// Returns where each token would lie, as ranges of UTF-8 byte offsets in order.
    public static func tokenSpans(of text: String) -> [Range<Int>] {
        var spans: [Range<Int>] = []
        var offset = 0
        var pieceLength = 0
        for scalar in text.unicodeScalars {
            let end = offset + UTF8.width(scalar)
            if scalar.properties.isWhitespace {
                pieceLength = 0
            } else if scalar.value < 0x2E80, Self.isWordPart(scalar) {
                if pieceLength > 0, pieceLength < 6, let last = spans.last {
                    spans[spans.count - 1] = last.lowerBound..<end
                    pieceLength += 1
                } else {
                    spans.append(offset..<end)
                    pieceLength = 1
                }
            } else {
                spans.append(offset..<end)
                pieceLength = 0
            }
            offset = end
        }
        return spans
    }

    private static func isWordPart(_ scalar: Unicode.Scalar) -> Bool {
        let properties = scalar.properties
        return properties.isAlphabetic || properties.numericType != nil || properties.generalCategory == .nonspacingMark
    }
}
