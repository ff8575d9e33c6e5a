public import MCPServer
public import SharedState

/// Gives a claim up.
public struct ReleaseWork: Tool {
    public static let name: ToolName = "work.release"
    public static let title: String? = "Release a claim"
    public static let description = """
        Gives a claim up, so that others can have it at once.

        Use this tool when: the work is done, or you will not do it.
        Do not use it for: work that somebody else has to go on with (work.handoff).

        Example: {"name": "jira:ENG-12", "fencing_token": 1764208320000000, "note": "Fixed in pull request 731"}

        Whoever claims it within a day gets the note.
        """
    public static let effect: Effect = .write(idempotent: false)
    public static let permission: Permission = "work:write"

    public struct Arguments: ToolArguments {
        @Param(WorkName.description, .length(1...WorkName.maximumLength), .check(WorkName.problem))
        public var name: String
        @Param("What work.claim returned", .range(1...Int.max)) public var fencingToken: Int
        @Param("What came of it, for whoever claims it next; no secrets", .length(0...2000))
        public var note: String = ""
        public init() {}
    }

    private let leases: any LeaseStore

    /// Creates the tool.
    public init(leases: any LeaseStore) { self.leases = leases }

    public func targets(_ arguments: Arguments) -> [AccessTarget] { WorkName.targets(of: arguments.name) }

    public func call(_ arguments: Arguments, _ context: ToolContext) async throws -> EndedClaimOutput {
        try await self.leases.end(
            arguments.name,
            arguments.fencingToken,
            .release(note: arguments.note),
            context,
            tool: Self.name
        )
    }
}

extension LeaseStore {
    /// Ends a claim, and tells those who listen.
    func end(
        _ name: String,
        _ token: Int,
        _ handover: LeaseHandover,
        _ context: ToolContext,
        tool: ToolName
    ) async throws -> EndedClaimOutput {
        let isEnded: Bool
        do throws(SharedStateError) {
            isEnded = try await self.end(name, token: token, principal: context.principal.id, handover)
        } catch {
            throw ToolError(leases: error, tool: tool)
        }
        guard isEnded else { throw ToolError.notHeld(name) }
        await context.resourceUpdated(WorkName.uri(of: name))
        return EndedClaimOutput(
            name: name,
            uri: WorkName.uri(of: name),
            ended: (handover.isUnfinished ? FormerLease.End.handedOver : .released).rawValue,
            to: handover.heir,
            reservedForMs: handover.reservation.wholeMilliseconds
        )
    }
}
