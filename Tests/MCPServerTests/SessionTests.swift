import JSON
import MCP
import MCPServer
import SharedState
import Synchronization
import Testing

@Suite("Legacy sessions")
struct SessionTests {
    private func initialize(_ server: MCPServer, _ version: JSONValue) async -> (JSONRPCResponse, ClientSession?) {
        let params: JSONObject = [
            "protocolVersion": version, "capabilities": [:], "clientInfo": ["name": "test", "version": "1"],
        ]
        let call = JSONRPCRequest(id: .string("i"), method: "initialize", params: params)
        return await server.initialize(call, principal: .local)
    }

    @Test(
        "initialize agrees on the revision asked for, else on the newest that has initialize",
        arguments: [
            ("2024-11-05", "2024-11-05"), ("2025-03-26", "2025-03-26"), ("2025-06-18", "2025-06-18"),
            ("2025-11-25", "2025-11-25"), ("2026-07-28", "2025-11-25"), ("1999-01-01", "2025-11-25"),
        ]
    )
    func negotiation(asked: String, agreed: String) async throws {
        let server = MCPServer(name: "test", version: "1") { Echo() }
        let (response, session) = await self.initialize(server, .string(asked))
        #expect(try response.result.get()["protocolVersion"]?.stringValue == agreed)
        #expect(session?.revision.name == agreed)
    }

    @Test("A session is there for the principal who opened it, and for nobody else")
    func principal() async throws {
        let server = MCPServer(name: "test", version: "1") { Echo() }
        let session = try #require(await self.initialize(server, "2025-11-25").1)
        #expect(session.id.utf8.count == 32)
        #expect(try await server.session(session.id, for: .local)?.revision == .v2025_11_25)
        #expect(try await server.session(session.id, for: Principal(id: "mallory")) == nil)
        try await server.close(session)
        #expect(try await server.session(session.id, for: .local) == nil)
    }

    @Test("A session that nobody uses is forgotten, and one in use is kept")
    func expiry() async throws {
        let now = Mutex(ContinuousClock.now)
        let store = InMemoryKeyValueStore(capacity: 2) { now.withLock { $0 } }
        var stores = SharedStores.inMemory()
        stores.values = store
        let server = MCPServer(name: "test", version: "1", stores: stores) { Echo() }
        let used = try #require(await self.initialize(server, "2025-11-25").1)
        let unused = try #require(await self.initialize(server, "2025-11-25").1)
        #expect(await self.initialize(server, "2025-11-25").1 == nil, "The store is full.")
        now.withLock { $0 += .seconds(1000) }
        #expect(try await server.session(used.id, for: .local) != nil)
        now.withLock { $0 += .seconds(1000) }
        #expect(try await server.session(used.id, for: .local) != nil)
        #expect(try await server.session(unused.id, for: .local) == nil)
        #expect(await self.initialize(server, "2025-11-25").1 != nil)
    }
}
