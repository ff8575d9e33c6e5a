import Knowledge
import Testing

@testable import Extraction

@Suite("Reading HTML")
struct HTMLTests {
    private static func outline(_ html: String) throws -> [String] {
        let page = try HTMLReader(limits: ExtractionLimits()).read(html, path: "page.html")
        return page.blocks.map { block in
            let content = String(decoding: Array(page.text.utf8)[block.span], as: UTF8.self)
            switch block.kind {
            case .heading(let level, let title): return "h\(level):\(title)|\(content)"
            case .paragraph: return "p:\(content)"
            case .listItem: return "li:\(content)"
            case .table: return "table:\(content)"
            case .code: return "code:\(content)"
            }
        }
    }

    @Test(
        "Blocks",
        arguments: [
            ("<h1>A  <b>title</b></h1><p>One\n two<br>three", ["h1:A title|A title", "p:One two\nthree"]),
            ("<script>x()</script><style>p{}</style><p>Shown<noscript>no</noscript>", ["p:Shown"]),
            ("<ul><li>a<li><p>b</p></ul><p>c", ["li:- a", "li:- b", "p:c"]),
            ("<ul><li>a<ul><li>b</ul></ul>", ["li:- a", "li:- b"]),
            ("<pre>\nlet x\n  = 1\n</pre>", ["code:let x\n  = 1"]),
            (
                "<table><caption>C</caption><tr><th>a<th>b<tr><td>1<td><p>2</p></table>",
                ["table:C\n| a | b |\n| 1 | 2 |"]
            ),
            ("a &amp; b &lt;c&gt; &nbsp;&eacute; &#x1F44D;", ["p:a & b <c> é 👍"]),
            ("<div>one<div>two</div>three</div>", ["p:one", "p:two", "p:three"]),
            ("<p>Ümlaut 知識", ["p:Ümlaut 知識"]),
            ("no markup at all", ["p:no markup at all"]),
            ("<p>open <b>and <i>never</p> closed", ["p:open and never", "p:closed"]),
        ] as [(String, [String])]
    )
    func blocks(html: String, expected: [String]) throws {
        #expect(try Self.outline(html) == expected)
    }

    @Test("Entities that a page declares are not expanded, and nothing is fetched")
    func entities() throws {
        let bomb = """
            <!DOCTYPE html [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">]>
            <html><body><p>before &b; &f; after</p></body></html>
            """
        let text = try Self.outline(bomb).joined()
        #expect(!text.contains("aaaaaaaaaaaa"))
        #expect(!text.contains("root:"))
        #expect(text.contains("before"))
    }

    @Test("Markup that is nested too deeply is refused", arguments: [200, 5000, 200_000])
    func depth(count: Int) {
        let html = String(repeating: "<div>", count: count) + "x"
        let error = #expect(throws: KnowledgeError.self) {
            try HTMLReader(limits: ExtractionLimits()).read(html, path: "page.html")
        }
        #expect(error?.code == .tooDeep)
    }

    @Test("Tables in tables and lists in lists stay within the depth too")
    func deepTables() {
        for opening in ["<table><tr><td>", "<ul><li>", "<b>"] {
            let html = String(repeating: opening, count: 3000) + "x"
            #expect(throws: KnowledgeError.self) {
                try HTMLReader(limits: ExtractionLimits()).read(html, path: "page.html")
            }
        }
    }

    @Test("Spans of HTML are spans of its text")
    func spans() throws {
        let page = try HTMLReader(limits: ExtractionLimits()).read("<h2>Ä</h2><p>b</p>", path: "p")
        #expect(page.text == "Ä\n\nb")
        #expect(page.blocks.map(\.span) == [0..<2, 4..<5])
    }
}
