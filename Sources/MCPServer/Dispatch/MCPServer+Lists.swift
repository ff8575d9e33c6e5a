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

    func listResources(
        _ request: JSONRPCRequest,
        _ exchange: Exchange,
        _ catalogue: ServerCatalogue
    ) throws(MCPError) -> Answer {
        let codec = Codec(exchange.revision)
        let resources = catalogue.resources.resources.filter { self.mayRead($0.permission, exchange) }
        return try self.page("resources", resources.map { .object(codec.json(.init($0))) }, request, exchange)
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
        let context = Array("cursor\0\(request.method)\0\(exchange.principal.id)".utf8)
        var start = 0
        if let cursor = request.params["cursor"] {
            guard let text = cursor.stringValue,
                let opened = self.sealer.open(text, now: Timestamp.seconds, context: context),
                let position = opened["position"]?.intValue
            else { throw MCPError(.invalidParams, "The cursor is not one that this server gave, or is too old.") }
            start = min(position, items.count)
        }
        let end = min(items.count, start + self.options.pageSize)
        var members: JSONObject = [member: .array(start == 0 && end == items.count ? items : Array(items[start..<end]))]
        if end < items.count {
            do {
                members["nextCursor"] = .string(
                    try self.sealer.seal(
                        ["position": .integer(end)],
                        expiry: Timestamp.seconds + 3600,
                        context: context
                    )
                )
            } catch {
                throw MCPError(.internalError, "The server failed.")
            }
        }
        return Answer(members, caching: self.caching)
    }
}
