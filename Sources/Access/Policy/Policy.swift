import JSON
import MCPServer

/// Who may do what: roles, what they may and may not do, and who has which.
public struct Policy: Sendable {
    /// One line of a role: permissions, and for which things.
    public struct Rule: Sendable {
        var permissions: [PermissionPattern]
        /// For which things; of a kind that is not here, for all.
        var targets: [AccessTarget.Kind: [NamePattern]] = [:]
        /// The role that has it.
        var role: String
        /// Where it is in the policy file; nothing for roles that are built in.
        var line: Int?
    }

    public struct Role: Sendable {
        var inherits: [String] = []
        var allow: [Rule] = []
        var deny: [Rule] = []
    }

    /// Gives roles to those whose tokens say something.
    struct ClaimRule: Sendable {
        /// The name of the claim, or a path with dots to one inside of another.
        var claim: String
        /// One of these has to fit; nothing means any value.
        var values: [NamePattern]?
        /// The roles; nothing means that the values themselves name them.
        var roles: [String]?
        var line: Int?
    }

    /// What the scopes of a token are for.
    enum ScopeUse: String, Sendable {
        /// A call needs the permission from a role and from a scope.
        case required
        /// Roles decide alone, for issuers that issue no scopes.
        case ignored
    }

    public internal(set) var roles: [String: Role] = Self.builtInRoles
    var claimRules: [ClaimRule] = [ClaimRule(claim: "roles")]
    /// The roles of those whose tokens give them none.
    var defaultRoles = ["viewer"]
    /// The roles of whoever is on this machine while no tokens are asked for; nothing means that everything is allowed.
    var localRoles: [String]?
    var scopeUse = ScopeUse.required
    /// What scopes mean that are no permissions.
    var scopeNames: [String: [PermissionPattern]] = [:]

    /// The policy without a file.
    public static let builtIn = Self()

    /// What there are permissions for.
    ///
    /// Policies that name others have a mistake.
    public static let knownPermissions = [
        "jira:read", "jira:write", "pipeline:read", "pipeline:trigger", "pipeline:write", "k8s:read", "k8s:write",
        "knowledge:read", "knowledge:write", "knowledge:delete", "knowledge:feedback", "knowledge:quality", "db:read",
        "repo:read", "repo:write", "operation:read", "operation:write",
        "work:read", "work:write", "mcp:read", "audit:read", "usage:read",
    ]

    /// The kinds of things for which rules can have limits.
    static let knownKinds: [AccessTarget.Kind] = [.jiraProject, .repository, .job, .documentLabel]

    /// Roles from the least to the most: a policy file can use them, and define them anew.
    static let builtInRoles: [String: Role] = {
        let reads = knownPermissions.filter { $0.hasSuffix(":read") && $0 != "audit:read" && $0 != "usage:read" }
        return [
            "viewer": role("viewer", allow: reads),
            "developer": role(
                "developer",
                inherits: ["viewer"],
                allow: [
                    "jira:write", "k8s:write", "repo:write", "operation:write", "work:write", "knowledge:feedback",
                ]
            ),
            "operator": role(
                "operator",
                inherits: ["developer"],
                allow: ["pipeline:*", "knowledge:*", "usage:read"]
            ),
            "auditor": role("auditor", allow: ["audit:read", "usage:read"]),
            "admin": role("admin", allow: ["*"]),
        ]
    }()

    private static func role(_ name: String, inherits: [String] = [], allow: [String]) -> Role {
        let rule = Rule(permissions: allow.compactMap(PermissionPattern.init), role: name)
        return Role(inherits: inherits, allow: [rule])
    }

    /// A role and all that it inherits from, each once, the role itself first.
    func withInherited(_ names: [String]) -> [String] {
        var all: [String] = []
        var waiting = Array(names.reversed())
        while let name = waiting.popLast() {
            guard all.contains(name) == false, let role = self.roles[name] else { continue }
            all.append(name)
            waiting += role.inherits.reversed()
        }
        return all
    }

    // MARK: Tokens

    /// The roles that follow from what a token says, in the order of the rules.
    func roles(for claims: JSONObject) -> [String] {
        var roles: [String] = []
        for rule in self.claimRules {
            for value in Self.values(of: rule.claim, in: claims)
            where rule.values?.contains(where: { $0.matches(value) }) ?? true {
                for role in rule.roles ?? [value] where self.roles[role] != nil && roles.contains(role) == false {
                    roles.append(role)
                }
            }
        }
        return roles.isEmpty ? self.defaultRoles : roles
    }

    private static func values(of claim: String, in claims: JSONObject) -> [String] {
        var found = claims[claim]
        if found == nil, claim.contains(".") {
            found = .object(claims)
            for part in claim.split(separator: ".") { found = found?[String(part)] }
        }
        switch found {
        case .string(let text)?: return [text]
        case .array(let list)?: return list.compactMap(\.stringValue)
        default: return []
        }
    }

    /// Who a token stands for.
    func principal(of token: VerifiedToken) -> Principal {
        Principal(
            id: "user:\(token.subject)",
            roles: self.roles(for: token.claims),
            scopes: self.scopeUse == .required ? token.scopes ?? [] : nil
        )
    }

    /// Whether scopes cover a permission.
    func scopes(_ scopes: [String], cover permission: Permission) -> Bool {
        scopes.contains { scope in
            if self.scopeNames.isEmpty == false, let patterns = self.scopeNames[scope] {
                return patterns.contains { $0.matches(permission) }
            }
            return PermissionPattern(scope)?.matches(permission) ?? false
        }
    }
}
