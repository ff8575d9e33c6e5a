import Foundation
import MCPServer
import Yams

extension Policy {
    /// The largest file that is read.
    public static let maximumFileBytes = 1 << 20

    /// Reads a policy file.
    ///
    /// - Throws: ``PolicyError`` with the line and the key of the first mistake.
    public init(file path: String) throws(PolicyError) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw PolicyError("\(path): There is no such file, or it can't be read.")
        }
        guard data.count <= Self.maximumFileBytes else {
            throw PolicyError("\(path): The file is larger than \(Self.maximumFileBytes) bytes.")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw PolicyError("\(path): The file is not UTF-8.")
        }
        do {
            try self.init(yaml: text)
        } catch {
            throw PolicyError("\(path): \(error)")
        }
    }

    /// Reads a policy.
    ///
    /// - Throws: ``PolicyError`` with the line and the key of the first mistake.
    public init(yaml text: String) throws(PolicyError) {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch let error as YamlError {
            throw PolicyError("This is not YAML: \(error)")
        } catch {
            throw PolicyError("This is not YAML.")
        }
        self = try PolicyReader(root: root).policy()
    }
}

/// Reads a policy from YAML nodes.
private struct PolicyReader {
    let root: Node?

    func policy() throws(PolicyError) -> Policy {
        guard let root else { throw PolicyError("The file is empty. A policy has at least one of: \(Self.keys).") }
        let members = try Self.mapping(root, "the policy", keys: Self.topKeys)
        var policy = Policy()
        if let node = members["roles"] {
            for (name, role) in try Self.named(node, "roles") {
                policy.roles[name] = try Self.role(role, name)
            }
        }
        if let node = members["claims"] { policy.claimRules = try Self.claims(node) }
        // Whoever writes a policy says who gets what: nobody has a role that the file does not give.
        policy.defaultRoles =
            try members["default_roles"].map { node throws(PolicyError) in
                try Self.strings(node, "default_roles")
            } ?? []
        policy.localRoles = try members["local_roles"].map { node throws(PolicyError) in
            try Self.strings(node, "local_roles")
        }
        if let node = members["scopes"] {
            guard let use = Policy.ScopeUse(rawValue: node.string ?? "") else {
                throw Self.error(node, "scopes", "It is required or ignored.")
            }
            policy.scopeUse = use
        }
        if let node = members["scope_names"] {
            for (name, patterns) in try Self.pairs(node, "scope_names") {
                policy.scopeNames[name] = try Self.permissions(patterns, "scope_names.\(name)")
            }
        }
        try self.checkReferences(policy, members)
        return policy
    }

    private static let topKeys = ["roles", "claims", "default_roles", "local_roles", "scopes", "scope_names"]
    private static var keys: String { Self.topKeys.joined(separator: ", ") }

    // MARK: Roles

    private static func role(_ node: Node, _ name: String) throws(PolicyError) -> Policy.Role {
        let members = try mapping(node, "roles.\(name)", keys: ["inherits", "allow", "deny"])
        var role = Policy.Role()
        if let node = members["inherits"] { role.inherits = try strings(node, "roles.\(name).inherits") }
        if let node = members["allow"] { role.allow = try rules(node, name, isDeny: false) }
        if let node = members["deny"] { role.deny = try rules(node, name, isDeny: true) }
        return role
    }

    private static func rules(_ node: Node, _ role: String, isDeny: Bool) throws(PolicyError) -> [Policy.Rule] {
        let key = "roles.\(role).\(isDeny ? "deny" : "allow")"
        var rules: [Policy.Rule] = []
        for entry in try list(node, key) {
            guard entry.mapping != nil else {
                let pattern = try permission(entry, key)
                rules.append(Policy.Rule(permissions: [pattern], role: role, line: entry.mark?.line))
                continue
            }
            let kinds = Policy.knownKinds.map(\.rawValue)
            let members = try mapping(entry, key, keys: ["permissions"] + kinds)
            guard let permissions = members["permissions"] else {
                throw error(entry, key, "The rule needs permissions.")
            }
            var rule = Policy.Rule(
                permissions: try self.permissions(permissions, "\(key).permissions"),
                role: role,
                line: entry.mark?.line
            )
            for kind in Policy.knownKinds {
                guard let node = members[kind.rawValue] else { continue }
                rule.targets[kind] = try patterns(node, "\(key).\(kind)", kind, isDeny: isDeny)
            }
            rules.append(rule)
        }
        return rules
    }

    private static func patterns(
        _ node: Node,
        _ key: String,
        _ kind: AccessTarget.Kind,
        isDeny: Bool
    ) throws(PolicyError) -> [NamePattern] {
        let patterns = try strings(node, key).map(NamePattern.init)
        guard patterns.isEmpty == false else {
            throw error(node, key, "The list is empty, so that the rule would be for nothing. Leave the rule out.")
        }
        guard patterns.allSatisfy({ (1...256).contains($0.text.utf8.count) }) else {
            throw error(node, key, "A name has 1 to 256 bytes.")
        }
        guard kind == .documentLabel else { return patterns }
        // Stores filter by labels, which they look up.
        guard isDeny == false else {
            throw error(node, key, "Labels can't be denied; list those that are allowed in a rule of allow.")
        }
        guard patterns.allSatisfy({ $0.isExact || $0.text == "*" }) else {
            throw error(node, key, "Labels are whole names, or * for all of them.")
        }
        return patterns
    }

    private static func permissions(_ node: Node, _ key: String) throws(PolicyError) -> [PermissionPattern] {
        if node.sequence == nil { return [try permission(node, key)] }
        var patterns: [PermissionPattern] = []
        for entry in try list(node, key) { patterns.append(try permission(entry, key)) }
        guard patterns.isEmpty == false else { throw error(node, key, "The list is empty.") }
        return patterns
    }

    private static func permission(_ node: Node, _ key: String) throws(PolicyError) -> PermissionPattern {
        guard let text = node.string, let pattern = PermissionPattern(text) else {
            throw error(node, key, "A permission is written like jira:read, jira:*, *:read or \"*\".")
        }
        guard Policy.knownPermissions.contains(where: { pattern.matches(Permission(stringLiteral: $0)) }) else {
            throw error(
                node,
                key,
                "There is no permission \(text); there are \(Policy.knownPermissions.joined(separator: ", "))."
            )
        }
        return pattern
    }

    // MARK: Claims

    private static func claims(_ node: Node) throws(PolicyError) -> [Policy.ClaimRule] {
        var rules: [Policy.ClaimRule] = []
        for entry in try list(node, "claims") {
            let members = try mapping(entry, "claims", keys: ["claim", "values", "roles"])
            guard let claim = members["claim"]?.string, claim.isEmpty == false else {
                throw error(entry, "claims", "Each entry names a claim, such as claim: groups.")
            }
            var rule = Policy.ClaimRule(claim: claim, line: entry.mark?.line)
            if let node = members["values"] {
                rule.values = try strings(node, "claims.values").map(NamePattern.init)
            }
            if let node = members["roles"] { rule.roles = try strings(node, "claims.roles") }
            rules.append(rule)
        }
        return rules
    }

    // MARK: What refers to what

    private func checkReferences(_ policy: Policy, _ members: [String: Node]) throws(PolicyError) {
        func check(_ names: [String], _ key: String, _ node: Node?) throws(PolicyError) {
            for name in names where policy.roles[name] == nil {
                let known = policy.roles.keys.sorted().joined(separator: ", ")
                throw Self.error(node, key, "There is no role \(name); there are \(known).")
            }
        }
        let roleNodes = try members["roles"].map { node throws(PolicyError) in try Self.named(node, "roles") } ?? []
        for (name, node) in roleNodes {
            let inherits = policy.roles[name]?.inherits ?? []
            try check(inherits, "roles.\(name).inherits", node)
            if Self.inheritsFromItself(name, policy) {
                throw Self.error(node, "roles.\(name).inherits", "The role inherits from itself.")
            }
        }
        for rule in policy.claimRules {
            for name in rule.roles ?? [] where policy.roles[name] == nil {
                throw PolicyError("line \(rule.line ?? 0), claims.roles: There is no role \(name).")
            }
        }
        try check(policy.defaultRoles, "default_roles", members["default_roles"])
        try check(policy.localRoles ?? [], "local_roles", members["local_roles"])
    }

    private static func inheritsFromItself(_ name: String, _ policy: Policy) -> Bool {
        policy.withInherited(policy.roles[name]?.inherits ?? []).contains(name)
    }

    // MARK: Nodes

    private static func error(_ node: Node?, _ key: String, _ message: String) -> PolicyError {
        PolicyError("\(node?.mark.map { "line \($0.line), " } ?? "")\(key): \(message)")
    }

    private static func list(_ node: Node, _ key: String) throws(PolicyError) -> [Node] {
        guard let sequence = node.sequence else { throw error(node, key, "This is a list.") }
        guard sequence.count <= 1000 else { throw error(node, key, "A list has at most 1000 entries.") }
        return Array(sequence)
    }

    private static func strings(_ node: Node, _ key: String) throws(PolicyError) -> [String] {
        var strings: [String] = []
        for entry in try list(node, key) {
            guard let text = entry.string, text.isEmpty == false else {
                throw error(entry, key, "This is a list of names.")
            }
            strings.append(text)
        }
        return strings
    }

    private static func pairs(_ node: Node, _ key: String) throws(PolicyError) -> [(String, Node)] {
        guard let mapping = node.mapping else { throw error(node, key, "This is a mapping: names, each with a colon.") }
        var pairs: [(String, Node)] = []
        for (name, value) in mapping {
            guard let name = name.string, name.isEmpty == false else { throw error(value, key, "A name is a text.") }
            pairs.append((name, value))
        }
        return pairs
    }

    /// Roles by name.
    private static func named(_ node: Node, _ key: String) throws(PolicyError) -> [(String, Node)] {
        let pairs = try self.pairs(node, key)
        for (name, node) in pairs {
            let isWord = name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
            guard isWord, name.utf8.count <= 64 else {
                throw error(
                    node,
                    key,
                    "The name of a role is letters, digits, dots, dashes and underscores, at most 64."
                )
            }
        }
        return pairs
    }

    private static func mapping(
        _ node: Node,
        _ key: String,
        keys: [String]
    ) throws(PolicyError) -> [String: Node] {
        var members: [String: Node] = [:]
        for (name, value) in try pairs(node, key) {
            guard keys.contains(name) else {
                throw error(value, "\(key).\(name)", "There is no such key; there are \(keys.joined(separator: ", ")).")
            }
            members[name] = value
        }
        return members
    }
}
