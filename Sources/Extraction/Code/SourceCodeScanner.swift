import Knowledge

/// Finds the declarations of a file of source code, line by line.
///
/// It is no parser. Which declaration stands in which follows from the indentation, as nearly all code is laid out;
/// where it isn't, symbols are missing or too many, and the text is whole all the same. Every line is looked at once.
struct SourceCodeScanner {
    /// The structure of a file.
    struct Result {
        var blocks: [Block]
        var imports: [String]
    }

    private struct Scope {
        var indentation: Int
        var name: String
    }

    /// The most imports that are kept of one file.
    private static let maximumImports = 64
    /// The most bytes at the start of a line that are looked at: a declaration doesn't begin further right.
    private static let maximumLineBytes = 400

    private let declarations: DeclarationPattern
    private var scopes: [Scope] = []
    private var blocks: [Block] = []
    private var imports: [String] = []

    private init(language: SourceLanguage) { self.declarations = DeclarationPattern(language: language) }

    static func scan(_ text: String, language: SourceLanguage) -> Result {
        var scanner = SourceCodeScanner(language: language)
        scanner.scan(Array(text.utf8))
        return Result(blocks: scanner.blocks, imports: scanner.imports)
    }

    private mutating func scan(_ bytes: [UInt8]) {
        /// Comments and attributes that belong to a declaration which may follow.
        var leading: (start: Int, indentation: Int)?
        var open: (start: Int, end: Int, symbols: [String])?

        func close(_ blocks: inout [Block]) {
            if let block = open { blocks.append(Block(.code, span: block.start..<block.end, symbols: block.symbols)) }
            open = nil
        }

        for line in TextLines(bytes: bytes) {
            guard !line.isBlank else {
                close(&self.blocks)
                leading = nil
                continue
            }
            let shown = line.span.prefix(Self.maximumLineBytes)
            let raw = String(decoding: bytes[shown.startIndex..<shown.endIndex], as: UTF8.self)
            let content = raw.drop { $0 == " " || $0 == "\t" }
            let indentation = raw.prefix(raw.count - content.count).reduce(0) { $0 + ($1 == "\t" ? 4 : 1) }
            if self.declarations.isLeading(content) {
                leading = leading ?? (line.span.lowerBound, indentation)
            }
            if let name = self.declarations.name(in: content) {
                self.leave(toIndentation: indentation)
                self.scopes.append(Scope(indentation: indentation, name: name))
                // What stands above the declaration goes with it.
                if let lead = leading, let block = open, lead.start > block.start {
                    open = (block.start, lead.start, block.symbols)
                    close(&self.blocks)
                }
                let start = leading?.start ?? line.span.lowerBound
                if leading == nil { close(&self.blocks) }
                open = (start, line.span.upperBound, self.scopes.map(\.name))
                leading = nil
                continue
            }
            if !self.declarations.isLeading(content) {
                leading = nil
                if !self.declarations.isFlat, !self.declarations.closes(content) {
                    self.leave(toIndentation: indentation)
                }
            }
            // An import may have an attribute in front of it, but none is in a comment.
            if !self.declarations.isLeading(content) || content.hasPrefix("@") {
                self.note(imported: self.declarations.imported(by: content))
            }
            let symbols = self.scopes.map(\.name)
            if let block = open, leading != nil || block.symbols == symbols {
                open = (block.start, line.span.upperBound, block.symbols)
            } else {
                close(&self.blocks)
                open = (
                    line.span.lowerBound, line.span.upperBound, leading == nil ? symbols : self.symbols(at: indentation)
                )
            }
        }
        close(&self.blocks)
        self.blocks = self.blocks.map { Self.withoutTrailingSpace($0, bytes: bytes) }
    }

    /// Forgets declarations that a line which is indented by so much can't stand in.
    private mutating func leave(toIndentation indentation: Int) {
        while let last = self.scopes.last, last.indentation >= indentation { self.scopes.removeLast() }
    }

    private func symbols(at indentation: Int) -> [String] {
        self.scopes.filter { $0.indentation < indentation }.map(\.name)
    }

    private mutating func note(imported names: [String]) {
        for name in names where self.imports.count < Self.maximumImports && !self.imports.contains(name) {
            self.imports.append(name)
        }
    }

    private static func withoutTrailingSpace(_ block: Block, bytes: [UInt8]) -> Block {
        var end = block.span.upperBound
        while end > block.span.lowerBound, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[end - 1]) { end -= 1 }
        return Block(block.kind, span: block.span.lowerBound..<end, symbols: block.symbols)
    }
}
