import CLibXML2
import Knowledge

/// Turns a page of HTML into text with structure.
///
/// The parser is libxml2's for HTML: it never fetches anything and knows no entities but those of HTML. Scripts,
/// styles and what else isn't shown are dropped.
struct HTMLReader {
    /// The readable content of a page.
    struct Page {
        var title: String?
        var text: String
        var blocks: [Block]
    }

    let limits: ExtractionLimits

    /// Reads a page.
    ///
    /// - Throws: ``KnowledgeError/Code/tooDeep``, ``KnowledgeError/Code/malformed``, and
    ///   ``KnowledgeError/Code/emptyDocument`` for a page without text.
    func read(_ html: String, path: String) throws(KnowledgeError) -> Page {
        Self.initialised
        let options = HTML_PARSE_RECOVER.rawValue | HTML_PARSE_NONET.rawValue | HTML_PARSE_NOERROR.rawValue
        let flags = Int32(bitPattern: options | HTML_PARSE_NOWARNING.rawValue)
        let bytes = Array(html.utf8)
        let parsed = bytes.withUnsafeBytes { buffer in
            htmlReadMemory(buffer.baseAddress, Int32(clamping: buffer.count), nil, "UTF-8", flags)
        }
        guard let parsed else { throw KnowledgeError(.malformed, "\(path) can't be read as HTML.") }
        defer { xmlFreeDoc(parsed) }
        var writer = HTMLTextWriter(maximumDepth: self.limits.maximumDepth)
        guard writer.write(xmlDocGetRootElement(parsed), depth: 0) else {
            throw KnowledgeError(
                .tooDeep,
                "\(path) has elements nested more than \(self.limits.maximumDepth) deep."
            )
        }
        writer.endBlock()
        guard !writer.blocks.isEmpty else { throw KnowledgeError(.emptyDocument, "\(path) shows no text.") }
        return Page(title: writer.title, text: writer.text, blocks: writer.blocks)
    }

    /// Once per process, before the first use from several threads.
    private static let initialised: Void = xmlInitParser()
}
