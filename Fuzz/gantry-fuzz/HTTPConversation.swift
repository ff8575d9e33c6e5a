import HTTPTypes
import Hummingbird
import JSON
import Logging
import MCP
import MCPHTTP
import NIOCore
import Synchronization

/// What the endpoint answered.
struct HTTPAnswer: Sendable {
    /// An event of a stream that holds a message.
    struct Event: Sendable {
        var id: String?
        var data: [UInt8]
    }

    var status: Int
    var headers: HTTPFields
    var body: [UInt8]

    /// The messages in the body, be it JSON or a stream of events.
    func messages() throws -> [ServerMessage] {
        if self.body.isEmpty { return [] }
        if self.headers[.contentType] == "text/event-stream" {
            return try self.events().flatMap { try ServerMessage.all(in: $0.data) }
        }
        try expect(
            self.headers[.contentType] == "application/json",
            "The body has the type \(self.headers[.contentType] ?? "nil")."
        )
        return try ServerMessage.all(in: self.body)
    }

    /// The events that hold messages.
    func events() throws -> [Event] {
        // JSON has no line feeds of its own here, so that an event ends with the first empty line.
        var events: [Event] = []
        var event = Event(data: [])
        let lines = self.body.split(separator: 0x0A, omittingEmptySubsequences: false)
        try expect(lines.suffix(2).allSatisfy(\.isEmpty), "The last event has no end.")
        for line in lines {
            if line.isEmpty {
                if event.data.isEmpty == false { events.append(event) }
                event = Event(data: [])
            } else if line.starts(with: "data: ".utf8) {
                event.data += line.dropFirst(6)
            } else if line.starts(with: "id: ".utf8) {
                event.id = String(decoding: line.dropFirst(4), as: UTF8.self)
            } else {
                let isKnown = line == [UInt8(ascii: ":")] || line.starts(with: "retry: ".utf8)
                try expect(isKnown, "A line of the stream is not part of an event.")
            }
        }
        return events
    }
}

/// A client that is not there: it hands requests to the endpoint as if they had come over the network.
struct HTTPClient: Sendable {
    /// What the client does with an event as it comes.
    enum Reaction: Sendable {
        case read, close
    }

    private let responder: any HTTPResponder<FuzzContext>

    init(_ endpoint: MCPEndpoint) {
        let router = Router(context: FuzzContext.self)
        endpoint.addRoutes(to: router)
        self.responder = router.buildResponder()
    }

    /// Sends a request and reads the answer.
    ///
    /// - Parameters:
    ///   - body: The body.
    ///   - headers: The headers.
    ///   - authority: The host.
    ///   - method: The method.
    ///   - react: Called with each message of a stream; when it says so, the connection is closed.
    /// - Returns: The answer.
    /// - Throws: What the endpoint throws, which it should not.
    func send(
        _ body: [UInt8],
        headers: HTTPFields,
        authority: String = "localhost:8000",
        method: HTTPRequest.Method = .post,
        react: @escaping @Sendable (JSONValue) async throws -> Reaction = { _ in .read }
    ) async throws -> HTTPAnswer {
        let collected = CollectedBody(react)
        let response = try await self.response(body, headers, authority, method)
        do {
            try await response.body.write(collected)
        } catch is ClientGone {
            // As was wanted.
        }
        return HTTPAnswer(status: response.status.code, headers: response.headers, body: collected.bytes)
    }

    /// Opens a stream and goes away soon after.
    func open(headers: HTTPFields, authority: String = "localhost:8000") async throws -> HTTPAnswer {
        let collected = CollectedBody { _ in .read }
        let response = try await self.response([], headers, authority, .get)
        let reading = Task { [body = response.body] in try await body.write(collected) }
        await Task.yield()
        reading.cancel()
        try await reading.value
        return HTTPAnswer(status: response.status.code, headers: response.headers, body: collected.bytes)
    }

    private func response(
        _ body: [UInt8],
        _ headers: HTTPFields,
        _ authority: String,
        _ method: HTTPRequest.Method
    ) async throws -> Response {
        let head = HTTPRequest(
            method: method,
            scheme: "http",
            authority: authority,
            path: "/mcp",
            headerFields: headers
        )
        let request = Request(head: head, body: RequestBody(buffer: ByteBuffer(bytes: body)))
        return try await self.responder.respond(to: request, context: FuzzContext(source: FuzzSource()))
    }
}

private struct FuzzSource: RequestContextSource {
    static let quiet = Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() }
    let logger = Self.quiet
}

private struct FuzzContext: RequestContext {
    typealias Source = FuzzSource

    var coreContext: CoreRequestContextStorage

    init(source: FuzzSource) {
        self.coreContext = CoreRequestContextStorage(source: source)
    }
}

/// The client has closed its connection.
private struct ClientGone: Error {}

/// Takes the body of a response.
private final class CollectedBody: ResponseBodyWriter, Sendable {
    private let buffer = Mutex<[UInt8]>([])
    private let react: @Sendable (JSONValue) async throws -> HTTPClient.Reaction

    init(_ react: @escaping @Sendable (JSONValue) async throws -> HTTPClient.Reaction) {
        self.react = react
    }

    var bytes: [UInt8] { self.buffer.withLock { $0 } }

    func write(_ buffer: ByteBuffer) async throws {
        let bytes = Array(buffer.readableBytesView)
        self.buffer.withLock { $0.append(contentsOf: bytes) }
        // An event is written in one piece.
        let data = bytes.split(separator: 0x0A).first { $0.starts(with: "data: {".utf8) }
        guard let data, let message = try? JSONValue(parsing: Array(data.dropFirst(6))) else { return }
        if try await self.react(message) == .close { throw ClientGone() }
    }

    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}

extension HTTPField.Name {
    static let mcpSessionID = Self.named("Mcp-Session-Id")
    static let mcpProtocolVersion = Self.named("MCP-Protocol-Version")
    static let mcpMethod = Self.named("Mcp-Method")
    static let mcpName = Self.named("Mcp-Name")
    static let lastEventID = Self.named("Last-Event-ID")

    static func named(_ name: String) -> Self {
        guard let field = Self(name) else { preconditionFailure("\(name) is no header name") }
        return field
    }
}
