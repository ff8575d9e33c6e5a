import Yams

/// Writes trees as YAML that readers of version 1.1 (most Kubernetes tools) and 1.2 understand in the same way.
enum YAMLWriter {
    /// Writes one document per value, each started by `---`.
    ///
    /// - Throws: What Yams reports if it can't write a value; no tree of ``YAMLValue`` is known to do so.
    static func write(_ documents: [YAMLValue]) throws -> String {
        try Yams.serialize(
            nodes: documents.map(Self.node(for:)),
            indent: 2,
            width: -1,
            allowUnicode: true,
            explicitStart: true
        )
    }

    /// Whether a string is written between quotes.
    ///
    /// Plain are only strings that begin with a letter or slash, hold nothing but letters, digits and `_ . / -`, and are
    /// no word that some version of YAML takes for a boolean, null or number. That quotes more than necessary (every
    /// text that begins with a digit), but no list of special cases has to be complete.
    static func needsQuotes(_ text: String) -> Bool {
        guard let first = text.utf8.first, Self.isLetter(first) || first == UInt8(ascii: "/") else { return true }
        let isPlain = text.utf8.allSatisfy { byte in
            Self.isLetter(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "_./-".utf8.contains(byte)
        }
        return !isPlain || Self.reservedWords.contains(text.lowercased())
    }

    private static let reservedWords: Set<String> = [
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity",
    ]

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private static func node(for value: YAMLValue) -> Node {
        switch value {
        case .string(let text): Self.node(for: text)
        case .integer(let number): Node(String(number), Tag(.int), .plain)
        case .bool(let flag): Node(flag ? "true" : "false", Tag(.bool), .plain)
        case .sequence(let values): Node(values.map(Self.node(for:)), Tag(.seq), .block)
        case .mapping(let entries):
            Node(entries.map { (Self.node(for: $0.key), Self.node(for: $0.value)) }, Tag(.map), .block)
        }
    }

    private static func node(for text: String) -> Node {
        Node(text, Tag(.str), Self.needsQuotes(text) ? .doubleQuoted : .plain)
    }
}
