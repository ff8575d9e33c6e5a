import Hummingbird
import JSON
import MCP
import MCPServer
import NIOCore

/// The stream of one request of 2026-07-28: its notifications, then its response.
///
/// The stream begins with the first notification, or when the call takes long. A request that is answered before is
/// answered with plain JSON, so that errors keep their status.
///
/// Specification: 2026-07-28, basic/transports/streamable-http, "Server-Sent Events".
struct RequestStream: Sendable {
    let keepAlive: KeepAlive

    /// Runs a request and answers with what it yields.
    ///
    /// If the client closes its connection, the request is cancelled.
    ///
    /// - Parameters:
    ///   - run: Runs the request with a place for its notifications.
    ///   - plain: Makes the answer of a request that sent no notification.
    /// - Returns: The stream, or what `plain` makes.
    func response(
        running run: @escaping @Sendable (any MessageSink) async -> JSONRPCResponse?,
        plain: (JSONRPCResponse?) -> Response
    ) async -> Response {
        let mailbox = Mailbox()
        // Owned by the response: it is cancelled when the client goes, or when the response can't be written.
        // Begun on this thread: most requests are answered before anybody has to wait for them.
        let task = Task.immediate {
            let response = await run(mailbox)
            mailbox.finish(with: response)
            return response
        }
        if mailbox.isAnswered { return plain(mailbox.response) }
        let watch = ConnectionWatch.current
        let observer = watch?.onClose { task.cancel() }
        let reminder = self.keepAlive.add(mailbox)
        let end: @Sendable () -> Void = { [keepAlive] in
            keepAlive.remove(reminder)
            if let observer { watch?.remove(observer) }
        }
        let first = await withTaskCancellationHandler {
            await mailbox.next()
        } onCancel: {
            task.cancel()
        }
        guard let first else {
            let response = await task.value
            end()
            return plain(response)
        }
        let body = ResponseBody { writer in
            defer { end() }
            do {
                var items: [Mailbox.Item]? = first
                while let some = items {
                    for item in some {
                        switch item {
                        case .message(let message): try await writer.write(ServerSentEvents.event(message))
                        case .keepAlive: try await writer.write(ServerSentEvents.comment)
                        case .pause: break
                        }
                    }
                    items = await mailbox.next()
                }
                if let response = await task.value {
                    try await writer.write(ServerSentEvents.event(response.json))
                }
                try await writer.finish(nil)
            } catch {
                task.cancel()
                throw error
            }
        }
        return Response(status: .ok, headers: ServerSentEvents.headers, body: body)
    }
}
