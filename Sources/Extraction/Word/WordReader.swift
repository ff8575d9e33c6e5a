import CLibXML2
import JSON
import Knowledge

/// Turns a Word document (ECMA-376, WordprocessingML) into text with structure.
///
/// Headings are paragraphs whose style, or the style that it is based on, is named `heading 1` to `heading 6` or `Title`;
/// list items have a numbering. Text that was deleted with tracked changes is left out.
struct WordReader {
    let limits: ExtractionLimits

    /// Reads a document.
    func document(in bytes: [UInt8], path: String) throws(KnowledgeError) -> Document {
        let archive = try ZIPArchive(bytes, path: path, limits: self.limits)
        guard let body = try archive.content(of: "word/document.xml") else {
            throw KnowledgeError(
                .unsupportedFormat,
                "\(path) is \(Self.kind(of: archive)), which can't be read. Convert it to text, PDF or DOCX."
            )
        }
        let styles = try archive.content(of: "word/styles.xml").map { bytes throws(KnowledgeError) in
            try self.styles(bytes, path: path)
        }
        var title: String?
        if let properties = try archive.content(of: "docProps/core.xml") {
            title = try? self.title(properties, path: path)
        }
        let xml = try XMLTree(body, part: "word/document.xml", path: path)
        var writer = WordTextWriter(styles: styles ?? [:], maximumDepth: self.limits.maximumDepth)
        guard writer.write(xml.root, depth: 0) else {
            throw KnowledgeError(.tooDeep, "\(path) has elements nested more than \(self.limits.maximumDepth) deep.")
        }
        guard !writer.blocks.isEmpty else { throw KnowledgeError(.emptyDocument, "\(path) holds no text.") }
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return Document(id: path, title: title ?? writer.title ?? name, text: writer.text, blocks: writer.blocks)
    }

    private static func kind(of archive: ZIPArchive) -> String {
        if archive.contains("xl/workbook.xml") { return "an Excel workbook" }
        if archive.contains("ppt/presentation.xml") { return "a PowerPoint presentation" }
        if archive.contains("META-INF/MANIFEST.MF") { return "a Java archive" }
        if archive.contains("mimetype") { return "an OpenDocument or EPUB document" }
        return "a ZIP archive"
    }

    /// Returns the level of the heading that each style makes.
    private func styles(_ bytes: [UInt8], path: String) throws(KnowledgeError) -> [String: Int] {
        let xml = try XMLTree(bytes, part: "word/styles.xml", path: path)
        var levels: [String: Int] = [:]
        var bases: [String: String] = [:]
        for style in XMLTree.children(of: xml.root) where XMLTree.name(of: style) == "style" {
            guard let id = XMLTree.attribute("styleId", of: style) else { continue }
            for child in XMLTree.children(of: style) {
                guard let value = XMLTree.attribute("val", of: child) else { continue }
                switch XMLTree.name(of: child) {
                case "name": levels[id] = Self.level(ofStyleNamed: value)
                case "basedOn": bases[id] = value
                default: break
                }
            }
        }
        for id in bases.keys where levels[id] == nil {
            var base = bases[id]
            // Styles that are based on one another are a mistake that files have.
            for _ in 0..<16 {
                guard let present = base else { break }
                if let level = levels[present] {
                    levels[id] = level
                    break
                }
                base = bases[present]
            }
        }
        return levels
    }

    private static func level(ofStyleNamed name: String) -> Int? {
        let name = name.lowercased()
        if name == "title" { return 1 }
        guard name.hasPrefix("heading "), let level = Int(name.dropFirst(8)), level > 0 else { return nil }
        return min(level, 6)
    }

    private func title(_ bytes: [UInt8], path: String) throws(KnowledgeError) -> String? {
        let xml = try XMLTree(bytes, part: "docProps/core.xml", path: path)
        let title = XMLTree.children(of: xml.root).first { XMLTree.name(of: $0) == "title" }
        let text = title.map { XMLTree.text(of: $0) }?.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return text?.isEmpty == false ? text : nil
    }
}
