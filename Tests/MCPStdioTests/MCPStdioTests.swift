import Foundation
import JSON
import MCP
import MCPServer
import Synchronization
import Testing

@testable import MCPStdio

private struct Text: ToolOutput { var text: String }

private struct Echo: Tool {
    static let name: ToolName = "echo"
    static let description = "Answers with its argument."
    static let effect = Effect.read
    static let permission: Permission = "test:read"

    struct Arguments: ToolArguments { @Param("What to say") var text: String }

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> Text {
        context.progress(1)
        return Text(text: arguments.text)
    }
}

/// Computes, without ever waiting, until the other tool is called.
private struct Busy: Tool {
    static let name: ToolName = "busy"
    static let description = "Computes until it is released."
    static let effect = Effect.read
    static let permission: Permission = "test:read"

    let isReleased: Released

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> Text {
        // Gives up in the end, so that a failure is one, and no hang.
        let end = ContinuousClock.now + .seconds(20)
        while self.isReleased.flag.load(ordering: .relaxed) == false, .now < end {}
        return Text(text: self.isReleased.flag.load(ordering: .relaxed) ? "released" : "alone")
    }
}

private struct Release: Tool {
    static let name: ToolName = "release"
    static let description = "Ends the other tool."
    static let effect = Effect.read
    static let permission: Permission = "test:read"

    let isReleased: Released

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> Text {
        self.isReleased.flag.store(true, ordering: .relaxed)
        return Text(text: "done")
    }
}

private final class Released: Sendable { let flag = Atomic(false) }

/// Runs until it is cancelled.
private struct Endless: Tool {
    static let name: ToolName = "endless"
    static let description = "Runs until it is cancelled."
    static let effect = Effect.read
    static let permission: Permission = "test:read"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> Text {
        try await Task.sleep(for: .seconds(3600))
        return Text(text: "")
    }
}

@Suite("stdio", .timeLimit(.minutes(1)))
struct MCPStdioTests {
    private static let envelope: JSONValue = [
        "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": [:],
    ]

    private static func initializeParams(_ version: JSONValue) -> JSONObject {
        ["protocolVersion": version, "capabilities": [:], "clientInfo": ["name": "test", "version": "1"]]
    }

    /// Sends all the input at once, closes it, and returns the lines of the answer.
    private func talk(_ input: [UInt8], _ configuration: MCPStdio.Configuration = .init()) async throws -> [JSONValue] {
        let toServer = Pipe()
        let fromServer = Pipe()
        let released = Released()
        let server = MCPServer(name: "test", version: "1") {
            Echo()
            Endless()
            Busy(isReleased: released)
            Release(isReleased: released)
        }
        let stdio = MCPStdio(
            server: server,
            configuration: configuration,
            input: toServer.fileHandleForReading.fileDescriptor,
            output: fromServer.fileHandleForWriting.fileDescriptor
        )
        async let served: Void = stdio.run()
        let writer = Thread {
            try? toServer.fileHandleForWriting.write(contentsOf: Data(input))
            try? toServer.fileHandleForWriting.close()
        }
        writer.start()
        // The answers of these tests fit into the pipe, so that nobody has to read before the end.
        try await served
        try fromServer.fileHandleForWriting.close()
        let output = try fromServer.fileHandleForReading.readToEnd() ?? Data()
        return try output.split(separator: 0x0a).map { try JSONValue(parsing: Array($0)) }
    }

    private func talk(_ messages: [JSONValue]) async throws -> [JSONValue] {
        try await self.talk(messages.flatMap { $0.serialized() + [0x0a] })
    }

    private func call(_ id: JSONValue, _ method: String, _ params: JSONObject = [:], modern: Bool = true) -> JSONValue {
        var params = params
        if modern { params["_meta"] = Self.envelope }
        return ["jsonrpc": "2.0", "id": id, "method": .string(method), "params": .object(params)]
    }

    @Test("A modern client needs no handshake; ids keep their type")
    func modern() async throws {
        let answers = try await self.talk([
            self.call("a", "server/discover"),
            self.call(2, "tools/call", ["name": "echo", "arguments": ["text": "é\nline"]]),
        ])
        #expect(answers.first { $0["id"] == "a" }?["result"]?["supportedVersions"] == ["2026-07-28"])
        let result = answers.first { $0["id"] == 2 }?["result"]
        #expect(result?["structuredContent"] == ["text": "é\nline"])
    }

    @Test("A legacy client begins with initialize")
    func legacy() async throws {
        let answers = try await self.talk([
            self.call(1, "tools/list", modern: false),
            self.call(2, "initialize", Self.initializeParams("2025-06-18"), modern: false),
            ["jsonrpc": "2.0", "method": "notifications/initialized"],
            self.call(3, "ping", modern: false),
            self.call(4, "initialize", Self.initializeParams("2025-06-18"), modern: false),
            self.call(5, "tools/list"),
        ])
        func answer(_ id: Int) -> JSONValue? { answers.first { $0["id"] == .integer(id) } }
        #expect(answer(1)?["error"]?["code"] == -32600)
        #expect(answer(2)?["result"]?["protocolVersion"] == "2025-06-18")
        #expect(answer(3)?["result"] == [:])
        #expect(answer(4)?["error"]?["code"] == -32600)
        #expect(answer(5)?["error"]?["code"] == -32600)
    }

    @Test("initialize on a connection of 2026-07-28 is answered with the revisions that are spoken")
    func crossEra() async throws {
        let answers = try await self.talk([
            self.call(1, "server/discover"),
            self.call(2, "initialize", Self.initializeParams("2025-11-25"), modern: false),
        ])
        #expect(answers.first { $0["id"] == 2 }?["error"]?["code"] == -32022)
    }

    @Test(
        "What is not a message is answered without an id, and the connection goes on",
        arguments: [
            ("{", -32700), ("\u{feff}{}", -32700), ("[]", -32600), ("{\"jsonrpc\":\"1.0\",\"id\":1}", -32600),
            ("{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"x\"}", -32600),
            ("{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"x\"}", -32600),
        ]
    )
    func malformed(line: String, code: Int) async throws {
        let answers = try await self.talk(Array((line + "\n").utf8) + self.call(9, "server/discover").serialized())
        #expect(answers.count == 2)
        #expect(answers.first?["error"]?["code"] == .integer(code))
        #expect(answers.last?["id"] == 9)
    }

    @Test("Bad UTF-8, a line that is too long, and JSON that is too deep are refused")
    func limits() async throws {
        var configuration = MCPStdio.Configuration()
        configuration.maximumLineBytes = 1000
        configuration.maximumDepth = 10
        let lines: [[UInt8]] = [
            [0x22, 0xff, 0x22], Array(repeating: 0x20, count: 1001), Array(repeating: 0x5b, count: 11),
            self.call(1, "server/discover").serialized(),
        ]
        let answers = try await self.talk(Array(lines.joined(separator: [0x0a])), configuration)
        #expect(answers.map { $0["error"]?["code"] } == [-32700, -32600, -32700, nil])
        #expect(answers.last?["id"] == 1)
    }

    @Test("Progress comes before the answer, and only if it was asked for")
    func progress() async throws {
        var meta = try #require(Self.envelope.objectValue)
        meta["progressToken"] = "p"
        let params: JSONObject = ["name": "echo", "arguments": ["text": "x"], "_meta": .object(meta)]
        let call: JSONValue = ["jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": .object(params)]
        let answers = try await self.talk([call])
        #expect(answers.count == 2)
        #expect(answers.first?["method"] == "notifications/progress")
        #expect(answers.first?["params"] == ["progressToken": "p", "progress": 1])
    }

    @Test("A cancellation on the line after its request ends it, and no answer follows")
    func cancellation() async throws {
        let answers = try await self.talk([
            self.call(1, "tools/call", ["name": "endless"]),
            ["jsonrpc": "2.0", "method": "notifications/cancelled", "params": ["requestId": 1]],
            self.call(2, "server/discover"),
        ])
        #expect(answers.map { $0["id"] } == [2])
    }

    @Test("A tool that computes for long does not hold up the next line")
    func busy() async throws {
        let answers = try await self.talk([
            self.call(1, "tools/call", ["name": "busy", "arguments": [:]]),
            self.call(2, "tools/call", ["name": "release", "arguments": [:]]),
        ])
        #expect(answers.first { $0["id"] == 1 }?["result"]?["structuredContent"] == ["text": "released"])
        #expect(answers.first { $0["id"] == 2 }?["result"]?["structuredContent"] == ["text": "done"])
    }

    @Test("At the end of input, what still runs gets a retryable error")
    func endOfInput() async throws {
        var configuration = MCPStdio.Configuration()
        configuration.drainTime = .milliseconds(20)
        let answers = try await self.talk(self.call(1, "tools/call", ["name": "endless"]).serialized(), configuration)
        #expect(answers.first?["result"]?["_meta"]?[MetaKey.error]?["code"] == "outcome_unknown")
    }

    @Test("More requests than run at a time are all answered")
    func manyRequests() async throws {
        var configuration = MCPStdio.Configuration()
        configuration.maximumRequests = 4
        let calls = (1...200).map {
            self.call(.integer($0), "tools/call", ["name": "echo", "arguments": ["text": "x"]]).serialized()
        }
        let answers = try await self.talk(Array(calls.joined(separator: [0x0a])), configuration)
        #expect(Set(answers.compactMap { $0["id"]?.intValue }) == Set(1...200))
    }
}

@Suite("Cutting bytes into lines")
struct LineSplitterTests {
    @Test("Lines are the same however the bytes are cut", arguments: 1...7)
    func pieces(size: Int) {
        let bytes = Array("one\r\n\ntwo\nvery long line\nthree".utf8)
        var splitter = LineSplitter(maximumBytes: 8)
        var lines: [LineReader.Line] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            let piece = Array(bytes[start..<min(start + size, bytes.count)])
            lines += piece.withUnsafeBytes { splitter.lines(in: $0) }
        }
        #expect(lines == [.bytes(Array("one".utf8)), .bytes(Array("two".utf8)), .tooLong])
        #expect(splitter.rest() == .bytes(Array("three".utf8)))
        #expect(splitter.rest() == nil)
    }
}

@Suite("Writing lines")
struct LineWriterTests {
    @Test("After the end nothing is written, whoever still sends")
    func end() async throws {
        let pipe = Pipe()
        let writer = LineWriter(descriptor: pipe.fileHandleForWriting.fileDescriptor)
        writer.write(["id": 1])
        await writer.finish()
        writer.write(["id": 2])
        #expect(writer.send(JSONRPCRequest(id: .integer(3), method: "ping")) == false)
        try pipe.fileHandleForWriting.close()
        #expect(try pipe.fileHandleForReading.readToEnd() == Data("{\"id\":1}\n".utf8))
    }

    @Test("What is too long to be written at once comes before what is sent after it")
    func order() async throws {
        let pipe = Pipe()
        let writer = LineWriter(descriptor: pipe.fileHandleForWriting.fileDescriptor)
        // More than a pipe holds, so the thread waits until somebody reads.
        let long = String(repeating: "x", count: 200_000)
        writer.write(["text": .string(long)])
        writer.write(["id": 2])
        let reader = Task.detached { try pipe.fileHandleForReading.readToEnd() }
        await writer.finish()
        try pipe.fileHandleForWriting.close()
        #expect(try await reader.value == Data("{\"text\":\"\(long)\"}\n{\"id\":2}\n".utf8))
    }
}
