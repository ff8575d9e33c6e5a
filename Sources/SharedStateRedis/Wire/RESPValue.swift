import NIOCore

/// One value of RESP3, the protocol of Redis.
///
/// Specification: "Redis serialization protocol specification", version 3.
enum RESPValue {
    case null
    /// A simple string, such as `OK`.
    case simple(String)
    /// A string of bytes.
    case bulk(ByteBuffer)
    /// An error: a code in capital letters, then text.
    case error(String)
    case integer(Int64)
    /// An array, a set, or a map with keys and values in turn.
    case array([RESPValue])
    /// What the server sends by itself: a message of a channel.
    case push([RESPValue])

    var bytes: [UInt8]? {
        guard case .bulk(let buffer) = self else { return nil }
        return Array(buffer.readableBytesView)
    }

    var text: String? {
        switch self {
        case .simple(let text): text
        case .bulk(let buffer): String(buffer: buffer)
        default: nil
        }
    }

    var integer: Int64? {
        switch self {
        case .integer(let number): number
        case .bulk(let buffer): Int64(String(buffer: buffer))
        default: nil
        }
    }

    var array: [RESPValue]? {
        guard case .array(let values) = self else { return nil }
        return values
    }
}
