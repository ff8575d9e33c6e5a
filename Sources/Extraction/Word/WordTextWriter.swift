import CLibXML2
import Knowledge

/// Collects the text of the body of a Word document, block by block.
struct WordTextWriter {
    private(set) var text = ""
    private(set) var blocks: [Block] = []
    private(set) var title: String?

    private let styles: [String: Int]
    private let maximumDepth: Int

    init(styles: [String: Int], maximumDepth: Int) {
        self.styles = styles
        self.maximumDepth = maximumDepth
    }

    /// Writes an element and those in it.
    ///
    /// - Returns: Whether all was within the depth that is allowed.
    mutating func write(_ node: xmlNodePtr, depth: Int) -> Bool {
        guard depth <= self.maximumDepth else { return false }
        switch XMLTree.name(of: node) {
        case "p": return self.writeParagraph(node, depth: depth)
        case "tbl": return self.writeTable(node, depth: depth)
        case "del", "moveFrom", "sectPr", "Fallback": return true
        default: return XMLTree.children(of: node).allSatisfy { self.write($0, depth: depth + 1) }
        }
    }

    private mutating func writeParagraph(_ node: xmlNodePtr, depth: Int) -> Bool {
        var content = ""
        var nested: [xmlNodePtr] = []
        guard self.collect(node, depth: depth, into: &content, nested: &nested) else { return false }
        let trimmed = Self.trimmed(content)
        if !trimmed.isEmpty {
            let properties = XMLTree.children(of: node).first { XMLTree.name(of: $0) == "pPr" }
            switch self.kind(properties) {
            case .heading(let level, _):
                let title = trimmed.split(whereSeparator: \.isWhitespace).joined(separator: " ")
                if level == 1, self.title == nil { self.title = title }
                self.add(trimmed, .heading(level: level, title: title))
            case .listItem: self.add("- " + trimmed, .listItem)
            default: self.add(trimmed, .paragraph)
            }
        }
        // Text boxes stand inside of paragraphs.
        return nested.allSatisfy { self.write($0, depth: depth + 1) }
    }

    private func kind(_ properties: xmlNodePtr?) -> Block.Kind {
        guard let properties else { return .paragraph }
        var isListed = false
        for property in XMLTree.children(of: properties) {
            switch XMLTree.name(of: property) {
            case "pStyle":
                if let id = XMLTree.attribute("val", of: property), let level = self.styles[id] {
                    return .heading(level: level, title: "")
                }
                if XMLTree.attribute("val", of: property)?.hasPrefix("List") == true { isListed = true }
            case "outlineLvl":
                if let value = XMLTree.attribute("val", of: property), let level = Int(value), (0...5).contains(level) {
                    return .heading(level: level + 1, title: "")
                }
            case "numPr": isListed = true
            default: break
            }
        }
        return isListed ? .listItem : .paragraph
    }

    /// Collects the text of runs.
    private func collect(
        _ node: xmlNodePtr,
        depth: Int,
        into content: inout String,
        nested: inout [xmlNodePtr]
    ) -> Bool {
        guard depth <= self.maximumDepth else { return false }
        for child in XMLTree.children(of: node) {
            switch XMLTree.name(of: child) {
            case "t": content += XMLTree.text(of: child)
            case "tab": content += "\t"
            case "br", "cr": content += "\n"
            case "noBreakHyphen": content += "-"
            case "del", "moveFrom", "pPr", "rPr", "Fallback", "instrText": break
            case "txbxContent": nested.append(child)
            default:
                guard self.collect(child, depth: depth + 1, into: &content, nested: &nested) else { return false }
            }
        }
        return true
    }

    private mutating func writeTable(_ node: xmlNodePtr, depth: Int) -> Bool {
        var rows: [String] = []
        for row in XMLTree.children(of: node) where XMLTree.name(of: row) == "tr" {
            var cells: [String] = []
            for cell in XMLTree.children(of: row) where XMLTree.name(of: cell) == "tc" {
                var writer = WordTextWriter(styles: self.styles, maximumDepth: self.maximumDepth)
                guard XMLTree.children(of: cell).allSatisfy({ writer.write($0, depth: depth + 3) }) else {
                    return false
                }
                cells.append(writer.text.split(whereSeparator: \.isWhitespace).joined(separator: " "))
            }
            if cells.contains(where: { !$0.isEmpty }) { rows.append("| \(cells.joined(separator: " | ")) |") }
        }
        if !rows.isEmpty { self.add(rows.joined(separator: "\n"), .table) }
        return true
    }

    private mutating func add(_ content: String, _ kind: Block.Kind) {
        if !self.text.isEmpty { self.text += "\n\n" }
        let start = self.text.utf8.count
        self.text += content
        self.blocks.append(Block(kind, span: start..<self.text.utf8.count))
    }

    private static func trimmed(_ text: String) -> String {
        let start = text.drop(while: \.isWhitespace)
        return String(start.reversed().drop(while: \.isWhitespace).reversed())
    }
}
