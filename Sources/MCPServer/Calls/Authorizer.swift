/// A question to an ``Authorizer``, whether somebody may do something.
public struct AccessRequest: Sendable {
    /// Who.
    public var principal: Principal
    /// What it takes.
    public var permission: Permission
    /// What it does to the world; reading for prompts and resources.
    public var effect: Effect
    /// Which tool; nothing for prompts and resources.
    public var tool: ToolName?
    /// What the call is about; nothing while that isn't known, as when tools are listed: the question then is whether
    /// there is anything that the principal may call the tool for.
    public var targets: [AccessTarget]?

    public init(
        principal: Principal,
        permission: Permission,
        effect: Effect = .read,
        tool: ToolName? = nil,
        targets: [AccessTarget]? = nil
    ) {
        self.principal = principal
        self.permission = permission
        self.effect = effect
        self.tool = tool
        self.targets = targets
    }
}

/// What an ``Authorizer`` answers.
public enum AccessDecision: Sendable {
    /// Yes, as far as the reach goes.
    case allowed(AccessReach)
    /// No, whatever the credentials were issued for.
    case forbidden
    /// Not with these credentials: they would have to be issued for these scopes, too.
    case insufficientScope([String])

    public var isAllowed: Bool {
        if case .allowed = self { true } else { false }
    }
}

/// Decides who may do what.
///
/// One decision serves lists and calls, tools, prompts and resources, and every way in, so that what is listed can be
/// called.
public protocol Authorizer: Sendable {
    /// Decides. It must not wait: it is asked for every tool of a list.
    func decide(_ request: AccessRequest) -> AccessDecision
}

extension Authorizer {
    /// Whether a principal may use prompts and resources that ask for a permission.
    public func mayRead(_ permission: Permission, principal: Principal) -> Bool {
        self.decide(AccessRequest(principal: principal, permission: permission)).isAllowed
    }
}

/// Local mode: whoever reaches the server may do everything, or only read.
public struct LocalAuthorizer: Authorizer {
    private let readOnly: Bool

    /// - Parameter readOnly: Whether everything but reading is refused.
    public init(readOnly: Bool) {
        self.readOnly = readOnly
    }

    public func decide(_ request: AccessRequest) -> AccessDecision {
        self.readOnly == false || request.effect == .read ? .allowed(.everything) : .forbidden
    }
}
