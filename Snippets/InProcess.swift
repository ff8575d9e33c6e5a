// The code of the article "Testing a server".
import JSON
import MCP
import MCPClient
import MCPServer

struct Greet: Tool {
    static let name: ToolName = "greet"
    static let description = "Greets the user."
    static let effect = Effect.read
    static let permission: Permission = "greeting:read"

    struct Reader: ToolArguments {
        @Param("Your name", .length(1...50)) var name: String
    }

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String {
        context.progress(1, total: 2)
        let answer = try await context.ask("Who are you?", for: Reader.self, key: "name")
        return "Hello, \(answer.content?.name ?? "stranger")!"
    }
}

let server = MCPServer(name: "greeter", version: "1.0") { Greet() }

// snippet.client
for revision in [ProtocolRevision.v2025_11_25, .v2026_07_28] {
    let client = InProcessClient(server: server, revision: revision) { question in
        precondition(question.method == "elicitation/create")
        precondition(question.params["message"] == "Who are you?")
        return ["action": "accept", "content": ["name": "Ada"]]
    }
    let result = try await client.callTool("greet")
    precondition(result["content"]?[0]?["text"] == "Hello, Ada!")
}
// snippet.end

// snippet.refusal
let silent = InProcessClient(server: server)
do {
    _ = try await silent.callTool("greet")
    preconditionFailure("Nobody could be asked.")
} catch let error as MCPError {
    precondition(error.code == .missingRequiredClientCapability)
}
// snippet.end

// snippet.anything
let client = InProcessClient(server: server, principal: Principal(id: "ada")) { _ in
    ["action": "decline"]
} onNotification: { notification in
    print(notification.method)
}
let tools = try await client.listTools()
precondition(tools.first?["name"] == "greet")
let greeting = try await client.callTool("greet") { progress in
    print(progress)
}
precondition(greeting["content"]?[0]?["text"] == "Hello, stranger!")
let discovery = try await client.request("server/discover")
precondition(discovery["capabilities"]?["tools"] != nil)
// snippet.end
