import JSON
import MCP

extension MCPServer {
    nonisolated(nonsending) func callTool(
        _ request: JSONRPCRequest,
        _ exchange: Exchange,
        _ catalogue: ServerCatalogue
    ) async throws(MCPError) -> Answer? {
        guard let name = request.params["name"]?.stringValue else {
            throw MCPError(.invalidParams, "tools/call wants a name, a string.")
        }
        guard let entry = catalogue.tools.entry(named: name) else {
            throw MCPError(.invalidParams, self.unknownTool(name))
        }
        let arguments: JSONObject
        switch request.params["arguments"] {
        case nil: arguments = [:]
        case .object(let members): arguments = members
        default: throw MCPError(.invalidParams, "The arguments of a tool are an object.")
        }
        let meta = exchange.meta ?? RequestMeta(params: request.params)
        let replayed = try self.replayedInput(request, exchange)
        let taskRequest = try Self.taskRequest(request, exchange, entry)
        var invocation = self.invocation(name, arguments, request, exchange, meta)
        var taskStart: TaskStart?
        if let taskRequest {
            guard entry.task?.startsByItself == true, let replayed else {
                try self.refuseMistakes(entry, arguments, exchange)
                return try await self.startTask(invocation, entry, exchange, [:], taskRequest)
            }
            taskStart = .throwing(replayed)
        }
        try self.interact(&invocation, exchange, meta, replayed: replayed, taskStart: taskStart)
        let codec = Codec(exchange.revision)
        if let answerEarly = exchange.answerEarly {
            invocation.answerEarly = { failure in
                answerEarly(self.answer(to: failure, codec).map { self.response(to: request, $0, codec) })
            }
        }
        do throws(CallFailure) {
            let timeout = taskRequest == nil && entry.task != nil ? entry.task?.timeout : nil
            return Answer(codec.json(try await self.pipeline.run(invocation, entry, timeout: timeout)))
        } catch {
            switch error {
            case .tool(let failure): return self.answer(to: failure, codec)
            case .answered: return nil
            case .protocolError(let failure): throw failure
            case .inputRequired(let questions): return try self.ask(questions, request, exchange)
            case .becomesTask(let start):
                return try await self.startTask(
                    invocation,
                    entry,
                    exchange,
                    start.answers,
                    taskRequest ?? TaskRequest()
                )
            }
        }
    }

    /// A failed result; nothing for a call that the client cancelled.
    private func answer(to failure: ToolError, _ codec: Codec) -> Answer? {
        failure.code == .cancelled ? nil : Answer(codec.json(CallToolResult(failure)))
    }

    func invocation(
        _ name: String,
        _ arguments: JSONObject,
        _ request: JSONRPCRequest,
        _ exchange: Exchange,
        _ meta: RequestMeta
    ) -> ToolInvocation {
        var invocation = ToolInvocation(
            tool: name,
            arguments: arguments,
            requestID: exchange.requestID,
            transport: exchange.transport,
            principal: exchange.principal
        )
        invocation.revision = exchange.revision.name
        invocation.traceparent = meta.traceparent
        invocation.key = exchange.scope.map { CallKey(scope: $0, id: request.id) }
        invocation.reporter = meta.progressToken.map {
            ProgressReporter(token: $0, codec: Codec(exchange.revision), sink: exchange.sink)
        }
        return invocation
    }

    // MARK: Tasks

    /// What a client wants of a task.
    struct TaskRequest {
        var lifetime: Duration?
    }

    /// Whether a call becomes a task.
    ///
    /// - Throws: ``MCPError`` if the tool and the client don't go together.
    private static func taskRequest(
        _ request: JSONRPCRequest,
        _ exchange: Exchange,
        _ entry: ToolCatalogue.Entry
    ) throws(MCPError) -> TaskRequest? {
        let support = entry.task?.support ?? .forbidden
        if exchange.revision.supports(.tasksExtension) {
            // The server alone decides, and only for clients that know the extension.
            if exchange.client.tasks { return support == .forbidden ? nil : TaskRequest() }
            guard support != .required else {
                throw .missingCapability(["extensions": [ClientCapabilities.tasksExtension: [:]]])
            }
            return nil
        }
        guard exchange.revision.supports(.coreTasks), let wanted = request.params["task"] else {
            guard support != .required else {
                throw MCPError(.methodNotFound, "This tool runs as a task only; operation.start can begin it.")
            }
            return nil
        }
        guard support != .forbidden else {
            throw MCPError(.methodNotFound, "This tool does not run as a task.")
        }
        switch wanted["ttl"] {
        case nil: return TaskRequest()
        case .integer(let milliseconds) where milliseconds > 0:
            return TaskRequest(lifetime: .milliseconds(min(milliseconds, 1 << 40)))
        default: throw MCPError(.invalidParams, "The ttl of a task is a positive number of milliseconds.")
        }
    }

    /// Tells mistakes in the arguments at once, rather than by a task that fails.
    private func refuseMistakes(
        _ entry: ToolCatalogue.Entry,
        _ arguments: JSONObject,
        _ exchange: Exchange
    ) throws(MCPError) {
        guard self.pipeline.isAllowed(entry.tool, exchange.principal) else { return }
        do throws(ToolError) {
            _ = try entry.tool.prepare(arguments)
        } catch {
            throw MCPError(.invalidParams, error.message, data: .object(error.json))
        }
    }

    private func startTask(
        _ invocation: ToolInvocation,
        _ entry: ToolCatalogue.Entry,
        _ exchange: Exchange,
        _ answers: JSONObject,
        _ request: TaskRequest
    ) async throws(MCPError) -> Answer {
        var invocation = invocation
        // The task goes on when the request is over.
        invocation.answerEarly = nil
        let record = try await self.tasks.start(
            invocation,
            entry,
            exchange,
            answers: answers,
            lifetime: request.lifetime
        )
        let task = Codec(exchange.revision).json(record.state, isDetailed: false)
        guard exchange.revision.supports(.tasksExtension) else { return Answer(["task": .object(task)]) }
        // Clients that check every answer to tools/call find the content that they look for.
        var members = task
        members["content"] = []
        return Answer(members, resultType: "task")
    }
}
