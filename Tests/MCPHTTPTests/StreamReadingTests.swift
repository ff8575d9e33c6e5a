import HTTPTypes
import Hummingbird
import JSON
import MCP
import MCPServer
import NIOCore
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

@Suite("Reading streams of sessions", .timeLimit(.minutes(1)))
struct StreamReadingTests {
    @Test("A reader that is cancelled writes nothing more")
    func cancelled() async throws {
        let server = MCPServer(name: "test", version: "1") {}
        let initialize = JSONRPCRequest(
            id: .integer(1),
            method: "initialize",
            params: [
                "protocolVersion": "2025-11-25", "capabilities": [:], "clientInfo": ["name": "test", "version": "1"],
            ]
        )
        let session = try #require(await server.initialize(initialize, principal: .local).session)
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
        let routing = RoutingHeaders(headers)
        #expect(routing.say(call, meta) == false)
        #expect(throws: MCPError.self) { try routing.refuseDuplicates() }
    }
}
