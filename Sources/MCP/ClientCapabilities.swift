public import JSON

/// What a client says that it can do for the server: at `initialize`, or in each request since 2026-07-28.
///
/// Specification: 2026-07-28, basic/index, "Capabilities"; 2025-11-25, basic/lifecycle.
public struct ClientCapabilities: Sendable {
    /// As the client sent it.
    public let json: JSONObject

    public init(_ json: JSONObject = [:]) {
        self.json = json
    }

    /// The client asks a language model for the server.
    public var sampling: Bool { self.json["sampling"] != nil }
    /// The model may be offered tools.
    public var samplingTools: Bool { self.json["sampling"]?["tools"] != nil }
    /// The client tells which directories it works on.
    public var roots: Bool { self.json["roots"] != nil }
    /// The client lets its user fill in forms.
    ///
    /// An empty capability means forms and nothing else.
    public var formElicitation: Bool {
        guard let elicitation = self.json["elicitation"]?.objectValue else { return false }
        return elicitation["form"] != nil || elicitation["url"] == nil
    }
    /// The client sends its user to web pages.
    public var urlElicitation: Bool { self.json["elicitation"]?["url"] != nil }
    /// The client knows the tasks extension.
    public var tasks: Bool { self.json["extensions"]?[Self.tasksExtension] != nil }

    /// The identifier of the tasks extension.
    public static let tasksExtension = "io.modelcontextprotocol/tasks"
    /// The identifier of MCP Apps.
    public static let appsExtension = "io.modelcontextprotocol/ui"
}
