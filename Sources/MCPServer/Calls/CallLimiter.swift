import JSON
import SharedState

/// Holds calls to their limits.
///
/// They are counted in shared state. While that is away, each replica counts for itself.
final class CallLimiter: Sendable {
    private enum Scope: String { case principal, tool, total }

    private let limits: CallLimits
    private let shared: any UsageLimiter
    private let local = InMemoryUsageLimiter()

    /// - Returns: Nothing if nothing is limited.
    init?(_ limits: CallLimits, shared: any UsageLimiter) {
        guard limits != CallLimits() else { return nil }
        self.limits = limits
        self.shared = shared
    }

    /// Lets a call begin.
    ///
    /// - Parameters:
    ///   - principal: Who calls.
    ///   - tool: What is called; nothing for prompts and resources.
    ///   - lifetime: How long the call may run.
    /// - Returns: The permission, which has to be ended with the call.
    /// - Throws: `rate_limited` or `overloaded`, and when to come back.
    nonisolated(nonsending) func permit(
        _ principal: Principal,
        tool: ToolName?,
        lifetime: Duration
    ) async throws(ToolError) -> CallPermit? {
        var uses: [LimitedUse] = []
        uses.reserveCapacity(3)
        Self.add(self.limits.principal, "principal:" + principal.id, to: &uses)
        let ofPrincipal = uses.count
        if let tool, let limit = self.limits.tools[tool.rawValue] { Self.add(limit, "tool:\(tool)", to: &uses) }
        let ofTool = uses.count
        Self.add(self.limits.total, "total", to: &uses)
        guard uses.isEmpty == false else { return nil }

        let holder = RandomID.unique()
        var limiter = self.shared
        var refusal: LimitRefusal?
        do throws(SharedStateError) {
            refusal = try await limiter.take(uses, holder: holder, lifetime: lifetime)
        } catch {
            limiter = self.local
            // It is in this process, and does not fail.
            refusal = (try? await limiter.take(uses, holder: holder, lifetime: lifetime)) ?? nil
        }
        guard let refusal else { return CallPermit(limiter: limiter, uses: uses, holder: holder) }
        let scope: Scope =
            refusal.index < ofPrincipal ? .principal : refusal.index < ofTool ? .tool : .total
        throw Self.error(uses[refusal.index].limit, scope, tool, refusal.retryAfter)
    }

    private static func add(_ limit: CallLimits.Limit, _ name: String, to uses: inout [LimitedUse]) {
        if let rate = limit.rate {
            uses.append(LimitedUse(name, .rate(burst: rate.burst, perSecond: rate.perSecond)))
        }
        if let perDay = limit.perDay { uses.append(LimitedUse(name, .quota(perDay, per: .seconds(86_400)))) }
        if let concurrent = limit.concurrent { uses.append(LimitedUse(name, .concurrency(concurrent))) }
    }

    private static func error(_ limit: UsageLimit, _ scope: Scope, _ tool: ToolName?, _ wait: Duration) -> ToolError {
        let subject =
            switch scope {
            case .principal: "You call"
            case .tool: "\(tool?.rawValue ?? "The tool") is called"
            case .total: "This server is called"
            }
        let (kind, message) =
            switch limit {
            case .rate: ("rate", "\(subject) more often than it allows.")
            case .quota(let most, _):
                ("daily", "\(subject) more than \(most) times in 24 hours, which is all it allows.")
            case .concurrency(let most):
                ("concurrent", "\(subject) too often at a time; \(most) calls may run at once.")
            }
        return ToolError(
            kind == "concurrent" && scope != .principal ? .overloaded : .rateLimited,
            message,
            retryable: true,
            retryAfter: wait,
            suggestedAction: "Wait \(wait.milliseconds) ms, then call again.",
            details: ["limit": .string("\(scope.rawValue).\(kind)")]
        )
    }
}

/// The permission for one call.
struct CallPermit: Sendable {
    fileprivate let limiter: any UsageLimiter
    fileprivate let uses: [LimitedUse]
    fileprivate let holder: String

    /// Lets others take the places that the call held.
    func end() {
        self.limiter.giveBack(self.uses, holder: self.holder)
    }
}
