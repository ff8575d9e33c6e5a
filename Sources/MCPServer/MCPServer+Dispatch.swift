import JSON
public import MCP
public import SharedState

extension MCPServer {
    /// Answers a request in the revision of its exchange.
    ///
    /// - Returns: The response; nothing if the client cancelled the request, since then nobody wants one.
    public func respond(to request: JSONRPCRequest, _ exchange: Exchange) async -> JSONRPCResponse? {
        let codec = Codec(exchange.revision)
        do {
            let members: JSONObject
            var caching: Codec.CachingHint?
            switch request.method {
            case "tools/call":
                guard let result = try await self.callTool(request, exchange) else { return nil }
                members = codec.json(result)
            case "tools/list":
                try Self.refuseCursor(request.params)
                members = ["tools": self.tools(for: exchange.principal, revision: exchange.revision)]
                caching = self.listCaching
            case "server/discover" where exchange.revision.supports(.statelessEnvelope):
                members = self.discovery
                caching = self.listCaching
            case "ping" where exchange.revision.supports(.ping):
                members = [:]
            default:
                throw MCPError(
                    .methodNotFound,
                    "There is no method \(request.method.prefix(64)) in \(exchange.revision), or this server does not offer it."
                )
            }
            let result = codec.complete(members, server: self.implementation, caching: caching)
            return JSONRPCResponse(id: request.id, result: .success(.object(result)))
        } catch let error as MCPError {
            return .failure(error, id: request.id)
        } catch {
            return .failure(MCPError(.internalError, "The server failed."), id: request.id)
        }
    }

    /// Takes a notification.
    ///
    /// Those that mean nothing here are dropped, as the specification wants.
    public func receive(_ notification: JSONRPCNotification, _ exchange: Exchange) {
        guard notification.method == "notifications/cancelled", let scope = exchange.scope,
            let id = notification.params["requestId"].flatMap(RequestID.init)
        else { return }
        self.registry.cancel(CallKey(scope: scope, id: id))
    }

    // MARK: The era of 2026-07-28

    /// Reads the envelope that every request carries.
    ///
    /// Specification: 2026-07-28, basic/index, "`_meta`".
    /// - Throws: ``MCPError`` with `-32602` if a required key is missing.
    public func envelope(of request: JSONRPCRequest) throws(MCPError) -> RequestMeta {
        let meta = RequestMeta(params: request.params)
        guard meta.protocolVersion != nil else {
            throw MCPError(.invalidParams, "params._meta[\"\(MetaKey.protocolVersion)\"] is required, a string.")
        }
        guard meta.clientCapabilities != nil else {
            throw MCPError(.invalidParams, "params._meta[\"\(MetaKey.clientCapabilities)\"] is required, an object.")
        }
        return meta
    }

    /// The revision that an envelope asks for.
    ///
    /// - Throws: ``MCPError`` with `-32022` and the revisions that the server speaks.
    public func revision(for meta: RequestMeta) throws(MCPError) -> ProtocolRevision {
        let requested = meta.protocolVersion ?? ""
        if let revision = ProtocolRevision.modern.first(where: { $0.name == requested }) {
            return revision
        }
        throw self.unsupportedVersion(requested)
    }

    /// The error for a revision that the server does not speak.
    public func unsupportedVersion(_ requested: String) -> MCPError {
        MCPError(
            .unsupportedProtocolVersion,
            "This server does not speak the protocol revision asked for.",
            data: [
                "supported": .array(ProtocolRevision.modern.map { .string($0.name) }),
                "requested": .string(String(requested.prefix(64))),
            ]
        )
    }

    private var capabilities: JSONObject {
        ["tools": [:]]
    }

    private var discovery: JSONObject {
        var members: JSONObject = [
            "supportedVersions": .array(ProtocolRevision.modern.map { .string($0.name) }),
            "capabilities": .object(self.capabilities),
        ]
        if let instructions = self.options.instructions {
            members["instructions"] = .string(instructions)
        }
        return members
    }

    /// Lists differ by what a principal may do, so nobody shares them.
    private var listCaching: Codec.CachingHint {
        Codec.CachingHint(milliseconds: self.options.listLifetime.milliseconds, scope: .private)
    }

    // MARK: The era of `initialize`

    /// Answers `initialize`.
    ///
    /// Specification: 2025-11-25, basic/lifecycle.
    /// With `keepsSession` the session is stored, for transports whose messages come one by one.
    ///
    /// - Returns: The response, and the session that it opened.
    public func initialize(
        _ request: JSONRPCRequest,
        principal: Principal,
        keepsSession: Bool
    ) async -> (response: JSONRPCResponse, session: ClientSession?) {
        guard let requested = request.params["protocolVersion"]?.stringValue else {
            let error = MCPError(.invalidParams, "initialize wants a protocolVersion, a string.")
            return (.failure(error, id: request.id), nil)
        }
        let revision = ProtocolRevision.negotiated(for: requested)
        let clientCapabilities = request.params["capabilities"]?.objectValue ?? [:]
        let session: ClientSession
        do {
            session =
                if keepsSession {
                    try await self.sessions.open(
                        revision: revision,
                        principal: principal,
                        clientCapabilities: clientCapabilities
                    )
                } else {
                    ClientSession(
                        id: RandomID.make(),
                        revision: revision,
                        principalID: principal.id,
                        clientCapabilities: clientCapabilities
                    )
                }
        } catch {
            let error = MCPError(.internalError, "The server can't open another session now; try again later.")
            return (.failure(error, id: request.id), nil)
        }
        let result = Codec(revision).initializeResult(
            server: self.implementation,
            capabilities: self.capabilities,
            instructions: self.options.instructions
        )
        return (JSONRPCResponse(id: request.id, result: .success(.object(result))), session)
    }

    /// The stored session with an id, for the principal who opened it.
    ///
    /// - Throws: ``SharedStateError`` if the store can't be asked.
    public func session(_ id: String, for principal: Principal) async throws(SharedStateError) -> ClientSession? {
        try await self.sessions.session(id, for: principal)
    }

    /// Ends a stored session.
    public func close(_ session: ClientSession) async throws(SharedStateError) {
        try await self.sessions.close(session)
    }

    // MARK: Tools

    private func callTool(_ request: JSONRPCRequest, _ exchange: Exchange) async throws -> CallToolResult? {
        guard let name = request.params["name"]?.stringValue else {
            throw MCPError(.invalidParams, "tools/call wants a name, a string.")
        }
        guard let entry = self.catalogue.entry(named: name) else {
            throw MCPError(.invalidParams, self.unknownTool(name))
        }
        let arguments: JSONObject
        switch request.params["arguments"] {
        case nil: arguments = [:]
        case .object(let members): arguments = members
        default: throw MCPError(.invalidParams, "The arguments of a tool are an object.")
        }
        let meta = RequestMeta(params: request.params)
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
        do throws(ToolError) {
            return CallToolResult(try await self.pipeline.run(invocation, entry))
        } catch  where error.code == .cancelled {
            return nil
        } catch {
            return CallToolResult(error)
        }
    }

    /// Lists come in one page, so no cursor was ever given out.
    private static func refuseCursor(_ params: JSONObject) throws(MCPError) {
        if params["cursor"] != nil {
            throw MCPError(.invalidParams, "The cursor is not one that this server gave.")
        }
    }
}
