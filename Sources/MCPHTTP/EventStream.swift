import Hummingbird
import MCP
import MCPServer
import NIOCore

/// The stream of one request: its notifications, then its response, as server-sent events.
///
/// The stream begins with the first notification. A request that ends without any is answered with plain JSON, so that
/// errors keep their status. Notifications that a slow reader leaves waiting are bounded; more are dropped, which the
/// specification allows for progress. The response is never dropped.
///
/// Specification: 2026-07-28, basic/transports/streamable-http, "Server-Sent Events".
struct EventStream: MessageSink {
    /// How many notifications wait for a slow reader.
    private static let maximumWaiting = 256

    private let notifications: AsyncStream<ByteBuffer>
    private let continuation: AsyncStream<ByteBuffer>.Continuation

    init() {
        (self.notifications, self.continuation) = AsyncStream.makeStream(
            bufferingPolicy: .bufferingOldest(Self.maximumWaiting)
        )
    }

    func send(_ notification: JSONRPCNotification) {
        self.continuation.yield(.event(notification.json))
    }

    /// Runs a request and answers with what it yields.
    ///
    /// - Parameters:
    ///   - run: Runs the request. Its task belongs to the response: if that can't be written, the task is cancelled.
    ///   - plain: Makes the answer of a request that sent no notification.
    /// - Returns: The stream, or what `plain` makes.
    func response(
        running run: @escaping @Sendable () async -> JSONRPCResponse?,
        plain: (JSONRPCResponse?) -> Response
    ) async -> Response {
        let task = Task {
            defer { self.continuation.finish() }
            return await run()
        }
        let first = await withTaskCancellationHandler {
            var iterator = self.notifications.makeAsyncIterator()
            return await iterator.next()
        } onCancel: {
            task.cancel()
        }
        guard let first else { return plain(await task.value) }
        let notifications = self.notifications
        let body = ResponseBody { writer in
            do {
                try await writer.write(first)
                for await event in notifications {
                    try await writer.write(event)
                }
                if let response = await task.value {
                    try await writer.write(.event(response.json))
                }
                try await writer.finish(nil)
            } catch {
                task.cancel()
                throw error
            }
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/event-stream",
                .cacheControl: "no-cache",
                // Reverse proxies would otherwise hold events back.
                .xAccelBuffering: "no",
            ],
            body: body
        )
    }
}
