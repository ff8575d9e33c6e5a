import JSON
import MCP
import MCPClient
import MCPServer
import SharedState
import Testing

private struct Waits: Tool {
    static let name: ToolName = "test.waits"
    static let description = "Waits until it is let go."
    static let effect: Effect = .read
    static let permission: Permission = "test:read"

    let gate: AsyncStream<Void>
    let begun: AsyncStream<Void>.Continuation

    struct Arguments: ToolArguments {}

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> String {
        self.begun.yield()
        for await _ in self.gate { break }
        return "done"
    }
}

private struct Quick: Tool {
    static let name: ToolName = "test.quick"
    static let description = "Does nothing."
    static let effect: Effect = .read
    static let permission: Permission = "test:read"

    struct Arguments: ToolArguments {}

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> String { "done" }
}

/// Shared state that is away.
private struct NobodyCounts: UsageLimiter {
    func take(
        _ uses: [LimitedUse],
        holder: String,
        lifetime: Duration
    ) async throws(SharedStateError) -> LimitRefusal? { throw SharedStateError(.unavailable, "away") }

    func giveBack(_ uses: [LimitedUse], holder: String) {}
}

@Suite("Limits of calls", .timeLimit(.minutes(1)))
struct CallLimitTests {
    @ServerFeatureBuilder private static func quick() -> [ServerFeature] { Quick() }

    private func server(
        stores: SharedStores = .inMemory(),
        _ limits: (inout CallLimits) -> Void,
        @ServerFeatureBuilder features: () -> [ServerFeature] = quick
    ) -> MCPServer {
        var options = MCPServer.Options()
        limits(&options.limits)
        return MCPServer(name: "test", version: "1", options: options, stores: stores, features: features)
    }

    private func error(
        _ server: MCPServer,
        _ principal: String = "a",
        _ tool: String = "test.quick"
    ) async throws -> JSONValue? {
        let client = InProcessClient(server: server, principal: Principal(id: principal))
        return try await client.callTool(tool)["_meta"]?[MetaKey.error]
    }

    @Test("Replicas that share their state count together: principals each for themselves, tools and the whole for all")
    func scopes() async throws {
        let stores = SharedStores.inMemory()
        let replicas = (0..<3).map { _ in
            self.server(stores: stores) { limits in
                limits.principal.perDay = 4
                limits.total.rate = RateLimit(burst: 6, perSecond: 0.001)
            }
        }
        for number in 0..<4 { #expect(try await self.error(replicas[number % 3]) == nil) }
        for replica in replicas {
            let error = try #require(try await self.error(replica))
            #expect(error["code"] == "rate_limited")
            #expect(error["details"]?["limit"] == "principal.daily")
            #expect(error["retryable"] == true)
            #expect((error["retry_after_ms"]?.intValue ?? 0) > 1000)
        }
        for replica in replicas.prefix(2) { #expect(try await self.error(replica, "b") == nil) }
        #expect(try await self.error(replicas[2], "b")?["details"]?["limit"] == "total.rate")
        #expect(try await self.error(replicas[2], "c")?["details"]?["limit"] == "total.rate")
    }

    @Test("A call holds its place until it ends, and others are told to come back soon")
    func concurrency() async throws {
        let (gate, open) = AsyncStream<Void>.makeStream()
        let (begun, continuation) = AsyncStream<Void>.makeStream()
        let stores = SharedStores.inMemory()
        func replica() -> MCPServer {
            self.server(stores: stores) { limits in
                limits.principal.concurrent = 1
                limits.tools["test.waits"] = .init(concurrent: 1)
            } features: {
                Waits(gate: gate, begun: continuation)
                Quick()
            }
        }
        let (first, second) = (replica(), replica())
        async let running = self.error(first, "a", "test.waits")
        for await _ in begun { break }
        let own = try #require(try await self.error(second, "a"))
        #expect(own["code"] == "rate_limited" && own["details"]?["limit"] == "principal.concurrent")
        #expect(own["retry_after_ms"] == 250)
        let other = try #require(try await self.error(second, "b", "test.waits"))
        #expect(other["code"] == "overloaded" && other["details"]?["limit"] == "tool.concurrent")
        #expect(try await self.error(second, "b") == nil)
        open.yield()
        #expect(try await running == nil)
        #expect(try await self.error(second, "a") == nil)
    }

    @Test("While shared state is away, each replica counts for itself")
    func fallback() async throws {
        var stores = SharedStores.inMemory()
        stores.limits = NobodyCounts()
        for _ in 0..<2 {
            let replica = self.server(stores: stores) { $0.principal.rate = RateLimit(burst: 2, perSecond: 0.001) }
            for _ in 0..<2 { #expect(try await self.error(replica) == nil) }
            #expect(try await self.error(replica)?["details"]?["limit"] == "principal.rate")
        }
    }
}
