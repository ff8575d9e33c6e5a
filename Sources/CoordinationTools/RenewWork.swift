public import MCPServer
public import SharedState

/// Goes on with a claim.
public struct RenewWork: Tool {
    public static let name: ToolName = "work.renew"
    public static let title: String? = "Renew a claim"
    public static let description = """
        Makes a claim last for another lifetime_seconds, counted from now.

        Use this tool when: the work takes longer than your claim; renew it when about a third of its time is left. With \
        note you can tell others how far you are.
        Do not use it for: claims that have expired, or that others hold. The call fails with conflict then: stop working, \
        since somebody else may have begun.

        Example: {"name": "jira:ENG-12", "fencing_token": 1764208320000000, "note": "Fix written, tests running"}

        Returns the claim with its new expires_at.
        """
    public static let effect: Effect = .write(idempotent: true)
    public static let permission: Permission = "work:write"

    public struct Arguments: ToolArguments {
        @Param(WorkName.description, .length(1...WorkName.maximumLength), .check(WorkName.problem))
        public var name: String
        @Param("What work.claim returned", .range(1...Int.max)) public var fencingToken: Int
        @Param("How long the claim lasts from now on, in seconds", .range(1...14_400))
        public var lifetimeSeconds: Int = 900
        @Param(
            "Another note; left as it is without",
            .check { WorkLimits.problem($0, maximum: 2000) }
        )
        public var note: String?
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
        let lease: Lease?
        do throws(SharedStateError) {
            lease = try await self.leases.renew(
                arguments.name,
                token: arguments.fencingToken,
                principal: context.principal.id,
                lifetime: .seconds(arguments.lifetimeSeconds),
                note: arguments.note
            )
        } catch {
            throw ToolError(leases: error, tool: Self.name)
        }
        guard let lease else { throw ToolError.notHeld(arguments.name) }
        // It may expire sooner than it would have.
        await LeaseWatch.announce(claimFor: lease.remaining, on: self.bus)
        await context.resourceUpdated(WorkName.uri(of: arguments.name))
        return ClaimOutput(lease, after: nil)
    }
}
