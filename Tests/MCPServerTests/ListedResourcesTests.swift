import JSON
import MCP
import MCPClient
import Testing

@testable import MCPServer

private struct Fixed: Resource {
    let uri: String
    var name: String { self.uri }
    func read(_ context: HandlerContext) async throws -> ResourceContents { .text("fixed") }
}

/// Resources with the numbers below a limit; odd ones are for Ada only.
private struct Numbers: ResourceTemplate {
    static let uriTemplate = "number://{value}"
    static let name = "number"

    struct Arguments: ToolArguments {
        @Param("Value", .completions { _, _ in ["from the argument"] }) var value: String
    }

    var count = 7

    func read(_ arguments: Arguments, _ context: HandlerContext) async throws -> ResourceContents {
        guard let value = Int(arguments.value), self.isVisible(value, context) else {
            throw ToolError(.notFound, "None.")
        }
        return .text("\(value)")
    }

    func list(after cursor: String?, limit: Int, _ context: HandlerContext) async throws -> ResourcePage {
        let start = cursor.flatMap(Int.init) ?? 0
        let end = min(self.count, start + limit)
        let page = (start..<end).filter { self.isVisible($0, context) }.map { value in
            ResourceDefinition(
                uri: "number://\(value)",
                Description(name: "\(value)"),
                mimeType: nil,
                size: nil,
                annotations: nil
            )
        }
        return ResourcePage(page, next: end < self.count ? "\(end)" : nil)
    }

    func suggestions(for variable: String, typed: String, _ context: HandlerContext) async throws -> Suggestions? {
        guard typed != "none" else { return nil }
        return Suggestions((0..<self.count).filter { self.isVisible($0, context) }.map(String.init), hasMore: true)
    }

    func mayHear(of arguments: Arguments, _ context: HandlerContext) async throws -> Bool {
        Int(arguments.value).map { self.isVisible($0, context) } ?? false
    }

    private func isVisible(_ value: Int, _ context: HandlerContext) -> Bool {
        value < self.count && (value.isMultiple(of: 2) || context.principal.id == "ada")
    }
}

@Suite("Resources that a family lists", .timeLimit(.minutes(1)))
struct ListedResourcesTests {
    private static func server(pageSize: Int = 3) -> MCPServer {
        var options = MCPServer.Options()
        options.pageSize = pageSize
        return MCPServer(name: "test", version: "1", options: options) {
            Fixed(uri: "fixed://a")
            Fixed(uri: "fixed://b")
            Numbers()
        }
    }

    private static func uris(_ client: InProcessClient) async throws -> (all: [String], pages: [Int]) {
        var uris: [String] = []
        var pages: [Int] = []
        var cursor: JSONValue?
        repeat {
            let page = try await client.request("resources/list", cursor.map { ["cursor": $0] } ?? [:])
            let found = page["resources"]?.arrayValue?.compactMap { $0["uri"]?.stringValue } ?? []
            uris += found
            pages.append(found.count)
            cursor = page["nextCursor"]
        } while cursor != nil && pages.count < 20
        return (uris, pages)
    }

    @Test(
        "They come after those that there are always, on as many pages as it takes",
        arguments: [1, 2, 3, 4, 9, 1000]
    )
    func pages(size: Int) async throws {
        let client = InProcessClient(server: Self.server(pageSize: size), principal: Principal(id: "ada"))
        let listed = try await Self.uris(client)
        #expect(listed.all == ["fixed://a", "fixed://b"] + (0..<7).map { "number://\($0)" })
        #expect(listed.pages.allSatisfy { $0 <= size })
    }

    @Test("Each principal gets its own, on pages that may be short")
    func principals() async throws {
        let listed = try await Self.uris(InProcessClient(server: Self.server(), principal: Principal(id: "eve")))
        #expect(listed.all == ["fixed://a", "fixed://b", "number://0", "number://2", "number://4", "number://6"])
    }

    @Test("Suggestions of the family go before those of the argument")
    func suggestions() async throws {
        let client = InProcessClient(server: Self.server(), principal: Principal(id: "eve"))
        func complete(_ typed: String) async throws -> JSONValue? {
            try await client.request(
                "completion/complete",
                [
                    "ref": ["type": "ref/resource", "uri": "number://{value}"],
                    "argument": ["name": "value", "value": .string(typed)],
                ]
            )["completion"]
        }
        #expect(try await complete("")?["values"] == ["0", "2", "4", "6"])
        #expect(try await complete("")?["hasMore"] == true)
        #expect(try await complete("")?["total"] == nil)
        #expect(try await complete("none")?["values"] == ["from the argument"])
    }

    @Test("Nobody can subscribe to what they may not hear of")
    func subscribing() async throws {
        let server = Self.server()
        let eve = InProcessClient(server: server, revision: .v2025_11_25, principal: Principal(id: "eve"))
        let ada = InProcessClient(server: server, revision: .v2025_11_25, principal: Principal(id: "ada"))
        _ = try await eve.request("resources/subscribe", ["uri": "number://2"])
        _ = try await ada.request("resources/subscribe", ["uri": "number://3"])
        for uri: JSONValue in ["number://3", "number://99", "number://x"] {
            let error = await #expect(throws: MCPError.self) {
                try await eve.request("resources/subscribe", ["uri": uri])
            }
            #expect(error?.code == .resourceNotFound)
        }
    }

    @Test("A tool's cursor opens for its list and its principal only, unchanged")
    func cursors() throws {
        let context = ToolContext(requestID: "1", principal: Principal(id: "ada"))
        let cursor = try context.cursor(["after": "x"], for: ["list": 1])
        #expect(try context.position(of: cursor, for: ["list": 1]) == ["after": "x"])
        let other = ToolContext(requestID: "1", principal: Principal(id: "eve"))
        for attempt in [
            { try other.position(of: cursor, for: ["list": 1]) },
            { try context.position(of: cursor, for: ["list": 2]) },
            { try context.position(of: cursor + "A", for: ["list": 1]) },
            { try context.position(of: "", for: ["list": 1]) },
        ] {
            let error = #expect(throws: ToolError.self) { _ = try attempt() }
            #expect(error?.code == .invalidArguments)
        }
    }
}
