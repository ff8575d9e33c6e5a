import JSON
public import MCP

extension MCPServer {
    // MARK: The era of 2026-07-28

    /// Reads the envelope that every request carries.
    ///
    /// Specification: 2026-07-28, basic/index, "`_meta`".
    /// - Throws: `MCPError` with `-32602` if a required key is missing.
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
    /// - Throws: `MCPError` with `-32022` and the revisions that the server speaks.
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

    func discovery(_ catalogue: ServerCatalogue, _ exchange: Exchange) -> Answer {
        var members: JSONObject = [
            "supportedVersions": .array(ProtocolRevision.modern.map { .string($0.name) }),
            "capabilities": .object(catalogue.capabilities(for: exchange.revision)),
        ]
        if let instructions = self.options.instructions {
            members["instructions"] = .string(instructions)
        }
        return Answer(members, caching: self.caching)
    }

    /// Lists differ by what a principal may do, so nobody shares them.
    var caching: Codec.CachingHint {
        Codec.CachingHint(milliseconds: self.options.listLifetime.milliseconds, scope: .private)
    }

    /// The headers that the arguments of a call are repeated in, if it calls a tool that has some.
    public func headerParameters(of request: JSONRPCRequest) -> [HeaderParameter] {
        let tools = self.catalogue.tools
        guard tools.hasHeaderParameters, request.method == "tools/call",
            let name = request.params["name"]?.stringValue
        else { return [] }
        return tools.entry(named: name)?.tool.headerParameters ?? []
    }

    /// The permission that the tool, prompt or resource of a request asks for.
    ///
    /// Transports use it to refuse a request with the means that they have, such as a challenge that names scopes.
    ///
    /// - Returns: Nothing if the request names none, or one that there is not.
    public func permission(for request: JSONRPCRequest) -> Permission? {
        let catalogue = self.catalogue
        switch request.method {
        case "tools/call":
            return (request.params["name"]?.stringValue).flatMap(catalogue.tools.entry)?.tool.permission
        case "prompts/get":
            return (request.params["name"]?.stringValue).flatMap(catalogue.prompts.prompt)?.permission
        case "resources/read", "resources/subscribe":
            return (request.params["uri"]?.stringValue).flatMap(catalogue.resources.match)?.permission
        default:
            return nil
        }
    }

    // MARK: The era of `initialize`

    /// Answers `initialize`.
    ///
    /// Specification: 2025-11-25, basic/lifecycle.
    /// - Returns: The response, and the session that it opened.
    public func initialize(
        _ request: JSONRPCRequest,
        principal: Principal
    ) async -> (response: JSONRPCResponse, session: ClientSession?) {
        guard let requested = request.params["protocolVersion"]?.stringValue else {
            let error = MCPError(.invalidParams, "initialize wants a protocolVersion, a string.")
            return (.failure(error, id: request.id), nil)
        }
        let revision = ProtocolRevision.negotiated(for: requested)
        let client = request.params["clientInfo"]
        guard client?["name"]?.stringValue != nil, client?["version"]?.stringValue != nil else {
            let error = MCPError(.invalidParams, "initialize wants a clientInfo with name and version, both strings.")
            return (.failure(error, id: request.id), nil)
        }
        guard let capabilities = request.params["capabilities"], capabilities.objectValue != nil,
            capabilities.serialized().count <= SessionStore.maximumCapabilityBytes
        else {
            let most = SessionStore.maximumCapabilityBytes
            let error = MCPError(.invalidParams, "initialize wants capabilities, an object of at most \(most) bytes.")
            return (.failure(error, id: request.id), nil)
        }
        let session: ClientSession
        do {
            session = try await self.sessions.open(
                revision: revision,
                principal: principal,
                clientCapabilities: ClientCapabilities(capabilities.objectValue ?? [:])
            )
        } catch {
            let error = MCPError.unavailable("The server can't open another session now; try again later.")
            return (.failure(error, id: request.id), nil)
        }
        let result = Codec(revision).initializeResult(
            server: self.implementation,
            capabilities: self.catalogue.capabilities(for: revision),
            instructions: self.options.instructions
        )
        return (JSONRPCResponse(id: request.id, result: .success(.object(result))), session)
    }
}

extension ServerCatalogue {
    /// Whether there is anything whose arguments a user fills in.
    var hasCompletions: Bool {
        self.prompts.prompts.isEmpty == false || self.resources.templates.isEmpty == false
    }

    /// What the server can do, as a revision shows it.
    func capabilities(for revision: ProtocolRevision) -> JSONObject {
        var capabilities: JSONObject = ["logging": [:]]
        if self.hasCompletions, revision.supports(.completionCapability) { capabilities["completions"] = [:] }
        if self.prompts.prompts.isEmpty == false { capabilities["prompts"] = ["listChanged": true] }
        if self.resources.isEmpty == false { capabilities["resources"] = ["subscribe": true, "listChanged": true] }
        capabilities["tools"] = ["listChanged": true]
        if self.tools.hasTasks, revision.supports(.coreTasks) {
            capabilities["tasks"] = ["list": [:], "cancel": [:], "requests": ["tools": ["call": [:]]]]
        }
        var extensions: JSONObject = [:]
        if self.tools.hasTasks, revision.supports(.tasksExtension) {
            extensions[ClientCapabilities.tasksExtension] = [:]
        }
        if self.tools.hasApps, revision.supports(.tasksExtension) {
            extensions[ClientCapabilities.appsExtension] = [:]
        }
        if extensions.isEmpty == false { capabilities["extensions"] = .object(extensions) }
        return capabilities
    }
}
