public import JSON
public import MCP

/// Something that an agent can call.
///
/// A tool is a value: it holds what it needs and is called from many tasks at once. Its arguments, their JSON Schema and
/// the decoding of a call all come from ``Arguments``; the schema of its answer comes from ``Output``.
///
/// Specification: 2026-07-28, server/tools.
public protocol Tool: Sendable {
    /// What it is called with.
    associatedtype Arguments: ToolArguments
    /// What it answers: a ``ToolOutput``, a `String`, or a whole `CallToolResult`.
    associatedtype Output: CallToolResultConvertible

    /// The name that agents call, such as `jira.retrieve_backlog`.
    static var name: ToolName { get }
    /// A name for people.
    static var title: String? { get }
    /// What a language model reads to choose the tool: when to use it, when not, what comes back.
    static var description: String { get }
    /// What calling it does to the world. Annotations follow from it.
    static var effect: Effect { get }
    /// What a principal needs to call it, and to see it at all.
    static var permission: Permission { get }
    /// Pictures for people.
    static var icons: [Icon] { get }
    /// What else clients are told about the tool, by reverse-DNS name.
    ///
    /// `["ui": ["resourceUri": "ui://…"]]` names the page of an MCP App that shows the answer.
    static var meta: JSONObject { get }

    /// What a call with these arguments reads or changes, so that a policy can limit who may reach it.
    ///
    /// A tool that reaches things of a kind for which policies have limits names them here, or narrows what it returns with
    /// ``ToolContext/reach``.
    func targets(_ arguments: Arguments) -> [AccessTarget]

    /// Does the work.
    ///
    /// - Throws: ``ToolError`` for what the agent can act on; with ``ToolError/Code/outcomeUnknown`` if something may have
    ///   been changed, since other codes say that nothing was, and let the call be repeated. Anything else becomes
    ///   `internal`, and stays in the log.
    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> Output
}

extension Tool {
    public static var title: String? { nil }
    public static var icons: [Icon] { [] }
    public static var meta: JSONObject { [:] }
    public func targets(_ arguments: Arguments) -> [AccessTarget] { [] }
}

/// The name of a tool: 1 to 64 characters of `A–Z a–z 0–9 _ - .`.
public struct ToolName: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
    public let rawValue: String

    /// - Precondition: The name is well formed: tools are named by programmers, not by input.
    public init(stringLiteral value: String) {
        let isWellFormed = value.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        precondition((1...64).contains(value.utf8.count) && isWellFormed, "\(value) is no name for a tool")
        self.rawValue = value
    }

    public var description: String { self.rawValue }
}

/// What calling a tool does to the world.
public enum Effect: Sendable, Hashable {
    /// Nothing changes.
    case read
    /// Something changes. An idempotent write may be repeated without doing it twice.
    case write(idempotent: Bool)
    /// Something is lost or can't be undone.
    case destructive
}

/// What a principal may do, such as `jira:read`.
public struct Permission: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
    public let rawValue: String

    public init(stringLiteral value: String) {
        self.rawValue = value
    }

    public var description: String { self.rawValue }
}

/// How tools are named on the wire.
public enum ToolNaming: String, Sendable {
    /// As declared: `jira.retrieve_backlog`.
    case dotted
    /// With underscores for dots, for clients that refuse dots: `jira_retrieve_backlog`.
    case underscore

    func wireName(_ name: ToolName) -> String {
        switch self {
        case .dotted: name.rawValue
        case .underscore: String(name.rawValue.map { $0 == "." ? "_" : $0 })
        }
    }
}
