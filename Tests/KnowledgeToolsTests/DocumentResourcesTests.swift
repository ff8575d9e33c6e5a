import Foundation
import JSON
import Knowledge
import MCP
import MCPClient
import MCPServer
import Testing

@testable import KnowledgeTools

@Suite("Documents as resources", .timeLimit(.minutes(1)))
struct DocumentResourcesTests {
    @Test(
        "Addresses hold any identifier, and give it back",
        arguments: [
            "docs/keys.md", "/srv/docs/a b.md", "ünï/漢.md", "a%2Fb", "a?b#c", "notes.jsonl:17",
        ]
    )
    func addresses(id: String) async throws {
        let bench = try ToolBench()
        try await bench.base.ingest([Document(id: id, title: "T", text: "The text of it.")])
        let uri = DocumentResources.uri(of: id)
        #expect(uri.allSatisfy { $0.isASCII && $0 != " " && $0 != "?" && $0 != "#" })
        let client = InProcessClient(server: bench.server)
        let read = try await client.request("resources/read", ["uri": .string(uri)])
        #expect(read["contents"]?[0]?["text"] == "The text of it.")
        #expect(read["contents"]?[0]?["uri"]?.stringValue == uri)
        #expect(read["contents"]?[0]?["_meta"]?["dev.gantry/document"]?["content_is_untrusted"] == true)
        let listed = try await client.request("resources/list")
        #expect(listed["resources"]?[0]?["uri"]?.stringValue == uri)
    }

    @Test("They are listed page by page, in both eras", arguments: [ProtocolRevision.v2025_06_18, .v2026_07_28])
    func listing(revision: ProtocolRevision) async throws {
        let bench = try ToolBench(pageSize: 3)
        try await bench.fill(8)
        let client = InProcessClient(server: bench.server, revision: revision)
        var uris: [String] = []
        var cursor: JSONValue?
        var pages = 0
        repeat {
            let page = try await client.request("resources/list", cursor.map { ["cursor": $0] } ?? [:])
            uris += page["resources"]?.arrayValue?.compactMap { $0["uri"]?.stringValue } ?? []
            cursor = page["nextCursor"]
            pages += 1
        } while cursor != nil && pages < 10
        #expect(uris == (0..<8).map { "gantry://documents/docs/00\($0).md" })
        #expect(pages == 3)
        let templates = try await client.request("resources/templates/list")
        #expect(templates["resourceTemplates"]?[0]?["uriTemplate"] == "gantry://documents/{+id}")
    }

    @Test("Identifiers are completed")
    func completion() async throws {
        let bench = try ToolBench()
        try await bench.fill(105)
        try await bench.base.ingest([Document(id: "zebra", text: "stripes")])
        let client = InProcessClient(server: bench.server)
        func complete(_ typed: String) async throws -> JSONValue? {
            try await client.request(
                "completion/complete",
                [
                    "ref": ["type": "ref/resource", "uri": "gantry://documents/{+id}"],
                    "argument": ["name": "id", "value": .string(typed)],
                ]
            )["completion"]
        }
        #expect(try await complete("z")?["values"] == ["zebra"])
        #expect(try await complete("zebra")?["values"] == ["zebra"])
        #expect(try await complete("docs/01")?["values"]?.arrayValue?.count == 10)
        let all = try await complete("")
        #expect(all?["values"]?.arrayValue?.count == 100)
        #expect(all?["hasMore"] == true)
        #expect(try await complete("nothing")?["values"] == [])
    }

    @Test("What isn't there can't be read or subscribed to")
    func missing() async throws {
        let bench = try ToolBench()
        try await bench.fill(1)
        let client = InProcessClient(server: bench.server, revision: .v2025_11_25)
        let gone: JSONObject = ["uri": "gantry://documents/none"]
        for method in ["resources/read", "resources/subscribe"] {
            let error = await #expect(throws: MCPError.self) { try await client.request(method, gone) }
            #expect(error?.code == .resourceNotFound)
        }
        _ = try await client.request("resources/subscribe", ["uri": "gantry://documents/docs/000.md"])
    }

    @Test("A text that is too large to be read as a whole says how to read it")
    func tooLarge() async throws {
        let bench = try ToolBench()
        let text = String(repeating: "A sentence of some words that go on. ", count: 32_000)
        let report = try await bench.base.ingest([Document(id: "huge", text: text)])
        try #require(report.addedCount == 1)
        let client = InProcessClient(server: bench.server)
        let error = await #expect(throws: MCPError.self) {
            try await client.request("resources/read", ["uri": "gantry://documents/huge"])
        }
        #expect(error?.data?["code"] == "result_too_large")
        #expect(error?.data?["suggested_action"]?.stringValue?.contains("knowledge.get_document") == true)
    }
}
