import HTTPTypes
import Hummingbird
import JSON
import MCP
import MCPServer
import NIOCore
import Synchronization

/// The transport of 2024-11-05: one event stream for all that the server says, and a second address for what the client
/// says.
///
/// It is deprecated, and offered only where it is switched on.
///
/// Specification: 2024-11-05, basic/transports, "HTTP with SSE".
final class SSEConnections: Sendable {
    struct Entry: Sendable {
        var connection: ClientConnection
        var mailbox: Mailbox
        var principalID: String
        /// What has to run, for the task that owns it.
        var work: AsyncStream<Work>.Continuation
    }

    /// Yields an answer, unless nobody wants one any more.
    typealias Work = @Sendable () async -> JSONValue?

    /// How many streams may be open.
    static let maximumConnections = 1000
    /// How many requests of one client wait or run at a time.
    static let maximumWork = 256

    private let entries = Mutex<[String: Entry]>([:])
    let keepAlive: KeepAlive

    init(keepAlive: KeepAlive) {
        self.keepAlive = keepAlive
    }

    func add(_ entry: Entry) -> String? {
        let id = RandomID.make()
        return self.entries.withLock { entries in
            guard entries.count < Self.maximumConnections else { return nil }
            entries[id] = entry
            return id
        }
    }

    func entry(_ id: String, for principal: Principal) -> Entry? {
        self.entries.withLock { entries in
            entries[id].flatMap { $0.principalID == principal.id ? $0 : nil }
        }
    }

    func remove(_ id: String) {
        self.entries.withLock { $0[id] = nil }
    }
}

extension MCPEndpoint {
    /// Opens the stream and says where to post.
    func openSSE(
        _ request: Request,
        _ headers: MessageHeaders,
        _ principal: Principal
    ) async throws(MCPError) -> Response {
        let mailbox = Mailbox()
        let connection = ClientConnection(
            server: self.server,
            transport: "http+sse",
            principal: principal,
            sink: mailbox,
            allowsModern: false
        )
        let (work, continuation) = AsyncStream<SSEConnections.Work>.makeStream(
            bufferingPolicy: .bufferingOldest(SSEConnections.maximumWork)
        )
        let entry = SSEConnections.Entry(
            connection: connection,
            mailbox: mailbox,
            principalID: principal.id,
            work: continuation
        )
        guard let id = self.connections.add(entry) else {
            return .error(
                MCPError(.internalError, "As many streams are open as the server allows; try again later."),
                status: .serviceUnavailable
            )
        }
        let body = ResponseBody { [connections] writer in
            let reminder = connections.keepAlive.add(mailbox)
            let box = WriterBox(writer)
            do {
                try await ConnectionWatch.cancelling {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask { await Self.run(work, to: mailbox) }
                        try await box.writer.write(ServerSentEvents.named("endpoint", "/messages?sessionId=\(id)"))
                        while let items = await mailbox.next() {
                            for item in items {
                                switch item {
                                case .message(let message):
                                    let text = message.serializedString()
                                    try await box.writer.write(ServerSentEvents.named("message", text))
                                case .keepAlive: try await box.writer.write(ServerSentEvents.comment)
                                case .pause: break
                                }
                            }
                        }
                        group.cancelAll()
                    }
                }
            } catch {
                // The client has gone.
            }
            connections.remove(id)
            connections.keepAlive.remove(reminder)
            continuation.finish()
            await connection.close()
            try await box.writer.finish(nil)
        }
        return Response(status: .ok, headers: ServerSentEvents.headers, body: body)
    }

    private static func run(_ work: AsyncStream<SSEConnections.Work>, to mailbox: Mailbox) async {
        await withDiscardingTaskGroup { group in
            for await job in work {
                group.addTask { if let answer = await job() { mailbox.answer(answer) } }
            }
        }
    }

    /// Takes a message of the client.
    func postToSSE(
        _ request: Request,
        _ headers: MessageHeaders,
        _ principal: Principal
    ) async throws(MCPError) -> Response {
        guard let id = request.uri.queryParameters["sessionId"].map(String.init),
            let entry = self.connections.entry(id, for: principal)
        else { throw MCPError(.sessionNotFound, "There is no such stream; open one with GET /sse.") }
        if let refusal = headers.refusal { return refusal }
        let value: JSONValue
        do {
            value = try await self.body(of: request, headers)
            try await self.authorize(value.arrayValue ?? [value], principal, request)
        } catch let refusal as Refusal {
            return refusal.response
        } catch {
            throw MCPError(.invalidRequest, "The body can't be read.")
        }
        let step = await entry.connection.take(value)
        if let answer = step.answer { entry.mailbox.answer(answer) }
        if let work = step.work, case .dropped = entry.work.yield(work) {
            throw MCPError(.internalError, "As many requests wait as one client may have; try again later.")
        }
        return Response(status: .accepted)
    }
}
