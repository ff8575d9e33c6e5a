public import JSON
public import MCP

extension MCPServer {
    /// The scopes that the sender's credentials lack for a request, for transports that ask for better ones.
    ///
    /// Specification: 2026-07-28, basic/authorization, "Scope Challenge Handling".
    ///
    /// - Returns: All scopes that the request takes, in one list; none if the credentials suffice, or if no credentials
    ///   would.
    public func missingScopes(for request: JSONRPCRequest, principal: Principal) -> [String] {
        let decision: AccessDecision?
        switch request.method {
        case "tools/call":
            decision = (request.params["name"]?.stringValue).flatMap(self.catalogue.tools.entry(named:)).map {
                self.pipeline.decide($0.tool, principal)
            }
        case "prompts/get":
            decision = (request.params["name"]?.stringValue).flatMap(self.catalogue.prompts.prompt(named:)).map {
                self.decide($0.permission, principal)
            }
        case "resources/read", "resources/subscribe":
            decision = (request.params["uri"]?.stringValue).flatMap(self.catalogue.resources.match).map {
                self.decide($0.permission, principal)
            }
        default: decision = nil
        }
        guard case .insufficientScope(let scopes)? = decision else { return [] }
        return scopes
    }

    /// The same for a tool that is called in another way than MCP.
    public func missingScopes(forTool name: String, principal: Principal) -> [String] {
        guard let entry = self.catalogue.tools.entry(named: name),
            case .insufficientScope(let scopes) = self.pipeline.decide(entry.tool, principal)
        else { return [] }
        return scopes
    }

    /// The permissions that tools, prompts and resources ask for, each once, in order.
    public var permissions: [String] {
        let catalogue = self.catalogue
        let all =
            catalogue.tools.entries.map(\.tool.permission) + catalogue.prompts.prompts.map(\.permission)
            + catalogue.resources.resources.map(\.permission) + catalogue.resources.templates.map(\.permission)
        return Set(all.map(\.rawValue)).sorted()
    }

    /// What deciding about a tool takes; nothing if there is no such tool.
    ///
    /// - Throws: `invalid_arguments` if the arguments are given and can't be read.
    public func accessRequest(
        forTool name: String,
        arguments: JSONObject?,
        principal: Principal
    ) throws(ToolError) -> AccessRequest? {
        guard let tool = self.catalogue.tools.entry(named: name)?.tool else { return nil }
        return AccessRequest(
            principal: principal,
            permission: tool.permission,
            effect: tool.effect,
            tool: tool.name,
            targets: try arguments.map { arguments throws(ToolError) in try tool.prepare(arguments).targets }
        )
    }

    /// How far a permission reaches, once it is known that it is there.
    func reach(of permission: Permission, _ principal: Principal) -> AccessReach {
        guard case .allowed(let reach) = self.decide(permission, principal) else { return .nothing }
        return reach
    }

    func decide(_ permission: Permission, _ principal: Principal) -> AccessDecision {
        self.pipeline.authorizer.decide(AccessRequest(principal: principal, permission: permission))
    }
}
