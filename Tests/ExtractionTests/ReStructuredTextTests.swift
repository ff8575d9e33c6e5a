import Knowledge
import Testing

@testable import Extraction

@Suite("Reading reStructuredText")
struct ReStructuredTextTests {
    private static func outline(_ text: String) -> [String] {
        ReStructuredTextScanner.scan(text).blocks.map { block in
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

    @Test("The order of underlines gives the levels of headings")
    func headings() {
        let text = """
            =====
            Title
            =====

            First
            -----

            Text of the first.

            Below
            ~~~~~

            Second :ref:`part <x>`
            ----------------------
            """
        #expect(
            Self.outline(text) == ["h1:Title", "h2:First", "p:Text of the first.", "h3:Below", "h2:Second part <x>"]
        )
        #expect(ReStructuredTextScanner.scan(text).title == "Title")
    }

    @Test(
        "Blocks",
        arguments: [
            ("One\ntwo.\n\nThree.", ["p:One\ntwo.", "p:Three."]),
            ("- a\n- b\n  more\n\n3. c", ["li:- a", "li:- b\n  more", "li:3. c"]),
            ("Like this::\n\n    a = 1\n\n    b\n\nAfter.", ["p:Like this::", "code:    a = 1\n\n    b", "p:After."]),
            (".. code-block:: sh\n\n   make\n\nAfter.", ["code:.. code-block:: sh\n\n   make", "p:After."]),
            (
                ".. note:: Mind the gap.\n\n   More of it.\n\nAfter.",
                [
                    "p:.. note:: Mind the gap.", "p:   More of it.", "p:After.",
                ]
            ),
            (".. a comment\n   of two lines\n\nText.\n\n.. _target:\n\n.. image:: x.png\n   :alt: y", ["p:Text."]),
            ("+---+---+\n| a | b |\n+---+---+\n\nText.", ["table:+---+---+\n| a | b |\n+---+---+", "p:Text."]),
            (
                "=== ===\na   b\n=== ===\n1   2\n=== ===\n\nText.",
                [
                    "table:=== ===\na   b\n=== ===\n1   2\n=== ===", "p:Text.",
                ]
            ),
            ("One.\n\n-----\n\nTwo.", ["p:One.", "p:Two."]),
            ("..", []),
            ("===", []),
        ] as [(String, [String])]
    )
    func blocks(text: String, expected: [String]) {
        #expect(Self.outline(text) == expected)
    }
}
