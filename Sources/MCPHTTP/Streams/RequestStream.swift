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
    /// - Returns: The stream, or the answer of a request that sent nothing before.
    nonisolated(nonsending) func response(
        to call: JSONRPCRequest,
        _ exchange: Exchange,
        from server: MCPServer
    ) async -> Response {
        let (contents, continuation) = AsyncStream<PendingAnswer.Content>.makeStream()
        let answer = PendingAnswer {
            continuation.yield($0)
            continuation.finish()
        }
        let watch = ConnectionWatch.current
        let observer = watch?.onClose { answer.cancel() }
        // Not begun on this thread: a handler that computes for long must not hold up its own deadline, the comments that
        // keep the connection alive, or the news that the client has gone.
        let task = Task {
            await self.answer(call, exchange, from: server, through: answer) {
                if let observer { watch?.remove(observer) }
            }
        }
        answer.attach(task)
        return await withTaskCancellationHandler {
            for await content in contents { return content.response }
            // Nobody waits any more.
            return Response(status: .accepted)
        } onCancel: {
            answer.cancel()
        }
    }

    /// Answers a request in the current task, which may be cancelled once the answer is given.
    ///
    /// - Parameters:
    ///   - call: The request.
    ///   - exchange: How it came.
    ///   - server: What answers it.
    ///   - answer: What is given the stream, or the answer of a request that sent nothing before.
    ///   - onEnd: Called when the client has all of the answer, or won't get it.
    nonisolated(nonsending) func answer(
        _ call: JSONRPCRequest,
        _ exchange: consuming Exchange,
        from server: MCPServer,
        through answer: PendingAnswer,
        onEnd: @escaping @Sendable () -> Void = {}
    ) async {
        let principal = exchange.principal
        let mailbox = Mailbox()
        exchange.sink = mailbox
        exchange.answerEarly = {
            mailbox.finish(with: $0)
            answer.cancel()
        }
        let reminder = self.keepAlive.add(mailbox)
        let end: @Sendable () -> Void = { [keepAlive] in
            keepAlive.remove(reminder)
            onEnd()
        }
        mailbox.onFirst {
            if mailbox.isOnlyAnswered {
                end()
                answer.give(MCPEndpoint.content(of: mailbox.response) { $0.httpStatus })
            } else {
                // The stream owns the task: it is cancelled when the client goes, or when the stream can't be written.
                let stream = Self.stream(mailbox) {
                    end()
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
        onEnd end: @escaping @Sendable () -> Void
    ) -> Response {
        let body = ResponseBody { writer in
            defer { end() }
            while let items = await mailbox.next() {
                for item in items {
                    switch item {
                    case .message(let message): try await writer.write(ServerSentEvents.event(message))
                    case .keepAlive: try await writer.write(ServerSentEvents.comment)
                    case .pause: break
                    }
                }
            }
            if let response = mailbox.response {
                try await writer.write(ServerSentEvents.event(response.json))
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: ServerSentEvents.headers, body: body)
    }
}
