import JSON
import MCP
import MCPServer
import Synchronization
import Testing

private struct Page: Resource {
    let uri = "page://1"
    let name = "Page"
    func read(_ context: HandlerContext) async throws -> ResourceContents { .text("") }
}

/// Counts the notifications of one stream and wakes who waits for them.
private final class CountingSink: MessageSink {
    let received: AsyncStream<JSONRPCNotification>
    private let continuation: AsyncStream<JSONRPCNotification>.Continuation

    init() {
        (self.received, self.continuation) = AsyncStream.makeStream()
    }

    func send(_ notification: JSONRPCNotification) { self.continuation.yield(notification) }
}

@Suite("subscriptions/listen", .timeLimit(.minutes(1)))
struct ListenTests {
    private func listen(
        _ server: MCPServer,
        _ sink: CountingSink,
        _ id: Int,
        _ filter: JSONObject,
        scope: String? = nil
    ) async -> JSONRPCResponse? {
        let exchange = Exchange(
            transport: "test",
            requestID: "r",
            principal: .local,
            revision: .v2026_07_28,
            scope: scope,
            sink: sink
        )
        let call = JSONRPCRequest(
            id: .integer(id),
            method: "subscriptions/listen",
            params: ["notifications": .object(filter)]
        )
        return await server.respond(to: call, exchange)
    }

    @Test("A thousand streams get a change that happens once, and each ends with its answer")
    func many() async throws {
        let server = MCPServer(name: "test", version: "1") { Page() }
        try await withThrowingTaskGroup(of: JSONRPCResponse?.self) { group in
            var sinks: [CountingSink] = []
            for id in 0..<1000 {
                let sink = CountingSink()
                sinks.append(sink)
                group.addTask {
                    await self.listen(server, sink, id, ["resourceSubscriptions": ["page://1", "page://2"]])
                }
            }
            var iterators = sinks.map { $0.received.makeAsyncIterator() }
            for id in 0..<1000 {
                let first = await iterators[id].next()
                #expect(first?.method == "notifications/subscriptions/acknowledged")
                // What can't be read can't be subscribed to.
                #expect(first?.params["notifications"] == ["resourceSubscriptions": ["page://1"]])
            }
            await server.resourceUpdated("page://2")
            await server.announce(.tools)
            await server.resourceUpdated("page://1")
            for id in 0..<1000 {
                let next = await iterators[id].next()
                #expect(next?.method == "notifications/resources/updated")
                #expect(next?.params["_meta"] == [MetaKey.subscriptionID: .integer(id)])
            }
            await server.drain(within: .zero)
            for try await response in group {
                #expect(try response?.result.get()["resultType"] == "complete")
            }
        }
    }

    @Test("Tasks of others are not heard of, and clients without the extension can't listen to any")
    func tasks() async throws {
        let server = MCPServer(name: "test", version: "1") { Page() }
        let response = await self.listen(server, CountingSink(), 1, ["taskIds": ["x"]])
        #expect(throws: MCPError.self) { try response?.result.get() }
    }

    @Test("A second stream with the id of one that is open is the client's mistake")
    func sameID() async throws {
        let server = MCPServer(name: "test", version: "1") { Page() }
        let sink = CountingSink()
        await withTaskGroup(of: JSONRPCResponse?.self) { group in
            group.addTask { await self.listen(server, sink, 1, [:], scope: "connection") }
            // Acknowledged.
            for await _ in sink.received { break }
            let second = await self.listen(server, CountingSink(), 1, [:], scope: "connection")
            #expect(throws: MCPError.self) { try second?.result.get() }
            if case .failure(let error)? = second?.result { #expect(error.code == .invalidRequest) }
            group.cancelAll()
        }
    }
}

@Suite("resources/subscribe", .timeLimit(.minutes(1)))
struct SubscribeTests {
    @Test("What a client subscribes to right after initialize is heard, however busy the server is")
    func atOnce() async throws {
        let server = MCPServer(name: "test", version: "1") { Page() }
        let sink = CountingSink()
        let connection = ClientConnection(server: server, transport: "test", principal: .local, sink: sink)
        let initialize: JSONValue = [
            "jsonrpc": "2.0", "id": 1, "method": "initialize",
            "params": [
                "protocolVersion": "2025-11-25", "capabilities": [:], "clientInfo": ["name": "test", "version": "1"],
            ],
        ]
        #expect(await connection.take(initialize).answer?["result"] != nil)
        let subscribe: JSONValue = [
            "jsonrpc": "2.0", "id": 2, "method": "resources/subscribe", "params": ["uri": "page://1"],
        ]
        let work = try #require(await connection.take(subscribe).work)
        #expect(await work()?["result"] != nil)
        await server.resourceUpdated("page://1")
        await server.announce(.tools)
        var notices = sink.received.makeAsyncIterator()
        #expect(await notices.next()?.method == "notifications/resources/updated")
        await connection.close()
        await server.resourceUpdated("page://1")
        #expect(await notices.next()?.method == "notifications/tools/list_changed")
    }
}
