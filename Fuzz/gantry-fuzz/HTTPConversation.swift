import HTTPTypes
import Hummingbird
import MCPHTTP
import NIOCore
import Synchronization

/// What the endpoint answered.
struct HTTPAnswer: Sendable {
    var status: Int
    var headers: HTTPFields
    var body: [UInt8]

    /// The messages in the body, be it JSON or a stream of events.
    func messages() throws -> [ServerMessage] {
        if self.body.isEmpty { return [] }
        switch self.headers[.contentType] {
        case "application/json":
            return [try ServerMessage(self.body)]
        case "text/event-stream":
            // JSON has no line feeds of its own here, so that an event is a line and an empty one.
            return try self.body.split(separator: 0x0A).map { line in
                try expect(line.starts(with: "data: ".utf8), "A line of the stream is not an event.")
                return try ServerMessage(Array(line.dropFirst(6)))
            }
        case let type:
            throw FuzzFailure(description: "The body has the type \(type ?? "nil").")
        }
    }
}

extension MCPEndpoint {
    /// Posts a body as if it had come over the network.
    func answer(_ body: [UInt8], headers: HTTPFields, authority: String = "localhost:8000") async throws -> HTTPAnswer {
        let head = HTTPRequest(method: .post, scheme: "http", authority: authority, path: "/mcp", headerFields: headers)
        let request = Request(head: head, body: RequestBody(buffer: ByteBuffer(bytes: body)))
        let response = try await self.post(request)
        let collected = CollectedBody()
        try await response.body.write(collected)
        return HTTPAnswer(status: response.status.code, headers: response.headers, body: collected.bytes)
    }
}

/// Takes the body of a response.
private final class CollectedBody: ResponseBodyWriter {
    private let buffer = Mutex<[UInt8]>([])

    var bytes: [UInt8] { self.buffer.withLock { $0 } }

    func write(_ buffer: ByteBuffer) async throws {
        self.buffer.withLock { $0.append(contentsOf: buffer.readableBytesView) }
    }

    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}

extension HTTPField.Name {
    static let mcpSessionID = Self.named("Mcp-Session-Id")
    static let mcpProtocolVersion = Self.named("MCP-Protocol-Version")
    static let mcpMethod = Self.named("Mcp-Method")
    static let mcpName = Self.named("Mcp-Name")

    private static func named(_ name: String) -> Self {
        guard let field = Self(name) else { preconditionFailure("\(name) is no header name") }
        return field
    }
}
