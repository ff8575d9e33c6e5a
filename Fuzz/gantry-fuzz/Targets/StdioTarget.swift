import Foundation
import JSON
import MCP
import MCPServer
import MCPStdio

/// The lines of the stdio transport, and a whole conversation over it.
///
/// The pieces in which bytes arrive make no difference. Each request gets one answer with its id, each line that makes no
/// sense gets an error, and nothing else is answered. Requests of the wrong era get an error too, and so do batches
/// outside of sessions that have them.
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
        // Nobody answers what is asked.
        configuration.drainTime = .milliseconds(5)
        try await MCPStdio(
            server: FuzzServer.make(),
            configuration: configuration,
            input: self.input.fileDescriptor,
            output: self.output.fileDescriptor
        ).run()
        try self.output.seek(toOffset: 0)
        let output = [UInt8](try self.output.readToEnd() ?? Data())
        try expect(output.isEmpty || output.last == 0x0A, "The last line has no end.")
        return try output.split(separator: 0x0A).flatMap { try ServerMessage.all(in: Array($0)) }
    }

    private func check(_ messages: [ServerMessage], _ lines: [LineReader.Line]) throws -> Outcome {
        var conversation = ExpectedConversation()
        var isExact = true
        for line in lines {
            guard case .bytes(let bytes) = line else {
                conversation.take(.error(.invalidRequest, nil))
                continue
            }
            conversation.take(ExpectedAnswer(to: bytes, maximumDepth: Self.maximumDepth))
            // A cancellation may or may not come in time.
            if bytes.contains(UInt8(ascii: "\\")) || String(decoding: bytes, as: UTF8.self).contains("cancelled") {
                isExact = false
            }
        }
        var tally = conversation.tally
        for message in messages where message.isAnswer { tally.add(message) }
        try tally.check(isExact: isExact)
        if messages.contains(where: \.isRequest) {
            try expect(conversation.hasSession, "The server sent a request to a client without a session.")
        }
        var hasher = Hasher()
        hasher.combine(Set(messages.filter(\.isAnswer).map(\.outcome)))
        hasher.combine(Set(messages.map { $0.json["method"] }))
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

/// The rules for what is said first, once more.
private struct ExpectedConversation {
    private enum Era {
        case undecided, modern
        case session(ProtocolRevision)
    }

    private static let legacyMethods: Set<String> = ["initialize", "ping", "logging/setLevel", "tasks/list"]

    private(set) var tally = AnswerTally()
    private var era = Era.undecided

    var hasSession: Bool { if case .session = self.era { true } else { false } }

    mutating func take(_ expected: ExpectedAnswer) {
        switch expected {
        case .error(let code, let id): self.tally.want(id, code: code)
        case .answer(let call): self.tally.want(call.id, code: self.take(call))
        case .silence: break
        case .batch(let parts):
            guard case .session(let revision) = self.era, revision == .v2025_03_26,
                ExpectedAnswer.batchSizes.contains(parts.count)
            else {
                self.tally.want(nil, code: .invalidRequest)
                return
            }
            for part in parts { self.take(part) }
        }
    }

    /// - Returns: The error that the request has to be answered with, if it is known.
    private mutating func take(_ call: JSONRPCRequest) -> MCPError.Code? {
        let meta = call.params["_meta"]
        let hasEnvelope =
            meta?[MetaKey.protocolVersion] != nil || meta?[MetaKey.clientCapabilities] != nil
        switch self.era {
        case .session:
            return hasEnvelope || call.method == "initialize" ? .invalidRequest : nil
        case .modern where call.method == "initialize" && hasEnvelope == false:
            return .unsupportedProtocolVersion
        case .undecided where hasEnvelope == false && call.method == "initialize":
            return self.initialize(call.params)
        case .undecided where hasEnvelope == false && call.method == "ping":
            return nil
        case .undecided where hasEnvelope == false && call.method != "server/discover":
            return .invalidRequest
        case .undecided, .modern:
            guard let version = meta?[MetaKey.protocolVersion]?.stringValue,
                meta?[MetaKey.clientCapabilities]?.objectValue != nil
            else { return .invalidParams }
            guard version == "2026-07-28" else { return .unsupportedProtocolVersion }
            self.era = .modern
            return Self.legacyMethods.contains(call.method) ? .methodNotFound : nil
        }
    }

    private mutating func initialize(_ params: JSONObject) -> MCPError.Code? {
        guard let version = params["protocolVersion"]?.stringValue,
            params["clientInfo"]?["name"]?.stringValue != nil, params["clientInfo"]?["version"]?.stringValue != nil,
            params["capabilities"]?.objectValue != nil
        else { return .invalidParams }
        let known = ["2024-11-05", "2025-03-26", "2025-06-18"].contains(version)
        self.era = .session(known ? ProtocolRevision.named(version) ?? .v2025_11_25 : .v2025_11_25)
        return nil
    }
}
