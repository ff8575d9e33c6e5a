/// Decides who may call what.
///
/// One decision serves `tools/list` and `tools/call`, so that what is listed can be called.
public protocol Authorizer: Sendable {
    /// Whether a principal may call a tool.
    func mayCall(_ tool: ToolName, effect: Effect, permission: Permission, principal: Principal) -> Bool

    /// Whether a principal may use prompts and resources that ask for a permission.
    func mayRead(_ permission: Permission, principal: Principal) -> Bool
}

/// Local mode: whoever reaches the server may do everything, or only read.
public struct LocalAuthorizer: Authorizer {
    private let readOnly: Bool

    /// - Parameter readOnly: Whether everything but reading is refused.
    public init(readOnly: Bool) {
        self.readOnly = readOnly
    }

    public func mayCall(_ tool: ToolName, effect: Effect, permission: Permission, principal: Principal) -> Bool {
        self.readOnly == false || effect == .read
    }

    public func mayRead(_ permission: Permission, principal: Principal) -> Bool { true }
}
