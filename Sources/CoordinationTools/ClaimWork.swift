public import MCPServer
public import SharedState

/// Claims some work, so that no other agent does it at the same time.
public struct ClaimWork: Tool {
    public static let name: ToolName = "work.claim"
    public static let title: String? = "Claim work"
    public static let description = """
        Claims something for you alone, for a while, so that several agents don't do the same work twice.

        Use this tool when: you are about to work on an issue, a repository, a document or anything else that other agents \
        may work on too. Claim it before you begin; renew the claim (work.renew) while you work; release it (work.release) \
        or hand it over (work.handoff) when you stop.
        Do not use it for: finding out who works on what (work.list).

        A claim that is not renewed ends by itself after lifetime_seconds. If somebody else has it, the call fails with \
        conflict and says who and for how long. All agents have to use the same name for the same thing. Example: \
        {"name": "jira:ENG-12", "agent": "reviewer-2", "note": "Reproducing the bug", "lifetime_seconds": 600}

        Returns fencing_token, expires_at, and handover: the note of whoever worked on it before, if there is one.
        """
    public static let effect: Effect = .write(idempotent: false)
    public static let permission: Permission = "work:write"

    public struct Arguments: ToolArguments {
        @Param(WorkName.description, .length(1...WorkName.maximumLength), .check(WorkName.problem))
        public var name: String
        @Param("How long the claim lasts unless it is renewed, in seconds", .range(1...14_400))
        public var lifetimeSeconds: Int = 900
        @Param(
            "What you call yourself, if you are one of several agents of the same user",
            .check { WorkLimits.problem($0, maximum: WorkLimits.agentLength) }
        )
        public var agent: String?
        @Param("What you are about to do: others see it, and whoever comes next; no secrets", .length(0...2000))
        public var note: String = ""
        public init() {}
    }

    private let leases: any LeaseStore
    private let bus: any EventBus

    /// Creates the tool.
    public init(stores: SharedStores) {
        self.leases = stores.leases
        self.bus = stores.bus
    }

    public func targets(_ arguments: Arguments) -> [AccessTarget] { WorkName.targets(of: arguments.name) }

    public func call(_ arguments: Arguments, _ context: ToolContext) async throws -> ClaimOutput {
        let claim: LeaseClaim
        do throws(SharedStateError) {
            claim = try await self.leases.claim(
                arguments.name,
                for: LeaseHolder(principal: context.principal.id, agent: arguments.agent),
                lifetime: .seconds(arguments.lifetimeSeconds),
                note: arguments.note
            )
        } catch {
            throw ToolError(leases: error, tool: Self.name)
        }
        switch claim {
        case .granted(let lease, let former):
            await LeaseWatch.announce(claimFor: lease.remaining, on: self.bus)
            await context.resourceUpdated(WorkName.uri(of: arguments.name))
            return ClaimOutput(lease, after: former)
        case .held(let lease): throw ToolError.held(lease, by: context.principal)
        case .reserved(let former, let remaining): throw ToolError.reserved(arguments.name, former, remaining)
        }
    }
}

/// What is allowed in the arguments of all tools of the family.
enum WorkLimits {
    static let agentLength = 128

    static func problem(_ text: String?, maximum: Int) -> String? {
        guard let text else { return nil }
        return (1...maximum).contains(text.unicodeScalars.count) ? nil : "Expected 1 to \(maximum) characters."
    }
}
