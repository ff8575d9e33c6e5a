import JSON
public import MCP
import SharedState

extension MCPServer {
    /// What a request is answered with, before the codec completes it.
    struct Answer {
        var members: JSONObject
        var caching: Codec.CachingHint?
        var resultType = "complete"

        init(_ members: JSONObject = [:], caching: Codec.CachingHint? = nil, resultType: String = "complete") {
            self.members = members
            self.caching = caching
            self.resultType = resultType
        }
    }

    /// Answers a request in the revision of its exchange.
    ///
    /// - Returns: The response; nothing if the client cancelled the request, since then nobody wants one.
    public nonisolated(nonsending) func respond(
        to request: JSONRPCRequest,
        _ exchange: Exchange
    ) async -> JSONRPCResponse? {
        do throws(MCPError) {
            guard let answer = try await self.answer(request, exchange) else { return nil }
            return self.response(to: request, answer, Codec(exchange.revision))
        } catch {
            return .failure(Codec(exchange.revision).conforming(error), id: request.id)
        }
    }

    func response(to request: JSONRPCRequest, _ answer: Answer, _ codec: Codec) -> JSONRPCResponse {
        let result = codec.complete(
            answer.members,
            serverInfo: self.serverInfo,
            resultType: answer.resultType,
            caching: answer.caching
        )
        return JSONRPCResponse(id: request.id, result: .success(.object(result)))
    }

    private nonisolated(nonsending) func answer(
        _ request: JSONRPCRequest,
        _ exchange: Exchange
    ) async throws(MCPError) -> Answer? {
        let revision = exchange.revision
        let catalogue = self.catalogue
        // The notification that cancels it may reach another replica.
        if exchange.session != nil { await self.announcer.listenForCalls() }
        switch request.method {
        case "tools/call":
            return try await self.callTool(request, exchange, catalogue)
        case "tools/list":
            return try self.listTools(request, exchange, catalogue)
        case "prompts/list" where catalogue.prompts.prompts.isEmpty == false:
            return try self.listPrompts(request, exchange, catalogue)
        case "prompts/get" where catalogue.prompts.prompts.isEmpty == false:
            return try await self.getPrompt(request, exchange, catalogue)
        case "resources/list" where catalogue.resources.isEmpty == false:
            return try await self.listResources(request, exchange, catalogue)
        case "resources/templates/list" where catalogue.resources.isEmpty == false:
            return try self.listResourceTemplates(request, exchange, catalogue)
        case "resources/read" where catalogue.resources.isEmpty == false:
            return try await self.readResource(request, exchange, catalogue)
        case "completion/complete" where catalogue.hasCompletions:
            return try await self.complete(request, exchange, catalogue)
        case "server/discover" where revision.supports(.statelessEnvelope):
            return self.discovery(catalogue, exchange)
        case "subscriptions/listen" where revision.supports(.listen):
            return try await self.listen(request, exchange, catalogue)
        case "ping" where revision.supports(.ping):
            return Answer()
        case "logging/setLevel" where revision.supports(.sessionLogLevel):
            return try await self.setLogLevel(request, exchange)
        case "resources/subscribe"
        where revision.supports(.resourceSubscriptions) && catalogue.resources.isEmpty == false:
            return try await self.subscribe(request, exchange, catalogue)
        case "resources/unsubscribe"
        where revision.supports(.resourceSubscriptions) && catalogue.resources.isEmpty == false:
            return try await self.unsubscribe(request, exchange)
        case let method where method.hasPrefix("tasks/") && catalogue.tools.hasTasks:
            if let answer = try await self.answerTask(request, exchange) { return answer }
        default: break
        }
        throw Self.unknownMethod(request.method, revision)
    }

    static func unknownMethod(_ method: String, _ revision: ProtocolRevision) -> MCPError {
        MCPError(
            .methodNotFound,
            "There is no method \(method.prefix(64)) in \(revision), or this server does not offer it."
        )
    }

    /// Takes a notification.
    ///
    /// Those that mean nothing here are dropped, as the specification wants.
    public func receive(_ notification: JSONRPCNotification, _ exchange: Exchange) async {
        guard notification.method == "notifications/cancelled", let scope = exchange.scope,
            let id = notification.params["requestId"].flatMap(RequestID.init)
        else { return }
        let key = CallKey(scope: scope, id: id)
        if self.registry.cancel(key) || self.streams.cancel(key) { return }
        if exchange.session != nil { await self.announcer.announce(.callCancelled(key)) }
    }

    /// Takes the client's answer to a request of ours.
    ///
    /// Answers that nobody waits for are dropped.
    public func receive(_ response: JSONRPCResponse, in session: ClientSession) async {
        guard let id = response.id else { return }
        // Whoever asked waits on the bus: it may be another replica.
        try? await self.stores.bus.publish(
            response.json.serialized(),
            to: LiveInput.topic(session: session.id, id: id)
        )
    }

    // MARK: The client's side of a request

    /// Gives a call what its handler can tell and ask the client.
    ///
    /// - Parameters:
    ///   - invocation: The call.
    ///   - exchange: How the client asked.
    ///   - meta: The envelope of the request.
    ///   - replayed: The answers that came with the request, since 2026-07-28.
    ///   - taskStart: Makes a task of the call.
    /// - Throws: ``MCPError`` with `-32602` if the request asks for a log level that there is not.
    func interact(
        _ invocation: inout ToolInvocation,
        _ exchange: Exchange,
        _ meta: RequestMeta,
        replayed: ReplayedInput?,
        taskStart: TaskStart? = nil
    ) throws(MCPError) {
        let codec = Codec(exchange.revision)
        let logLevel = try Self.logLevel(exchange, meta)
        func interaction(_ input: any InputSource) -> Interaction {
            Interaction(
                input: input,
                codec: codec,
                sink: exchange.sink,
                logLevel: logLevel,
                taskStart: taskStart
            )
        }
        if let replayed {
            invocation.interaction = interaction(replayed)
        } else if let session = exchange.session, exchange.revision.supports(.serverRequests) {
            invocation.makeInteraction = { call in
                Interaction(
                    input: LiveInput(
                        session: session,
                        sink: exchange.sink,
                        bus: self.stores.bus,
                        timeout: self.options.askTimeout,
                        call: call
                    ),
                    codec: codec,
                    sink: exchange.sink,
                    logLevel: logLevel,
                    taskStart: taskStart
                )
            }
        } else {
            invocation.interaction = interaction(NobodyToAsk())
        }
    }

    /// The least level of the log messages that the client wants with this request.
    private static func logLevel(_ exchange: Exchange, _ meta: RequestMeta) throws(MCPError) -> LoggingLevel? {
        guard exchange.revision.supports(.statelessEnvelope) else { return exchange.session?.logLevel }
        guard let wanted = meta.logLevel else { return nil }
        guard let level = wanted.stringValue.flatMap(LoggingLevel.init) else { throw Self.unknownLevel }
        return level
    }

    static var unknownLevel: MCPError {
        let levels = LoggingLevel.allCases.map(\.rawValue).joined(separator: ", ")
        return MCPError(.invalidParams, "The log level is one of \(levels).")
    }
}
