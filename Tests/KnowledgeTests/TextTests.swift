import Testing

@testable import Knowledge

@Suite("Lines and tokens of texts")
struct TextTests {
    @Test("Lines end at LF, CR LF and CR")
    func lines() {
        let lines = Array(TextLines("a\r\nb\r\rc\n  \nd"))
        #expect(lines.map(\.span) == [0..<1, 3..<4, 5..<5, 6..<7, 8..<10, 11..<12])
        #expect(lines.map(\.isBlank) == [false, false, true, false, true, false])
        #expect(Array(TextLines("")).isEmpty)
    }

    @Test("Paragraphs are the runs of lines between empty ones")
    func paragraphs() {
        #expect(Block.paragraphs(in: "\n a\nb\n\n \nc").map(\.span) == [1..<5, 9..<10])
    }

    @Test(
        "The estimate of tokens",
        arguments: [("", 0), ("word", 1), ("understanding", 3), ("a,b!", 4), ("知識 x", 3), ("e\u{301}tude", 1)]
    )
    func tokens(text: String, count: Int) {
        let spans = ApproximateTokenizer.tokenSpans(of: text)
        #expect(spans.count == count)
        #expect(zip(spans, spans.dropFirst()).allSatisfy { $0.upperBound <= $1.lowerBound })
    }
}
