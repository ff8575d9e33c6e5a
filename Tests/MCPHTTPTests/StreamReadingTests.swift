import HTTPTypes
import Hummingbird
import JSON
import MCP
import MCPServer
import NIOCore
import SharedState
import Synchronization
import Testing

@testable import MCPHTTP

/// Counts what is written, and gives up when it is too much.
private final class CountingWriter: ResponseBodyWriter, Sendable {
    struct TooMuch: Error {}

    private let count = Atomic(0)

    func write(_ buffer: ByteBuffer) async throws {
        if self.count.add(1, ordering: .relaxed).newValue > 100 { throw TooMuch() }
    }

    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}

/// Tells which streams are kept although nothing happens in them.
private final class WatchedLog: EventLog {
    let log = InMemoryEventLog()
    let extended: AsyncStream<String>
    private let continuation: AsyncStream<String>.Continuation

    init() {
        (self.extended, self.continuation) = AsyncStream.makeStream()
    }

    func append(
        _ event: [UInt8],
        to stream: String,
        isLast: Bool,
        lifetime: Duration
    ) async throws(SharedStateError) -> Int {
        try await self.log.append(event, to: stream, isLast: isLast, lifetime: lifetime)
    }

    func extend(_ stream: String, lifetime: Duration) async throws(SharedStateError) {
        try await self.log.extend(stream, lifetime: lifetime)
        self.continuation.yield(stream)
    }

    func events(
        in stream: String,
        after sequence: Int,
        waitingFor wait: Duration
    ) async throws(SharedStateError) -> LoggedEvents? {
        try await self.log.events(in: stream, after: sequence, waitingFor: wait)
    }
}

@Suite("Reading streams of sessions", .timeLimit(.minutes(1)))
struct StreamReadingTests {
    @Test("The stream of a call that says nothing for long is kept as long as the call runs")
    func silent() async throws {
        let server = MCPServer(name: "test", version: "1") {}
        let session = try #require(await server.initialize(Self.initialize, principal: .local).session)
        let log = WatchedLog()
        let streams = SessionStreams(log: log, keepAliveInterval: .seconds(60), lifetime: .milliseconds(300))
        let (gate, open) = AsyncStream<Never>.makeStream()
        _ = await streams.response(in: session) { sink in
            // A message makes a stream of it; then there is silence.
            sink.send(JSONRPCNotification(method: "notifications/message"))
            for await _ in gate {}
            return JSONRPCResponse(id: .integer(1), result: .success([:]))
        } plain: { _ in
            Response(status: .ok)
        }
        var times = 0
        for await _ in log.extended {
            times += 1
            if times == 3 { break }
        }
        open.finish()
    }

    private static let initialize = JSONRPCRequest(
        id: .integer(1),
        method: "initialize",
        params: [
            "protocolVersion": "2025-11-25", "capabilities": [:], "clientInfo": ["name": "test", "version": "1"],
        ]
    )

    @Test("A reader that is cancelled writes nothing more")
    func cancelled() async throws {
        let server = MCPServer(name: "test", version: "1") {}
        let session = try #require(await server.initialize(Self.initialize, principal: .local).session)
        let streams = SessionStreams(
            log: server.eventLog,
            keepAliveInterval: .seconds(60),
            lifetime: .seconds(60)
        )
        await streams.open(streams.key(session, "1"))
        let reading = Task {
            let writer = WriterBox(CountingWriter())
            // The event that opens the stream is read already.
            try await streams.follow(session, .init(stream: "1", sequence: 1), nil, writer)
        }
        reading.cancel()
        try await reading.value
    }
}

@Suite("Headers that are there twice")
struct JoinedHeaderTests {
    @Test("Two names are not taken for one that has a comma")
    func joined() {
        let call = JSONRPCRequest(id: .integer(1), method: "resources/read", params: ["uri": "page://a, b"])
        var headers: HTTPFields = [.mcpProtocolVersion: "2026-07-28", .mcpMethod: "resources/read"]
        headers[values: .mcpName] = ["page://a", "b"]
        var meta = RequestMeta(params: [:])
        meta.protocolVersion = "2026-07-28"
        let routing = RoutingHeaders(MessageHeaders(headers))
        #expect(routing.say(call, meta) == false)
        #expect(throws: MCPError.self) { try routing.refuseDuplicates() }
    }
}
