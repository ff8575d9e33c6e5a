public import JSON
public import MCP

/// A conversation that a user can begin with: a message or several, made from what the user fills in.
///
/// Clients fill in strings; arguments of other types are read from them.
///
/// Specification: 2026-07-28, server/prompts.
public protocol Prompt: Sendable {
    /// What the user fills in.
    associatedtype Arguments: ToolArguments

    /// What programs call it.
    static var name: String { get }
    /// What people call it.
    static var title: String? { get }
    /// What it is for.
    static var description: String { get }
    /// Pictures for people.
    static var icons: [Icon] { get }
    /// What else clients are told about it, by reverse-DNS name.
    static var meta: JSONObject { get }
    /// What a principal needs to use it, and to see it at all.
    static var permission: Permission { get }

    /// Makes the messages.
    func get(_ arguments: Arguments, _ context: HandlerContext) async throws -> GetPromptResult
}

extension Prompt {
    public static var title: String? { nil }
    public static var icons: [Icon] { [] }
    public static var meta: JSONObject { [:] }
    public static var permission: Permission { "mcp:read" }
}

/// What a prompt gives.
public struct GetPromptResult: Sendable, ExpressibleByArrayLiteral {
    /// What the conversation begins with.
    public var messages: [PromptMessage]
    /// What this conversation is about.
    public var description: String?

    public init(_ messages: [PromptMessage], description: String? = nil) {
        self.messages = messages
        self.description = description
    }

    public init(arrayLiteral messages: PromptMessage...) {
        self.init(messages)
    }
}

/// A prompt, its types erased.
struct RegisteredPrompt: Sendable {
    let definition: PromptDefinition
    let permission: Permission
    let plan: ArgumentPlan
    let prepare: @Sendable ([String: String]) throws(ToolError) -> Run

    typealias Run = @Sendable (HandlerContext) async throws -> GetPromptResult

    init<P: Prompt>(_ prompt: P) {
        let plan = ArgumentPlan(P.Arguments())
        self.plan = plan
        self.permission = P.permission
        self.definition = PromptDefinition(
            Description(name: P.name, title: P.title, description: P.description, icons: P.icons, meta: P.meta),
            arguments: plan.fields.map {
                PromptDefinition.Argument(name: $0.name, description: $0.description, isRequired: $0.isRequired)
            }
        )
        let shape = P.Arguments.makeShape()
        self.prepare = { strings throws(ToolError) in
            var mistakes: [ArgumentMistake] = []
            guard let arguments = shape.decode(.object(plan.typed(strings)), &mistakes) else {
                throw ToolError.invalidArguments(mistakes)
            }
            return { context in try await prompt.get(arguments, context) }
        }
    }
}

/// All prompts of a server.
struct PromptCatalogue: Sendable {
    let prompts: [RegisteredPrompt]
    private let indexes: [String: Int]

    init(_ prompts: [RegisteredPrompt]) {
        self.prompts = prompts
        self.indexes = Dictionary(
            prompts.enumerated().map { ($1.definition.described.name, $0) },
            uniquingKeysWith: { _, _ in preconditionFailure("Two prompts have the same name.") }
        )
    }

    var names: [String] { self.prompts.map(\.definition.described.name) }

    func prompt(named name: String) -> RegisteredPrompt? {
        self.indexes[name].map { self.prompts[$0] }
    }
}

extension ArgumentPlan {
    /// Strings as the values that the arguments want.
    func typed(_ strings: [String: String]) -> JSONObject {
        var object: JSONObject = [:]
        for (name, text) in strings.sorted(by: { $0.key < $1.key }) {
            object[name] = self.fields.first { $0.name == name }?.typed(text) ?? .string(text)
        }
        return object
    }
}

extension ArgumentField {
    fileprivate func typed(_ text: String) -> JSONValue {
        switch self.schema["type"] {
        case "integer", "number": JSONValue(number: text) ?? .string(text)
        case "boolean": text == "true" ? true : text == "false" ? false : .string(text)
        default: .string(text)
        }
    }
}
