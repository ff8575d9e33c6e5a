import Testing

@testable import Crawling

@Suite("Patterns for paths")
struct GlobTests {
    @Test(
        "Patterns as in gitignore(5)",
        arguments: [
            ("*.md", "a.md", true), ("*.md", "x/y/a.md", true), ("*.md", "a.mdx", false), ("a", "b/a", true),
            ("docs/*.md", "docs/a.md", true), ("docs/*.md", "docs/x/a.md", false), ("docs/*.md", "x/docs/a.md", false),
            ("/a.md", "a.md", true), ("/a.md", "x/a.md", false), ("docs/**", "docs/x/y", true),
            ("docs/**", "docs", false), ("**/b", "b", true), ("**/b", "a/c/b", true), ("a/**/b", "a/b", true),
            ("a/**/b", "a/x/y/b", true), ("a/**/b", "a/x", false), ("a?c", "abc", true), ("a?c", "a/c", false),
            ("[a-c]x", "bx", true), ("[!a-c]x", "bx", false), ("[]]", "]", true), ("\\*", "*", true),
            ("\\*", "a", false),
            ("a*b*c", "aXbYc", true), ("a*b*c", "acb", false), ("**", "a/b", true), ("", "a", false),
        ]
    )
    func matches(pattern: String, path: String, isMatch: Bool) {
        #expect(Glob(pattern).matches(path) == isMatch)
    }

    @Test("A pattern that is made to be slow isn't")
    func isQuick() {
        let pattern = String(repeating: "a*", count: 500) + "b"
        #expect(!Glob(pattern).matches(String(repeating: "a", count: 5000)))
        #expect(!Glob(String(repeating: "**/", count: 200) + "b").matches(String(repeating: "a/", count: 500)))
    }

    @Test(
        "The last rule about a path decides",
        arguments: [
            ("a.log", false, true), ("keep.log", false, false), ("build", true, true), ("build", false, nil),
            ("x/build", true, true), ("only/here", false, true), ("x/only/here", false, nil), ("a.md", false, nil),
            ("#x", false, true), ("!x", false, true),
        ] as [(String, Bool, Bool?)]
    )
    func rules(path: String, isDirectory: Bool, expected: Bool?) {
        let rules = IgnoreRules("# comment\n*.log\n!keep.log\nbuild/\r\n/only/here  \n\\#x\n\\!x\n/\n\n!")
        #expect(rules.ignores(path, isDirectory: isDirectory) == expected)
    }
}
