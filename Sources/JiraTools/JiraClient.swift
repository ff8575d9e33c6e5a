import MCPServer

/// An issue of the backlog.
public struct JiraIssue: Sendable, Equatable {
    public var key: String
    /// The project that Jira says it is in, if it says so.
    public var projectKey: String?
    public var summary: String
    public var status: String
    public var priority: String?
    public var assignee: String?

    public init(
        key: String,
        projectKey: String?,
        summary: String,
        status: String,
        priority: String?,
        assignee: String?
    ) {
        self.key = key
        self.projectKey = projectKey
        self.summary = summary
        self.status = status
        self.priority = priority
        self.assignee = assignee
    }
}

/// What the tools need of Jira.
public protocol JiraClient: Sendable {
    /// The first issues that a query finds.
    ///
    /// - Throws: ``ToolError``
    func issues(jql: String, maximum: Int, deadline: ContinuousClock.Instant) async throws -> [JiraIssue]

    /// Whether there is a project with this key that the server's account may see.
    ///
    /// - Throws: ``ToolError``
    func hasProject(_ key: String, deadline: ContinuousClock.Instant) async throws -> Bool
}
