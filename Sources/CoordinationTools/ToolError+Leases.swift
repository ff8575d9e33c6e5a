import JSON
import MCPServer
import SharedState

extension ToolError {
    /// Makes one kind of error of all that goes wrong with the store of leases.
    init(leases error: SharedStateError, tool: ToolName) {
        if error.code == .full {
            self.init(
                .rateLimited,
                error.message,
                retryable: true,
                retryAfter: .seconds(60),
                suggestedAction: "Release what you no longer work on: work.list with mine: true shows it.",
                cause: error
            )
        } else {
            self.init(
                .upstreamUnavailable,
                "Who works on what can't be found out now; nothing was changed by \(tool).",
                retryable: true,
                retryAfter: .seconds(5),
                suggestedAction: "Try again later. Don't begin work that others may be doing.",
                cause: error
            )
        }
    }

    /// Somebody else has it.
    static func held(_ lease: Lease, by principal: Principal) -> Self {
        let isOwn = lease.holder.principal == principal.id
        let wait = max(.milliseconds(1), lease.remaining)
        return Self(
            .conflict,
            "\(lease.resource) is claimed by \(isOwn ? "you" : lease.holder.principal)"
                + "\(lease.holder.agent.map { " (\($0))" } ?? ""), for another \(wait.wholeMilliseconds) ms unless renewed.",
            retryable: true,
            retryAfter: wait,
            suggestedAction: isOwn
                ? "If it is your own claim, go on with its fencing_token (work.list with mine: true shows it)."
                : "Work on something else, or subscribe to \(WorkName.uri(of: lease.resource)) to hear when it is free.",
            details: Self.details(lease.holder, note: lease.note, wait: wait, isOwn: isOwn)
        )
    }

    /// It waits for somebody else.
    static func reserved(_ name: String, _ former: FormerLease, _ remaining: Duration) -> Self {
        let wait = max(.milliseconds(1), remaining)
        return Self(
            .conflict,
            "\(name) was handed over to \(former.heir ?? "somebody else"), who may take it up for another "
                + "\(wait.wholeMilliseconds) ms.",
            retryable: true,
            retryAfter: wait,
            suggestedAction: "Work on something else, or claim it after that time.",
            details: Self.details(former.holder, note: former.note, wait: wait, isOwn: false)
        )
    }

    private static func details(_ holder: LeaseHolder, note: String, wait: Duration, isOwn: Bool) -> JSONValue {
        [
            "principal": .string(holder.principal), "agent": holder.agent.map(JSONValue.string) ?? .null,
            "note": .string(note), "expires_in_ms": .integer(wait.wholeMilliseconds), "held_by_you": .bool(isOwn),
        ]
    }

    /// The claim is over, or never was.
    static func notHeld(_ name: String) -> Self {
        Self(
            .conflict,
            "You don't hold \(name) with this fencing_token: the claim has expired, or was released.",
            suggestedAction:
                "Stop working on it. Claim it again, and look what has changed, before you go on or write anything."
        )
    }
}
