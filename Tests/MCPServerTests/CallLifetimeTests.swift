import JSON
import Logging
import MCP
import MCPClient
import MCPServer
import Synchronization
import Testing

/// Keeps the records of calls.
final class Records: CallRecorder {
    private let records = Mutex<[CallRecord]>([])
    var all: [CallRecord] { self.records.withLock { $0 } }
    func record(_ record: CallRecord) { self.records.withLock { $0.append(record) } }
}

@Suite("The life of a call", .timeLimit(.minutes(1)))
struct CallLifetimeTests {
    let records = Records()
    let began: AsyncStream<Void>
    let beganContinuation: AsyncStream<Void>.Continuation
    let gate: AsyncStream<Void>
    let gateContinuation: AsyncStream<Void>.Continuation

    init() {
        (self.began, self.beganContinuation) = AsyncStream.makeStream()
        (self.gate, self.gateContinuation) = AsyncStream.makeStream()
    }

    private func server(calls: Int = 8, timeout: Duration = .seconds(60)) -> MCPServer {
        var options = MCPServer.Options()
        options.maximumConcurrentCalls = calls
        options.defaultTimeout = timeout
        return MCPServer(name: "test", version: "1", options: options, recorder: self.records) {
            Stubborn(began: self.beganContinuation, gate: self.gate)
            Echo()
        }
    }

    private func code(_ result: JSONObject) -> JSONValue? { result["_meta"]?[MetaKey.error]?["code"] }

    @Test("A tool that hangs is answered for at its deadline")
    func deadline() async throws {
        let client = InProcessClient(server: self.server(timeout: .milliseconds(30)))
        #expect(self.code(try await client.callTool("test.stubborn")) == "timeout")
        #expect(self.records.all.map(\.outcome) == ["timeout"])
        self.gateContinuation.finish()
    }

    @Test("What hangs keeps its place, and more calls than allowed are refused")
    func overload() async throws {
        let server = self.server(calls: 1)
        let client = InProcessClient(server: server)
        async let first = client.callTool("test.stubborn")
        for await _ in self.began { break }
        #expect(self.code(try await client.callTool("test.echo", ["text": "a"])) == "overloaded")
        self.gateContinuation.finish()
        #expect(try await first["structuredContent"] == ["done": true])
        #expect(try await client.callTool("test.echo", ["text": "a"])["isError"] == nil)
    }

    @Test("A cancelled caller is let go although the tool goes on")
    func cancellation() async throws {
        let client = InProcessClient(server: self.server())
        let call = Task { try await client.callTool("test.stubborn") }
        for await _ in self.began { break }
        call.cancel()
        await #expect(throws: CancellationError.self) { try await call.value }
        #expect(self.records.all.map(\.outcome) == ["cancelled"])
        self.gateContinuation.finish()
    }

    @Test("notifications/cancelled ends the call of its own scope only, and no answer follows")
    func cancelledNotification() async throws {
        let server = self.server()
        func exchange(_ scope: String) -> Exchange {
            Exchange(
                transport: "test",
                requestID: "r",
                principal: .local,
                revision: .v2025_11_25,
                scope: scope,
                sink: NoMessages()
            )
        }
        let call = JSONRPCRequest(id: .integer(7), method: "tools/call", params: ["name": "test.stubborn"])
        async let response = server.respond(to: call, exchange("mine"))
        for await _ in self.began { break }
        let cancelled = JSONRPCNotification(method: "notifications/cancelled", params: ["requestId": 7])
        await server.receive(cancelled, exchange("other"))
        #expect(self.records.all.isEmpty)
        await server.receive(cancelled, exchange("mine"))
        #expect(await response == nil)
        self.gateContinuation.finish()
    }

    @Test("Shutdown waits for calls that finish")
    func drainWaits() async throws {
        let server = self.server()
        let client = InProcessClient(server: server)
        async let call = client.callTool("test.stubborn")
        for await _ in self.began { break }
        async let drained: Void = server.drain(within: .seconds(60))
        self.gateContinuation.finish()
        await drained
        #expect(try await call["structuredContent"] == ["done": true])
        #expect(self.code(try await client.callTool("test.echo", ["text": "a"])) == "upstream_unavailable")
    }

    @Test("Shutdown ends calls that take too long with a retryable error")
    func drainEnds() async throws {
        let server = self.server()
        let client = InProcessClient(server: server)
        async let call = client.callTool("test.stubborn")
        for await _ in self.began { break }
        await server.drain(within: .milliseconds(10))
        let result = try await call
        #expect(self.code(result) == "outcome_unknown")
        #expect(result["_meta"]?[MetaKey.error]?["retryable"] == true)
        self.gateContinuation.finish()
    }

    @Test("Every call leaves one record")
    func record() async throws {
        let client = InProcessClient(server: self.server())
        _ = try await client.callTool("test.echo", ["text": "a"])
        _ = try await client.callTool("test.echo")
        #expect(self.records.all.map(\.outcome) == ["ok", "invalid_arguments"])
        #expect(self.records.all.first?.tool == "test.echo")
        #expect(self.records.all.first?.revision == "2026-07-28")
    }
}
