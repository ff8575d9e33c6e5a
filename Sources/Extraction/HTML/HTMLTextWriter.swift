import CLibXML2
import Knowledge

/// Collects the text of HTML elements, block by block.
struct HTMLTextWriter {
    private(set) var text = ""
    private(set) var blocks: [Block] = []
    private(set) var title: String?

    private let maximumDepth: Int
    /// What the current block holds so far.
    private var current = ""
    private var kind = Block.Kind.paragraph
    private var isPreformatted = false

    init(maximumDepth: Int) { self.maximumDepth = maximumDepth }

    /// Writes a node and the nodes in it.
    ///
    /// - Returns: Whether all was within the depth that is allowed.
    mutating func write(_ node: xmlNodePtr?, depth: Int) -> Bool {
        guard let node else { return true }
        guard depth <= self.maximumDepth else { return false }
        switch node.pointee.type {
        case XML_TEXT_NODE, XML_CDATA_SECTION_NODE:
            self.append(Self.content(of: node))
            return true
        case XML_ELEMENT_NODE:
            return self.writeElement(Self.name(of: node), node: node, depth: depth)
        default:
            return true
        }
    }

    /// Ends the current block, if it holds anything.
    mutating func endBlock() {
        defer {
            self.current = ""
            self.kind = .paragraph
        }
        let trimmed = self.isPreformatted ? Self.withoutEmptyLines(self.current) : Self.trimmed(self.current)
        guard trimmed.contains(where: { !$0.isWhitespace }), trimmed != "-" else { return }
        if !self.text.isEmpty { self.text += "\n\n" }
        let start = self.text.utf8.count
        self.text += trimmed
        if case .heading(let level, _) = self.kind { self.kind = .heading(level: level, title: trimmed) }
        self.blocks.append(Block(self.kind, span: start..<self.text.utf8.count))
    }

    private mutating func writeElement(_ name: String, node: xmlNodePtr, depth: Int) -> Bool {
        switch name {
        case "script", "style", "noscript", "template", "svg", "math", "iframe", "object", "canvas", "select",
            "textarea":
            return true
        case "head":
            return self.writeTitle(of: node)
        case "h1", "h2", "h3", "h4", "h5", "h6":
            let level = name.last.flatMap(\.wholeNumberValue) ?? 6
            return self.writeBlock(.heading(level: level, title: ""), node: node, depth: depth)
        case "li", "dt", "dd":
            return self.writeBlock(.listItem, node: node, depth: depth, marker: "- ")
        case "pre":
            self.endBlock()
            self.isPreformatted = true
            let isWithin = self.writeBlock(.code, node: node, depth: depth)
            self.isPreformatted = false
            return isWithin
        case "table":
            return self.writeTable(node, depth: depth)
        case "br", "hr":
            self.current += "\n"
            return true
        case let name where Self.blockElements.contains(name):
            return self.writeBlock(.paragraph, node: node, depth: depth)
        default:
            return self.writeChildren(of: node, depth: depth)
        }
    }

    private mutating func writeBlock(
        _ kind: Block.Kind,
        node: xmlNodePtr,
        depth: Int,
        marker: String = ""
    ) -> Bool {
        // A paragraph in a list item is still the item's text.
        let continuesItem = kind == .paragraph && self.kind == .listItem && self.current == "- "
        if !continuesItem {
            self.endBlock()
            self.kind = kind
            self.current = marker
        }
        let isWithin = self.writeChildren(of: node, depth: depth)
        if self.isPreformatted { self.kind = kind }
        self.endBlock()
        return isWithin
    }

    private mutating func writeChildren(of node: xmlNodePtr, depth: Int) -> Bool {
        var child = node.pointee.children
        while let present = child {
            guard self.write(present, depth: depth + 1) else { return false }
            child = present.pointee.next
        }
        return true
    }

    /// Writes a table as lines of cells; what is in a cell becomes one line.
    private mutating func writeTable(_ node: xmlNodePtr, depth: Int) -> Bool {
        self.endBlock()
        var rows: [String] = []
        guard self.collectRows(of: node, depth: depth, into: &rows) else { return false }
        self.kind = .table
        self.current = rows.joined(separator: "\n")
        self.endBlock()
        return true
    }

    private func collectRows(of node: xmlNodePtr, depth: Int, into rows: inout [String]) -> Bool {
        guard depth <= self.maximumDepth else { return false }
        var child = node.pointee.children
        while let present = child {
            defer { child = present.pointee.next }
            guard present.pointee.type == XML_ELEMENT_NODE else { continue }
            switch Self.name(of: present) {
            case "tr":
                guard let row = self.row(present, depth: depth + 1) else { return false }
                if !row.isEmpty { rows.append(row) }
            case "caption":
                var writer = HTMLTextWriter(maximumDepth: self.maximumDepth)
                guard writer.writeChildren(of: present, depth: depth + 1) else { return false }
                writer.endBlock()
                if !writer.text.isEmpty { rows.append(Self.oneLine(writer.text)) }
            default:
                guard self.collectRows(of: present, depth: depth + 1, into: &rows) else { return false }
            }
        }
        return true
    }

    private func row(_ node: xmlNodePtr, depth: Int) -> String? {
        var cells: [String] = []
        var child = node.pointee.children
        while let present = child {
            defer { child = present.pointee.next }
            guard present.pointee.type == XML_ELEMENT_NODE, ["td", "th"].contains(Self.name(of: present)) else {
                continue
            }
            var writer = HTMLTextWriter(maximumDepth: self.maximumDepth)
            guard writer.writeChildren(of: present, depth: depth + 1) else { return nil }
            writer.endBlock()
            cells.append(Self.oneLine(writer.text))
        }
        return cells.isEmpty ? "" : "| \(cells.joined(separator: " | ")) |"
    }

    private mutating func writeTitle(of head: xmlNodePtr) -> Bool {
        var child = head.pointee.children
        while let present = child {
            if present.pointee.type == XML_ELEMENT_NODE, Self.name(of: present) == "title", self.title == nil {
                let title = Self.oneLine(present.pointee.children.map { Self.content(of: $0) } ?? "")
                if !title.isEmpty { self.title = title }
            }
            child = present.pointee.next
        }
        return true
    }

    /// Adds text to the current block; outside of preformatted text, white space is one space.
    private mutating func append(_ content: String) {
        guard !self.isPreformatted else {
            self.current += content
            return
        }
        for character in content {
            if !character.isWhitespace {
                self.current.append(character)
            } else if let last = self.current.last, !last.isWhitespace {
                self.current.append(" ")
            }
        }
    }

    private static func content(of node: xmlNodePtr) -> String {
        node.pointee.content.map { String(cString: $0) } ?? ""
    }

    private static func name(of node: xmlNodePtr) -> String {
        node.pointee.name.map { String(cString: $0).lowercased() } ?? ""
    }

    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    private static func trimmed(_ text: String) -> String {
        text.split(separator: "\n").map { $0.trimmingSpaces }.filter { !$0.isEmpty }.joined(separator: "\n")
    }

    private static func withoutEmptyLines(_ text: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let isEmpty = { (line: Substring) in line.allSatisfy(\.isWhitespace) }
        let kept = lines.drop(while: isEmpty).reversed().drop(while: isEmpty).reversed()
        return kept.joined(separator: "\n")
    }

    private static let blockElements: Set<String> = [
        "address", "article", "aside", "blockquote", "body", "details", "dialog", "div", "dl", "fieldset", "figcaption",
        "figure", "footer", "form", "header", "main", "nav", "ol", "p", "section", "summary", "ul",
    ]
}

extension Substring {
    fileprivate var trimmingSpaces: Substring {
        var text = self.drop(while: \.isWhitespace)
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
