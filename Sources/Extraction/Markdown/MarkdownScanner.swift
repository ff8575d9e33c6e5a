import JSON
import Knowledge

/// Finds the blocks of a Markdown text in one pass over its lines: what splitting needs of CommonMark and of GitHub's
/// tables, not its rendering.
struct MarkdownScanner {
    /// The structure of a text.
    struct Result {
        /// The title of the front matter, or else the first heading of level 1.
        var title: String?
        var frontMatter: JSONObject
        var blocks: [Block]
    }

    private let bytes: [UInt8]
    private let lines: [MarkdownLine]
    private var index = 0
    private var blocks: [Block] = []

    private init(_ text: String) {
        let bytes = Array(text.utf8)
        self.bytes = bytes
        self.lines = TextLines(bytes: bytes).map { MarkdownLine($0, bytes: bytes) }
    }

    static func scan(_ text: String) -> Result {
        var scanner = MarkdownScanner(text)
        let frontMatter = scanner.frontMatter()
        while scanner.index < scanner.lines.count { scanner.block() }
        let heading = scanner.blocks.lazy.compactMap { block -> String? in
            if case .heading(1, let title) = block.kind { title } else { nil }
        }
        .first
        return Result(
            title: frontMatter["title"]?.stringValue ?? heading,
            frontMatter: frontMatter,
            blocks: scanner.blocks
        )
    }

    /// Reads the simple `key: value` lines between two lines of dashes at the start of the text.
    private mutating func frontMatter() -> JSONObject {
        guard let first = self.lines.first, first.trimmed == "---" else { return JSONObject() }
        guard
            let end = self.lines.indices.dropFirst().first(where: { ["---", "..."].contains(self.lines[$0].trimmed) })
        else { return JSONObject() }
        var object = JSONObject()
        for line in self.lines[1..<end] {
            let parts = line.text.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, !parts[0].isEmpty, parts[0].first?.isWhitespace == false else { continue }
            let value = parts[1].split(whereSeparator: \.isWhitespace).joined(separator: " ")
            let isQuoted = value.count >= 2 && value.first == value.last && (value.first == "\"" || value.first == "'")
            object[String(parts[0])] = .string(isQuoted ? String(value.dropFirst().dropLast()) : value)
        }
        self.index = end + 1
        return object
    }

    /// Takes the next block.
    private mutating func block() {
        let line = self.lines[self.index]
        if line.isBlank {
            self.index += 1
        } else if let fence = line.fence {
            self.fencedCode(fence)
        } else if let heading = line.heading {
            self.add(.heading(level: heading.level, title: heading.title), lines: self.index..<self.index + 1)
        } else if line.text.hasPrefix("<!--") {
            self.comment()
        } else if self.isTableStart {
            self.take(.table) { $0.isBlank }
        } else if line.isIndentedCode {
            self.take(.code) { !$0.isIndentedCode }
        } else if line.listMarkerWidth != nil {
            self.listItem()
        } else if line.isThematicBreak {
            self.index += 1
        } else {
            self.paragraph()
        }
    }

    private mutating func fencedCode(_ fence: MarkdownLine.Fence) {
        var end = self.index + 1
        while end < self.lines.count, !self.lines[end].closes(fence) { end += 1 }
        self.add(.code, lines: self.index..<min(end + 1, self.lines.count))
    }

    /// A comment isn't shown to readers, so it is no block.
    private mutating func comment() {
        while self.index < self.lines.count {
            let isEnd = self.lines[self.index].text.contains("-->")
            self.index += 1
            if isEnd { return }
        }
    }

    private var isTableStart: Bool {
        guard self.index + 1 < self.lines.count, self.lines[self.index].text.contains("|") else { return false }
        return self.lines[self.index + 1].isTableDelimiter
    }

    /// An item reaches to the next item, or to a line that is neither indented nor joined to it.
    private mutating func listItem() {
        var end = self.index + 1
        while end < self.lines.count {
            let line = self.lines[end]
            if line.listMarkerWidth != nil || line.heading != nil { break }
            if line.fence != nil, line.indentation == 0 { break }
            if line.isBlank {
                guard end + 1 < self.lines.count else { break }
                let next = self.lines[end + 1]
                guard !next.isBlank, next.indentation >= 2, next.listMarkerWidth == nil, next.fence == nil else {
                    break
                }
            } else if line.fence != nil {
                break
            }
            end += 1
        }
        self.add(.listItem, lines: self.index..<end)
    }

    /// A paragraph ends at an empty line or where another block begins; underlined, it is a heading.
    private mutating func paragraph() {
        var end = self.index + 1
        while end < self.lines.count {
            let line = self.lines[end]
            if let level = line.underlineLevel {
                let title = self.lines[self.index..<end].map(\.text).joined(separator: " ")
                let heading = Block.Kind.heading(level: level, title: MarkdownLine.plainText(of: title))
                self.add(heading, lines: self.index..<end + 1)
                return
            }
            if line.isBlank || line.fence != nil || line.heading != nil || line.isThematicBreak { break }
            if line.listMarkerWidth != nil || line.text.hasPrefix("<!--") { break }
            end += 1
        }
        self.add(.paragraph, lines: self.index..<end)
    }

    /// Takes lines up to one that the condition holds for.
    private mutating func take(_ kind: Block.Kind, until isEnd: (MarkdownLine) -> Bool) {
        var end = self.index + 1
        while end < self.lines.count, !isEnd(self.lines[end]) { end += 1 }
        self.add(kind, lines: self.index..<end)
    }

    private mutating func add(_ kind: Block.Kind, lines range: Range<Int>) {
        let span = self.lines[range.lowerBound].span.lowerBound..<self.lines[range.upperBound - 1].span.upperBound
        self.blocks.append(Block(kind, span: span))
        self.index = range.upperBound
    }
}
