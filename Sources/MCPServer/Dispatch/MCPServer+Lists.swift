import JSON
import MCP

extension MCPServer {
    func listTools(
        _ request: JSONRPCRequest,
        _ exchange: Exchange,
        _ catalogue: ServerCatalogue
    ) throws(MCPError) -> Answer {
        let tools = catalogue.tools.list(Codec(exchange.revision)) {
            self.pipeline.isAllowed($0, exchange.principal)
        }
        return try self.page("tools", tools, request, exchange)
    }

    func listPrompts(
        _ request: JSONRPCRequest,
        _ exchange: Exchange,
        _ catalogue: ServerCatalogue
    ) throws(MCPError) -> Answer {
        let codec = Codec(exchange.revision)
        let prompts = catalogue.prompts.prompts.filter { self.mayRead($0.permission, exchange) }
        return try self.page("prompts", prompts.map { .object(codec.json($0.definition)) }, request, exchange)
    }

    /// Lists the resources that there are always, then those of each family, page by page.
    func listResources(
        _ request: JSONRPCRequest,
        _ exchange: Exchange,
        _ catalogue: ServerCatalogue
    ) async throws(MCPError) -> Answer? {
        let lister = ResourceLister(
            resources: catalogue.resources.resources.filter { self.mayRead($0.permission, exchange) },
            templates: catalogue.resources.templates.filter { self.mayRead($0.permission, exchange) },
            limit: self.options.pageSize,
            reach: { self.reach(of: $0, exchange.principal) }
        )
        let start = try self.opened(request, exchange).map(ResourceLister.Position.init) ?? ResourceLister.Position()
        // Lists never ask, so there are no answers to take up.
        var request = request
        for key in ["inputResponses", "requestState"] { request.params[key] = nil }
        let list = request
        return try await self.handle(list, exchange, nil) { context in
            let page = try await lister.page(from: start, context)
            return (page.resources, try page.next.map { try self.sealed($0.json, list, exchange) })
        } _: { page, codec in
            var members: JSONObject = ["resources": .array(page.0.map { .object(codec.json($0)) })]
            if let cursor = page.1 { members["nextCursor"] = .string(cursor) }
            return Answer(members, caching: self.caching)
        }
    }

    func listResourceTemplates(
        _ request: JSONRPCRequest,
        _ exchange: Exchange,
        _ catalogue: ServerCatalogue
    ) throws(MCPError) -> Answer {
        let codec = Codec(exchange.revision)
        let templates = catalogue.resources.templates.filter { self.mayRead($0.permission, exchange) }
        return try self.page(
            "resourceTemplates",
            templates.map { .object(codec.json($0.definition)) },
            request,
            exchange
        )
    }

    func mayRead(_ permission: Permission, _ exchange: Exchange) -> Bool {
        self.pipeline.authorizer.mayRead(permission, principal: exchange.principal)
    }

    /// The page of a list that a request asks for.
    ///
    /// Cursors are sealed: they can be used by nobody else, and for nothing else.
    ///
    /// Specification: 2026-07-28, server/utilities/pagination.
    /// - Throws: ``MCPError`` with `-32602` if the cursor is not one that this server gave.
    func page(
        _ member: String,
        _ items: [JSONValue],
        _ request: JSONRPCRequest,
        _ exchange: Exchange
    ) throws(MCPError) -> Answer {
        var start = 0
        if let position = try self.opened(request, exchange)?["position"]?.intValue {
            start = min(position, items.count)
        }
        let end = min(items.count, start + self.options.pageSize)
        var members: JSONObject = [member: .array(start == 0 && end == items.count ? items : Array(items[start..<end]))]
        if end < items.count {
            do {
                members["nextCursor"] = .string(try self.sealed(["position": .integer(end)], request, exchange))
            } catch {
                throw MCPError(.internalError, "The server failed.")
            }
        }
        return Answer(members, caching: self.caching)
    }

    /// What the cursor of a request holds; nothing on the first page.
    private func opened(_ request: JSONRPCRequest, _ exchange: Exchange) throws(MCPError) -> JSONObject? {
        guard let cursor = request.params["cursor"] else { return nil }
        guard let text = cursor.stringValue,
            let opened = self.sealer.open(
                text,
                now: Timestamp.seconds,
                context: Self.cursorContext(request, exchange)
            )
        else { throw MCPError(.invalidParams, "The cursor is not one that this server gave, or is too old.") }
        return opened
    }

    private func sealed(_ position: JSONObject, _ request: JSONRPCRequest, _ exchange: Exchange) throws -> String {
        try self.sealer.seal(
            position,
            expiry: Timestamp.seconds + 3600,
            context: Self.cursorContext(request, exchange)
        )
    }

    private static func cursorContext(_ request: JSONRPCRequest, _ exchange: Exchange) -> [UInt8] {
        Array("cursor\0\(request.method)\0\(exchange.principal.id)".utf8)
    }
}
