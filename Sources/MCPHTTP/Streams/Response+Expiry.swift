import Foundation
import HTTPTypes
import Hummingbird
import MCPServer
import NIOCore

extension Response {
    /// The same answer, but an event stream ends when the credentials end with which it was opened.
    ///
    /// What a session's stream has not told yet can be had by resuming it with newer credentials. A request of 2026-07-28
    /// is cancelled, as if the client had closed the stream.
    ///
    /// Specification: 2026-07-28, basic/authorization, "Token Handling": expired tokens open nothing.
    func ending(with principal: Principal) -> Response {
        guard let expiry = principal.expiry, self.headers[.contentType] == ServerSentEvents.headers[.contentType] else {
            return self
        }
        var response = self
        response.body = ResponseBody { [body] writer in
            let box = WriterBox(writer)
            let time = Duration.seconds(max(0, expiry - Date().timeIntervalSince1970))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await body.write(OpenWriter(box: box)) }
                group.addTask { try await Task.sleep(for: time) }
                // Whichever comes first; a stream that is cancelled ends by itself.
                defer { group.cancelAll() }
                try await group.next()
            }
            // A task that was cancelled can't end the stream.
            try await box.writer.finish(nil)
        }
        return response
    }
}

/// Writes a body, but leaves its end to somebody else.
private struct OpenWriter: ResponseBodyWriter {
    let box: WriterBox

    mutating func write(_ buffer: ByteBuffer) async throws { try await self.box.writer.write(buffer) }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
