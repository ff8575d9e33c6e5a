import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import JSON
import MCP
import MCPServer
import NIOCore
import Testing

@testable import MCPHTTP

private struct Text: ToolOutput { var text: String }

private struct Echo: Tool {
    static let name: ToolName = "echo"
    static let description = "Answers with its argument."
    static let effect = Effect.read
    static let permission: Permission = "test:read"

    struct Arguments: ToolArguments {
        @Param("What to say") var text: String
        @Param("How often to report progress") var steps: Int = 0
    }

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> Text {
        for step in 0..<arguments.steps { context.progress(Double(step), total: Double(arguments.steps)) }
        return Text(text: arguments.text)
    }
}

@Suite("The HTTP endpoint")
struct MCPEndpointTests {
    struct Answer {
        var status: Int
        var headers: HTTPFields
        var body: String
        var json: JSONValue? { try? JSONValue(parsing: self.body) }
        /// The messages of an event stream.
        var events: [JSONValue] {
            self.body.split(separator: "\n\n").compactMap { try? JSONValue(parsing: String($0.dropFirst(6))) }
        }
    }

    private func send(
        _ body: String,
        _ headers: [String: String] = [:],
        method: HTTPRequest.Method = .post,
        configure: (inout MCPEndpoint.Configuration) -> Void = { _ in }
    ) async throws -> Answer {
        try await self.conversation(configure: configure) { send in try await send(method, body, headers) }
    }

    /// Several requests to one server.
    private func conversation<T: Sendable>(
        configure: (inout MCPEndpoint.Configuration) -> Void = { _ in },
        _ talk:
            @Sendable @escaping (
                @escaping @Sendable (HTTPRequest.Method, String, [String: String]) async throws -> Answer
            ) async throws -> T
    ) async throws -> T {
        var configuration = MCPEndpoint.Configuration()
        configure(&configuration)
        let router = Router()
        let server = MCPServer(name: "test", version: "1") { Echo() }
        MCPEndpoint(server: server, configuration: configuration).addRoutes(to: router)
        let application = Application(router: router)
        return try await application.test(.live) { client in
            try await talk { method, body, headers in
                var fields: HTTPFields = [
                    .contentType: "application/json", .accept: "application/json, text/event-stream",
                ]
                for (name, value) in headers {
                    fields[try #require(HTTPField.Name(name))] = value
                }
                return try await client.execute(
                    uri: "/mcp",
                    method: method,
                    headers: fields,
                    body: ByteBuffer(string: body)
                ) { response in
                    Answer(
                        status: response.status.code,
                        headers: response.headers,
                        body: String(buffer: response.body)
                    )
                }
            }
        }
    }

    private static func modern(
        _ method: String,
        _ params: JSONObject = [:],
        version: String = "2026-07-28",
        progressToken: JSONValue? = nil
    ) -> String {
        var params = params
        var meta: JSONObject = [
            MetaKey.protocolVersion: .string(version), MetaKey.clientCapabilities: [:],
        ]
        meta["progressToken"] = progressToken
        params["_meta"] = .object(meta)
        return JSONRPCRequest(id: .integer(1), method: method, params: params).json.serializedString()
    }

    private static func headers(
        _ method: String,
        name: String? = nil,
        version: String = "2026-07-28"
    ) -> [String: String] {
        var headers = ["MCP-Protocol-Version": version, "Mcp-Method": method]
        headers["Mcp-Name"] = name
        return headers
    }

    private static let echo: JSONObject = ["name": "echo", "arguments": ["text": "hi"]]

    @Test("A modern call is answered with JSON")
    func modern() async throws {
        let answer = try await self.send(Self.modern("tools/call", Self.echo), Self.headers("tools/call", name: "echo"))
        #expect(answer.status == 200)
        #expect(answer.headers[.contentType] == "application/json")
        #expect(answer.json?["result"]?["structuredContent"] == ["text": "hi"])
        #expect(answer.json?["result"]?["resultType"] == "complete")
    }

    @Test("Progress makes the answer a stream: notifications, then the result")
    func progress() async throws {
        let body = Self.modern(
            "tools/call",
            ["name": "echo", "arguments": ["text": "hi", "steps": 3]],
            progressToken: 5
        )
        let answer = try await self.send(body, Self.headers("tools/call", name: "echo"))
        #expect(answer.headers[.contentType] == "text/event-stream")
        #expect(answer.events.map { $0["params"]?["progress"] } == [0, 1, 2, nil])
        #expect(answer.events.last?["result"]?["structuredContent"] == ["text": "hi"])
    }

    @Test("A call that reports nothing is answered with JSON even if progress was asked for")
    func noProgress() async throws {
        let body = Self.modern("tools/call", Self.echo, progressToken: "p")
        let answer = try await self.send(body, Self.headers("tools/call", name: "echo"))
        #expect(answer.headers[.contentType] == "application/json")
    }

    @Test(
        "Headers that don't say what the body says are refused",
        arguments: [
            ("Mcp-Method", "tools/list"), ("Mcp-Method", ""), ("Mcp-Method", "TOOLS/CALL"), ("Mcp-Name", "ecko"),
            ("Mcp-Name", "=?base64?ZWNobw?="), ("Mcp-Name", "=?base64?ZWN!bw==?="),
            ("MCP-Protocol-Version", "2025-11-25"),
        ]
    )
    func mismatch(header: String, value: String) async throws {
        var headers = Self.headers("tools/call", name: "echo")
        headers[header] = value
        let answer = try await self.send(Self.modern("tools/call", Self.echo), headers)
        #expect(answer.status == 400)
        #expect(answer.json?["error"]?["code"] == -32020)
        #expect(answer.json?["id"] == 1)
    }

    @Test(
        "Names that are equal to Swift, but not byte by byte, are told apart",
        arguments: [("caf\u{E9}", "cafe\u{301}"), ("K", "\u{212A}")]
    )
    func equivalent(body: String, header: String) async throws {
        let body = Self.modern("tools/call", ["name": .string(body)])
        let wrapped = "=?base64?\(Data(header.utf8).base64EncodedString())?="
        let answer = try await self.send(body, Self.headers("tools/call", name: wrapped))
        #expect(answer.json?["error"]?["code"] == -32020)
    }

    @Test(
        "Header values may have blanks around them and may be wrapped in base64",
        arguments: [" echo\t", "=?base64?ZWNobw==?="]
    )
    func wrapped(name: String) async throws {
        let answer = try await self.send(Self.modern("tools/call", Self.echo), Self.headers("tools/call", name: name))
        #expect(answer.status == 200)
    }

    @Test("The envelope is checked before the headers, these before the version, that before the method")
    func ladder() async throws {
        let noEnvelope = JSONRPCRequest(id: .integer(1), method: "server/discover").json.serializedString()
        let first = try await self.send(noEnvelope, Self.headers("server/discover"))
        #expect(first.status == 400)
        #expect(first.json?["error"]?["code"] == -32602)

        let future = Self.modern("nonsense", version: "2099-01-01")
        let second = try await self.send(future, Self.headers("nonsense"))
        #expect(second.json?["error"]?["code"] == -32020)
        let third = try await self.send(future, Self.headers("nonsense", version: "2099-01-01"))
        #expect(third.status == 400)
        #expect(third.json?["error"]?["code"] == -32022)
        #expect(third.json?["error"]?["data"] == ["supported": ["2026-07-28"], "requested": "2099-01-01"])

        for method in ["nonsense", "initialize", "ping", "logging/setLevel", "resources/subscribe"] {
            let fourth = try await self.send(Self.modern(method), Self.headers(method))
            #expect(fourth.status == 404)
            #expect(fourth.json?["error"]?["code"] == -32601)
        }
    }

    @Test("A legacy session: initialize, calls, and its end")
    func session() async throws {
        try await self.conversation { send in
            let initialize = JSONRPCRequest(
                id: .string("i"),
                method: "initialize",
                params: [
                    "protocolVersion": "2025-11-25", "capabilities": [:],
                    "clientInfo": ["name": "test", "version": "1"],
                ]
            )
            let opened = try await send(
                .post,
                initialize.json.serializedString(),
                ["MCP-Protocol-Version": "2025-11-25"]
            )
            #expect(opened.status == 200)
            let id = try #require(opened.headers[HTTPField.Name.mcpSessionID])
            let headers = ["Mcp-Session-Id": id, "MCP-Protocol-Version": "2025-11-25"]
            let initialized = JSONRPCNotification(method: "notifications/initialized").json.serializedString()
            #expect(try await send(.post, initialized, headers).status == 202)

            let ping = JSONRPCRequest(id: .integer(2), method: "ping").json.serializedString()
            #expect(try await send(.post, ping, headers).json?["result"] == [:])
            let call = JSONRPCRequest(id: .integer(3), method: "tools/call", params: Self.echo).json.serializedString()
            #expect(try await send(.post, call, headers).json?["result"]?["structuredContent"] == ["text": "hi"])
            #expect(try await send(.post, ping, [:]).status == 400)
            #expect(try await send(.post, ping, ["Mcp-Session-Id": "unknown"]).status == 404)
            #expect(
                try await send(.post, ping, ["Mcp-Session-Id": id, "MCP-Protocol-Version": "1.0"]).status == 400
            )
            #expect(try await send(.get, "", [:]).status == 400)
            #expect(try await send(.put, "", headers).status == 405)
            #expect(try await send(.delete, "", headers).status == 204)
            #expect(try await send(.post, ping, headers).status == 404)
        }
    }

    @Test(
        "Hosts and origins that are not ours are refused",
        arguments: [
            ("Host", "evil.example.com"), ("Origin", "http://evil.example.com"), ("Origin", "null"),
            ("Origin", "http://localhost.evil.example.com"), ("Host", "localhost:port"), ("Origin", "file://localhost"),
            ("Host", "localhost:+80"), ("Host", "localhost:-0"), ("Host", "[localhost]"),
        ]
    )
    func foreign(header: String, value: String) throws {
        var head = HTTPRequest(method: .post, scheme: "http", authority: "localhost:8000", path: "/mcp")
        if header == "Host" { head.authority = value } else { head.headerFields[.origin] = value }
        let request = Request(head: head, body: RequestBody(buffer: ByteBuffer()))
        #expect(HostGuard().refusal(of: request) != nil)
    }

    @Test(
        "Hosts and origins that are ours are let in",
        arguments: [
            ("localhost", nil), ("LOCALHOST:1", "http://localhost:3000"), ("127.0.0.1:8000", "https://127.0.0.1"),
            ("[::1]:8000", "http://[::1]:8000"), ("gantry.example.com", "https://console.example.com"),
        ]
    )
    func own(host: String, origin: String?) throws {
        var head = HTTPRequest(method: .post, scheme: "http", authority: host, path: "/mcp")
        head.headerFields[.origin] = origin
        let request = Request(head: head, body: RequestBody(buffer: ByteBuffer()))
        let hostGuard = HostGuard(hosts: ["gantry.example.com"], origins: ["https://console.example.com"])
        #expect(hostGuard.refusal(of: request) == nil)
    }

    @Test(
        "What is not a message is refused",
        arguments: [
            ("{", 400, -32700), ("[]", 400, -32600), ("3", 400, -32600),
            ("{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", 400, -32600),
            ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":[]}", 400, -32600),
            ("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", 400, -32600),
            (String(repeating: "[", count: 65), 400, -32700),
        ]
    )
    func malformed(body: String, status: Int, code: Int) async throws {
        let answer = try await self.send(body)
        #expect(answer.status == status)
        #expect(answer.json?["error"]?["code"] == .integer(code))
    }

    @Test("Bodies that are too large, of another type, or for clients that take something else")
    func media() async throws {
        let large = try await self.send(String(repeating: " ", count: 101)) { $0.maximumBodyBytes = 100 }
        #expect(large.status == 413)
        #expect(try await self.send("{}", ["Content-Type": "text/plain"]).status == 415)
        // To Swift, a Greek question mark is a semicolon.
        #expect(try await self.send("{}", ["Content-Type": "application/json\u{37E}x"]).status == 415)
        #expect(try await self.send("{}", ["Accept": "text/html"]).status == 406)
        let body = Self.modern("server/discover")
        let wanted = [
            "*/*": 200, "application/json;q=0.9, text/event-stream": 200, "text/*, application/*": 200,
            "text/html, application/*": 406, "application/json, text/event-stream;q=0": 406,
        ]
        for (accept, status) in wanted {
            var headers = Self.headers("server/discover")
            headers["Accept"] = accept
            #expect(try await self.send(body, headers).status == status)
        }
    }

    @Test("Notifications are taken without an answer")
    func notification() async throws {
        let body = JSONRPCNotification(method: "notifications/whatever").json.serializedString()
        let answer = try await self.send(body)
        #expect(answer.status == 202)
        #expect(answer.body.isEmpty)
    }

    @Test(
        "Strict base64",
        arguments: [
            ("", []), ("TQ==", [77]), ("TWE=", [77, 97]), ("TWFu", [77, 97, 110]), ("TQ=", nil), ("TQ", nil),
            ("TR==", nil), ("T===", nil), ("TW-u", nil), ("TQ==TWFu", nil), ("=TQ=", nil),
        ] as [(String, [UInt8]?)]
    )
    func base64(text: String, bytes: [UInt8]?) {
        #expect(Base64.decode(text.utf8) == bytes)
    }
}
