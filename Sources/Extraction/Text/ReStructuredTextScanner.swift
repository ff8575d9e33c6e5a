import Knowledge

/// Finds the blocks of a text in reStructuredText in one pass over its lines: what splitting needs of it, not its
/// rendering.
///
/// The order in which underlines appear gives the levels of headings, as in docutils ("Sections" of its specification).
struct ReStructuredTextScanner {
    /// The structure of a text.
    struct Result {
        /// The first heading of the highest level.
        var title: String?
        var blocks: [Block]
    }

    private struct Line {
        var span: Range<Int>
        var text: Substring
        var indentation: Int
        var isBlank: Bool { self.text.isEmpty }
    }

    /// What a line under or around a heading is made of.
    private struct Adornment: Hashable {
        var character: Character
        var hasOverline: Bool
    }

    private let lines: [Line]
    private var index = 0
    private var blocks: [Block] = []
    private var adornments: [Adornment] = []

    private init(_ text: String) {
        let bytes = Array(text.utf8)
        self.lines = TextLines(bytes: bytes).map { line in
            let all = String(decoding: bytes[line.span], as: UTF8.self)
            let content = all.drop { $0 == " " || $0 == "\t" }
            var trimmed = content
            while let last = trimmed.last, last.isWhitespace { trimmed.removeLast() }
            let indentation = all.prefix(all.count - content.count).reduce(0) { $0 + ($1 == "\t" ? 8 : 1) }
            return Line(span: line.span, text: trimmed, indentation: indentation)
        }
    }

    static func scan(_ text: String) -> Result {
        var scanner = ReStructuredTextScanner(text)
        while scanner.index < scanner.lines.count { scanner.block() }
        let title = scanner.blocks.lazy.compactMap { block -> String? in
            if case .heading(1, let title) = block.kind { title } else { nil }
        }
        .first
        return Result(title: title, blocks: scanner.blocks)
    }

    private mutating func block() {
        let line = self.lines[self.index]
        if line.isBlank {
            self.index += 1
        } else if self.heading() {
            return
        } else if line.text.hasPrefix(".. ") || line.text == ".." {
            self.directive()
        } else if Self.isGridBorder(line.text) || Self.isSimpleBorder(line.text) {
            self.table()
        } else if self.markerWidth(line) != nil {
            self.listItem()
        } else if Self.isAdornment(line.text) {
            self.index += 1  // A transition.
        } else {
            self.paragraph()
        }
    }

    /// Takes a heading with a line below it, or with one above and one below.
    private mutating func heading() -> Bool {
        let line = self.lines[self.index]
        guard line.indentation == 0 || Self.isAdornment(line.text) else { return false }
        if Self.isAdornment(line.text), self.index + 2 < self.lines.count {
            let title = self.lines[self.index + 1]
            if !title.isBlank, self.lines[self.index + 2].text == line.text, title.text.count <= line.text.count {
                self.addHeading(title.text, line.text, hasOverline: true, lineCount: 3)
                return true
            }
        }
        guard self.index + 1 < self.lines.count else { return false }
        let below = self.lines[self.index + 1]
        guard below.indentation == 0, Self.isAdornment(below.text), !Self.isAdornment(line.text),
            below.text.count >= min(line.text.count, 4)
        else { return false }
        self.addHeading(line.text, below.text, hasOverline: false, lineCount: 2)
        return true
    }

    private mutating func addHeading(_ title: Substring, _ line: Substring, hasOverline: Bool, lineCount: Int) {
        let adornment = Adornment(character: line.first ?? "=", hasOverline: hasOverline)
        if !self.adornments.contains(adornment) { self.adornments.append(adornment) }
        let level = (self.adornments.firstIndex(of: adornment) ?? 0) + 1
        self.add(.heading(level: min(level, 6), title: Self.plainText(title)), lineCount: lineCount)
    }

    /// Code keeps its lines; what a note or a warning says is text; comments, targets and options are left out.
    private mutating func directive() {
        let line = self.lines[self.index]
        let name = line.text.dropFirst(3).prefix { $0 != ":" }
        let isDirective = line.text.dropFirst(3).dropFirst(name.count).hasPrefix("::")
        let end = self.endOfIndented(after: self.index, than: line.indentation)
        switch name {
        case "code", "code-block", "sourcecode", "literalinclude", "math", "parsed-literal", "prompt", "testcode":
            self.add(.code, lineCount: end - self.index)
        case _ where isDirective && !Self.silentDirectives.contains(String(name)):
            // The first line belongs to the text where it has some, as in “.. note:: Mind the gap.”
            let own = line.text.drop { $0 != ":" }.dropFirst(2).contains { !$0.isWhitespace }
            if own { self.blocks.append(Block(.paragraph, span: line.span)) }
            self.index += 1
            while self.index < end, self.lines[self.index].text.hasPrefix(":") { self.index += 1 }
        default:
            self.index = end
        }
    }

    private mutating func table() {
        var end = self.index + 1
        if Self.isGridBorder(self.lines[self.index].text) {
            while end < self.lines.count, self.lines[end].text.hasPrefix("+") || self.lines[end].text.hasPrefix("|") {
                end += 1
            }
        } else {
            // A simple table ends with its second or third border, before an empty line.
            while end < self.lines.count {
                let isBorder = Self.isSimpleBorder(self.lines[end].text)
                let isLast = end + 1 == self.lines.count || self.lines[end + 1].isBlank
                end += 1
                if isBorder, isLast { break }
                if isLast, end == self.lines.count { break }
            }
        }
        self.add(.table, lineCount: end - self.index)
    }

    private mutating func listItem() {
        let first = self.lines[self.index]
        var end = self.index + 1
        while end < self.lines.count {
            let line = self.lines[end]
            if line.isBlank {
                guard end + 1 < self.lines.count, self.lines[end + 1].indentation > first.indentation,
                    self.markerWidth(self.lines[end + 1]) == nil, !self.lines[end + 1].text.hasPrefix(".. ")
                else { break }
            } else if line.indentation <= first.indentation || self.markerWidth(line) != nil
                || line.text.hasPrefix(".. ")
            {
                break
            }
            end += 1
        }
        self.add(.listItem, lineCount: end - self.index)
    }

    /// A paragraph that ends in two colons announces a literal block.
    private mutating func paragraph() {
        let first = self.lines[self.index]
        var end = self.index + 1
        while end < self.lines.count, !self.lines[end].isBlank, !self.lines[end].text.hasPrefix(".. ") { end += 1 }
        let announcesLiteral = self.lines[end - 1].text.hasSuffix("::")
        self.add(.paragraph, lineCount: end - self.index)
        guard announcesLiteral else { return }
        while self.index < self.lines.count, self.lines[self.index].isBlank { self.index += 1 }
        let literalEnd = self.endOfIndented(after: self.index - 1, than: first.indentation)
        if literalEnd > self.index { self.add(.code, lineCount: literalEnd - self.index) }
    }

    /// Returns the line behind the lines that are indented more than a number of columns, without empty ones at the end.
    private func endOfIndented(after index: Int, than indentation: Int) -> Int {
        var end = index + 1
        var last = end
        while end < self.lines.count, self.lines[end].isBlank || self.lines[end].indentation > indentation {
            end += 1
            if !self.lines[end - 1].isBlank { last = end }
        }
        return last
    }

    private mutating func add(_ kind: Block.Kind, lineCount: Int) {
        let last = self.lines[self.index + lineCount - 1]
        self.blocks.append(Block(kind, span: self.lines[self.index].span.lowerBound..<last.span.upperBound))
        self.index += lineCount
    }

    private func markerWidth(_ line: Line) -> Int? {
        if let first = line.text.first, "*+-•".contains(first), line.text.dropFirst().first == " " { return 2 }
        let number = line.text.prefix { $0.isNumber || $0 == "#" }
        guard !number.isEmpty, number.count <= 4, let mark = line.text.dropFirst(number.count).first,
            mark == "." || mark == ")", line.text.dropFirst(number.count + 1).first == " "
        else { return nil }
        return number.count + 2
    }

    private static let silentDirectives: Set<String> = [
        "image", "figure", "toctree", "contents", "include", "index", "highlight", "raw", "meta", "role",
        "default-role",
        "currentmodule", "sectnum", "class", "only", "tabularcolumns",
    ]

    private static func isAdornment(_ text: Substring) -> Bool {
        guard text.count >= 3, let first = text.first, first.isASCII, first.isPunctuation || first.isSymbol else {
            return false
        }
        return text.allSatisfy { $0 == first }
    }

    private static func isGridBorder(_ text: Substring) -> Bool {
        text.count >= 3 && text.first == "+" && text.last == "+" && text.allSatisfy { "+-=".contains($0) }
    }

    private static func isSimpleBorder(_ text: Substring) -> Bool {
        text.contains(" ") && text.first == "=" && text.last == "=" && text.allSatisfy { $0 == "=" || $0 == " " }
    }

    /// Takes the marks of literals and roles out of a heading.
    private static func plainText(_ text: Substring) -> String {
        var result = ""
        var rest = text
        while let character = rest.first {
            // A role stands before its text: :ref:`text`.
            if character == ":", let end = rest.dropFirst().firstIndex(of: ":"),
                rest[rest.index(after: end)...].first == "`",
                rest[rest.index(after: rest.startIndex)..<end].allSatisfy({ $0.isLetter || "-_:+.".contains($0) })
            {
                rest = rest[rest.index(after: end)...]
            } else {
                if character != "`", character != "*" { result.append(character) }
                rest = rest.dropFirst()
            }
        }
        return result
    }
}
