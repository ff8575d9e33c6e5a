import JSON
import MCP

/// The answer of a tool as it is remembered for those who ask again.
enum StoredResult {
    /// Larger answers are not remembered, only that there was one.
    static let maximumBytes = 64 << 10

    static func bytes(of result: CallToolResult) -> [UInt8] {
        let bytes = JSONValue.object(Codec(.v2026_07_28).json(result)).serialized()
        guard bytes.count > Self.maximumBytes else { return bytes }
        return JSONValue.object(["bytes": .integer(bytes.count)]).serialized()
    }

    /// Reads an answer.
    ///
    /// - Throws: ``ToolError`` if it was too large to be remembered.
    static func result(of bytes: [UInt8]) throws -> CallToolResult {
        let json = try JSONValue(parsing: bytes)
        if let size = json["bytes"]?.intValue {
            throw ToolError(
                .resultTooLarge,
                "It was done by an earlier call with the same idempotency_key, whose answer of \(size) bytes isn't kept.",
                suggestedAction: "Don't repeat it; read what you need with another tool."
            )
        }
        var meta = json["_meta"]?.objectValue ?? [:]
        meta[MetaKey.replayed] = true
        return CallToolResult(
            content: try (json["content"]?.arrayValue ?? []).map(Self.block),
            structuredContent: json["structuredContent"],
            isError: json["isError"] == true,
            meta: meta
        )
    }

    private static func block(_ json: JSONValue) throws -> ContentBlock {
        let block: ContentBlock? =
            switch (json["type"]?.stringValue, json["mimeType"]?.stringValue) {
            case ("text", _): json["text"]?.stringValue.map(ContentBlock.text)
            case ("image", let type?): json["data"]?.stringValue.map { .image(data: $0, mimeType: type) }
            case ("audio", let type?): json["data"]?.stringValue.map { .audio(data: $0, mimeType: type) }
            case ("resource", _): json["resource"].flatMap(EmbeddedResource.init(stored:)).map(ContentBlock.resource)
            case ("resource_link", let type):
                json["uri"]?.stringValue.map {
                    .resourceLink(uri: $0, name: json["name"]?.stringValue ?? $0, mimeType: type)
                }
            default: nil
            }
        guard let block else { throw UnreadableResult() }
        guard let annotations = json["annotations"] else { return block }
        return .annotated(
            block,
            Annotations(
                audience: (annotations["audience"]?.arrayValue ?? []).compactMap {
                    $0.stringValue.flatMap(Annotations.Role.init)
                },
                priority: annotations["priority"]?.doubleValue,
                lastModified: annotations["lastModified"]?.stringValue
            )
        )
    }
}

/// A remembered answer that is none of ours.
private struct UnreadableResult: Error {}

extension EmbeddedResource {
    fileprivate init?(stored json: JSONValue) {
        guard let uri = json["uri"]?.stringValue,
            let contents = json["text"]?.stringValue.map(Contents.text) ?? json["blob"]?.stringValue.map(Contents.blob)
        else { return nil }
        self.init(
            uri: uri,
            mimeType: json["mimeType"]?.stringValue,
            contents: contents,
            meta: json["_meta"]?.objectValue ?? [:]
        )
    }
}
