public import SharedState

/// Remembers what seldom changes in Jira, for five minutes, so that it is not asked for again.
///
/// Issues are not among it: their answers have to be right.
public struct CachedJiraClient: JiraClient {
    /// How long it is remembered; while it is asked for again, as long again.
    public static let policy = CacheAside.Policy(lifetime: .seconds(300))

    private let jira: any JiraClient
    private let cache: CacheAside

    /// Creates a client that asks another one.
    ///
    /// - Parameters:
    ///   - jira: Whom it asks.
    ///   - cache: Where it remembers; one for each site and account.
    public init(_ jira: any JiraClient, cache: CacheAside) {
        self.jira = jira
        self.cache = cache
    }

    public func issues(jql: String, maximum: Int, deadline: ContinuousClock.Instant) async throws -> [JiraIssue] {
        try await self.jira.issues(jql: jql, maximum: maximum, deadline: deadline)
    }

    /// That there is a project is remembered; that there is none is not, since one may be made any time.
    public func hasProject(_ key: String, deadline: ContinuousClock.Instant) async throws -> Bool {
        let found = try await self.cache.value(for: key, in: "projects") { [jira] in
            try await jira.hasProject(key, deadline: deadline) ? [1] : nil
        }
        return found != nil
    }
}
