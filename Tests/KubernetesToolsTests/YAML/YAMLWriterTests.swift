import Testing
import Yams

@testable import KubernetesTools

@Suite("YAML")
struct YAMLWriterTests {
    static let hostile = [
        "", " ", "~", "null", "Null", "NULL", "true", "True", "FALSE", "yes", "No", "on", "OFF", "y", "N", "1", "-1",
        "+1",
        "1.10", ".5", "1.", "0x1f", "0o17", "017", "0b11", "1e3", "1E-3", "1_000", "190:20:30", "1:30", ".inf", "-.INF",
        ".nan",
        "NaN", "inf", "2026-11-23", "2026-11-23T10:00:00Z", "=", "<<", "- a", "-", "--- a", "---", "...", "a: b", "a:",
        ": a",
        "a #b", "#a", "*a", "&a", "!a", "!!str a", "%a", "@a", "`a", "|", ">", "|-\n a", "'a'", "\"a\"", "a\"b", "\\",
        "a\\nb",
        "{a: b}", "[a, b]", "a, b", "{", "}", "[", "]", "?", "? a", "a\nb", "a\r\nb", "\ta", "a\t", "a ", " a", "\n",
        "\r",
        "a\u{0}b", "\u{1}", "\u{7F}", "\u{85}", "\u{A0}", "\u{2028}", "a\u{FEFF}", "é", "e\u{301}", "日本", "🙂",
        "${PORT}",
        "{{ .Values.image }}", "500m", "512Mi", "1.4.2", "key: *alias", "img:1.4.2@sha256:ab",
        String(repeating: "long words ", count: 40),
    ]
    static let harmless = [
        "web-shop", "apps/v1", "Deployment", "kubernetes.io/hostname", "/tmp", "ALL", "yesterday", "nginx", "a-", "a.",
        String(repeating: "x", count: 500),
    ]

    /// What a reader sees, with the type that it takes each scalar for.
    private static func value(of node: Node) -> YAMLValue? {
        switch node {
        case .scalar(let scalar):
            switch node.tag {
            case Tag(.int): Int(scalar.string).map(YAMLValue.integer)
            case Tag(.bool): Bool(scalar.string).map(YAMLValue.bool)
            case Tag(.str): YAMLValue.string(scalar.string)
            default: nil
            }
        case .sequence(let sequence):
            YAMLValue.sequence(sequence.compactMap(Self.value(of:)))
        case .mapping(let mapping):
            YAMLValue.mapping(
                mapping.compactMap { key, value in
                    guard case .string(let key) = Self.value(of: key), let value = Self.value(of: value) else {
                        return nil
                    }
                    return .init(key: key, value: value)
                }
            )
        case .alias:
            nil
        }
    }

    private static func read(_ text: String) throws -> [YAMLValue?] {
        try Array(Yams.compose_all(yaml: text)).map(Self.value(of:))
    }

    @Test("Every string comes back as the same string, as a value and as a key", arguments: hostile + harmless)
    func strings(text: String) throws {
        let tree = YAMLValue.mapping([
            .init(key: "value", value: .string(text)),
            .init(key: "list", value: [.string(text), [.string(text)]]),
            .init(key: text, value: .string(text)),
        ])
        #expect(try Self.read(YAMLWriter.write([tree, .string(text)])) == [tree, .string(text)])
    }

    @Test("Strings that some reader takes for something else are between quotes", arguments: hostile)
    func quotes(text: String) {
        #expect(YAMLWriter.needsQuotes(text))
    }

    @Test("Ordinary words are not", arguments: harmless)
    func plain(text: String) {
        #expect(!YAMLWriter.needsQuotes(text))
    }

    @Test("Random strings come back as the same string")
    func randomStrings() throws {
        var generator = SplitMix64(state: 42)
        let alphabet = Array("aA0 1:#-?.,[]{}&*!|>'\"%@`\\\n\t~=<_+eExyn/\u{0}\u{85}é\u{2028}🙂").map(String.init)
        for _ in 0..<2_000 {
            let text = (0..<Int.random(in: 0...12, using: &generator))
                .map { _ in alphabet[Int.random(in: alphabet.indices, using: &generator)] }.joined()
            let tree: YAMLValue = ["a": .string(text), "b": [.string(text)], "c": .bool(true), "d": .integer(-7)]
            #expect(try Self.read(YAMLWriter.write([tree])) == [tree])
        }
    }

    @Test("Documents are separated, mappings keep their order, numbers and booleans are plain")
    func layout() throws {
        let text = try YAMLWriter.write([
            ["b": 1, "a": true, "c": ["x", "yes"], "d": [:]],
            ["z": "500m"],
        ])
        #expect(
            text == """
                ---
                b: 1
                a: true
                c:
                - x
                - "yes"
                d: {}
                ---
                z: "500m"

                """
        )
    }
}

/// A small generator of pseudorandom numbers, so that a failing test fails again.
private struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
