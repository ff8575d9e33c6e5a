import JSON
import MCP
import SharedState

extension MCPServer {
    /// Answers a request about a task.
    ///
    /// - Returns: Nothing if the revision has no such method.
    func answerTask(_ request: JSONRPCRequest, _ exchange: Exchange) async throws(MCPError) -> Answer? {
        if exchange.revision.supports(.tasksExtension) { return try await self.answerExtensionTask(request, exchange) }
        if exchange.revision.supports(.coreTasks) { return try await self.answerCoreTask(request, exchange) }
        return nil
    }

    private func task(of request: JSONRPCRequest, _ exchange: Exchange) async throws(MCPError) -> TaskRecord {
        guard let id = request.params["taskId"]?.stringValue else {
            throw MCPError(.invalidParams, "\(request.method) wants a taskId, a string.")
        }
        return try await self.tasks.task(id, for: exchange.principal)
    }

    /// Specification: the tasks extension (SEP-2663).
    private func answerExtensionTask(
        _ request: JSONRPCRequest,
        _ exchange: Exchange
    ) async throws(MCPError) -> Answer? {
        guard ["tasks/get", "tasks/update", "tasks/cancel"].contains(request.method) else { return nil }
        guard exchange.client.tasks else {
            throw .missingCapability(["extensions": [ClientCapabilities.tasksExtension: [:]]])
        }
        let record = try await self.task(of: request, exchange)
        switch request.method {
        case "tasks/get":
            return Answer(Codec(exchange.revision).json(record.state, isDetailed: true))
        case "tasks/update":
            guard let answers = request.params["inputResponses"]?.objectValue else {
                throw MCPError(.invalidParams, "tasks/update wants inputResponses, an object of answers by key.")
            }
            try await self.tasks.answer(record, with: answers)
        default:
            await self.tasks.cancel(record.state.id)
        }
        return Answer()
    }

    /// Specification: 2025-11-25, basic/utilities/tasks.
    private func answerCoreTask(_ request: JSONRPCRequest, _ exchange: Exchange) async throws(MCPError) -> Answer? {
        let codec = Codec(exchange.revision)
        switch request.method {
        case "tasks/get":
            return Answer(codec.json(try await self.task(of: request, exchange).state, isDetailed: false))
        case "tasks/cancel":
            let record = try await self.task(of: request, exchange)
            guard record.state.status.isTerminal == false, let changed = await self.tasks.cancel(record.state.id) else {
                throw MCPError(.invalidParams, "The task is over already: \(record.state.status.rawValue).")
            }
            return Answer(codec.json(changed.state, isDetailed: false))
        case "tasks/list":
            let records = try await self.tasks.tasks(of: exchange.principal)
            let tasks = records.map { JSONValue.object(codec.json($0.state, isDetailed: false)) }
            return try self.page("tasks", tasks, request, exchange)
        case "tasks/result":
            return try await self.taskResult(request, exchange)
        default:
            return nil
        }
    }

    /// Waits until a task is over and answers as its request would have been answered.
    ///
    /// Meanwhile the client is asked what the task asks.
    private func taskResult(_ request: JSONRPCRequest, _ exchange: Exchange) async throws(MCPError) -> Answer? {
        let record = try await self.task(of: request, exchange)
        let key = exchange.scope.map { CallKey(scope: $0, id: request.id) }
        let limit = Duration.milliseconds(record.state.ttlMilliseconds)
        let done: TaskRecord
        do {
            done = try await self.streams.run(key: key, timeout: limit) { call in
                try await self.attend(record.state.id, exchange, call)
            }
        } catch let error as MCPError {
            throw error
        } catch CallInterruption.cancelled {
            return nil
        } catch CallInterruption.duplicateID {
            throw Self.duplicateID
        } catch {
            throw MCPError(.internalError, "The task was not over in time; ask again.")
        }
        let related: JSONValue = ["taskId": .string(done.state.id)]
        switch done.state.status {
        case .completed:
            var result = done.state.result ?? [:]
            var meta = result["_meta"]?.objectValue ?? [:]
            meta[MetaKey.relatedTask] = related
            result["_meta"] = .object(meta)
            return Answer(result)
        case .failed:
            throw done.state.error ?? MCPError(.internalError, "The task failed.")
        default:
            throw MCPError(.invalidParams, "The task was cancelled.")
        }
    }

    /// Follows a task to its end and puts its questions to the client.
    private func attend(_ id: String, _ exchange: Exchange, _ call: CallHandle) async throws -> TaskRecord {
        while true {
            let record = try await self.tasks.task(id, for: exchange.principal)
            if record.state.status.isTerminal { return record }
            if record.state.inputRequests.isEmpty == false, let session = exchange.session {
                var input = LiveInput(
                    session: session,
                    sink: exchange.sink,
                    bus: self.stores.bus,
                    timeout: self.options.askTimeout,
                    call: call
                )
                input.relatedTask = id
                let questions = record.state.inputRequests.compactMap { key, json in
                    InputRequest(json: json).map { InputQuestion(key: key, request: $0) }
                }
                let answers = try await input.answers(to: questions)
                try await self.tasks.answer(record, with: JSONObject(answers.map { (key: $0, value: .object($1)) }))
                continue
            }
            await self.tasks.waitForChange(of: id, within: .seconds(60)) { changed in
                changed.state.status.isTerminal || changed.state.inputRequests.isEmpty == false
            }
        }
    }
}
