public import JSON

/// A piece of what a tool answers.
///
/// Specification: 2026-07-28, server/tools, "Tool Result".
public indirect enum ContentBlock: Sendable, Hashable {
    case text(String)
    /// `data` is base64.
    case image(data: String, mimeType: String)
    /// `data` is base64. Clients before 2025-03-26 get a text in its place.
    case audio(data: String, mimeType: String)
    case resource(EmbeddedResource)
    /// Clients before 2025-06-18 get a text in its place.
    case resourceLink(uri: String, name: String, mimeType: String?)
    /// A block with a word on whom it is for.
    case annotated(ContentBlock, Annotations)
}

/// The contents of a resource, sent along.
public struct EmbeddedResource: Sendable, Hashable {
    /// What a resource holds.
    public enum Contents: Sendable, Hashable {
        case text(String)
        /// Base64.
        case blob(String)
    }

    public var uri: String
    public var mimeType: String?
    public var contents: Contents
    /// Such as `ui.csp`, what the page of an MCP App may load.
    public var meta: JSONObject

    public init(uri: String, mimeType: String?, contents: Contents, meta: JSONObject = [:]) {
        self.uri = uri
        self.mimeType = mimeType
        self.contents = contents
        self.meta = meta
    }
}

/// What a tool answers.
public struct CallToolResult: Sendable {
    /// What the model reads.
    public var content: [ContentBlock]
    /// The same for programs; it conforms to the tool's output schema.
    public var structuredContent: JSONValue?
    /// Whether the tool could not do what was asked.
    public var isError: Bool
    public var meta: JSONObject

    public init(
        content: [ContentBlock],
        structuredContent: JSONValue? = nil,
        isError: Bool = false,
        meta: JSONObject = [:]
    ) {
        self.content = content
        self.structuredContent = structuredContent
        self.isError = isError
        self.meta = meta
    }
}
