import HTTPTypes
import Hummingbird
import JSON
import NIOCore

/// Server-sent events as the protocol uses them: one message on one `data` line.
enum ServerSentEvents {
    static var headers: HTTPFields {
        [
            .contentType: "text/event-stream",
            .cacheControl: "no-cache",
            // Reverse proxies would otherwise hold events back.
            .xAccelBuffering: "no",
        ]
    }

    /// A comment, which clients pass over.
    static let comment = ByteBuffer(string: ":\n\n")

    /// A message.
    static func event(_ message: JSONValue) -> ByteBuffer {
        var bytes = Array("data: ".utf8)
        message.write(to: &bytes)
        bytes.append(contentsOf: "\n\n".utf8)
        return ByteBuffer(bytes: bytes)
    }

    /// A message as it was logged, under the id that a client can go on after.
    static func event(_ message: [UInt8], id: String) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(message.count + id.utf8.count + 16)
        buffer.writeString("id: \(id)\ndata: ")
        buffer.writeBytes(message)
        buffer.writeString("\n\n")
        return buffer
    }

    /// An event without data, so that a client can go on from the start of a stream.
    static func priming(id: String) -> ByteBuffer {
        ByteBuffer(string: "id: \(id)\ndata: \n\n")
    }

    /// When to come back after the stream has been closed.
    static func retry(after delay: Duration) -> ByteBuffer {
        let milliseconds = delay / .milliseconds(1)
        return ByteBuffer(string: "retry: \(Int(milliseconds.rounded(.up)))\n\n")
    }

    /// An event of the old transport, which names its events.
    static func named(_ name: String, _ data: String) -> ByteBuffer {
        ByteBuffer(string: "event: \(name)\ndata: \(data)\n\n")
    }
}
