/// Which symbols a piece of source code defines, and what each line of it stands in.
///
/// Definitions are found line by line by their keywords (or, for C-like methods, by their shape), and what encloses what
/// by indentation. That is enough for the languages in common use and needs no parser for any of them; a line that is
/// misread gives a chunk a poorer context, never a wrong text.
public struct SourceOutline: Sendable, Hashable {
    /// One definition.
    public struct Symbol: Sendable, Hashable {
        /// What a definition defines.
        public enum Kind: Sendable, Hashable {
            /// A class, structure, enumeration, interface or the like.
            case type
            /// A function or method.
            case function
            /// Members of a type that is defined elsewhere, such as an `impl` of Rust or an `extension` of Swift.
            case members
        }

        public var name: String
        public var kind: Kind
        /// The symbols that it stands in, outermost first.
        public var path: [String]
        /// Where it begins in UTF-8 byte offsets, with the comments and attributes right above it.
        public var offset: Int
    }

    /// The definitions, in order.
    public let symbols: [Symbol]

    /// Up to the end of which line which symbols enclose the text.
    private struct Place: Sendable, Hashable {
        var end: Int
        var path: [String]
    }

    private let places: [Place]

    /// The symbols by which the file is known: its first types, or its first functions if it has no types.
    public let names: [String]

    /// How many symbols ``names`` holds at most, how deep a path is, and how long a name.
    private static let maximumNames = 3
    private static let maximumDepth = 6

    /// Finds the symbols of a text.
    public init(_ text: String) {
        var reader = OutlineReader(bytes: Array(text.utf8), maximumDepth: Self.maximumDepth)
        reader.read()
        self.symbols = reader.symbols
        self.places = reader.places.map { Place(end: $0.end, path: $0.path) }
        func names(_ kind: Symbol.Kind, depth: Int) -> [String] {
            reader.symbols.filter { $0.kind == kind && $0.path.count <= depth }.map(\.name)
        }
        let candidates = [names(.type, depth: 1), names(.members, depth: 0), names(.function, depth: 0)]
        var names: [String] = []
        for name in candidates.first(where: { !$0.isEmpty }) ?? []
        where names.count < Self.maximumNames && !names.contains(name) {
            names.append(name)
        }
        self.names = names
    }

    /// Returns the symbols that enclose the line of code at an offset, or the next one after it, outermost first.
    public func path(at offset: Int) -> [String] {
        var low = 0
        var high = self.places.count
        while low < high {
            let middle = (low + high) / 2
            if self.places[middle].end <= offset { low = middle + 1 } else { high = middle }
        }
        return low < self.places.count ? self.places[low].path : []
    }

    /// Returns whether a text looks like source code: it defines symbols, and most of its lines end as code does.
    public static func isLikely(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        var lines = 0
        var codeLines = 0
        for line in TextLines(bytes: bytes) where !line.isBlank {
            lines += 1
            let last = bytes[line.span].last { $0 != 0x20 && $0 != 0x09 }
            if let last, Self.codeEnds.contains(last) { codeLines += 1 }
        }
        return lines >= 3 && codeLines * 2 >= lines && !SourceOutline(text).symbols.isEmpty
    }

    private static let codeEnds = Set("{};()[],:=>".utf8)
}

/// Reads the definitions of source code line by line.
private struct OutlineReader {
    let bytes: [UInt8]
    let maximumDepth: Int
    var symbols: [SourceOutline.Symbol] = []
    var places: [(end: Int, path: [String])] = []
    private var stack: [(indentation: Int, name: String)] = []
    /// Where the comments and attributes begin that stand right above the next line.
    private var leading: Int?

    init(bytes: [UInt8], maximumDepth: Int) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
    }

    mutating func read() {
        for line in TextLines(bytes: self.bytes) {
            guard !line.isBlank else {
                self.leading = nil
                continue
            }
            self.read(line.span)
        }
    }

    private mutating func read(_ span: Range<Int>) {
        var start = span.lowerBound
        var indentation = 0
        while start < span.upperBound, self.bytes[start] == 0x20 || self.bytes[start] == 0x09 {
            indentation += self.bytes[start] == 0x09 ? 4 : 1
            start += 1
        }
        let line = SourceLine(self.bytes[start..<span.upperBound])
        guard !line.isComment, !line.isAttribute else {
            self.leading = self.leading ?? span.lowerBound
            return
        }
        defer { self.leading = nil }
        // Directives of the C preprocessor stand at the left margin wherever they are.
        guard line.first != UInt8(ascii: "#") else { return }
        self.leave(indentation, line)
        self.places.append((span.upperBound, self.stack.map(\.name)))
        guard let definition = line.definition else {
            if line.first == UInt8(ascii: "}"), let last = self.stack.last, last.indentation == indentation {
                self.stack.removeLast()
            }
            return
        }
        while let last = self.stack.last, last.indentation >= indentation { self.stack.removeLast() }
        self.places[self.places.count - 1].path = self.stack.map(\.name)
        self.symbols.append(
            SourceOutline.Symbol(
                name: definition.name,
                kind: definition.kind,
                path: self.stack.map(\.name),
                offset: self.leading ?? span.lowerBound
            )
        )
        if line.last != UInt8(ascii: ";"), self.stack.count < self.maximumDepth {
            self.stack.append((indentation, definition.name))
        }
    }

    /// Leaves the symbols that end before a line of some indentation.
    private mutating func leave(_ indentation: Int, _ line: SourceLine) {
        while let last = self.stack.last {
            let isOutside = last.indentation > indentation
            let isBeside = last.indentation == indentation && !line.continuesBlock
            guard isOutside || isBeside else { return }
            self.stack.removeLast()
        }
    }
}

/// One line of source code without its indentation.
private struct SourceLine {
    let text: ArraySlice<UInt8>

    init(_ text: ArraySlice<UInt8>) { self.text = text }

    var first: UInt8? { self.text.first }

    var last: UInt8? { self.text.last { $0 != 0x20 && $0 != 0x09 } }

    var isComment: Bool {
        self.starts("//") || self.starts("/*") || self.starts("* ") || self.starts("*/") || self.starts("# ")
            || self.starts("--") || self.starts("\"\"\"") || self.text.elementsEqual("*".utf8)
            || self.text.elementsEqual("#".utf8)
    }

    var isAttribute: Bool {
        guard let first = self.first, first == UInt8(ascii: "@") || self.starts("#[") else { return false }
        return SourceLine(self.text.dropFirst()).definition == nil
    }

    /// Whether the line belongs to the block of a definition of the same indentation: a brace, or the end of its head.
    var continuesBlock: Bool {
        guard let first = self.first else { return true }
        return "{})].".utf8.contains(first)
            || ["public:", "private:", "protected:", "where"].contains { self.starts($0) }
    }

    private func starts(_ prefix: String) -> Bool { self.text.starts(with: prefix.utf8) }

    /// What the line defines.
    var definition: (name: String, kind: SourceOutline.Symbol.Kind)? {
        var scanner = WordScanner(self.text)
        var word = scanner.next()
        while let modifier = word, Self.modifiers.contains(modifier) {
            scanner.skipParentheses()
            word = scanner.next()
        }
        guard let keyword = word else { return nil }
        if keyword == "impl" { return scanner.implementedName.map { ($0, .members) } }
        if Self.typeKeywords.contains(keyword) {
            return scanner.typeName.map { ($0, keyword == "extension" ? .members : .type) }
        }
        if Self.functionKeywords.contains(keyword) {
            scanner.skipParentheses()
            return scanner.next().map { ($0, .function) }
        }
        if keyword == "type", let name = scanner.next(), let kind = scanner.next() {
            return kind == "struct" || kind == "interface" ? (name, .type) : nil
        }
        if Self.valueKeywords.contains(keyword), let name = scanner.next() {
            let rest = String(decoding: self.text, as: UTF8.self)
            return rest.contains("=>") || rest.contains("= function") ? (name, .function) : nil
        }
        return self.method.map { ($0, .function) }
    }

    /// The name of a method of a C-like language: a type and a name before a parenthesis, at the head of a block.
    private var method: String? {
        guard let last = self.last, "{(,".utf8.contains(last), let open = self.text.firstIndex(of: UInt8(ascii: "(")),
            self.text[..<open].allSatisfy(Self.isHeadByte)
        else { return nil }
        let head = self.text[..<open].split(separator: UInt8(ascii: " "))
        guard let name = head.last, let first = head.first,
            !Self.statements.contains(String(decoding: first, as: UTF8.self))
        else { return nil }
        let text = String(decoding: name.drop { "*&".utf8.contains($0) }, as: UTF8.self)
        guard head.count > 1 || Self.isConstructor(text), let initial = text.unicodeScalars.first,
            initial.properties.isAlphabetic || initial == "_" || initial == "~", !Self.statements.contains(text)
        else { return nil }
        return text
    }

    /// Whether a name without a type before it is that of a constructor or destructor, such as `Window::Window`.
    private static func isConstructor(_ name: String) -> Bool {
        let parts = name.split(separator: ":").suffix(2).map { $0.drop { $0 == "~" } }
        return parts.count == 2 && parts[0] == parts[1]
    }

    private static func isHeadByte(_ byte: UInt8) -> Bool {
        WordScanner.isWordByte(byte) || " <>[],.:&*?~".utf8.contains(byte)
    }

    private static let modifiers: Set<String> = [
        "pub", "public", "private", "protected", "internal", "fileprivate", "open", "static", "final", "abstract",
        "export", "default", "async", "unsafe", "extern", "override", "inline", "constexpr", "virtual", "sealed",
        "data",
        "partial", "mutating", "nonisolated", "declare", "synchronized", "native", "suspend", "companion", "indirect",
        "explicit", "friend", "template", "convenience", "required", "readonly", "case",
    ]

    private static let typeKeywords: Set<String> = [
        "class", "struct", "enum", "union", "trait", "interface", "protocol", "extension", "actor", "record", "object",
        "contract", "message", "service", "defmodule",
    ]

    private static let functionKeywords: Set<String> = ["fn", "func", "fun", "def", "function", "sub", "defp"]

    private static let valueKeywords: Set<String> = ["const", "let", "var", "val"]

    private static let statements: Set<String> = [
        "if", "for", "while", "return", "else", "switch", "catch", "new", "throw", "assert", "do", "try", "match",
        "elif",
        "except", "with", "and", "or", "not", "sizeof", "loop", "unless", "until", "when", "print", "await", "yield",
        "in",
        "is", "case", "raise", "guard", "using", "import", "from", "delete", "echo", "foreach", "module", "namespace",
        "package",
        "use", "require", "go", "defer", "select", "co_return", "co_await", "goto", "lock",
    ]
}

/// Takes words off the front of a line.
private struct WordScanner {
    private var rest: ArraySlice<UInt8>

    /// The longest name that is kept, in bytes.
    private static let maximumLength = 80

    init(_ text: ArraySlice<UInt8>) { self.rest = text }

    static func isWordByte(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte)
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "$") || byte >= 0x80
    }

    /// Takes the next word, or returns nothing if something else comes first.
    mutating func next() -> String? {
        self.skipSpaces()
        let word = self.rest.prefix(while: Self.isWordByte)
        guard let first = word.first, !(0x30...0x39).contains(first), word.count <= Self.maximumLength else {
            return nil
        }
        self.rest = self.rest[word.endIndex...]
        return String(decoding: word, as: UTF8.self)
    }

    /// Skips what stands in parentheses, angle brackets or quotes, such as the receiver of a method of Go.
    mutating func skipParentheses() {
        self.skipSpaces()
        guard let open = self.rest.first else { return }
        let close: UInt8
        switch open {
        case UInt8(ascii: "("): close = UInt8(ascii: ")")
        case UInt8(ascii: "<"): close = UInt8(ascii: ">")
        case UInt8(ascii: "\""): close = UInt8(ascii: "\"")
        default: return
        }
        guard let end = self.rest.dropFirst().firstIndex(of: close) else { return }
        self.rest = self.rest[(end + 1)...]
    }

    /// The name of a type: the last of the words before what it inherits from, as macros may stand before it.
    var typeName: String? {
        var scanner = self
        var name: String?
        while let word = scanner.next() {
            guard !Self.afterNames.contains(word) else { break }
            if word != "class" && word != "struct" { name = word }
        }
        return name
    }

    /// What an `impl` of Rust is for, without generics.
    var implementedName: String? {
        var depth = 0
        var name: [UInt8] = []
        for byte in self.rest {
            if byte == UInt8(ascii: "{") { break }
            if byte == UInt8(ascii: "<") {
                depth += 1
            } else if byte == UInt8(ascii: ">") {
                depth -= 1
            } else if depth == 0 {
                name.append(byte)
            }
        }
        var words = String(decoding: name.prefix(Self.maximumLength), as: UTF8.self).split(separator: " ")
        if let end = words.firstIndex(of: "where") { words.removeSubrange(end...) }
        return words.isEmpty ? nil : words.joined(separator: " ")
    }

    private mutating func skipSpaces() { self.rest = self.rest.drop { $0 == 0x20 || $0 == 0x09 } }

    private static let afterNames: Set<String> = ["extends", "implements", "where", "is", "with", "for", "final", "of"]
}
