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

    /// Answers a request.
    ///
    /// If the client closes its connection, the request is cancelled.
    ///
    /// - Parameters:
    ///   - call: The request.
    ///   - exchange: How it came.
    ///   - server: What answers it.
    ///   - plain: Makes the answer of a request that sent no notification.
    /// - Returns: The stream, or what `plain` makes.
    nonisolated(nonsending) func response(
        to call: JSONRPCRequest,
        _ exchange: consuming Exchange,
        from server: MCPServer,
        plain: (JSONRPCResponse?) -> Response
    ) async -> Response {
        let principal = exchange.principal
        let mailbox = Mailbox()
        exchange.sink = mailbox
        exchange.answerEarly = { mailbox.answerEarly($0) }
        // Not begun on this thread: a handler that computes for long must not hold up its own deadline, the comments that
        // keep the connection alive, or the news that the client has gone.
        let task = Task { [exchange] in
            mailbox.finish(with: await server.respond(to: call, exchange))
        }
        mailbox.attach(task)
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
            end()
            return plain(mailbox.response)
        }
        // The response owns the task: it is cancelled when the client goes, or when the response can't be written.
        return Self.stream(mailbox, after: first) {
            end()
            task.cancel()
        }.ending(with: principal)
    }

    /// Answers a request in the current task, which may be cancelled once the answer is given.
    nonisolated(nonsending) func answer(
        _ call: JSONRPCRequest,
        _ exchange: consuming Exchange,
        from server: MCPServer,
        through answer: DirectAnswer,
        plain: @escaping @Sendable (JSONRPCResponse?) -> DirectAnswer.Content
    ) async {
        let principal = exchange.principal
        let mailbox = Mailbox()
        exchange.sink = mailbox
        exchange.answerEarly = {
            mailbox.finish(with: $0)
            answer.cancel()
        }
        let reminder = self.keepAlive.add(mailbox)
        mailbox.onFirst { [keepAlive] in
            if mailbox.isOnlyAnswered {
                keepAlive.remove(reminder)
                answer.give(plain(mailbox.response))
            } else {
                let stream = Self.stream(mailbox, after: []) {
                    keepAlive.remove(reminder)
                    answer.cancel()
                }
                answer.give(.response(stream.ending(with: principal)))
            }
        }
        mailbox.finish(with: await server.respond(to: call, exchange))
    }

    /// An event stream of what a mailbox gets.
    private static func stream(
        _ mailbox: Mailbox,
        after first: [Mailbox.Item],
        onEnd end: @escaping @Sendable () -> Void
    ) -> Response {
        let body = ResponseBody { writer in
            defer { end() }
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
            if let response = mailbox.response {
                try await writer.write(ServerSentEvents.event(response.json))
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: ServerSentEvents.headers, body: body)
    }
}
