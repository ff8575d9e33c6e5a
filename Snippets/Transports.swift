// The code of the article "HTTP and stdio".
import HTTPTypes
import Hummingbird
import MCPHTTP
import MCPServer
import MCPStdio
import ServiceLifecycle
import UnixSignals

struct Greet: Tool {
    static let name: ToolName = "greet"
    static let description = "Greets the world."
    static let effect = Effect.read
    static let permission: Permission = "greeting:read"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String { "Hello!" }
}

let server = MCPServer(name: "greeter", version: "1.0") { Greet() }

// snippet.drain
/// Lets calls end when the server is told to stop.
struct Draining: Service {
    let server: MCPServer

    func run() async throws {
        try await gracefulShutdown()
        await self.server.drain(within: .seconds(5))
    }
}
// snippet.end

func serveStandardInput() async throws {
    // snippet.stdio
    try await MCPStdio(server: server).run()
    // snippet.end
}

func serveHTTP() async throws {
    // snippet.http
    try await MCPHTTPServer(server: server, port: 8000).run()
    // snippet.end
}

func serveBesideOtherRoutes() async throws {
    // snippet.router
    let router = Router()
    MCPEndpoint(server: server).addRoutes(to: router)
    let application = Application(
        router: router,
        server: .mcp(),
        configuration: .init(address: .hostname("127.0.0.1", port: 8000))
    )
    let group = ServiceGroup(
        services: [application, Draining(server: server)],
        gracefulShutdownSignals: [.sigterm, .sigint],
        logger: application.logger
    )
    try await group.run()
    // snippet.end
}

// snippet.guard
var configuration = MCPEndpoint.Configuration()
configuration.hostGuard = HostGuard(hosts: ["mcp.example.com"], origins: ["https://console.example.com"])
configuration.maximumBodyBytes = 1 << 20

let endpoint = MCPEndpoint(server: server, configuration: configuration) { request in
    // Who asks, as the proxy in front has found out.
    guard let header = HTTPField.Name("X-Forwarded-User"), let name = request.headers[header] else {
        throw HTTPError(.unauthorized, message: "Sign in first.")
    }
    return Principal(id: name)
} authorize: { call, principal, _ in
    if server.permission(for: call) == "greeting:write", principal.id != "ada" {
        throw HTTPError(.forbidden, message: "Only Ada may do this.")
    }
}
// snippet.end

if CommandLine.arguments.contains("--stdio") {
    try await serveStandardInput()
} else {
    try await serveHTTP()
}
