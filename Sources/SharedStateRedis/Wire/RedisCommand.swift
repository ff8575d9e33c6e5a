import NIOCore

/// A command with its arguments, which are bytes; nothing in them can be taken for another command.
struct RedisCommand: Sendable {
    private(set) var arguments: [[UInt8]]

    init(_ name: String, _ arguments: [UInt8]...) {
        self.arguments = [Array(name.utf8)] + arguments
    }

    init(_ arguments: [[UInt8]]) {
        self.arguments = arguments
    }

    /// Writes the command as RESP wants it: an array of strings of bytes.
    func write(to buffer: inout ByteBuffer) {
        buffer.writeString("*\(self.arguments.count)\r\n")
        for argument in self.arguments {
            buffer.writeString("$\(argument.count)\r\n")
            buffer.writeBytes(argument)
            buffer.writeString("\r\n")
        }
    }
}

extension [UInt8] {
    init(redis text: String) { self = Array(text.utf8) }

    init(redis number: some BinaryInteger) { self = Array(String(number).utf8) }
}
