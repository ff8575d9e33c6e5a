// The code of the article "Long work as tasks".
import JSON
import MCP
import MCPClient
import MCPServer

// snippet.tool
struct CountBooks: Tool {
    static let name: ToolName = "library.count_books"
    static let description = "Counts the books of all shelves. Takes some minutes."
    static let effect = Effect.read
    static let permission: Permission = "library:read"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String {
        for shelf in 1...4 {
            // Throws when the task is cancelled or has run for too long.
            try await Task.sleep(for: .milliseconds(10))
            context.progress(Double(shelf), total: 4, message: "Shelf \(shelf)")
        }
        return "There are 4000 books."
    }
}
// snippet.end

struct OrderBooks: Tool {
    static let name: ToolName = "library.order_books"
    static let description = "Orders new books. Asks for the budget, then takes some minutes."
    static let effect = Effect.write(idempotent: false)
    static let permission: Permission = "library:write"

    // snippet.start
    struct Budget: ToolArguments {
        @Param("What the books may cost together", .range(1...10_000)) var euros: Int
    }

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String {
        let answer = try await context.ask("How much may we spend?", for: Budget.self, key: "budget")
        guard let budget = answer.content else { return "Nothing was ordered." }
        try context.startTask()
        // With a client that knows tasks, what follows happens in the task only.
        try await Task.sleep(for: .milliseconds(10))
        return "Ordered books for \(budget.euros) euros."
    }
    // snippet.end
}

// snippet.server
var options = MCPServer.Options()
options.taskLifetime = .seconds(3600)
options.maximumTasksPerPrincipal = 4
options.offersOperations = true

let server = MCPServer(name: "library", version: "1.0", options: options) {
    CountBooks().task(timeout: .seconds(1800))
    OrderBooks().task(.required, startsByItself: true)
}
// snippet.end

// snippet.client
let client = InProcessClient(
    server: server,
    capabilities: ["extensions": [ClientCapabilities.tasksExtension: [:]]]
)
var task = try await client.callTool("library.count_books")
let id = task["taskId"] ?? .null
while task["status"] == "working" {
    try await Task.sleep(for: .milliseconds(5))
    task = try await client.request("tasks/get", ["taskId": id])
}
print(task["result"]?["content"]?[0]?["text"] ?? .null)
// snippet.end
