import JSON
import Knowledge
import Testing

@testable import Extraction

@Suite("Reading Markdown")
struct MarkdownTests {
    /// The kinds of the blocks with their texts, in a short form.
    static func outline(_ text: String) -> [String] {
        MarkdownScanner.scan(text).blocks.map { block in
            let content = String(decoding: Array(text.utf8)[block.span], as: UTF8.self)
            switch block.kind {
            case .heading(let level, let title): return "h\(level):\(title)"
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
            ("# Title\ntext", ["h1:Title", "p:text"]),
            ("## `Code` and *more* ##\n", ["h2:Code and more"]),
            ("### A [link](https://example.org) here", ["h3:A link here"]),
            ("#No heading", ["p:#No heading"]),
            ("####### seven", ["p:####### seven"]),
            ("# C#", ["h1:C#"]),
            ("Title\n=====\n\nSub\n---\ntext", ["h1:Title", "h2:Sub", "p:text"]),
            ("a\nb\n\nc", ["p:a\nb", "p:c"]),
            ("a\n\n***\n\nb", ["p:a", "p:b"]),
            (
                "```swift\n# no heading\n\nlet x = 1\n```\nafter",
                ["code:```swift\n# no heading\n\nlet x = 1\n```", "p:after"]
            ),
            ("~~~\n```\n~~~", ["code:~~~\n```\n~~~"]),
            ("```\nnever closed", ["code:```\nnever closed"]),
            ("- a\n- b\n  more\n\n  still b\n\nafter", ["li:- a", "li:- b\n  more\n\n  still b", "p:after"]),
            ("1. a\n2) b", ["li:1. a", "li:2) b"]),
            ("| a | b |\n|---|:-:|\n| 1 | 2 |\n\nx", ["table:| a | b |\n|---|:-:|\n| 1 | 2 |", "p:x"]),
            ("a | b without a delimiter", ["p:a | b without a delimiter"]),
            ("text\n\n    code\n    more\ntext", ["p:text", "code:    code\n    more", "p:text"]),
            ("<!-- hidden\nstill -->\nshown", ["p:shown"]),
            ("a\r\n\r\n# b\r\n", ["p:a", "h1:b"]),
            ("> quoted\n> text", ["p:> quoted\n> text"]),
            ("", []),
        ] as [(String, [String])]
    )
    func blocks(text: String, expected: [String]) {
        #expect(Self.outline(text) == expected)
    }

    @Test("Front matter is metadata, and no part of the text that is searched")
    func frontMatter() {
        let text = "---\ntitle: \"The Guide\"\nteam:  platform \n  nested: no\n---\n# Heading\nx"
        let result = MarkdownScanner.scan(text)
        #expect(result.title == "The Guide")
        #expect(result.frontMatter == ["title": "The Guide", "team": "platform"])
        #expect(Self.outline(text) == ["h1:Heading", "p:x"])
        #expect(MarkdownScanner.scan("---\nnever closed").frontMatter.isEmpty)
    }

    @Test("Blocks are in order, without overlap and within the text, whatever the text is")
    func properties() {
        let pieces = [
            "# ", "```\n", "- ", "| a |\n|--|\n", "---\n", "\n", "text ", "    ", "<!--", "-->", "é👍", "\r", "=\n",
            "~~~",
        ]
        var state: UInt64 = 11
        for _ in 0..<500 {
            var text = ""
            for _ in 0..<30 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                text += pieces[Int(state >> 33) % pieces.count]
            }
            var last = 0
            for block in MarkdownScanner.scan(text).blocks {
                #expect(block.span.lowerBound >= last)
                #expect(block.span.upperBound <= text.utf8.count)
                last = block.span.upperBound
            }
        }
    }
}
