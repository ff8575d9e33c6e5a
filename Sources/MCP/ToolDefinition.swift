public import JSON

/// Hints about what a tool does.
///
/// Clients may show them; nothing may rely on them.
public struct ToolAnnotations: Sendable, Hashable {
    public var readOnlyHint: Bool
    public var destructiveHint: Bool
    public var idempotentHint: Bool
    public var openWorldHint: Bool

    public init(readOnlyHint: Bool, destructiveHint: Bool, idempotentHint: Bool, openWorldHint: Bool) {
        self.readOnlyHint = readOnlyHint
        self.destructiveHint = destructiveHint
        self.idempotentHint = idempotentHint
        self.openWorldHint = openWorldHint
    }
}

/// A tool as `tools/list` shows it, before a revision's codec gives it its shape.
public struct ToolDefinition: Sendable {
    public var name: String
    public var title: String?
    public var description: String
    public var inputSchema: JSONObject
    public var outputSchema: JSONObject?
    public var annotations: ToolAnnotations

    public init(
        name: String,
        title: String?,
        description: String,
        inputSchema: JSONObject,
        outputSchema: JSONObject?,
        annotations: ToolAnnotations
    ) {
        self.name = name
        self.title = title
        self.description = description
        self.inputSchema = inputSchema
        self.outputSchema = outputSchema
        self.annotations = annotations
    }
}
