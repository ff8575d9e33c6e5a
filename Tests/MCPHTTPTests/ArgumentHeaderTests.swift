import HTTPTypes
import JSON
import MCP
import MCPServer
import Testing

@testable import MCPHTTP

private struct Counted: Tool {
    static let name: ToolName = "counted"
    static let description = "Has an argument that is repeated in a header."
    static let effect = Effect.read
    static let permission: Permission = "test:read"

    struct Arguments: ToolArguments {
        @Param("How many", .header("Count")) var count: Int
    }

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> String { "" }
}

@Suite("Headers of arguments")
struct ArgumentHeaderTests {
    @Test(
        "A header stands for the same number, however it is written, and for no other",
        arguments: [
            ("42", 42, true), ("42.0", 42, true), ("4.2e1", 42, true), ("0x2A", 42, false), ("42.5", 42, false),
            ("9007199254740993", 9_007_199_254_740_993, true), ("9007199254740992", 9_007_199_254_740_993, false),
        ]
    )
    func numbers(_ text: String, _ count: Int, _ isSame: Bool) throws {
        let headers = RoutingHeaders(MessageHeaders([try #require(HTTPField.Name("Mcp-Param-Count")): text]))
        let call = JSONRPCRequest(
            id: .integer(1),
            method: "tools/call",
            params: ["name": "counted", "arguments": ["count": .integer(count)]]
        )
        let parameters = MCPServer(name: "test", version: "1") { Counted() }.headerParameters(of: call)
        #expect(parameters.count == 1)
        var isRefused = false
        do throws(MCPError) {
            try headers.check(parameters, of: call)
        } catch {
            isRefused = true
        }
        #expect(isRefused != isSame)
    }
}
