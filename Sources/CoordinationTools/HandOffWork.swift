public import MCPServer
public import SharedState

/// Gives a claim up for somebody else to go on.
public struct HandOffWork: Tool {
    public static let name: ToolName = "work.handoff"
    public static let title: String? = "Hand work over"
    public static let description = """
        Gives a claim up with a note on how far the work is, so that somebody else goes on with it.

        Use this tool when: you stop before the work is done: you lack something, or another agent is better at it. Write \
        into note what is done, what is left, and where things are.
        Do not use it for: work that is done (work.release).

        With to, only that user or agent can claim it for reserve_seconds; then anybody can. Example: {"name": \
        "jira:ENG-12", "fencing_token": 1764208320000000, "note": "Cause found: the retry in client.swift. Fix and test \
        are missing.", "to": "coder-1"}

        Whoever claims it within a day gets the note as handover.
        """
    public static let effect: Effect = .write(idempotent: false)
    public static let permission: Permission = "work:write"

    public struct Arguments: ToolArguments {
        @Param(WorkName.description, .length(1...WorkName.maximumLength), .check(WorkName.problem))
        public var name: String
        @Param("What work.claim returned", .range(1...Int.max)) public var fencingToken: Int
        @Param("What is done and what is left; no secrets", .length(1...2000)) public var note: String
        @Param(
            "For whom: a user as work.list shows them, or the agent name of another agent of yours; anybody without",
            .check { WorkLimits.problem($0, maximum: 256) }
        )
        public var to: String?
        @Param("How long it is kept for them alone, in seconds", .range(1...86_400))
        public var reserveSeconds: Int = 600
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
            LeaseHandover(note: arguments.note, to: arguments.to, reservation: .seconds(arguments.reserveSeconds)),
            context,
            tool: Self.name
        )
    }
}
