import JSON
import MCP

/// A tool in the catalogue, its types erased.
struct RegisteredTool: Sendable {
    /// Runs a call whose arguments have been read.
    typealias Run = @Sendable (ToolContext) async throws -> CallToolResult

    /// A call whose arguments have been read.
    struct PreparedCall: Sendable {
        /// What it is about.
        let targets: [AccessTarget]
        /// What makes it run once only, if the caller wants that.
        let once: OnceRequest?
        let run: Run
    }

    let name: ToolName
    let definition: ToolDefinition
    let effect: Effect
    let permission: Permission
    /// Checks answers whose schema was not derived from their type.
    let outputValidator: JSONSchema?
    /// The arguments that HTTP clients repeat in headers.
    let headerParameters: [HeaderParameter]
    /// Reads the arguments of a call.
    let prepare: @Sendable (JSONObject) throws(ToolError) -> PreparedCall

    init<T: Tool>(_ tool: T, naming: ToolNaming, taskSupport: TaskSupport) {
        let shape = T.Arguments.makeShape()
        let changesSomething = T.effect != .read
        let schema = changesSomething ? OnceRequest.adding(to: shape.schema) : shape.schema
        self.name = T.name
        self.definition = ToolDefinition(
            name: naming.wireName(T.name),
            title: T.title,
            description: T.description,
            inputSchema: schema,
            outputSchema: T.Output.outputSchema,
            annotations: ToolAnnotations(T.effect),
            taskSupport: taskSupport,
            icons: T.icons,
            meta: T.meta
        )
        self.headerParameters = HeaderParameter.all(in: shape.schema, of: T.name)
        self.outputValidator = Self.validator(of: T.Output.self)
        self.effect = T.effect
        self.permission = T.permission
        self.prepare = { members throws(ToolError) in
            var mistakes: [ArgumentMistake] = []
            var members = members
            let once = changesSomething ? OnceRequest(taking: &members, &mistakes) : nil
            guard let arguments = shape.decode(.object(members), &mistakes), mistakes.isEmpty else {
                throw ToolError.invalidArguments(mistakes)
            }
            return PreparedCall(targets: tool.targets(arguments), once: once) { context in
                try await tool.call(arguments, context).callToolResult()
            }
        }
    }

    private static func validator(of output: any CallToolResultConvertible.Type) -> JSONSchema? {
        // What is derived from a type fits it by construction.
        guard output is any ToolOutput.Type == false, let schema = output.outputSchema else { return nil }
        do {
            return try JSONSchema(.object(schema))
        } catch {
            preconditionFailure("The output schema of \(output) is no schema: \(error)")
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
