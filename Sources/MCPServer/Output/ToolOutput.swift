import JSON

/// What a tool answers: a struct whose properties become members of `structuredContent`.
///
/// The output schema is derived from the type once, when the tool is registered. Wire names are the snake case of the
/// Swift names, and an optional that is `nil` is written as `null`, so that every member is always there.
public protocol ToolOutput: Codable, Sendable {
    /// What the members mean, by Swift property name.
    static var descriptions: [String: String] { get }
}

extension ToolOutput {
    public static var descriptions: [String: String] { [:] }
}
