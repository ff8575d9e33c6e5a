public import JSON
public import MCP

/// Something that a tool can answer.
public protocol CallToolResultConvertible: Sendable {
    /// The schema of `structuredContent`, if there is one.
    static var outputSchema: JSONObject? { get }
    /// The answer as the protocol has it.
    func callToolResult() throws -> CallToolResult
}

extension CallToolResultConvertible {
    public static var outputSchema: JSONObject? { nil }
}

extension CallToolResult: CallToolResultConvertible {
    public func callToolResult() -> CallToolResult { self }
}

extension String: CallToolResultConvertible {
    public func callToolResult() -> CallToolResult { CallToolResult(content: [.text(self)]) }
}

/// What a tool answers: a struct whose properties become members of `structuredContent`.
///
/// The output schema is derived from the type once, when the tool is registered. Wire names are the snake case of the
/// Swift names, and an optional that is `nil` is written as `null`, so that every member is always there.
public protocol ToolOutput: CallToolResultConvertible, Codable {
    /// What the members mean, by Swift property name.
    static var descriptions: [String: String] { get }
}

extension ToolOutput {
    public static var descriptions: [String: String] { [:] }
    public static var outputSchema: JSONObject? { OutputSchema.of(Self.self) }

    /// The structured answer, and the same as text for clients that don't read it.
    public func callToolResult() throws -> CallToolResult {
        let value = try OutputEncoder.encode(self)
        return CallToolResult(content: [.text(value.serializedString())], structuredContent: value)
    }
}
