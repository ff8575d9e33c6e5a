import JSON
import MCP
import MCPClient
import MCPServer
import Synchronization
import Testing

@Suite("Calling tools")
struct ToolCallTests {
    let client = InProcessClient(
        server: MCPServer(name: "test", version: "1") {
            Echo()
            Steps()
            Failing()
        }
    )

    private func errors(_ result: JSONObject) -> [String: String] {
        let errors = result["_meta"]?[MetaKey.error]?["errors"]?.arrayValue ?? []
        return Dictionary(
            uniqueKeysWithValues: errors.map { ($0["pointer"]?.stringValue ?? "", $0["message"]?.stringValue ?? "") }
        )
    }

    @Test("Arguments arrive, defaults fill in, and the answer is structured and text")
    func echo() async throws {
        let result = try await self.client.callTool(
            "test.echo",
            ["text": "hi", "colour": "red", "sizes": [["unit": "cm"], ["unit": "m", "width": 9.0]], "even": 4]
        )
        let expected: JSONValue = [
            "text": "hi", "note": nil, "colour": "red", "widths": [2, 9], "lines": [["number": 3, "is_last": true]],
            "counts": ["even": 4],
        ]
        #expect(result["structuredContent"] == expected)
        #expect(result["content"]?[0]?["text"]?.stringValue.map { try? JSONValue(parsing: $0) } == expected)
        #expect(result["isError"] == nil)
        #expect(result["resultType"] == "complete")
    }

    @Test("All mistakes of a call are named at once, each with its pointer")
    func mistakes() async throws {
        let result = try await self.client.callTool(
            "test.echo",
            [
                "text": "too long", "how_often": 11, "colour": "gren", "even": 3, "sizes": [["width": 0]], "txt": 1,
                "note": 5,
            ]
        )
        #expect(result["isError"] == true)
        let errors = self.errors(result)
        #expect(
            Set(errors.keys) == [
                "/text", "/how_often", "/colour", "/even", "/sizes/0/width", "/sizes/0/unit", "/txt", "/note",
            ]
        )
        #expect(errors["/colour"]?.contains("did you mean green?") == true)
        #expect(errors["/txt"]?.contains("did you mean text?") == true)
        #expect(errors["/how_often"]?.contains("1 to 10") == true)
        #expect(result["_meta"]?[MetaKey.error]?["code"] == "invalid_arguments")
        #expect(result["_meta"]?[MetaKey.error]?["error_type"] == "validation")
    }

    @Test("A required argument that is missing is named")
    func missing() async throws {
        let errors = self.errors(try await self.client.callTool("test.echo"))
        #expect(errors == ["/text": "Required: What to say"])
    }

    @Test("Input and output schemas are JSON Schemas that valid calls and answers pass")
    func schemas() async throws {
        let tool = try #require(try await self.client.listTools().first)
        #expect(tool["name"] == "test.echo")
        let input = try JSONSchema(try #require(tool["inputSchema"]))
        #expect(try input.violations(in: ["text": "hi", "note": "x"]).isEmpty)
        #expect(try input.violations(in: ["text": "hi", "how_often": 0]).count == 1)
        #expect(try input.violations(in: ["how_often": 1]).count == 1)
        let output = try JSONSchema(try #require(tool["outputSchema"]))
        let result = try await self.client.callTool("test.echo", ["text": "hi"])
        #expect(try output.violations(in: try #require(result["structuredContent"])).isEmpty)
        #expect(try output.violations(in: ["text": 1]).isEmpty == false)
        #expect(tool["outputSchema"]?["properties"]?["note"]?["type"] == ["string", "null"])
        #expect(tool["outputSchema"]?["properties"]?["text"]?["description"] == "What was said")
        #expect(tool["inputSchema"]?["properties"]?["how_often"]?["default"] == 3)
        #expect(tool["annotations"]?["readOnlyHint"] == true)
    }

    @Test("Progress goes forward only")
    func progress() async throws {
        let seen = Mutex<[JSONValue?]>([])
        _ = try await self.client.callTool("test.steps") { params in
            seen.withLock { $0.append(params["progress"]) }
        }
        #expect(seen.withLock { $0 } == [1, 2, 3])
    }

    @Test("A failure that the tool foresaw reaches the model, without its cause")
    func foreseen() async throws {
        let result = try await self.client.callTool("test.failing", ["foreseen": true])
        let error = try #require(result["_meta"]?[MetaKey.error])
        #expect(error["code"] == "not_found")
        #expect(error["retry_after_ms"] == 1500)
        #expect(JSONValue.object(result).serializedString().contains("hunter2") == false)
    }

    @Test("A failure that nobody foresaw tells nothing of itself")
    func unforeseen() async throws {
        let result = try await self.client.callTool("test.failing", ["foreseen": false])
        #expect(result["_meta"]?[MetaKey.error]?["code"] == "internal")
        #expect(JSONValue.object(result).serializedString().contains("hunter2") == false)
    }

    @Test("An unknown tool is a protocol error, in every revision", arguments: ProtocolRevision.all)
    func unknownTool(revision: ProtocolRevision) async throws {
        let client = InProcessClient(server: MCPServer(name: "test", version: "1") { Echo() }, revision: revision)
        let error = await #expect(throws: MCPError.self) { try await client.callTool("test.ecko") }
        #expect(error?.code == .invalidParams)
        #expect(error?.message == "There is no tool test.ecko; did you mean test.echo?")
    }

    @Test("Each revision gets the fields that it knows", arguments: ProtocolRevision.all)
    func revisions(revision: ProtocolRevision) async throws {
        let client = InProcessClient(server: MCPServer(name: "test", version: "1") { Echo() }, revision: revision)
        let tool = try #require(try await client.listTools().first)
        #expect((tool["outputSchema"] != nil) == (revision >= .v2025_06_18))
        #expect((tool["annotations"] != nil) == (revision >= .v2025_03_26))
        let result = try await client.callTool("test.echo", ["text": "hi"])
        #expect((result["structuredContent"] != nil) == (revision >= .v2025_06_18))
        #expect((result["resultType"] != nil) == (revision >= .v2026_07_28))
        #expect(result["content"]?[0]?["type"] == "text")
        let list = try await client.request("tools/list")
        #expect((list["ttlMs"] != nil) == (revision >= .v2026_07_28))
    }

    @Test("What may not be called is not listed, and is refused")
    func readOnly() async throws {
        let server = MCPServer(name: "test", version: "1", authorizer: LocalAuthorizer(readOnly: true)) {
            Echo()
            Failing()
        }
        let client = InProcessClient(server: server)
        #expect(try await client.listTools().map { $0["name"] } == ["test.echo"])
        let result = try await client.callTool("test.failing", ["foreseen": true])
        #expect(result["_meta"]?[MetaKey.error]?["code"] == "forbidden")
    }

    @Test("Names with underscores for clients that refuse dots")
    func underscore() async throws {
        var options = MCPServer.Options()
        options.naming = .underscore
        let client = InProcessClient(server: MCPServer(name: "test", version: "1", options: options) { Echo() })
        #expect(try await client.callTool("test_echo", ["text": "hi"])["isError"] == nil)
    }

    @Test("An answer that is too large is refused whole")
    func resultTooLarge() async throws {
        var options = MCPServer.Options()
        options.maximumResultBytes = 20
        let client = InProcessClient(server: MCPServer(name: "test", version: "1", options: options) { Echo() })
        let result = try await client.callTool("test.echo", ["text": "hi"])
        #expect(result["_meta"]?[MetaKey.error]?["code"] == "result_too_large")
    }
}
