import NIOCore

/// What a server sent that isn't RESP3, or is more than is taken.
struct RESPError: Error {
    var message: String
}

/// Reads values out of the bytes of a connection.
struct RESPDecoder: NIOSingleStepByteToMessageDecoder {
    typealias InboundOut = RESPValue

    /// The longest text of a simple string, an error or a number.
    static let maximumLine = 64 << 10
    /// The longest string of bytes; more than any value that Gantry keeps.
    static let maximumBulk = 64 << 20
    /// The most elements of an array.
    static let maximumElements = 1 << 20
    /// How deep arrays may lie in arrays.
    static let maximumDepth = 8

    mutating func decode(buffer: inout ByteBuffer) throws -> RESPValue? {
        let start = buffer.readerIndex
        guard let value = try Self.value(in: &buffer, depth: 0) else {
            buffer.moveReaderIndex(to: start)
            return nil
        }
        return value
    }

    mutating func decodeLast(buffer: inout ByteBuffer, seenEOF: Bool) throws -> RESPValue? {
        try self.decode(buffer: &buffer)
    }

    /// - Returns: Nothing if the value isn't complete yet.
    private static func value(in buffer: inout ByteBuffer, depth: Int) throws -> RESPValue? {
        guard depth <= self.maximumDepth else { throw RESPError(message: "arrays are nested too deeply") }
        guard let type = buffer.readInteger(as: UInt8.self), let line = try self.line(in: &buffer) else { return nil }
        switch type {
        case UInt8(ascii: "+"): return .simple(line)
        case UInt8(ascii: "-"): return .error(line)
        case UInt8(ascii: ":"), UInt8(ascii: "("): return .integer(try self.number(line))
        case UInt8(ascii: "_"): return .null
        case UInt8(ascii: "#"): return .integer(line == "t" ? 1 : 0)
        case UInt8(ascii: ","): return .simple(line)
        case UInt8(ascii: "$"), UInt8(ascii: "="): return try self.bulk(line, in: &buffer).map { $0 ?? .null }
        case UInt8(ascii: "!"):
            guard let value = try self.bulk(line, in: &buffer) else { return nil }
            return .error(value?.text ?? "")
        case UInt8(ascii: "*"), UInt8(ascii: "~"): return try self.array(line, times: 1, in: &buffer, depth)
        case UInt8(ascii: "%"): return try self.array(line, times: 2, in: &buffer, depth)
        case UInt8(ascii: ">"):
            guard case .array(let values)? = try self.array(line, times: 1, in: &buffer, depth) else { return nil }
            return .push(values)
        default: throw RESPError(message: "a value begins with the byte \(type)")
        }
    }

    /// Reads up to the end of a line, and past it.
    private static func line(in buffer: inout ByteBuffer) throws -> String? {
        let view = buffer.readableBytesView
        guard let end = view.prefix(self.maximumLine).firstIndex(of: UInt8(ascii: "\r")) else {
            guard view.count < self.maximumLine else { throw RESPError(message: "a line is too long") }
            return nil
        }
        guard view.endIndex > end + 1 else { return nil }
        guard view[end + 1] == UInt8(ascii: "\n") else { throw RESPError(message: "a line does not end as it should") }
        let text = buffer.readString(length: end - view.startIndex)
        buffer.moveReaderIndex(forwardBy: 2)
        return text
    }

    private static func number(_ text: String) throws -> Int64 {
        guard let number = Int64(text) else { throw RESPError(message: "a number is expected") }
        return number
    }

    /// - Returns: Nothing if the string isn't complete; nothing inside of something for the null of RESP2.
    private static func bulk(_ length: String, in buffer: inout ByteBuffer) throws -> RESPValue?? {
        let length = try self.number(length)
        if length == -1 { return .some(.none) }
        guard (0...Int64(self.maximumBulk)).contains(length) else { throw RESPError(message: "a string is too long") }
        guard buffer.readableBytes >= Int(length) + 2, let slice = buffer.readSlice(length: Int(length)) else {
            return .none
        }
        buffer.moveReaderIndex(forwardBy: 2)
        return .some(.bulk(slice))
    }

    private static func array(
        _ count: String,
        times: Int64,
        in buffer: inout ByteBuffer,
        _ depth: Int
    ) throws -> RESPValue? {
        let count = try self.number(count)
        if count == -1 { return .null }
        guard (0...Int64(self.maximumElements)).contains(count) else {
            throw RESPError(message: "an array has too many elements")
        }
        var values: [RESPValue] = []
        // What is announced is not believed before it is there.
        values.reserveCapacity(min(Int(count * times), buffer.readableBytes))
        for _ in 0..<count * times {
            guard let value = try self.value(in: &buffer, depth: depth + 1) else { return nil }
            values.append(value)
        }
        return .array(values)
    }
}
