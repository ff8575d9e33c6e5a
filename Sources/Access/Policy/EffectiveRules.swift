import MCPServer

/// The rules of a set of roles, with those that they inherit.
struct EffectiveRules: Sendable {
    let allow: [Policy.Rule]
    let deny: [Policy.Rule]
    /// How far the known permissions reach: every call asks.
    private var known: [Permission: AccessReach?] = [:]

    init(_ roles: [String], in policy: Policy) {
        let all = policy.withInherited(roles).compactMap { policy.roles[$0] }
        self.allow = all.flatMap(\.allow)
        self.deny = all.flatMap(\.deny)
        for permission in Policy.knownPermissions.map(Permission.init(stringLiteral:)) {
            self.known.updateValue(self.computedReach(of: permission), forKey: permission)
        }
    }

    /// How far a permission reaches; nothing if it reaches nothing.
    func reach(of permission: Permission) -> AccessReach? {
        self.known[permission] ?? self.computedReach(of: permission)
    }

    private func computedReach(of permission: Permission) -> AccessReach? {
        let allowing = self.allow.filter { $0.names(permission) }
        let denying = self.deny.filter { $0.names(permission) }
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
