import JSON
import MCP

/// Tasks for clients that don't know them: any tool that can run as a task, begun with one call and asked about with
/// another.
enum OperationTools {
    static func all(_ engine: TaskEngine, catalogue: @escaping @Sendable () -> ServerCatalogue) -> [ConfiguredTool] {
        [
            ConfiguredTool(OperationStart(engine: engine, catalogue: catalogue)),
            ConfiguredTool(OperationGet(engine: engine)),
            ConfiguredTool(OperationCancel(engine: engine)),
        ]
    }
}

/// An operation, as its tools show it.
struct OperationOutput: ToolOutput {
    var operationID: String
    var status: String
    var message: String?
    /// The text of the result, once completed or failed.
    var result: String?
    var isError: Bool

    static let descriptions = [
        "operationID": "Pass it to operation.get and operation.cancel",
        "status": "working, completed, failed or cancelled",
        "result": "What the tool answered; null until the operation is over",
    ]

    init(_ record: TaskRecord) {
        self.operationID = record.state.id
        self.status = record.state.status.rawValue
        self.message = record.state.statusMessage
        let texts = record.state.result?["content"]?.arrayValue?.compactMap { $0["text"]?.stringValue }
        self.result = texts?.joined(separator: "\n") ?? record.state.error?.message
        self.isError = record.state.result?["isError"] == true || record.state.error != nil
    }
}

struct OperationStart: Tool {
    static let name: ToolName = "operation.start"
    static let title: String? = "Start a long operation"
    static let description = """
        Starts a tool that takes long and returns at once with an operation id.
        Use this tool when: a tool may run for minutes, and you want to do other things meanwhile.
        Do not use it for: tools that answer quickly; call those directly.
        Example: {"tool": "reports.build", "arguments": {"year": 2026}}.
        Returns operation_id and status; ask operation.get for the result.
        """
    static let effect = Effect.write(idempotent: false)
    static let permission: Permission = "operation:write"

    struct Arguments: ToolArguments {
        @Param("The name of the tool, as tools/list shows it") var tool: String
        @Param("The arguments of the tool") var arguments: [String: JSONValue] = [:]
    }

    let engine: TaskEngine
    let catalogue: @Sendable () -> ServerCatalogue

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> OperationOutput {
        let tools = self.catalogue().tools
        guard let entry = tools.entry(named: arguments.tool), entry.task != nil else {
            let names = tools.entries.filter { $0.task != nil }.map(\.tool.definition.name)
            throw ToolError(
                .notFound,
                "There is no long-running tool \(arguments.tool.prefix(64)).",
                suggestedAction: "Start one of these: \(names.joined(separator: ", "))."
            )
        }
        var members: JSONObject = [:]
        for (key, value) in arguments.arguments.sorted(by: { $0.key < $1.key }) { members[key] = value }
        // Mistakes are told at once, rather than by a task that fails.
        _ = try entry.tool.prepare(members)
        let invocation = ToolInvocation(
            tool: arguments.tool,
            arguments: members,
            requestID: context.requestID,
            transport: "operation",
            principal: context.principal
        )
        let exchange = Exchange(
            transport: "operation",
            requestID: context.requestID,
            principal: context.principal,
            revision: .v2025_11_25,
            scope: nil,
            sink: NoMessages()
        )
        return OperationOutput(
            try await self.engine.start(invocation, entry, exchange, answers: [:], lifetime: nil)
        )
    }
}

struct OperationGet: Tool {
    static let name: ToolName = "operation.get"
    static let title: String? = "Look at a long operation"
    static let description = """
        Returns how an operation stands, and its result once it is over.
        Use this tool when: you have an operation_id from operation.start.
        Do not use it for: waiting in a tight loop; pass wait_ms to wait for a change.
        Example: {"operation_id": "4f1c…", "wait_ms": 10000}.
        Returns status (working, completed, failed, cancelled) and result.
        """
    static let effect = Effect.read
    static let permission: Permission = "operation:read"

    struct Arguments: ToolArguments {
        @Param("What operation.start returned", .length(1...64)) var operationID: String
        @Param("How long to wait for the end, in milliseconds", .range(0...20_000)) var waitMs: Int = 0
    }

    let engine: TaskEngine

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> OperationOutput {
        let record = try await self.engine.operation(arguments.operationID, context)
        guard record.state.status.isTerminal == false, arguments.waitMs > 0 else { return OperationOutput(record) }
        await self.engine.waitForChange(of: record.state.id, within: .milliseconds(arguments.waitMs)) {
            $0.state.status.isTerminal
        }
        return OperationOutput(try await self.engine.operation(arguments.operationID, context))
    }
}

struct OperationCancel: Tool {
    static let name: ToolName = "operation.cancel"
    static let title: String? = "Cancel a long operation"
    static let description = """
        Cancels an operation that is not over yet.
        Use this tool when: the result of an operation is no longer wanted.
        Do not use it for: operations of others; they can't be seen.
        Example: {"operation_id": "4f1c…"}.
        Returns the operation; one that was over already stays as it was.
        """
    static let effect = Effect.write(idempotent: true)
    static let permission: Permission = "operation:write"

    struct Arguments: ToolArguments {
        @Param("What operation.start returned", .length(1...64)) var operationID: String
    }

    let engine: TaskEngine

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> OperationOutput {
        let record = try await self.engine.operation(arguments.operationID, context)
        return OperationOutput(await self.engine.cancel(record.state.id) ?? record)
    }
}

extension TaskEngine {
    fileprivate func operation(_ id: String, _ context: ToolContext) async throws -> TaskRecord {
        do throws(MCPError) {
            return try await self.task(id, for: context.principal)
        } catch {
            throw ToolError(.notFound, "There is no such operation, or no longer.")
        }
    }
}
