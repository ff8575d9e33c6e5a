import MCPServer
import MCPStdio

struct Greet: Tool {
    static let name: ToolName = "greet"
    static let description = "Greets somebody by name."
    static let effect = Effect.read
    static let permission: Permission = "greeting:read"

    struct Arguments: ToolArguments {
        @Param("Whom to greet") var name: String
    }

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> String {
        "Hello, \(arguments.name)!"
    }
}

let server = MCPServer(name: "greeter", version: "1.0") { Greet() }
try await MCPStdio(server: server).run()
