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
    public var taskSupport: TaskSupport
    public var icons: [Icon]
    /// Such as `ui.resourceUri`, the page of an MCP App that shows the answer.
    public var meta: JSONObject

    public init(
        name: String,
        title: String?,
        description: String,
        inputSchema: JSONObject,
        outputSchema: JSONObject?,
        annotations: ToolAnnotations,
        taskSupport: TaskSupport = .forbidden,
        icons: [Icon] = [],
        meta: JSONObject = [:]
    ) {
        self.name = name
        self.title = title
        self.description = description
        self.inputSchema = inputSchema
        self.outputSchema = outputSchema
        self.annotations = annotations
        self.taskSupport = taskSupport
        self.icons = icons
        self.meta = meta
    }
}

/// Whether a tool runs as a task, which the client asks about later.
///
/// Specification: 2025-11-25, basic/utilities/tasks, "Tool-Level Negotiation"; the tasks extension of 2026-07-28.
public enum TaskSupport: String, Sendable, Hashable {
    /// A call is answered with its result.
    case forbidden
    /// A call is answered with a task if the client knows tasks, else with its result.
    case optional
    /// A call is answered with a task; clients that don't know tasks can't call the tool.
    case required
}
