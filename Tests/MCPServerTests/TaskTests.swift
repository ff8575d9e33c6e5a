import JSON
import MCP
import MCPClient
import MCPServer
import SharedState
import Synchronization
import TestSupport
import Testing

private struct Slow: Tool {
    static let name: ToolName = "slow"
    static let description = "Takes long."
    static let effect = Effect.read
    static let permission: Permission = "test:read"

    struct Arguments: ToolArguments {
        @Param("How long, in milliseconds", .range(0...60_000)) var milliseconds: Int = 0
        @Param("Whether to fail") var fails: Bool = false
    }

    /// What it waits for besides.
    var gate: AsyncStream<Void>?

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> String {
        try await Task.sleep(for: .milliseconds(arguments.milliseconds))
        if let gate { for await _ in gate { break } }
        if arguments.fails { throw ToolError(.conflict, "It failed.") }
        return "done"
    }
}

@Suite("Tasks", .timeLimit(.minutes(1)))
struct TaskTests {
    private static let extensions: JSONObject = ["extensions": [ClientCapabilities.tasksExtension: [:]]]

    private func server(
        stores: SharedStores = .inMemory(),
        gate: AsyncStream<Void>? = nil,
        _ configure: (inout MCPServer.Options) -> Void = { _ in }
    ) -> MCPServer {
        var options = MCPServer.Options()
        options.offersOperations = true
        configure(&options)
        return MCPServer(name: "test", version: "1", options: options, stores: stores) { Slow(gate: gate).task() }
    }

    private func client(_ server: MCPServer, _ principal: Principal = .local) -> InProcessClient {
        InProcessClient(server: server, principal: principal, capabilities: Self.extensions)
    }

    /// Asks about a task until it is over.
    private func end(_ client: InProcessClient, _ id: JSONValue) async throws -> JSONObject {
        while true {
            let task = try await client.request("tasks/get", ["taskId": id])
            if task["status"] != "working" { return task }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    private func begin(_ client: InProcessClient, _ arguments: JSONObject = [:]) async throws -> JSONValue {
        let task = try await client.callTool("slow", arguments)
        #expect(task["resultType"] == "task")
        return try #require(task["taskId"])
    }

    @Test("A task is there as soon as it is announced, and has its result in the end")
    func life() async throws {
        let client = self.client(self.server())
        let id = try await self.begin(client)
        let task = try await self.end(client, id)
        #expect(task["status"] == "completed")
        #expect(task["result"]?["content"]?[0]?["text"] == "done")
        let failed = try await self.end(client, try await self.begin(client, ["fails": true]))
        #expect(failed["status"] == "completed")
        #expect(failed["result"]?["isError"] == true)
    }

    @Test("A task is there for the principal who began it, and for nobody else")
    func principal() async throws {
        let server = self.server()
        let id = try await self.begin(self.client(server), ["milliseconds": 60_000])
        let mallory = self.client(server, Principal(id: "mallory"))
        for (method, params) in [
            ("tasks/get", ["taskId": id] as JSONObject), ("tasks/cancel", ["taskId": id]),
            ("tasks/update", ["taskId": id, "inputResponses": [:]]),
        ] {
            let error = await #expect(throws: MCPError.self) { try await mallory.request(method, params) }
            #expect(error?.code == .invalidParams)
        }
        let owner = self.client(server)
        #expect(try await owner.request("tasks/get", ["taskId": id])["status"] == "working")
        _ = try await owner.request("tasks/cancel", ["taskId": id])
        #expect(try await owner.request("tasks/get", ["taskId": id])["status"] == "cancelled")
    }

    @Test("A principal may have so many tasks and no more, until one is over")
    func limit() async throws {
        let server = self.server { $0.maximumTasksPerPrincipal = 2 }
        let client = self.client(server)
        let first = try await self.begin(client, ["milliseconds": 60_000])
        _ = try await self.begin(client, ["milliseconds": 60_000])
        let error = await #expect(throws: MCPError.self) { try await client.callTool("slow", ["milliseconds": 60_000]) }
        #expect(error?.data?["code"] == "rate_limited")
        _ = try await self.begin(self.client(server, Principal(id: "other")))
        _ = try await client.request("tasks/cancel", ["taskId": first])
        // The place is free once the work has noticed.
        while (try? await client.callTool("slow", ["milliseconds": 60_000])) == nil { await Task.yield() }
    }

    @Test("A task is forgotten after its time")
    func expiry() async throws {
        let client = self.client(self.server { $0.taskLifetime = .milliseconds(1) })
        let id = try await self.begin(client)
        var error: MCPError?
        while error == nil {
            do { _ = try await client.request("tasks/get", ["taskId": id]) } catch let thrown as MCPError {
                error = thrown
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(error?.code == .invalidParams)
    }

    @Test("Tasks of a server that ends are failed, and say so")
    func shutdown() async throws {
        let server = self.server()
        let client = self.client(server)
        let id = try await self.begin(client, ["milliseconds": 60_000])
        await server.drain(within: .zero)
        #expect(try await client.request("tasks/get", ["taskId": id])["status"] == "failed")
    }

    @Test("A task whose process shows no sign of life is failed by whoever asks about it on another replica")
    func killed() async throws {
        let time = Mutex(ContinuousClock.now)
        var stores = SharedStores.inMemory()
        stores.values = InMemoryKeyValueStore(now: { time.withLock { $0 } })
        let client = self.client(self.server(stores: stores))
        let id = try await self.begin(client, ["milliseconds": 60_000])
        let other = self.client(self.server(stores: stores))
        #expect(try await other.request("tasks/get", ["taskId": id])["status"] == "working")
        // Longer than a sign of life is good for.
        time.withLock { $0 += .seconds(100) }
        #expect(try await client.request("tasks/get", ["taskId": id])["status"] == "working")
        #expect(try await other.request("tasks/get", ["taskId": id])["status"] == "failed")
        #expect(try await client.request("tasks/get", ["taskId": id])["status"] == "failed")
    }

    @Test("How a task ended is stored once the store is back")
    func storeAway() async throws {
        let store = UnreliableStore()
        var stores = SharedStores.inMemory()
        stores.values = store
        let (gate, opening) = AsyncStream<Void>.makeStream()
        let client = self.client(self.server(stores: stores, gate: gate))
        let id = try await self.begin(client)
        store.isAway = true
        opening.yield()
        await store.waitForFailures(3)
        store.isAway = false
        #expect(try await self.end(client, id)["status"] == "completed")
    }

    @Test("Mistakes in the arguments are told at once, rather than by a task that fails")
    func mistakes() async throws {
        let error = await #expect(throws: MCPError.self) {
            try await self.client(self.server()).callTool("slow", ["milliseconds": -1])
        }
        #expect(error?.code == .invalidParams)
    }

    @Test("Clients of 2025-11-25 wait for the result, list their tasks, and can't cancel what is over")
    func core() async throws {
        let server = self.server()
        let client = InProcessClient(server: server, revision: .v2025_11_25)
        let params: JSONObject = ["name": "slow", "arguments": ["milliseconds": 30], "task": ["ttl": 60_000]]
        let id = try #require(try await client.request("tools/call", params)["task"]?["taskId"])
        let result = try await client.request("tasks/result", ["taskId": id])
        #expect(result["content"]?[0]?["text"] == "done")
        #expect(result["_meta"]?[MetaKey.relatedTask] == ["taskId": id])
        #expect(try await client.request("tasks/list")["tasks"]?[0]?["taskId"] == id)
        let error = await #expect(throws: MCPError.self) { try await client.request("tasks/cancel", ["taskId": id]) }
        #expect(error?.code == .invalidParams)
    }

    @Test("A second wait with the id of one that goes on is the client's mistake")
    func duplicateWait() async throws {
        let server = self.server()
        let client = InProcessClient(server: server, revision: .v2025_11_25)
        let params: JSONObject = ["name": "slow", "arguments": ["milliseconds": 60_000], "task": ["ttl": 60_000]]
        let id = try #require(try await client.request("tools/call", params)["task"]?["taskId"])
        let exchange = Exchange(
            transport: "test",
            requestID: "r",
            principal: .local,
            revision: .v2025_11_25,
            scope: "s",
            sink: NoMessages()
        )
        let wait = JSONRPCRequest(id: .integer(7), method: "tasks/result", params: ["taskId": id])
        try await withThrowingTaskGroup(of: MCPError.Code?.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    guard case .failure(let error)? = await server.respond(to: wait, exchange)?.result else {
                        return nil
                    }
                    return error.code
                }
            }
            // One waits, so the other one is answered first, whichever came first.
            #expect(try await group.next() == .invalidRequest)
            _ = try await client.request("tasks/cancel", ["taskId": id])
            #expect(try await group.next() == .invalidParams)
        }
    }

    @Test("Clients without tasks begin an operation with one call and look at it with another")
    func operations() async throws {
        let client = InProcessClient(server: self.server(), revision: .v2024_11_05)
        let names = try await client.listTools().compactMap { $0["name"]?.stringValue }
        #expect(names == ["slow", "operation.start", "operation.get", "operation.cancel"])
        func call(_ name: String, _ arguments: JSONObject) async throws -> JSONValue {
            let text = try await client.callTool(name, arguments)["content"]?[0]?["text"]?.stringValue
            return try JSONValue(parsing: text ?? "")
        }
        let started = try await call("operation.start", ["tool": "slow", "arguments": ["milliseconds": 20]])
        let id = try #require(started["operation_id"])
        let done = try await call("operation.get", ["operation_id": id, "wait_ms": 10_000])
        #expect(done["status"] == "completed")
        #expect(done["result"] == "done")
        let long = try await call("operation.start", ["tool": "slow", "arguments": ["milliseconds": 60_000]])
        let cancelled = try await call("operation.cancel", ["operation_id": try #require(long["operation_id"])])
        #expect(cancelled["status"] == "cancelled")
        let unknown = try await client.callTool("operation.get", ["operation_id": "none"])
        #expect(unknown["isError"] == true)
    }
}
