import Foundation
import JSON
import Knowledge
import Testing

@Suite("Filters")
struct DocumentFilterTests {
    @Test(
        "Patterns match whole paths, and mean the same as a regular expression",
        arguments: [
            ("docs/**", "docs/a.md", true), ("docs/**", "docs/a/b.md", true), ("docs/**", "docs", false),
            ("docs/*", "docs/a/b", false), ("*.md", "a.md", true), ("*.md", "x/a.md", false),
            ("**/*.md", "a.md", true), ("**/*.md", "x/y/a.md", true), ("**/a", "ba", false), ("**/a", "b/a", true),
            ("a/**/z", "a/z", true), ("a/**/z", "a/b/c/z", true), ("a/**/z", "abz", false), ("a**z", "a/b/z", true),
            ("?", "ä", true), ("?", "/", false), ("?", "ab", false), ("*??", "ä", false), ("*?", "ä", true),
            ("a.b", "axb", false), ("[ab]", "a", false), ("[ab]", "[ab]", true), ("a+(b)$^|\\{}", "a+(b)$^|\\{}", true),
            ("A", "a", false), ("**", "", true), ("*", "", true), ("***", "a/b", true), ("**/", "a/", true),
            ("**/", "", true), ("*a*b*c", "xaybzc", true), ("*a*b*c", "xaybz", false), ("a*/b*", "ax/by", true),
            ("**/x*/**/y", "a/x1/b/c/y", true), ("**/x*/**/y", "a/x1/b/c/z", false), ("*/**/*", "a/b", true),
        ]
    )
    func patterns(pattern: String, text: String, matches: Bool) throws {
        let glob = try GlobPattern(pattern)
        #expect(glob.matches(text) == matches)
        let expression = try NSRegularExpression(
            pattern: glob.regularExpression,
            options: .dotMatchesLineSeparators
        )
        let found = expression.firstMatch(in: text, range: NSRange(text.startIndex..., in: text))
        #expect((found != nil) == matches, "\(glob.regularExpression)")
    }

    @Test("A pattern made to be slow isn't")
    func slowPattern() throws {
        let glob = try GlobPattern(String(repeating: "*a", count: 500))
        #expect(!glob.matches(String(repeating: "a", count: 100_000) + "b"))
        #expect(throws: KnowledgeError.self) { try GlobPattern("") }
        #expect(throws: KnowledgeError.self) { try GlobPattern(String(repeating: "a", count: 1025)) }
    }

    @Test(
        "Paths are keys with dots between them",
        arguments: [
            ("team", ["team"]), ("a.b-c.d_1", ["a", "b-c", "d_1"]), ("\"gantry.file\"", ["gantry.file"]),
            ("a.\"b c\".d", ["a", "b c", "d"]), ("\"ä\"", ["ä"]),
        ]
    )
    func paths(text: String, keys: [String]) throws {
        let path = try MetadataPath(text)
        #expect(path.keys == keys)
        #expect(try MetadataPath(path.description) == path)
    }

    @Test(
        "Anything else isn't a path",
        arguments: [
            "", ".", "a.", ".a", "a..b", "a b", "ä", "a[0]", "$.a", "a'b", "\"a", "\"a\"b", "\"a\\\"\"", "\"\"",
            "\"\n\"",
            "a.b.c.d.e.f.g.h.i", String(repeating: "a", count: 65), "a;--",
        ]
    )
    func badPaths(text: String) {
        #expect(throws: KnowledgeError.self) { try MetadataPath(text) }
    }

    @Test("Values suit their comparisons")
    func values() throws {
        let path = try MetadataPath("a")
        let wrong: [(MetadataCondition.Comparison, JSONValue)] = [
            (.eq, [1]), (.ne, ["a": 1]), (.in, 1), (.in, []), (.in, [[1]]), (.exists, 1), (.lt, true), (.gte, .null),
            (.contains, [1]), (.eq, .string(String(repeating: "a", count: 4097))),
            (.in, .array(Array(repeating: 1, count: 101))),
        ]
        for (comparison, value) in wrong {
            #expect(throws: KnowledgeError.self) { try MetadataCondition(path, comparison, value) }
        }
    }

    @Test(
        "Conditions on the command line",
        arguments: [
            ("team=platform", .eq, "platform"), ("team.name!=ops", .ne, "ops"), ("severity>=2", .gte, 2),
            ("severity<2", .lt, 2), ("since<=2026-01-01", .lte, "2026-01-01"), ("since>a=b", .gt, "a=b"),
            ("tags~oil", .contains, "oil"), ("open=true", .eq, true), ("number=\"7\"", .eq, "7"), ("empty=", .eq, ""),
        ] as [(String, MetadataCondition.Comparison, JSONValue)]
    )
    func conditionTexts(text: String, comparison: MetadataCondition.Comparison, value: JSONValue) throws {
        let condition = try MetadataCondition(text: text)
        #expect(condition.comparison == comparison)
        #expect(condition.value == value)
    }

    @Test("Anything else isn't a condition", arguments: ["", "team", "=a", "a b=c", "!a", "a=[1]", "a<true"])
    func badConditionTexts(text: String) {
        #expect(throws: KnowledgeError.self) { try MetadataCondition(text: text) }
    }

    @Test("Labels: none is for everybody, else one has to be held")
    func labels() {
        #expect(AccessLabels.all.allow(["a"]))
        #expect(AccessLabels.only([]).allow([]))
        #expect(!AccessLabels.only([]).allow(["a"]))
        #expect(AccessLabels.only(["a", "b"]).allow(["b", "c"]))
        #expect(!AccessLabels.only(["a"]).allow(["b"]))
    }
}
