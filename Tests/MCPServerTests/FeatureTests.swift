import JSON
import MCP
import MCPClient
import Testing

@testable import MCPServer

private struct Page: Resource {
    let uri: String
    var name: String { self.uri }

    func read(_ context: HandlerContext) async throws -> ResourceContents { .text("page \(self.uri)") }
}

private struct Log: ResourceTemplate {
    static let uriTemplate = "build://{branch}/{number}/log"
    static let name = "Log"
    static let mimeType: String? = "text/plain"

    struct Arguments: ToolArguments {
        @Param("Branch", .completions { typed, _ in (0..<150).map { "\(typed)\($0)" } }) var branch: String
        @Param("Number", .range(1...9)) var number: Int
    }

    func read(_ arguments: Arguments, _ context: HandlerContext) async throws -> ResourceContents {
        if arguments.number == 9 { throw ToolError(.notFound, "Gone.") }
        return .text("\(arguments.branch) \(arguments.number)")
    }
}

private struct Review: Prompt {
    static let name = "review"
    static let description = "Reviews."

    enum Depth: String, ToolEnum { case quick, thorough }
    struct Arguments: ToolArguments {
        @Param("Depth") var depth: Depth
        @Param("Most findings", .range(1...9)) var most: Int = 3
    }

    func get(_ arguments: Arguments, _ context: HandlerContext) async throws -> GetPromptResult {
        [.user("\(arguments.depth.rawValue) \(arguments.most)")]
    }
}

/// Answers something else than it declares.
private struct Liar: Tool {
    static let name: ToolName = "liar"
    static let description = "Lies."
    static let effect = Effect.read
    static let permission: Permission = "test:read"

    struct Answer: CallToolResultConvertible {
        static let outputSchema: JSONObject? = [
            "type": "object", "properties": ["count": ["type": "integer"]], "required": ["count"],
        ]
        var value: JSONValue
        func callToolResult() -> CallToolResult {
            CallToolResult(content: [.text("x")], structuredContent: self.value)
        }
    }
    struct Arguments: ToolArguments { @Param("What to answer") var value: JSONValue }

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> Answer { Answer(value: arguments.value) }
}

@Suite("Resources, prompts and lists")
struct FeatureTests {
    private func server(_ configure: (inout MCPServer.Options) -> Void = { _ in }) -> MCPServer {
        var options = MCPServer.Options()
        configure(&options)
        return MCPServer(name: "test", version: "1", options: options) {
            Liar()
            for number in 0..<5 { Page(uri: "page://\(number)") }
            Log()
            Review()
        }
    }

    private func error(
        _ server: MCPServer,
        _ method: String,
        _ params: JSONObject,
        _ revision: ProtocolRevision = .v2026_07_28,
        _ principal: Principal = .local
    ) async -> MCPError? {
        let client = InProcessClient(server: server, revision: revision, principal: principal)
        do {
            _ = try await client.request(method, params)
            return nil
        } catch {
            return error as? MCPError
        }
    }

    @Test("Variables are read from addresses, decoded, and never reach beyond their segment")
    func templates() {
        let template = URITemplate("build://{branch}/{number}/log")
        #expect(template.match("build://main/7/log") == ["branch": "main", "number": "7"])
        #expect(template.match("build://f%C3%BCr%20x/7/log") == ["branch": "für x", "number": "7"])
        for uri in [
            "build://main/7/log/", "build://main/log", "build:///7/log", "build://a%2Fb/7/log", "build://../7/log",
            "build://%2e%2e/7/log", "build://./7/log", "build://%zz/7/log", "build://%ff/7/log", "other://main/7/log",
        ] {
            #expect(template.match(uri) == nil, "\(uri)")
        }
        #expect(URITemplate("file:///{+path}").match("file:///a/b.txt") == ["path": "a/b.txt"])
    }

    @Test("Resources are read by address or by template; what is not there has the code of the revision")
    func reading() async throws {
        let server = self.server()
        let client = InProcessClient(server: server)
        let page = try await client.request("resources/read", ["uri": "page://3"])
        #expect(page["contents"] == [["uri": "page://3", "text": "page page://3"]])
        #expect(page["cacheScope"] == "private")
        let log = try await client.request("resources/read", ["uri": "build://main/4/log"])
        #expect(log["contents"]?[0]?["text"] == "main 4")
        #expect(log["contents"]?[0]?["mimeType"] == "text/plain")
        for uri in ["page://9", "build://main/9/log"] {
            let modern = await self.error(server, "resources/read", ["uri": .string(uri)])
            #expect(modern?.code == .invalidParams)
            #expect(modern?.data == ["uri": .string(uri)])
            let legacy = await self.error(server, "resources/read", ["uri": .string(uri)], .v2025_11_25)
            #expect(legacy?.code == .resourceNotFound)
        }
    }

    @Test("A server tells which permission a request needs")
    func permissions() {
        let server = self.server()
        func permission(_ method: String, _ params: JSONObject) -> Permission? {
            server.permission(for: JSONRPCRequest(id: .integer(1), method: method, params: params))
        }
        #expect(permission("tools/call", ["name": "liar"]) == "test:read")
        #expect(permission("prompts/get", ["name": "review"]) == "mcp:read")
        #expect(permission("resources/read", ["uri": "build://main/4/log"]) == "mcp:read")
        #expect(permission("tools/call", ["name": "unknown"]) == nil)
        #expect(permission("tools/list", [:]) == nil)
    }

    @Test("Arguments of prompts are strings that become values; mistakes are all named")
    func prompts() async throws {
        let server = self.server()
        let client = InProcessClient(server: server)
        let prompt = try await client.request(
            "prompts/get",
            ["name": "review", "arguments": ["depth": "quick", "most": "5"]]
        )
        #expect(prompt["messages"]?[0]?["content"]?["text"] == "quick 5")
        let error = await self.error(
            server,
            "prompts/get",
            ["name": "review", "arguments": ["depth": "x", "most": "99"]]
        )
        #expect(error?.code == .invalidParams)
        #expect(error?.data?["errors"]?.arrayValue?.count == 2)
        #expect(await self.error(server, "prompts/get", ["name": "none"])?.code == .invalidParams)
        #expect(
            await self.error(server, "prompts/get", ["name": "review", "arguments": ["depth": 1]])?.code
                == .invalidParams
        )
    }

    @Test("At most 100 values are suggested; enumerations suggest themselves")
    func completion() async throws {
        let client = InProcessClient(server: self.server())
        let many = try await client.request(
            "completion/complete",
            [
                "ref": ["type": "ref/resource", "uri": "build://{branch}/{number}/log"],
                "argument": ["name": "branch", "value": "b"],
            ]
        )
        #expect(many["completion"]?["values"]?.arrayValue?.count == 100)
        #expect(many["completion"]?["total"] == 150)
        #expect(many["completion"]?["hasMore"] == true)
        let few = try await client.request(
            "completion/complete",
            ["ref": ["type": "ref/prompt", "name": "review"], "argument": ["name": "depth", "value": "th"]]
        )
        #expect(few["completion"]?["values"] == ["thorough"])
    }

    @Test("Pages follow each other; a cursor serves one principal and one list")
    func pages() async throws {
        let server = self.server { $0.pageSize = 2 }
        let client = InProcessClient(server: server)
        var uris: [String] = []
        var cursors: [JSONValue] = []
        var cursor: JSONValue?
        repeat {
            let page = try await client.request("resources/list", cursor.map { ["cursor": $0] } ?? [:])
            uris += page["resources"]?.arrayValue?.compactMap { $0["uri"]?.stringValue } ?? []
            cursor = page["nextCursor"]
            if let cursor { cursors.append(cursor) }
        } while cursor != nil
        #expect(uris == (0..<5).map { "page://\($0)" })
        #expect(cursors.count == 2)
        let params: JSONObject = ["cursor": cursors[0]]
        #expect(await self.error(server, "tools/list", params)?.code == .invalidParams)
        #expect(
            await self.error(server, "resources/list", params, .v2026_07_28, Principal(id: "eve"))?.code
                == .invalidParams
        )
        for cursor: JSONValue in ["", "2", "v1.AAAA", 2] {
            #expect(await self.error(server, "resources/list", ["cursor": cursor])?.code == .invalidParams)
        }
    }

    @Test("An answer that does not fit its own schema does not reach the client")
    func outputSchema() async throws {
        let client = InProcessClient(server: self.server())
        let right = try await client.callTool("liar", ["value": ["count": 1]])
        #expect(right["structuredContent"] == ["count": 1])
        let wrong = try await client.callTool("liar", ["value": ["count": "secret"]])
        #expect(wrong["isError"] == true)
        #expect(wrong["_meta"]?[MetaKey.error]?["code"] == "internal")
        #expect(JSONValue.object(wrong).serializedString().contains("secret") == false)
    }

    @Test("Who calls too often is told how long to wait; others are not held up")
    func rateLimit() async throws {
        let server = self.server { $0.limits.principal.rate = RateLimit(burst: 2, perSecond: 0.001) }
        let eager = InProcessClient(server: server, principal: Principal(id: "eager"))
        for _ in 0..<2 { #expect(try await eager.callTool("liar", ["value": ["count": 1]])["isError"] == nil) }
        let error = try await eager.callTool("liar", ["value": ["count": 1]])["_meta"]?[MetaKey.error]
        #expect(error?["code"] == "rate_limited")
        #expect((error?["retry_after_ms"]?.intValue ?? 0) > 100_000)
        #expect(await self.error(server, "prompts/get", ["name": "review", "arguments": ["depth": "quick"]]) == nil)
        let other = InProcessClient(server: server, principal: Principal(id: "other"))
        #expect(try await other.callTool("liar", ["value": ["count": 1]])["isError"] == nil)
    }

    @Test("What is offered can be replaced while the server runs, and clients are told which lists changed")
    func replacing() async throws {
        let server = self.server()
        await server.replaceFeatures { Page(uri: "page://only") }
        let client = InProcessClient(server: server)
        #expect(try await client.listTools().isEmpty)
        #expect(try await client.request("resources/list")["resources"]?.arrayValue?.count == 1)
        #expect(await self.error(server, "prompts/list", [:])?.code == .methodNotFound)
    }
}
