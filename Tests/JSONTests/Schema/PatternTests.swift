import JSON
import Testing

@Suite("Patterns of ECMA-262")
struct PatternTests {
    @Test(
        "What matches and what does not",
        arguments: [
            ("", "anything", true),
            ("b", "abc", true),
            ("^b", "abc", false),
            ("c$", "abc", true),
            ("c$", "abc\n", false),
            ("^(foo|bar)+$", "foobarfoo", true),
            ("^(foo|bar)+$", "foobaz", false),
            ("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", "web-shop-1", true),
            ("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", "web-shop-", false),
            ("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", "a" + String(repeating: "b", count: 62), true),
            ("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", "a" + String(repeating: "b", count: 63), false),
            ("^a{2,3}$", "aaaa", false),
            ("^a{2,}$", "aaaa", true),
            ("^a{2}$", "aa", true),
            ("^{.*}$", "{x}", true),
            ("^a{,2}$", "a{,2}", true),
            ("^.*?b.*$", "aab", true),
            ("^(?:a|ab)(?:c|bcd)(?:d*)$", "abcd", true),
            (#"^(\w+) \1$"#, "hey hey", true),
            (#"^(\w+) \1$"#, "hey you", false),
            (#"^(?<q>['"]).*\k<q>$"#, "'x'", true),
            (#"^(?<q>['"]).*\k<q>$"#, "'x\"", false),
            (#"^(?!.*--)[a-z-]+$"#, "a-b-c", true),
            (#"^(?!.*--)[a-z-]+$"#, "a--b", false),
            (#"^(?=.*\d)(?=.*[a-z]).{4,}$"#, "abc1", true),
            (#"^(?=.*\d)(?=.*[a-z]).{4,}$"#, "abcd", false),
            (#"(?<=\$)\d+"#, "costs $42", true),
            (#"(?<=\$)\d+"#, "costs 42", false),
            (#"(?<!\$)\b\d+"#, "costs $42", false),
            (#"(?<=(\d)(\w+))x"#, "12x", true),
            (#"\bcat\b"#, "a cat sat", true),
            (#"\bcat\b"#, "concat", false),
            (#"\Bcat"#, "concat", true),
            ("^[^a-c]+$", "xyz", true),
            ("^[^a-c]+$", "xay", false),
            ("^[]$", "", false),
            ("^[^]$", "\n", true),
            ("^.$", "\n", false),
            ("^.$", "😀", true),
            (#"^[\u{1F600}-\u{1F64F}]$"#, "😀", true),
            (#"^\ud83d\ude00$"#, "😀", true),
            (#"^[\w\-.]+$"#, "a-b.c", true),
            (#"^\x41\u0042\cI\0$"#, "AB\t\0", true),
            (#"^\p{Lu}\P{Lu}$"#, "Éé", true),
            (#"^\p{L}+$"#, "Straße", true),
            (#"^[\p{L}\p{Nd}_]+$"#, "a१_", true),
            ("^(a*)*$", "aaa", true),
            ("^(a|b*)*$", "abba", true),
            ("^(?:a?){3}a{3}$", "aaa", true),
            (#"^(?:(a)|b)*\1$"#, "ab", true),
            ("e\u{301}", "\u{E9}", false),
            ("^(a(b(c)?)?)?$", "abc", true),
            ("x*?$", "yy", true),
            ("^a+?b$", "aaab", true),
        ]
    )
    func table(pattern: String, text: String, isMatch: Bool) throws {
        let schema = try JSONSchema(["pattern": .string(pattern)])
        #expect(try schema.isValid(.string(text)) == isMatch)
    }

    @Test(
        "What is no pattern is refused",
        arguments: [
            "(", ")", "[", "[b-a]", "*", "a**", "+", "?", "{1}", "a{2,1}", "\\", #"\a"#, #"\1"#, #"(a)\2"#, #"\k<x>"#,
            #"\u{110000}"#, #"\u12"#, #"\xg0"#, #"\c1"#, #"\p{Nonsense}"#, #"\p"#, "(?<1>a)", "(?a)", "^*", "(?=a)*",
            #"[\d-z]"#,
            #"\01"#, "a{10001}",
            String(repeating: "(", count: 100) + String(repeating: ")", count: 100),
        ]
    )
    func refused(pattern: String) {
        let error = #expect(throws: JSONSchemaError.self) { try JSONSchema(["pattern": .string(pattern)]) }
        #expect(error?.code == .invalidPattern)
    }

    @Test(
        "A pattern that is too large is refused as such, without writing it out",
        arguments: [
            "((((a{999}){999}){999}){999})", "(?:(?:(?:(?:){9999}){9999}){9999}){9999}",
            "(?:abc){1,9999}(?:def){1,9999}",
            String(repeating: "a", count: 65_537),
        ]
    )
    func tooLarge(pattern: String) {
        let error = #expect(throws: JSONSchemaError.self) { try JSONSchema(["pattern": .string(pattern)]) }
        #expect(error?.code == .patternTooLarge)
        #expect(error?.schemaPointer.description == "/pattern")
    }

    @Test("The patterns of a schema are bounded together")
    func tooLargeTogether() throws {
        var options = JSONSchema.Options()
        options.maximumPatternSize = 60
        func schema(_ count: Int) -> JSONValue {
            let members = (0..<count).map { (key: "^(?:ab){\($0 % 2 + 3)}", value: JSONValue.bool(true)) }
            return ["allOf": .array(members.map { ["patternProperties": .object([$0.key: $0.value])] })]
        }
        #expect(throws: Never.self) { try JSONSchema(schema(6), options: options) }
        let error = #expect(throws: JSONSchemaError.self) { try JSONSchema(schema(7), options: options) }
        #expect(error?.code == .patternTooLarge)
    }

    @Test("A pattern keeps a bounded number of ways open, however many steps it may take")
    func openWays() throws {
        var options = JSONSchema.Options()
        options.maximumWork = 1_000_000_000
        let schema = try JSONSchema(["pattern": "^(?:a|b)*$"], options: options)
        #expect(try schema.isValid(.string(String(repeating: "a", count: 100_000))))
        let error = #expect(throws: JSONSchemaError.self) {
            try schema.isValid(.string(String(repeating: "a", count: 1_000_000)))
        }
        #expect(error?.code == .tooMuchWork)
        #expect(error?.message.contains("ways open") == true)
    }
}
