import JSON
import Knowledge

/// The form of a document between a worker and the process that started it.
enum DocumentCoding {
    static func object(_ document: Document) -> JSONObject {
        [
            "title": .string(document.title), "text": .string(document.text),
            "blocks": .array(document.blocks.map(Self.value)),
        ]
    }

    static func document(_ value: JSONValue, id: String) -> Document? {
        guard let title = value["title"]?.stringValue, let text = value["text"]?.stringValue,
            let blocks = value["blocks"]?.arrayValue
        else { return nil }
        return Document(id: id, title: title, text: text, blocks: blocks.compactMap(Self.block))
    }

    private static func value(_ block: Block) -> JSONValue {
        let (name, level, title): (String, Int, String) =
            switch block.kind {
            case .heading(let level, let title): ("heading", level, title)
            case .paragraph: ("paragraph", 0, "")
            case .listItem: ("item", 0, "")
            case .table: ("table", 0, "")
            case .code: ("code", 0, "")
            }
        return [
            .string(name), .integer(block.span.lowerBound), .integer(block.span.upperBound), .integer(level),
            .string(title),
        ]
    }

    private static func block(_ value: JSONValue) -> Block? {
        guard let parts = value.arrayValue, parts.count == 5, let name = parts[0].stringValue,
            let start = parts[1].intValue, let end = parts[2].intValue, start <= end, let level = parts[3].intValue,
            let title = parts[4].stringValue
        else { return nil }
        let kinds: [String: Block.Kind] = [
            "heading": .heading(level: level, title: title), "paragraph": .paragraph, "item": .listItem,
            "table": .table,
            "code": .code,
        ]
        return kinds[name].map { Block($0, span: start..<end) }
    }
}
