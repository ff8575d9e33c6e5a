import JSON
import MCP

/// A tool in the catalogue, its types erased.
struct RegisteredTool: Sendable {
    /// Runs a call whose arguments have been read.
    typealias Run = @Sendable (ToolContext) async throws -> JSONValue

    let name: ToolName
    let definition: ToolDefinition
    let effect: Effect
    let permission: Permission
    /// Reads the arguments of a call.
    let prepare: @Sendable (JSONObject) throws(ToolError) -> Run

    init<T: Tool>(_ tool: T, naming: ToolNaming) {
        let shape = T.Arguments.makeShape()
        self.name = T.name
        self.definition = ToolDefinition(
            name: naming.wireName(T.name),
            title: T.title,
            description: T.description,
            inputSchema: shape.schema,
            outputSchema: OutputSchema.of(T.Output.self),
            annotations: ToolAnnotations(T.effect)
        )
        self.effect = T.effect
        self.permission = T.permission
        self.prepare = { members throws(ToolError) in
            var mistakes: [ArgumentMistake] = []
            guard let arguments = shape.decode(.object(members), &mistakes) else {
                throw ToolError.invalidArguments(mistakes)
            }
            return { context in
                try OutputEncoder.encode(await tool.call(arguments, context))
            }
        }
    }
}

extension ToolAnnotations {
    /// The hints that follow from what a tool does.
    ///
    /// All our tools may reach things outside of the server.
    init(_ effect: Effect) {
        switch effect {
        case .read:
            self.init(readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true)
        case .write(let idempotent):
            self.init(readOnlyHint: false, destructiveHint: false, idempotentHint: idempotent, openWorldHint: true)
        case .destructive:
            self.init(readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true)
        }
    }
}
