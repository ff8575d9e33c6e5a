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
            ("created >= -7d", "AND (created >= -7d)"), ("a = '-- ;'", "AND (a = '-- ;')"),
            (#"a = 'b\u0027\t\n\r\\\"\ '"#, #"AND (a = 'b\u0027\t\n\r\\\"\ ')"#),
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

    @Test(
        "What JQL does not have is refused, with its place",
        arguments: [
            ("a = b -- c", 7), ("--", 1), ("a = b--c", 6), ("a = b;", 6), ("a = b; c = d ORDER BY e", 6),
            ("a = b ORDER BY c;", 17), (#"a = '\x'"#, 6), (#"a = "b\u12""#, 7), (#"a = "\u12g4""#, 6),
            (#"a = "\U0041""#, 6), (#"a = 'é\0'"#, 7), (#"a = "\u１２３４""#, 6), ("a = b\\ c", 6), ("a = 'b\u{7}'", 7),
            ("a = 'b", 5),
        ]
    )
    func unknown(filter: String, place: Int) {
        let problem = #expect(throws: JQL.Problem.self) { try JQL(filter) }
        #expect(problem?.message.hasPrefix("Character \(place): ") == true, "\(problem?.message ?? "")")
    }
}
