/// How lines of a family of languages declare and import things.
struct DeclarationPattern: Sendable {
    private let language: SourceLanguage

    init(language: SourceLanguage) { self.language = language }

    /// Whether what belongs to a declaration isn't indented.
    var isFlat: Bool { self.language == .sections }

    /// Returns whether a line says something about what follows: a comment, an attribute or a decorator.
    func isLeading(_ line: Substring) -> Bool {
        switch self.language {
        case .keywords, .braces, .go, .rust: Self.starts(line, with: ["//", "/*", "*", "@", "#["])
        case .cLike: Self.starts(line, with: ["//", "/*", "*", "template"])
        case .python, .endKeyword: Self.starts(line, with: ["#", "@", "--"])
        case .shell, .sections: Self.starts(line, with: ["#", ";"])
        case .sql: Self.starts(line, with: ["--", "/*", "*"])
        case .other: false
        }
    }

    /// Returns whether a line ends what stands above it, and so belongs to it although it isn't indented.
    func closes(_ line: Substring) -> Bool {
        if let first = line.first, "})]{".contains(first) { return true }
        return self.language == .endKeyword && (line == "end" || line.hasPrefix("end)") || line.hasPrefix("end,"))
    }

    /// Returns the name that a line declares, without the spaces before it, or nothing.
    func name(in line: Substring) -> String? {
        switch self.language {
        case .keywords: self.keyword(line, Self.braceKeywords)
        case .braces: self.keyword(line, Self.braceKeywords) ?? self.callable(line)
        case .cLike: self.keyword(line, Self.cKeywords) ?? self.callable(line)
        case .go: self.goFunction(line) ?? self.keyword(line, ["type"])
        case .rust: self.keyword(line, Self.rustKeywords)
        case .python: self.keyword(line, ["def", "class"])
        case .endKeyword: self.keyword(line, Self.endKeywords)
        case .shell: self.shellFunction(line)
        case .sql: self.created(line)
        case .sections: self.section(line)
        case .other: nil
        }
    }

    /// Returns what a line imports.
    func imported(by line: Substring) -> [String] {
        let words = Self.words(line)
        switch self.language {
        case .cLike:
            guard line.hasPrefix("#include") || line.hasPrefix("#import") else { return [] }
            return [String(line.drop { $0 != " " }.filter { !"<>\" ".contains($0) })].filter { !$0.isEmpty }
        case .python:
            if words.first == "from", words.count > 1 { return [String(words[1])] }
            guard words.first == "import" else { return [] }
            return line.dropFirst(6).split(separator: ",").compactMap {
                $0.split(separator: " ").first.map(String.init)
            }
        case .rust:
            let isUse = words.first == "use" || (words.first == "pub" && words.dropFirst().first == "use")
            guard isUse, let path = line.split(separator: "use ", maxSplits: 1).last else { return [] }
            return [String(path.prefix { $0 != "{" && $0 != ";" && $0 != " " }).trimmingColons].filter { !$0.isEmpty }
        case .endKeyword:
            guard let first = words.first, ["require", "require_relative", "import", "use", "alias"].contains(first)
            else { return [] }
            return [Self.quoted(in: line) ?? words.dropFirst().first.map(String.init) ?? ""].filter { !$0.isEmpty }
        case .go:
            // Inside the parentheses of an import there is nothing but a path, with a name before it or not.
            if let path = Self.quoted(in: line), words.first == "import" || line.hasSuffix("\""), words.count <= 3,
                !line.contains("="), !line.contains("(")
            {
                return [path]
            }
            return []
        case .keywords, .braces: return self.braceImport(line, words: words)
        case .shell, .sql, .sections, .other: return []
        }
    }

    private func braceImport(_ line: Substring, words: [Substring]) -> [String] {
        if let require = line.firstRange(of: "require(") {
            return [Self.quoted(in: line[require.upperBound...])].compactMap { $0 }
        }
        let position = words.firstIndex { $0 == "import" || $0 == "using" }
        guard let position, words[..<position].allSatisfy({ Self.modifiers.contains($0) || $0.hasPrefix("@") }) else {
            // The last line of an import of several: } from "module"
            guard line.hasPrefix("}"), words.contains("from") else { return [] }
            return [Self.quoted(in: line)].compactMap { $0 }
        }
        if let module = Self.quoted(in: line) { return [module] }
        let kinds: Set<Substring> = [
            "static", "struct", "class", "enum", "protocol", "func", "typealias", "var", "let",
        ]
        let name = words[(position + 1)...].first { !kinds.contains($0) }
        return name.map { [String($0)] } ?? []
    }

    /// A keyword, after modifiers only, and the name behind it.
    private func keyword(_ line: Substring, _ keywords: Set<String>) -> String? {
        var isFirst = true
        var rest = line
        while true {
            let word = rest.prefix { $0.isLetter || $0 == "_" || $0 == "@" || $0.isNumber }
            guard !word.isEmpty else { return nil }
            var behind = rest.dropFirst(word.count)
            if keywords.contains(String(word)),
                behind.first == " " || (isFirst && behind.first == "(") || word == "init"
                    || (word == "impl" && behind.first == "<")
            {
                if word == "init" || word == "deinit" { return "init" }
                // impl<T> Trait for Type is about the type.
                if word == "impl" { return Self.implemented(behind) }
                behind = behind.drop { $0 == " " || $0 == "*" || $0 == "&" }
                var name = behind.prefix { Self.isNameCharacter($0) }
                // enum class Name, class func name
                if keywords.contains(String(name)) {
                    behind = behind.dropFirst(name.count).drop { $0 == " " }
                    name = behind.prefix { Self.isNameCharacter($0) }
                }
                return name.isEmpty ? nil : String(name).trimmingColons
            }
            guard Self.modifiers.contains(word) || word.first == "@" else { return nil }
            // The argument of a modifier, as in private(set) or pub(crate).
            if behind.first == "(", let end = behind.firstIndex(of: ")") {
                behind = behind[behind.index(after: end)...]
            }
            guard behind.first == " " else { return nil }
            rest = behind.drop { $0 == " " }
            isFirst = false
        }
    }

    private static func implemented(_ text: Substring) -> String? {
        var head = text.prefix { $0 != "{" }
        if head.first == "<" {
            var depth = 0
            let end = head.firstIndex { character in
                depth += character == "<" ? 1 : character == ">" ? -1 : 0
                return depth == 0
            }
            head = end.map { head[head.index(after: $0)...] } ?? head
        }
        let type = head.split(separator: " for ").last ?? head
        let name = type.drop { $0 == " " || $0 == "<" }.prefix { Self.isNameCharacter($0) }
        return name.isEmpty ? nil : String(name)
    }

    /// A function without a keyword: words, a name, parentheses, and an opening brace at the end of the line.
    private func callable(_ line: Substring) -> String? {
        var end = line
        while end.last?.isWhitespace == true { end.removeLast() }
        guard end.hasSuffix("{"), let parenthesis = line.firstIndex(of: "("), line.contains(")") else { return nil }
        let head = line[..<parenthesis]
        guard !head.contains("="), !head.contains("."), !head.contains("\"") else { return nil }
        let words = head.split { !Self.isNameCharacter($0) && $0 != "~" }
        guard let name = words.last, head.hasSuffix(name), let first = words.first,
            !Self.controlWords.contains(first), !Self.controlWords.contains(name)
        else { return nil }
        return String(name)
    }

    /// Finds the name in `func Name(…)` and in `func (receiver *Type) Name(…)`.
    private func goFunction(_ line: Substring) -> String? {
        guard line.hasPrefix("func ") else { return nil }
        var rest = line.dropFirst(5)
        var receiver = ""
        if rest.first == "(", let end = rest.firstIndex(of: ")") {
            let type = rest[..<end].split { " *(".contains($0) }.last.map { $0.prefix { $0 != "[" } }
            receiver = type.map { "\($0)." } ?? ""
            rest = rest[rest.index(after: end)...].drop { $0 == " " }
        }
        let name = rest.prefix { Self.isNameCharacter($0) }
        return name.isEmpty ? nil : receiver + name
    }

    private func shellFunction(_ line: Substring) -> String? {
        let isMarked = line.hasPrefix("function ")
        let rest = isMarked ? line.dropFirst(9) : line
        let name = rest.prefix { Self.isNameCharacter($0) || $0 == "-" }
        guard !name.isEmpty, isMarked || rest.dropFirst(name.count).hasPrefix("()") else { return nil }
        return String(name)
    }

    /// Finds the name in `CREATE [OR REPLACE …] TABLE|VIEW|… [IF NOT EXISTS] name`.
    private func created(_ line: Substring) -> String? {
        let words = line.split { $0 == " " || $0 == "(" || $0 == "\t" }
        guard words.first?.uppercased() == "CREATE" else { return nil }
        let kinds: Set<String> = [
            "TABLE", "VIEW", "INDEX", "FUNCTION", "PROCEDURE", "TRIGGER", "TYPE", "SCHEMA", "SEQUENCE", "DOMAIN",
        ]
        guard let kind = words.firstIndex(where: { kinds.contains($0.uppercased()) }) else { return nil }
        let skipped: Set<String> = ["IF", "NOT", "EXISTS", "CONCURRENTLY"]
        return words[(kind + 1)...].first { !skipped.contains($0.uppercased()) }.map(String.init)
    }

    private func section(_ line: Substring) -> String? {
        guard line.hasPrefix("["), let end = line.lastIndex(of: "]") else { return nil }
        let name = line[..<end].drop { $0 == "[" }.prefix { $0 != "]" }
        return name.isEmpty || name.contains(",") || name.contains("\"") ? nil : String(name)
    }

    private static func words(_ line: Substring) -> [Substring] { line.split { " \t;".contains($0) } }

    private static func quoted(in line: Substring) -> String? {
        for quote in ["\"", "'", "`"] as [Character] {
            guard let start = line.firstIndex(of: quote) else { continue }
            let rest = line[line.index(after: start)...]
            if let end = rest.firstIndex(of: quote) { return String(rest[..<end]) }
        }
        return nil
    }

    private static func starts(_ line: Substring, with prefixes: [String]) -> Bool {
        prefixes.contains { line.hasPrefix($0) }
    }

    private static func isNameCharacter(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || character == "_" || character == "$" || character == "."
            || character == ":"
    }

    private static let braceKeywords: Set<String> = [
        "actor", "class", "enum", "extension", "fn", "fun", "func", "function", "init", "deinit", "interface", "macro",
        "message", "module", "namespace", "object", "protocol", "record", "service", "struct", "subscript", "trait",
        "type", "typealias", "union",
    ]
    private static let cKeywords: Set<String> = [
        "class", "enum", "namespace", "struct", "union", "@interface", "@implementation",
    ]
    private static let rustKeywords: Set<String> = [
        "enum", "fn", "impl", "macro_rules", "mod", "struct", "trait", "type", "union",
    ]
    private static let endKeywords: Set<String> = [
        "class", "def", "defmacro", "defmodule", "defp", "function", "macro", "module", "struct",
    ]
    private static let modifiers: Set<Substring> = [
        "abstract", "async", "broadcasting", "companion", "const", "convenience", "data", "declare", "default",
        "distributed", "dynamic", "export", "extern", "fileprivate", "final", "finite", "friend", "indirect", "infix",
        "inline", "inner", "internal", "isolated", "lazy", "local", "mutable", "mutating", "native", "nonisolated",
        "nonmutating", "open", "operator", "override", "package", "partial", "prefix", "postfix", "private",
        "protected",
        "pub", "public", "readonly", "required", "sealed", "static", "suspend", "synchronized", "typedef", "unsafe",
        "unowned", "value", "virtual", "weak",
    ]
    private static let controlWords: Set<Substring> = [
        "if", "else", "for", "while", "switch", "catch", "return", "do", "try", "guard", "when", "match", "repeat",
        "foreach", "using", "lock", "synchronized", "defer", "await", "new", "throw", "in", "get", "set", "case",
    ]
}

extension String {
    /// The text without the colons at its end, as a name before a list of supertypes has them.
    fileprivate var trimmingColons: String {
        var text = self
        while text.last == ":" || text.last == "." { text.removeLast() }
        return text
    }
}
