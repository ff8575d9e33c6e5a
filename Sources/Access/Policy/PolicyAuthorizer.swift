public import JSON
public import MCPServer

/// Decides by the policy: deny over allow, and nothing that is not allowed.
public struct PolicyAuthorizer: Authorizer {
    private let source: PolicySource
    private let readOnly: Bool

    /// - Parameters:
    ///   - source: The policy.
    ///   - readOnly: Whether everything but reading is refused, whatever the policy says.
    public init(source: PolicySource, readOnly: Bool) {
        self.source = source
        self.readOnly = readOnly
    }

    public func decide(_ request: AccessRequest) -> AccessDecision {
        self.source.current().decide(request, readOnly: self.readOnly)
    }

    /// Why a request is allowed or not, in sentences for people.
    public func explain(_ request: AccessRequest) -> [String] {
        self.source.current().explain(request, readOnly: self.readOnly)
    }

    /// Who somebody is who has only the roles that a policy gives to a token with these claims.
    public func principal(named subject: String, claims: JSONObject, scopes: [String]?) -> Principal {
        let policy = self.source.current().policy
        var claims = claims
        claims["sub"] = .string(subject)
        return Principal(
            id: "user:\(subject)",
            roles: policy.roles(for: claims),
            scopes: policy.scopeUse == .required ? scopes : nil
        )
    }
}

extension PolicySource.Snapshot {
    func decide(_ request: AccessRequest, readOnly: Bool) -> AccessDecision {
        guard readOnly == false || request.effect == .read else { return .forbidden }
        guard let roles = self.roles(of: request.principal) else { return .allowed(.everything) }
        guard let reach = self.rules(of: roles).reach(of: request.permission),
            (request.targets ?? []).allSatisfy({ reach.contains($0) })
        else { return .forbidden }
        if let scopes = request.principal.scopes,
            self.policy.scopes(scopes, cover: request.permission) == false
        {
            return .insufficientScope([request.permission.rawValue])
        }
        return .allowed(reach)
    }

    /// The roles of somebody; nothing if no policy applies.
    private func roles(of principal: Principal) -> [String]? {
        // Whoever is on this machine, where no tokens are asked for.
        principal.id == Principal.local.id ? self.policy.localRoles : principal.roles
    }

    func explain(_ request: AccessRequest, readOnly: Bool) -> [String] {
        var lines = [
            "\(request.principal.id) wants \(request.permission) for \(request.tool.map { "the tool \($0)" } ?? "a resource")."
        ]
        guard let roles = self.roles(of: request.principal) else {
            lines.append("Without tokens, everything is allowed on this machine: the policy has no local_roles.")
            return lines + [self.verdict(request, readOnly)]
        }
        let all = self.policy.withInherited(roles)
        lines.append("Roles: \(roles.isEmpty ? "none" : roles.joined(separator: ", ")).")
        let inherited = all.filter { roles.contains($0) == false }
        if inherited.isEmpty == false { lines.append("Inherited: \(inherited.joined(separator: ", ")).") }
        let unknown = roles.filter { self.policy.roles[$0] == nil }
        if unknown.isEmpty == false { lines.append("The policy does not have: \(unknown.joined(separator: ", ")).") }
        let rules = self.rules(of: roles)
        let denying = rules.deny.filter { $0.names(request.permission) }
        let allowing = rules.allow.filter { $0.names(request.permission) }
        lines += denying.map { "Denied by \($0.explained)." } + allowing.map { "Allowed by \($0.explained)." }
        if allowing.isEmpty { lines.append("No rule of these roles allows \(request.permission).") }
        if let reach = rules.reach(of: request.permission) {
            for target in request.targets ?? [] {
                lines.append(
                    "The call is about \(target), which is \(reach.contains(target) ? "within" : "out of") reach."
                )
            }
        }
        if let scopes = request.principal.scopes {
            let covered = self.policy.scopes(scopes, cover: request.permission)
            let named = scopes.isEmpty ? "no scope" : "the scopes \(scopes.joined(separator: " "))"
            lines.append(
                "The token has \(named), which \(covered ? "covers" : "does not cover") \(request.permission)."
            )
        }
        return lines + [self.verdict(request, readOnly)]
    }

    private func verdict(_ request: AccessRequest, _ readOnly: Bool) -> String {
        if readOnly, request.effect != .read { return "Refused: the server is read-only (GANTRY_READ_ONLY)." }
        return switch self.decide(request, readOnly: readOnly) {
        case .allowed: "Allowed."
        case .forbidden: "Refused."
        case .insufficientScope(let scopes): "Refused until the token has the scope \(scopes.joined(separator: " "))."
        }
    }
}

extension AccessReach {
    func contains(_ target: AccessTarget) -> Bool {
        guard let name = target.name else { return self.isUnlimited(target.kind) }
        return self.contains(target.kind, name)
    }
}

extension Policy.Rule {
    /// The rule and where it is, for people.
    fileprivate var explained: String {
        var text = self.permissions.map(\.description).joined(separator: ", ")
        for (kind, patterns) in self.targets.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            text += " for \(kind) \(patterns.map(\.text).joined(separator: ", "))"
        }
        return "the role \(self.role)\(self.line.map { " (line \($0))" } ?? " (built in)"): \(text)"
    }
}
