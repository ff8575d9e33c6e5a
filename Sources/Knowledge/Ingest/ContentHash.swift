import Crypto
import JSON

/// The fingerprint by which an unchanged document is recognised.
enum ContentHash {
    /// Returns SHA-256, in hexadecimal, over all that the index keeps of a document and the way it is split.
    ///
    /// The date of the source is left out: a file that was only touched isn't a changed document.
    static func hash(of document: Document, chunking: ChunkingConfiguration) -> String {
        var description: JSONObject = [
            "chunking": .string(chunking.fingerprint),
            "source": .string(document.source),
            "title": .string(document.title),
            "metadata": .object(document.metadata),
            "blocks": .array(document.blocks.map { .string(Self.name(of: $0)) }),
            "imports": .array(document.imports.map { .string($0) }),
            "text": .string(document.text),
        ]
        if !document.accessLabels.isEmpty {
            description["labels"] = .array(document.accessLabels.sorted().map { .string($0) })
        }
        if let part = document.part {
            let end = part.offset + document.text.utf8.count
            description["part"] = .array(
                (part.outline.names + part.outline.path(at: part.offset) + part.outline.path(at: end)).map {
                    .string($0)
                }
            )
        }
        return SHA256.hash(data: JSONValue.object(description).serialized()).map { byte in
            let digits = String(byte, radix: 16)
            return byte < 16 ? "0" + digits : digits
        }
        .joined()
    }

    private static func name(of block: Block) -> String {
        (["\(block.span) \(Self.name(of: block.kind))"] + block.symbols).joined(separator: "\n")
    }

    private static func name(of kind: Block.Kind) -> String {
        switch kind {
        case .heading(let level, let title): "h\(level) \(title)"
        case .paragraph: "p"
        case .listItem: "li"
        case .table: "table"
        case .code: "code"
        }
    }
}
