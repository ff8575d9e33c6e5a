import CLibXML2
import Knowledge

/// A part of an Office document, parsed by libxml2: no document type, so no entities; nothing is fetched; the limits of
/// libxml2 on depth and sizes hold.
final class XMLTree {
    private let document: xmlDocPtr
    let root: xmlNodePtr

    /// - Throws: ``KnowledgeError/Code/malformed``.
    init(_ bytes: [UInt8], part: String, path: String) throws(KnowledgeError) {
        Self.initialised
        let options = XML_PARSE_NONET.rawValue | XML_PARSE_NOERROR.rawValue | XML_PARSE_NOWARNING.rawValue
        let malformed = KnowledgeError(.malformed, "\(part) in \(path) isn't well-formed XML.")
        // Office documents may have no document type (ECMA-376 part 2, 8.1.4). It is refused before it is parsed.
        guard !Self.declaresType(bytes) else {
            throw KnowledgeError(.malformed, "\(part) in \(path) declares a document type, which is refused.")
        }
        let parsed = bytes.withUnsafeBytes { buffer in
            xmlReadMemory(buffer.baseAddress, Int32(clamping: buffer.count), nil, nil, Int32(bitPattern: options))
        }
        guard let parsed else { throw malformed }
        guard let root = xmlDocGetRootElement(parsed), parsed.pointee.intSubset == nil else {
            xmlFreeDoc(parsed)
            throw malformed
        }
        self.document = parsed
        self.root = root
    }

    deinit { xmlFreeDoc(self.document) }

    /// The children that are elements.
    static func children(of node: xmlNodePtr) -> some Sequence<xmlNodePtr> {
        sequence(first: node.pointee.children) { $0?.pointee.next }
            .lazy
            .prefix { $0 != nil }
            .compactMap { $0 }
            .filter { $0.pointee.type == XML_ELEMENT_NODE }
    }

    /// The name of an element without its prefix.
    static func name(of node: xmlNodePtr) -> String { node.pointee.name.map { String(cString: $0) } ?? "" }

    /// The value of an attribute, whatever its prefix is.
    static func attribute(_ name: String, of node: xmlNodePtr) -> String? {
        var attribute = node.pointee.properties
        while let present = attribute {
            if let own = present.pointee.name, String(cString: own) == name {
                return present.pointee.children?.pointee.content.map { String(cString: $0) } ?? ""
            }
            attribute = present.pointee.next
        }
        return nil
    }

    /// The text right below an element.
    static func text(of node: xmlNodePtr) -> String {
        var text = ""
        var child = node.pointee.children
        while let present = child {
            if present.pointee.type == XML_TEXT_NODE || present.pointee.type == XML_CDATA_SECTION_NODE {
                text += present.pointee.content.map { String(cString: $0) } ?? ""
            }
            child = present.pointee.next
        }
        return text
    }

    private static func declaresType(_ bytes: [UInt8]) -> Bool {
        let start = Array(bytes.prefix(4096))
        let doctype = Array("<!DOCTYPE".utf8)
        return start.indices.contains { start[$0...].starts(with: doctype) }
    }

    private static let initialised: Void = xmlInitParser()
}
