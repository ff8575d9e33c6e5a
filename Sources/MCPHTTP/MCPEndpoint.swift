import HTTPTypes
public import Hummingbird
import JSON
import Logging
public import MCP
public import MCPServer
import NIOCore
import SharedState

/// The protocol's one HTTP endpoint: both eras, told apart request by request.
///
/// A request whose body carries the envelope of 2026-07-28 stands alone. Everything else belongs to a session that began
/// with `initialize`.
///
/// Specification: 2026-07-28, basic/transports/streamable-http; 2025-11-25, basic/transports.
public struct MCPEndpoint: Sendable {
    /// What can be set about the endpoint.
    public struct Configuration: Sendable {
        /// Who may ask, by what the browser and the client say: see ``HostGuard``.
        public var hostGuard = HostGuard()
        /// The largest body that is read.
        public var maximumBodyBytes = 4 << 20
        /// How deeply the JSON of a body may be nested.
        public var maximumDepth = 64
        /// How long a stream is silent at most; a call that takes longer becomes a stream.
        public var keepAliveInterval = Duration.seconds(15)
        /// How long the events of a legacy session's stream are kept after the last one.
        public var eventLifetime = Duration.seconds(600)
        /// Whether the transport of 2024-11-05 is offered too, on `/sse` and `/messages`.
        ///
        /// It is deprecated.
        public var offersHTTPWithSSE = false

        public init() {}
    }

    /// Decides whether a request may be sent at all.
    ///
    /// It is asked once the body is read and before the request is answered.
    ///
    /// - Throws: `HTTPError` with the status and headers of the refusal, as for ``MCPEndpoint/init(server:configuration:principal:authorize:)``.
    public typealias Authorize = @Sendable (JSONRPCRequest, Principal, Request) async throws -> Void

    let server: MCPServer
    /// Limits and allowed hosts.
    public let configuration: Configuration
    /// Finds out who is asking.
    let principal: (@Sendable (Request) async throws -> Principal)?
    let authorize: Authorize?
    let sessionStreams: SessionStreams
    let requestStreams: RequestStream
    let connections: SSEConnections

    /// - Parameters:
    ///   - server: The server that answers.
    ///   - configuration: Limits and allowed hosts.
    ///   - principal: Who sends a request; everybody is `Principal.local` by default. It is asked for every request,
    ///     before the body is read. A request whose sender is not known is refused by throwing Hummingbird's `HTTPError`,
    ///     whose status, headers and message the client gets:
    ///     `HTTPError(.unauthorized, headers: [.wwwAuthenticate: …], message: "…")`. Any other error means that the
    ///     sender can't be found out now (500); what it says goes to the log.
    ///   - authorize: Refuses requests in the same way, such as with 403 and a challenge that names the scopes that the
    ///     request needs. What it lets through is still subject to the server's `Authorizer`.
    public init(
        server: MCPServer,
        configuration: Configuration = Configuration(),
        principal: (@Sendable (Request) async throws -> Principal)? = nil,
        authorize: Authorize? = nil
    ) {
        self.server = server
        self.configuration = configuration
        self.principal = principal
        self.authorize = authorize
        let keepAlive = KeepAlive(interval: configuration.keepAliveInterval)
        self.requestStreams = RequestStream(keepAlive: keepAlive)
        self.sessionStreams = SessionStreams(
            log: server.eventLog,
            keepAliveInterval: configuration.keepAliveInterval,
            lifetime: configuration.eventLifetime
        )
        self.connections = SSEConnections(keepAlive: keepAlive)
    }

    /// Adds the endpoint to a router.
    public func addRoutes(to router: some RouterMethods<some RequestContext>, path: RouterPath = "/mcp") {
        router.post(path) { request, _ in try await self.post(request) }
        router.delete(path) { request, _ in await self.guarded(request, self.delete) }
        router.get(path) { request, _ in await self.guarded(request, self.get) }
        for method in [HTTPRequest.Method.put, .patch] {
            router.on(path, method: method) { _, _ in
                Response(status: .methodNotAllowed, headers: [.allow: "POST, GET, DELETE"])
            }
        }
        if self.configuration.offersHTTPWithSSE {
            router.get("/sse") { request, _ in await self.guarded(request, self.openSSE) }
            router.post("/messages") { request, _ in await self.guarded(request, self.postToSSE) }
        }
    }

    /// Answers a request unless it may not be sent, and makes answers of errors.
    private func guarded(
        _ request: Request,
        _ answer: (Request, MessageHeaders, Principal) async throws(MCPError) -> Response
    ) async -> Response {
        let headers = MessageHeaders(request.headers)
        let sender: Principal
        do throws(Refusal) {
            sender = try await self.sender(of: request, headers)
        } catch {
            return error.response
        }
        do throws(MCPError) {
            return try await answer(request, headers, sender).ending(with: sender)
        } catch {
            return .error(error)
        }
    }

    // MARK: POST

    package func post(_ request: Request) async throws -> Response {
        let response = try await self.post(request, MessageHeaders(request.headers), collected: nil, directly: nil)
        guard let response else { preconditionFailure("Only direct answers are given elsewhere.") }
        return response
    }

    /// Answers a request whose body is there, on the channel that it came from.
    nonisolated(nonsending) func answer(
        _ head: HTTPRequest,
        _ headers: MessageHeaders,
        _ body: ByteBuffer,
        _ answer: PendingAnswer
    ) async {
        let request = Request(head: head, body: RequestBody(buffer: body))
        do {
            if let response = try await self.post(request, headers, collected: body, directly: answer) {
                answer.give(.response(response))
            }
        } catch {
            self.server.logger.error("a request can't be answered", metadata: ["error": "\(error)"])
            answer.give(.response(Response(status: .internalServerError)))
        }
    }

    /// - Returns: The response; nothing if the answer is given directly.
    private nonisolated(nonsending) func post(
        _ request: Request,
        _ headers: MessageHeaders,
        collected: ByteBuffer?,
        directly answer: PendingAnswer?
    ) async throws -> Response? {
        let principal: Principal
        let message: JSONRPCMessage
        do {
            principal = try await self.sender(of: request, headers)
            if let refusal = headers.refusal { return refusal }
            let value = try await self.body(of: request, headers, collected)
            if case .array(let messages) = value {
                try await self.authorize(messages, principal, request)
                return try await self.batch(messages, headers, principal)
            }
            message = try JSONRPCMessage(value)
            try await self.authorize(message, principal, request)
        } catch let refusal as Refusal {
            return refusal.response
        } catch let error as JSONRPCMessage.Malformed {
            return .error(error.error, id: error.id)
        } catch let error as MCPError {
            return .error(error)
        }
        do throws(MCPError) {
            switch message {
            case .request(let call):
                if Self.isModern(call, headers) {
                    return try await self.modern(call, headers, principal, answer)
                }
                return try await self.legacy(call, headers, principal).ending(with: principal)
            case .notification(let notification):
                return try await self.receive(notification, headers, principal)
            case .response(let response):
                return try await self.receive(response, headers, principal)
            }
        } catch {
            let id: MCP.RequestID? = if case .request(let call) = message { call.id } else { nil }
            return .error(error, id: id)
        }
    }

    /// Reads and parses a body.
    ///
    /// - Throws: ``Refusal`` if it is too large or no JSON; other errors if it can't be received.
    nonisolated(nonsending) func body(
        of request: Request,
        _ headers: MessageHeaders,
        _ collected: ByteBuffer? = nil
    ) async throws -> JSONValue {
        let limit = self.configuration.maximumBodyBytes
        let body: ByteBuffer
        do {
            if let collected {
                guard collected.readableBytes <= limit else { throw NIOTooManyBytesError(maxBytes: limit) }
                body = collected
            } else {
                body = try await request.collectBody(announced: headers.contentLength.flatMap { Int($0) }, upTo: limit)
            }
        } catch is NIOTooManyBytesError {
            throw Refusal(
                response: .error(
                    MCPError(.invalidRequest, "A body may have \(limit) bytes."),
                    status: .contentTooLarge
                )
            )
        }
        let limits = JSONLimits(maximumDepth: self.configuration.maximumDepth, maximumBytes: limit)
        do throws(JSONError) {
            return try body.withUnsafeReadableBytes { bytes throws(JSONError) in
                try JSONValue(parsing: bytes, limits: limits)
            }
        } catch {
            throw Refusal(
                response: .error(
                    MCPError(.parseError, "The body is not JSON: \(error.message) (byte \(error.offset)).")
                )
            )
        }
    }

    /// The envelope in the body decides.
    ///
    /// The header alone matters only when the body does not say anything.
    private static func isModern(_ call: JSONRPCRequest, _ headers: MessageHeaders) -> Bool {
        if RequestMeta.isModern(params: call.params) { return true }
        if call.method == "server/discover", headers.sessionID == nil { return true }
        // Whoever sends initialize wants a session, whatever the header says.
        if call.method == "initialize" { return false }
        return headers.revision?.supports(.statelessEnvelope) ?? false
    }

    private nonisolated(nonsending) func modern(
        _ call: JSONRPCRequest,
        _ headers: MessageHeaders,
        _ principal: Principal,
        _ answer: PendingAnswer?
    ) async throws(MCPError) -> Response? {
        let routing = RoutingHeaders(headers)
        let meta = RequestMeta(params: call.params)
        if meta.clientCapabilities == nil || routing.say(call, meta) == false {
            // Something is wrong; the specification says what is told first.
            try routing.refuseDuplicates()
            _ = try self.server.envelope(of: call)
            try routing.check(against: call, meta)
        }
        let revision = try self.server.revision(for: meta)
        let parameters = self.server.headerParameters(of: call)
        if parameters.isEmpty == false { try routing.check(parameters, of: call) }
        var exchange = Exchange(
            transport: "http",
            requestID: headers.requestID,
            principal: principal,
            revision: revision,
            client: ClientCapabilities(meta.clientCapabilities ?? [:]),
            scope: nil,
            sink: NoMessages()
        )
        exchange.meta = meta
        guard call.method.mayTakeLong else {
            return Self.content(of: await self.server.respond(to: call, exchange)) { $0.httpStatus }.response
        }
        guard let answer else { return await self.requestStreams.response(to: call, exchange, from: self.server) }
        await self.requestStreams.answer(call, exchange, from: self.server, through: answer)
        return nil
    }

    private func legacy(
        _ call: JSONRPCRequest,
        _ headers: MessageHeaders,
        _ principal: Principal
    ) async throws(MCPError) -> Response {
        if call.method == "initialize" {
            guard headers.sessionID == nil else {
                throw MCPError(
                    .invalidRequest,
                    "The session is initialized already; leave Mcp-Session-Id out for a new one."
                )
            }
            let (response, session) = await self.server.initialize(call, principal: principal)
            var fields = HTTPFields()
            if let session {
                fields[.mcpSessionID] = session.id
            }
            return .json(response, status: .ok, headers: fields)
        }
        let session = try await self.requiredSession(of: headers, principal)
        let exchange = self.exchange(session, headers, principal)
        guard call.method.mayTakeLong else {
            return Self.content(of: await self.server.respond(to: call, exchange)) { _ in 200 }.response
        }
        return await self.sessionStreams.response(in: session) { [server] sink in
            var exchange = exchange
            exchange.sink = sink
            return await server.respond(to: call, exchange)
        } plain: {
            Self.content(of: $0) { _ in 200 }.response
        }
    }

    private func exchange(_ session: ClientSession, _ headers: MessageHeaders, _ principal: Principal) -> Exchange {
        Exchange(
            transport: "http",
            requestID: headers.requestID,
            principal: principal,
            session: session,
            sink: NoMessages()
        )
    }

    private func receive(
        _ notification: JSONRPCNotification,
        _ headers: MessageHeaders,
        _ principal: Principal
    ) async throws(MCPError) -> Response {
        // Over HTTP, clients of 2026-07-28 cancel by closing the stream: an id is no capability.
        if let session = try await self.session(of: headers, principal) {
            await self.server.receive(notification, self.exchange(session, headers, principal))
        }
        return Response(status: .accepted)
    }

    private func receive(
        _ response: JSONRPCResponse,
        _ headers: MessageHeaders,
        _ principal: Principal
    ) async throws(MCPError) -> Response {
        guard let session = try await self.session(of: headers, principal) else {
            throw MCPError(.invalidRequest, "Responses are not accepted here.")
        }
        await self.server.receive(response, in: session)
        return Response(status: .accepted)
    }

    /// Specification: 2025-03-26, basic/transports, "Sending Messages to the Server".
    private func batch(
        _ messages: [JSONValue],
        _ headers: MessageHeaders,
        _ principal: Principal
    ) async throws(MCPError) -> Response {
        guard let session = try await self.session(of: headers, principal), session.revision.supports(.batching) else {
            throw MCPError(.invalidRequest, "A message is a JSON object; batches are not accepted here.")
        }
        let connection = ClientConnection(
            server: self.server,
            transport: "http",
            principal: principal,
            sink: NoMessages(),
            session: session
        )
        let step = await connection.take(.array(messages))
        guard let answers = step.answer, step.work == nil else {
            guard let answers = await step.work?() else { return Response(status: .accepted) }
            return .json(answers, status: .ok)
        }
        return .json(answers, status: .badRequest)
    }

    // MARK: Answers

    /// A response that nothing was sent before.
    ///
    /// - Parameters:
    ///   - response: The response; nothing if the client cancelled the request and expects none.
    ///   - status: The status of an error.
    /// - Returns: What the client gets.
    static func content(of response: JSONRPCResponse?, _ status: (MCPError) -> Int) -> PendingAnswer.Content {
        // HTTP wants an answer all the same.
        guard let response else { return .response(Response(status: .accepted)) }
        let status: HTTPResponse.Status =
            switch response.result {
            case .success: .ok
            case .failure(let error): .init(code: status(error))
            }
        return .whole(status, ByteBuffer(bytes: response.json.serialized()))
    }

    // MARK: Sessions

    /// The session that a request names.
    ///
    /// - Returns: Nothing if it names none.
    /// - Throws: ``MCPError`` if the version header does not fit, or there is no such session.
    private func session(of headers: MessageHeaders, _ principal: Principal) async throws(MCPError) -> ClientSession? {
        if let version = headers.protocolVersion, ProtocolRevision.named(version) == nil {
            throw MCPError(.invalidRequest, "MCP-Protocol-Version names no revision that this server speaks.")
        }
        guard let id = headers.sessionID else { return nil }
        do {
            if let session = try await self.server.session(id, for: principal) { return session }
        } catch {
            throw MCPError.unavailable("Sessions can't be looked up now; try again later.")
        }
        throw MCPError(.sessionNotFound, "There is no such session; send initialize to open one.")
    }

    private func requiredSession(
        of headers: MessageHeaders,
        _ principal: Principal
    ) async throws(MCPError) -> ClientSession {
        guard let session = try await self.session(of: headers, principal) else {
            throw MCPError(.invalidRequest, "Send initialize first, then its Mcp-Session-Id with every request.")
        }
        return session
    }

    private func delete(
        _ request: Request,
        _ headers: MessageHeaders,
        _ principal: Principal
    ) async throws(MCPError) -> Response {
        let session = try await self.requiredSession(of: headers, principal)
        do {
            try await self.server.close(session)
        } catch {
            throw MCPError.unavailable("The session can't be ended now; try again later.")
        }
        return Response(status: .noContent)
    }

    /// The stream of messages that belong to no request, or the rest of another stream.
    private func get(
        _ request: Request,
        _ headers: MessageHeaders,
        _ principal: Principal
    ) async throws(MCPError) -> Response {
        let session = try await self.requiredSession(of: headers, principal)
        guard headers.accepts("text/event-stream") else {
            return .notAcceptable("Accept has to list text/event-stream.")
        }
        guard let last = request.headers[.lastEventID] else {
            return try await self.standaloneStream(session, after: nil)
        }
        guard let start = SessionStreams.EventID(last) else {
            throw MCPError(.invalidRequest, "Last-Event-ID is not an id that this server gave.")
        }
        if start.stream == SessionStreams.standalone { return try await self.standaloneStream(session, after: start) }
        guard await self.sessionStreams.exists(session, start) else {
            throw MCPError(.invalidRequest, "The events of this stream are not kept any more.")
        }
        return self.sessionStreams.read(session, start)
    }

    private func standaloneStream(
        _ session: ClientSession,
        after start: SessionStreams.EventID?
    ) async throws(MCPError) -> Response {
        guard let lease = await self.server.leaseStream(of: session, for: self.configuration.keepAliveInterval * 3)
        else {
            return .error(
                MCPError(.invalidRequest, "The session has such a stream open already."),
                status: .conflict
            )
        }
        return await self.sessionStreams.standalone(session, after: start, lease, self.server)
    }
}

extension String {
    /// Whether a method may send something before its answer, or wait.
    fileprivate var mayTakeLong: Bool {
        switch self {
        case "tools/call", "prompts/get", "resources/read", "completion/complete", "subscriptions/listen",
            "tasks/result":
            true
        default: false
        }
    }
}

extension MCPError.Code {
    /// A session that is not there.
    ///
    /// The code says nothing to clients, the status does: 404.
    static let sessionNotFound = Self(-32001)
}
