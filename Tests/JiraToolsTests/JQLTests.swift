import Testing

@testable import JiraTools

@Suite("JQL filters")
struct JQLTests {
    @Test(
        "A filter is confined to its project, with its order behind the parentheses",
        arguments: [
            ("status = 'To Do' ORDER BY priority DESC", "AND (status = 'To Do') ORDER BY priority DESC"),
            ("", ""), ("   ", ""), ("ORDER BY created", "ORDER BY created"), ("a = b", "AND (a = b)"),
            ("a = b order\n by c, d asc", "AND (a = b) ORDER BY c, d asc"),
            ("a = \"x ORDER BY y\"", "AND (a = \"x ORDER BY y\")"),
            ("summary ~ 'it\\'s )'", "AND (summary ~ 'it\\'s )')"),
            ("a = b OR project = X", "AND (a = b OR project = X)"),
            ("(a = b) AND (c in (d, e))", "AND ((a = b) AND (c in (d, e)))"),
            ("'order' = by", "AND ('order' = by)"), ("a = ünï", "AND (a = ünï)"),
        ]
    )
    func confined(filter: String, rest: String) throws {
        let expected = rest.isEmpty ? "project = \"ENG\"" : "project = \"ENG\" \(rest)"
        #expect(try JQL(filter).confined(to: "ENG") == expected)
    }

    @Test(
        "A filter that could reach out of its parentheses is refused",
        arguments: [
            "a = b) OR (project = X", ") OR project = X OR (", "(a = b", "a = b)", "a = 'b", "a = \"b", "a = \"b\\\"",
            "a = b\\) OR (c = d", "a = b ORDER BY c) OR (project = X", "ORDER BY", "a = b ORDER BY c = d",
            "a = b ORDER BY (c)", "a = b\u{0} OR c = d", "a = 'b\u{7}'", "a = b \u{2028} OR", "a = b\u{202e}",
            String(repeating: "a", count: 4001),
        ]
    )
    func refused(filter: String) {
        #expect(throws: JQL.Problem.self) { try JQL(filter) }
    }
}
