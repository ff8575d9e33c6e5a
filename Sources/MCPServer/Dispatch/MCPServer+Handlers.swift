import JSON
import Logging
import MCP

/// Prompts and resources: requests that a handler answers with something else than a tool result.
extension MCPServer {
    func getPrompt(
        _ request: JSONRPCRequest,
        _ exchange: Exchange,
        _ catalogue: ServerCatalogue
    ) async throws(MCPError) -> Answer? {
        guard let name = request.params["name"]?.stringValue else {
            throw MCPError(.invalidParams, "prompts/get wants a name, a string.")
        }
        guard let prompt = catalogue.prompts.prompt(named: name), self.mayRead(prompt.permission, exchange) else {
            throw MCPError(.invalidParams, "There is no prompt \(name.prefix(64)).")
        }
        let strings = try Self.strings(request.params["arguments"], of: "arguments")
        let run: RegisteredPrompt.Run
        do throws(ToolError) {
            run = try prompt.prepare(strings)
        } catch {
            throw MCPError(.invalidParams, error.message, data: .object(error.json))
        }
        return try await self.handle(request, exchange, prompt.permission, run) { result, codec in
            var members: JSONObject = ["messages": .array(result.messages.map(codec.json))]
            if let description = result.description { members["description"] = .string(description) }
            return Answer(members)
        }
    }

    func readResource(
        _ request: JSONRPCRequest,
        _ exchange: Exchange,
        _ catalogue: ServerCatalogue
    ) async throws(MCPError) -> Answer? {
        let uri = try Self.uri(of: request)
        guard let match = catalogue.resources.match(uri) else { throw Self.noResource(uri, exchange.revision) }
        let start = ContinuousClock.now
        let meta = exchange.meta ?? RequestMeta(params: request.params)
        var record = CallRecord(
            self.invocation(request.method, ["uri": .string(uri)], request, exchange, meta),
            effect: .read,
            permission: match.permission
        )
        defer {
            record.duration = .now - start
            self.pipeline.recorder.record(record)
        }
        guard self.mayRead(match.permission, exchange) else {
            record.outcome = ToolError.Code.forbidden.rawValue
            throw Self.noResource(uri, exchange.revision)
        }
        do throws(MCPError) {
            let answer = try await self.handle(request, exchange, match.permission, match.read) { contents, codec in
                let parts = contents.parts.map { part in
                    EmbeddedResource(
                        uri: part.uri ?? uri,
                        mimeType: part.mimeType ?? match.mimeType,
                        contents: part.contents,
                        meta: part.meta
                    )
                }
                // An answer that took questions is nobody else's.
                let isFirstRound = request.params["inputResponses"] == nil && request.params["requestState"] == nil
                let lifetime = isFirstRound ? self.caching.milliseconds : 0
                return Answer(
                    ["contents": .array(parts.map { .object(codec.json($0)) })],
                    caching: Codec.CachingHint(milliseconds: lifetime, scope: .private)
                )
            }
            record.outcome = answer == nil ? ToolError.Code.cancelled.rawValue : "ok"
            return answer
        } catch {
            record.outcome = error.data?["code"]?.stringValue ?? "error"
            record.message = error.message
            if error.data?["code"] == "not_found" { throw Self.noResource(uri, exchange.revision) }
            throw error
        }
    }

    static func uri(of request: JSONRPCRequest) throws(MCPError) -> String {
        guard let uri = request.params["uri"]?.stringValue, (1...8192).contains(uri.utf8.count) else {
            throw MCPError(.invalidParams, "\(request.method) wants a uri, a string of at most 8192 bytes.")
        }
        return uri
    }

    /// The error for an address that stands for nothing, or for nothing that the client may read.
    static func noResource(_ uri: String, _ revision: ProtocolRevision) -> MCPError {
        MCPError(
            revision.supports(.resourceNotFoundCode) ? .resourceNotFound : .invalidParams,
            "There is no such resource.",
            data: ["uri": .string(uri)]
        )
    }

    /// An object whose values are all strings.
    static func strings(_ value: JSONValue?, of name: String) throws(MCPError) -> [String: String] {
        guard let value else { return [:] }
        guard let object = value.objectValue else { throw MCPError(.invalidParams, "\(name) is an object of strings.") }
        var strings: [String: String] = [:]
        for (key, member) in object {
            guard let text = member.stringValue else {
                throw MCPError(.invalidParams, "\(name) is an object of strings; \(key.prefix(64)) is none.")
            }
            strings[key] = text
        }
        return strings
    }

    /// Runs a handler on the road that tool calls take, from the rate limit on.
    func handle<T: Sendable>(
        _ request: JSONRPCRequest,
        _ exchange: Exchange,
        _ permission: Permission?,
        _ run: @escaping @Sendable (HandlerContext) async throws -> T,
        _ shape: (T, Codec) -> Answer
    ) async throws(MCPError) -> Answer? {
        let meta = exchange.meta ?? RequestMeta(params: request.params)
        var invocation = self.invocation(request.method, [:], request, exchange, meta)
        try self.interact(&invocation, exchange, meta, replayed: try self.replayedInput(request, exchange))
        do throws(CallFailure) {
            let permit = try await self.pipeline.permit(exchange.principal, nil, self.options.defaultTimeout)
            defer { permit?.end() }
            let reach = permission.map { self.reach(of: $0, exchange.principal) } ?? .everything
            let result = try await self.pipeline.handle(invocation, self.options.defaultTimeout, reach, run)
            invocation.reporter?.finish()
            return shape(result, Codec(exchange.revision))
        } catch {
            invocation.reporter?.finish()
            switch error {
            case .inputRequired(let questions): return try self.ask(questions, request, exchange)
            case .tool(let failure) where failure.code == .cancelled: return nil
            case .tool(let failure):
                // The client can't be asked, or its answer is no good: that is no failure of the server.
                if var mistake = (failure.cause as? AskingFailure)?.error {
                    mistake.data = mistake.data ?? .object(failure.json)
                    throw mistake
                }
                var mcpError = error.mcpError
                mcpError.data = .object(failure.json)
                if let cause = failure.cause {
                    self.pipeline.logger.error(
                        "request failed",
                        metadata: [
                            "request.id": "\(exchange.requestID)", "mcp.method": "\(request.method)",
                            "error.cause": "\(cause)",
                        ]
                    )
                }
                throw mcpError
            case .protocolError, .becomesTask, .answered: throw error.mcpError
            }
        }
    }

    // MARK: Completion

    /// How many values are suggested at most.
    private static var maximumCompletions: Int { 100 }

    /// Suggests values for an argument of a prompt or a variable of a template.
    ///
    /// Specification: 2026-07-28, server/utilities/completion.
    func complete(
        _ request: JSONRPCRequest,
        _ exchange: Exchange,
        _ catalogue: ServerCatalogue
    ) async throws(MCPError) -> Answer? {
        guard let argument = request.params["argument"]?["name"]?.stringValue,
            let typed = request.params["argument"]?["value"]?.stringValue, typed.utf8.count <= 8192
        else {
            throw MCPError(.invalidParams, "completion/complete wants an argument with name and value, both strings.")
        }
        let (plan, template) = try self.plan(of: request.params["ref"], exchange, catalogue)
        guard let field = plan.fields.first(where: { $0.name == argument }) else {
            throw MCPError(.invalidParams, "There is no argument \(argument.prefix(64)).")
        }
        let others = try Self.strings(request.params["context"]?["arguments"], of: "context.arguments")
        return try await self.handle(request, exchange, template?.permission) {
            context -> (suggestions: Suggestions, total: Int?) in
            if let found = try await template?.suggestions(argument, typed, context) { return (found, nil) }
            let values = try await field.complete?(typed, others) ?? []
            return (Suggestions(values), values.count)
        } _: { found, _ in
            let values = found.suggestions.values.prefix(Self.maximumCompletions)
            var completion: JSONObject = [
                "values": .array(values.map(JSONValue.string)),
                "hasMore": .bool(found.suggestions.hasMore || found.suggestions.values.count > values.count),
            ]
            if let total = found.total { completion["total"] = .integer(total) }
            return Answer(["completion": .object(completion)])
        }
    }

    private func plan(
        of reference: JSONValue?,
        _ exchange: Exchange,
        _ catalogue: ServerCatalogue
    ) throws(MCPError) -> (ArgumentPlan, RegisteredTemplate?) {
        switch reference?["type"] {
        case "ref/prompt":
            if let prompt = (reference?["name"]?.stringValue).flatMap(catalogue.prompts.prompt(named:)),
                self.mayRead(prompt.permission, exchange)
            {
                return (prompt.plan, nil)
            }
            throw MCPError(.invalidParams, "There is no such prompt.")
        case "ref/resource":
            if let template = (reference?["uri"]?.stringValue).flatMap(catalogue.resources.template),
                self.mayRead(template.permission, exchange)
            {
                return (template.plan, template)
            }
            throw MCPError(.invalidParams, "There is no such resource template.")
        default:
            throw MCPError(.invalidParams, "ref is a ref/prompt with a name or a ref/resource with a uri.")
        }
    }
}
