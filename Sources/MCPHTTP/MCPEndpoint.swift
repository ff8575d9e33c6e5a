import HTTPTypes
public import Hummingbird
import JSON
import MCP
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

        public init() {}
    }

    let server: MCPServer
    let configuration: Configuration
    /// Finds out who is asking.
    let principal: @Sendable (Request) async throws -> Principal

    /// - Parameters:
    ///   - server: The server that answers.
    ///   - configuration: Limits and allowed hosts.
    ///   - principal: Who sends a request; everybody is ``Principal/local`` by default.
    public init(
        server: MCPServer,
        configuration: Configuration = Configuration(),
        principal: @escaping @Sendable (Request) async throws -> Principal = { _ in .local }
    ) {
        self.server = server
        self.configuration = configuration
        self.principal = principal
    }

    /// Adds the endpoint to a router.
    public func addRoutes(to router: some RouterMethods<some RequestContext>, path: RouterPath = "/mcp") {
        router.post(path) { request, _ in try await self.post(request) }
        router.delete(path) { request, _ in try await self.delete(request) }
        router.get(path) { _, _ in
            // There is no stream of server messages beside the answers, and clients take 405 to mean just that.
            Response(status: .methodNotAllowed, headers: [.allow: "POST, DELETE"])
        }
    }

    // MARK: POST

    func post(_ request: Request) async throws -> Response {
        if let refusal = self.configuration.hostGuard.refusal(of: request) {
            return .error(MCPError(.invalidRequest, refusal), status: .forbidden)
        }
        guard request.hasJSONBody else {
            return .error(
                MCPError(.invalidRequest, "The Content-Type of a message is application/json."),
                status: .unsupportedMediaType
            )
        }
        guard request.acceptsAnswers else {
            return .error(
                MCPError(.invalidRequest, "Accept has to list application/json and text/event-stream."),
                status: .notAcceptable
            )
        }
        let body: ByteBuffer
        do {
            body = try await request.body.collect(upTo: self.configuration.maximumBodyBytes)
        } catch is NIOTooManyBytesError {
            return .error(
                MCPError(.invalidRequest, "A body may have \(self.configuration.maximumBodyBytes) bytes."),
                status: .contentTooLarge
            )
        }
        let message: JSONRPCMessage
        do {
            let value = try body.withUnsafeReadableBytes { bytes in
                try JSONValue(
                    parsing: bytes,
                    limits: JSONLimits(
                        maximumDepth: self.configuration.maximumDepth,
                        maximumBytes: self.configuration.maximumBodyBytes
                    )
                )
            }
            message = try JSONRPCMessage(value)
        } catch let error as JSONError {
            return .error(MCPError(.parseError, "The body is not JSON: \(error.message) (byte \(error.offset))."))
        } catch let malformed as JSONRPCMessage.Malformed {
            return .error(malformed.error, id: malformed.id)
        }
        let principal = try await self.principal(request)
        do throws(MCPError) {
            switch message {
            case .request(let call):
                if Self.isModern(call, request.headers) {
                    return try await self.modern(call, request, principal)
                }
                return try await self.legacy(call, request, principal)
            case .notification(let notification):
                return try await self.receive(notification, request, principal)
            case .response:
                // Nothing was asked of the client, so nobody waits for its answer.
                guard try await self.session(of: request, principal) != nil else {
                    throw MCPError(.invalidRequest, "Responses are not accepted here.")
                }
                return Response(status: .accepted)
            }
        } catch {
            let id: MCP.RequestID? = if case .request(let call) = message { call.id } else { nil }
            return .error(error, id: id)
        }
    }

    /// The envelope in the body decides.
    ///
    /// The header alone matters only when the body does not say anything.
    private static func isModern(_ call: JSONRPCRequest, _ headers: HTTPFields) -> Bool {
        if RequestMeta.isModern(params: call.params) || call.method == "server/discover" { return true }
        let version = headers[.mcpProtocolVersion].flatMap(ProtocolRevision.named)
        return version?.supports(.statelessEnvelope) ?? false
    }

    private func modern(
        _ call: JSONRPCRequest,
        _ request: Request,
        _ principal: Principal
    ) async throws(MCPError) -> Response {
        let meta = try self.server.envelope(of: call)
        try RoutingHeaders(request.headers).check(against: call, meta)
        let revision = try self.server.revision(for: meta)
        let exchange = Exchange(
            transport: "http",
            requestID: request.requestID,
            principal: principal,
            revision: revision,
            scope: nil,
            sink: NoMessages()
        )
        return await self.answer(call, exchange, isStreamed: meta.progressToken != nil) { $0.httpStatus }
    }

    private func legacy(
        _ call: JSONRPCRequest,
        _ request: Request,
        _ principal: Principal
    ) async throws(MCPError) -> Response {
        if call.method == "initialize" {
            let (response, session) = await self.server.initialize(call, principal: principal, keepsSession: true)
            var headers = HTTPFields()
            if let session {
                headers[.mcpSessionID] = session.id
            }
            return .json(response, status: .ok, headers: headers)
        }
        guard let session = try await self.session(of: request, principal) else {
            throw MCPError(.invalidRequest, "Send initialize first, then its Mcp-Session-Id with every request.")
        }
        let exchange = Exchange(
            transport: "http",
            requestID: request.requestID,
            principal: principal,
            revision: session.revision,
            scope: session.id,
            sink: NoMessages()
        )
        let meta = RequestMeta(params: call.params)
        return await self.answer(call, exchange, isStreamed: meta.progressToken != nil) { _ in 200 }
    }

    private func receive(
        _ notification: JSONRPCNotification,
        _ request: Request,
        _ principal: Principal
    ) async throws(MCPError) -> Response {
        // Over HTTP, clients of 2026-07-28 cancel by closing the stream: an id is no capability.
        if let session = try await self.session(of: request, principal) {
            self.server.receive(
                notification,
                Exchange(
                    transport: "http",
                    requestID: request.requestID,
                    principal: principal,
                    revision: session.revision,
                    scope: session.id,
                    sink: NoMessages()
                )
            )
        }
        return Response(status: .accepted)
    }

    // MARK: Answers

    /// Answers with JSON, or with a stream of events once there is something to tell before the answer.
    private func answer(
        _ call: JSONRPCRequest,
        _ exchange: Exchange,
        isStreamed: Bool,
        status: @Sendable (MCPError) -> Int
    ) async -> Response {
        guard isStreamed else {
            return Self.plain(await self.server.respond(to: call, exchange), status)
        }
        var exchange = exchange
        let stream = EventStream()
        exchange.sink = stream
        return await stream.response(running: { [server, exchange] in await server.respond(to: call, exchange) }) {
            Self.plain($0, status)
        }
    }

    private static func plain(_ response: JSONRPCResponse?, _ status: (MCPError) -> Int) -> Response {
        // The client cancelled the request and expects no answer; HTTP wants one all the same.
        guard let response else { return Response(status: .accepted) }
        switch response.result {
        case .success: return .json(response, status: .ok)
        case .failure(let error): return .json(response, status: .init(code: status(error)))
        }
    }

    // MARK: Sessions

    /// The session that a request names.
    ///
    /// - Returns: Nothing if it names none.
    /// - Throws: ``MCPError`` if the version header does not fit. An unknown session is a ``SessionNotFound``.
    private func session(of request: Request, _ principal: Principal) async throws(MCPError) -> ClientSession? {
        if let version = request.headers[.mcpProtocolVersion], ProtocolRevision.named(version) == nil {
            throw MCPError(.invalidRequest, "MCP-Protocol-Version names no revision that this server speaks.")
        }
        guard let id = request.headers[.mcpSessionID] else { return nil }
        do {
            if let session = try await self.server.session(id, for: principal) { return session }
        } catch {
            throw MCPError(.internalError, "Sessions can't be looked up now; try again later.")
        }
        throw MCPError(.sessionNotFound, "There is no such session; send initialize to open one.")
    }

    private func delete(_ request: Request) async throws -> Response {
        if let refusal = self.configuration.hostGuard.refusal(of: request) {
            return .error(MCPError(.invalidRequest, refusal), status: .forbidden)
        }
        do throws(MCPError) {
            guard let session = try await self.session(of: request, try await self.caller(request)) else {
                throw MCPError(.invalidRequest, "Mcp-Session-Id names the session to end.")
            }
            do {
                try await self.server.close(session)
            } catch {
                throw MCPError(.internalError, "The session can't be ended now; try again later.")
            }
            return Response(status: .noContent)
        } catch {
            return .error(error)
        }
    }

    private func caller(_ request: Request) async throws(MCPError) -> Principal {
        do {
            return try await self.principal(request)
        } catch {
            throw MCPError(.invalidRequest, "The sender of the request is not known.")
        }
    }
}

extension MCPError.Code {
    /// A session that is not there.
    ///
    /// The code says nothing to clients, the status does: 404.
    static let sessionNotFound = Self(-32001)
}
