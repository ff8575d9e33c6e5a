import MCPServer

/// The rules of a set of roles, with those that they inherit.
final class EffectiveRules: Sendable {
    let allow: [Policy.Rule]
    let deny: [Policy.Rule]
    /// How far the known permissions reach: every call asks.
    private let known: [Permission: AccessReach?]

    init(_ roles: [String], in policy: Policy) {
        let all = policy.withInherited(roles).compactMap { policy.roles[$0] }
        let (allow, deny) = (all.flatMap(\.allow), all.flatMap(\.deny))
        let permissions = Policy.knownPermissions.map(Permission.init(stringLiteral:))
        self.allow = allow
        self.deny = deny
        self.known = Dictionary(
            uniqueKeysWithValues: permissions.map { ($0, Self.reach(of: $0, allow, deny)) }
        )
    }

    /// How far a permission reaches; nothing if it reaches nothing.
    func reach(of permission: Permission) -> AccessReach? {
        self.known[permission] ?? Self.reach(of: permission, self.allow, self.deny)
    }

    private static func reach(
        of permission: Permission,
        _ allow: [Policy.Rule],
        _ deny: [Policy.Rule]
    ) -> AccessReach? {
        let allowing = allow.filter { $0.names(permission) }
        let denying = deny.filter { $0.names(permission) }
        guard allowing.isEmpty == false, denying.allSatisfy({ $0.targets.isEmpty == false }) else { return nil }
        if denying.isEmpty, allowing.contains(where: { $0.targets.isEmpty }) { return .everything }
        var limits: [AccessTarget.Kind: AccessReach.Limit] = [:]
        for kind in Policy.knownKinds {
            let isUnlimited = allowing.contains { $0.targets[kind] == nil }
            let allowed = isUnlimited ? nil : allowing.flatMap { $0.targets[kind] ?? [] }
            let denied = denying.flatMap { $0.targets[kind] ?? [] }
            if allowed != nil || denied.isEmpty == false {
                limits[kind] = AccessReach.Limit(allowed: allowed, denied: denied)
            }
        }
        return AccessReach(limits: limits)
    }
}

extension Policy.Rule {
    func names(_ permission: Permission) -> Bool {
        self.permissions.contains { $0.matches(permission) }
    }
}
