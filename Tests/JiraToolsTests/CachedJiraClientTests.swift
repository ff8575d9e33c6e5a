import JiraTools
import MCPServer
import SharedState
import Synchronization
import Testing

/// Knows some projects, and counts how often it is asked.
private final class CountingJira: JiraClient {
    private struct State {
        var projects: Set<String> = ["ENG"]
        var count = 0
        var isBroken = false
    }

    private let state = Mutex(State())
    var count: Int { self.state.withLock { $0.count } }
    func add(_ project: String) { self.state.withLock { _ = $0.projects.insert(project) } }
    func breakDown() { self.state.withLock { $0.isBroken = true } }

    func issues(jql: String, maximum: Int, deadline: ContinuousClock.Instant) async throws -> [JiraIssue] {
        self.state.withLock { $0.count += 1 }
        return []
    }

    func hasProject(_ key: String, deadline: ContinuousClock.Instant) async throws -> Bool {
        try self.state.withLock { state in
            state.count += 1
            if state.isBroken { throw ToolError(.upstreamUnavailable, "away") }
            return state.projects.contains(key)
        }
    }
}

@Suite("What is remembered of Jira")
struct CachedJiraClientTests {
    @Test("A project that is there is asked for once in five minutes; one that isn't, each time; issues always")
    func projects() async throws {
        let jira = CountingJira()
        let clock = Mutex(0)
        let client = CachedJiraClient(
            jira,
            cache: CacheAside(
                "jira",
                store: InMemoryKeyValueStore(),
                policy: CachedJiraClient.policy,
                now: { clock.withLock { $0 } },
                random: { 0 }
            )
        )
        func hasProject(_ key: String) async throws -> Bool { try await client.hasProject(key, deadline: .now) }
        for _ in 0..<3 { #expect(try await hasProject("ENG")) }
        #expect(jira.count == 1)
        for _ in 0..<2 { #expect(try await hasProject("OPS") == false) }
        #expect(jira.count == 3)
        jira.add("OPS")
        #expect(try await hasProject("OPS"))
        for _ in 0..<2 { _ = try await client.issues(jql: "", maximum: 1, deadline: .now) }
        #expect(jira.count == 6)
        jira.breakDown()
        clock.withLock { $0 += 299_999 }
        #expect(try await hasProject("ENG"))
        #expect(jira.count == 6)
        // Later, Jira is asked, but its failure is not seen as long as the old answer is good.
        clock.withLock { $0 += 1 }
        #expect(try await hasProject("ENG"))
        await #expect(throws: ToolError.self) { try await hasProject("NEW") }
    }
}
