import Foundation
import JSON
import MCP
import MCPServer
import MCPStdio

/// The lines of the stdio transport, and a whole conversation over it.
///
/// The pieces in which bytes arrive make no difference. Each request gets one answer with its id, each line that makes no
/// sense gets an error, and nothing else is answered.
final class StdioTarget: FuzzTarget {
    static let name = "stdio"
    static let dictionary = messageDictionary + ["\n", "\r\n", "\n\n", "\r", "\n{\"jsonrpc\":\"2.0\",\"id\":1,"]

    private static let maximumLineBytes = 1024
    private static let maximumDepth = 32
    private let input: FileHandle
    private let output: FileHandle

    init() throws {
        self.input = try Self.temporaryFile()
        self.output = try Self.temporaryFile()
    }

    func run(_ input: [UInt8]) async throws -> Outcome {
        let lines = self.lines(input, pieces: [input.count])
        var generator = SeededGenerator(seed: input)
        var pieces: [Int] = []
        while pieces.reduce(0, +) < input.count {
            pieces.append(Int.random(in: 1...Int.random(in: 1...200, using: &generator), using: &generator))
        }
        try expect(self.lines(input, pieces: pieces) == lines, "The pieces \(pieces) lead to other lines.")
        try expect(self.plainLines(input) == lines, "The lines are not those between line feeds.")
        return try await self.check(self.talk(input), lines)
    }

    // MARK: Lines

    private func lines(_ input: [UInt8], pieces: [Int]) -> [LineReader.Line] {
        var splitter = LineSplitter(maximumBytes: Self.maximumLineBytes)
        var lines: [LineReader.Line] = []
        input.withUnsafeBytes { bytes in
            var rest = bytes[...]
            for piece in pieces {
                lines += splitter.lines(in: UnsafeRawBufferPointer(rebasing: rest.prefix(piece)))
                rest = rest.dropFirst(piece)
            }
        }
        return lines + [splitter.rest()].compactMap(\.self)
    }

    /// The same in the plainest way.
    private func plainLines(_ input: [UInt8]) -> [LineReader.Line] {
        input.split(separator: 0x0A, omittingEmptySubsequences: false).compactMap { line in
            if line.count > Self.maximumLineBytes { return .tooLong }
            let text = line.last == 0x0D ? line.dropLast() : line
            return text.isEmpty ? nil : .bytes(Array(text))
        }
    }

    // MARK: Conversation

    /// Sends everything, closes, and returns what came back.
    private func talk(_ input: [UInt8]) async throws -> [ServerMessage] {
        for file in [self.input, self.output] {
            try file.truncate(atOffset: 0)
        }
        try self.input.write(contentsOf: input)
        try self.input.seek(toOffset: 0)
        var configuration = MCPStdio.Configuration()
        configuration.maximumLineBytes = Self.maximumLineBytes
        configuration.maximumDepth = Self.maximumDepth
        configuration.drainTime = .milliseconds(100)
        try await MCPStdio(
            server: FuzzServer.make(),
            configuration: configuration,
            input: self.input.fileDescriptor,
            output: self.output.fileDescriptor
        ).run()
        try self.output.seek(toOffset: 0)
        let output = [UInt8](try self.output.readToEnd() ?? Data())
        try expect(output.isEmpty || output.last == 0x0A, "The last line has no end.")
        return try output.split(separator: 0x0A).map { try ServerMessage(Array($0)) }
    }

    private func check(_ messages: [ServerMessage], _ lines: [LineReader.Line]) throws -> Outcome {
        var unanswered: [JSONValue?: Int] = [:]
        var isExact = true
        for line in lines {
            var expected = ExpectedAnswer.error(.invalidRequest, nil)
            if case .bytes(let bytes) = line {
                expected = ExpectedAnswer(to: bytes, maximumDepth: Self.maximumDepth)
                // A cancellation may or may not come in time.
                if bytes.contains(UInt8(ascii: "\\")) || String(decoding: bytes, as: UTF8.self).contains("cancelled") {
                    isExact = false
                }
            }
            switch expected {
            case .error(_, let id): unanswered[id?.json, default: 0] += 1
            case .answer(let call): unanswered[call.id.json, default: 0] += 1
            case .silence: break
            case .unknown: return 0
            }
        }
        var hasher = Hasher()
        var outcomes: Set<Outcome> = []
        for message in messages where message.isNotification == false {
            outcomes.insert(message.outcome)
            unanswered[message.id, default: 0] -= 1
        }
        for (id, count) in unanswered {
            let name = id?.description ?? "what has no id"
            try expect(count >= 0, "There are \(-count) answers too many to \(name).")
            try expect(count == 0 || isExact == false, "There are \(count) answers missing to \(name).")
        }
        hasher.combine(outcomes)
        hasher.combine(messages.contains(where: \.isNotification))
        return hasher.finalize()
    }

    /// A file without a name, in memory where the system has it.
    private static func temporaryFile() throws -> FileHandle {
        let folder = FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
        let path = "\(folder)/gantry-fuzz-\(RandomID.make())"
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL, 0o600)
        guard descriptor >= 0 else { throw FuzzFailure(description: "There is no room for a file in \(folder).") }
        unlink(path)
        return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }
}
