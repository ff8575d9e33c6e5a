import Testing

@testable import Knowledge

@Suite("Pages of documents")
struct DocumentPageTests {
    @Test(
        "Pages follow each other without gap or overlap, and fit the budget",
        arguments: [
            String(repeating: "A sentence of some words, and more.\n\n", count: 200),
            String(repeating: "ünïcödé 漢字 🎉 ", count: 300), String(repeating: "x", count: 20_000),
            String(repeating: "🎉", count: 3000), "", "short",
        ]
    )
    func pages(text: String) {
        var start = 0
        var joined = ""
        var pages = 0
        repeat {
            let page = DocumentPage(of: text, from: start, maximumTokens: 100)
            #expect(page.span.lowerBound == start)
            #expect(page.tokenCount <= 100)
            #expect(page.text.utf8.count <= 1600)
            #expect(page.text.utf8.count == page.span.count)
            #expect(page.totalBytes == text.utf8.count)
            joined += page.text
            pages += 1
            guard let next = page.next else { break }
            #expect(next > start)
            start = next
        } while pages < 10_000
        #expect(joined == text)
    }

    @Test("A page ends at an empty line where there is one, and begins at a whole character")
    func boundaries() {
        let text = String(repeating: "one two three\n\n", count: 50)
        let page = DocumentPage(of: text, from: 0, maximumTokens: 50)
        #expect(page.text.hasSuffix("\n\n"))
        let inside = DocumentPage(of: "aü漢z", from: 2, maximumTokens: 10)
        #expect(inside.text == "ü漢z")
        #expect(DocumentPage(of: "abc", from: 99, maximumTokens: 10).text == "")
    }
}
