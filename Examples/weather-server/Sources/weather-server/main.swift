// Serves the weather over standard input and output with --stdio, else over HTTP on http://127.0.0.1:8000/mcp.
import Hummingbird
import MCPHTTP
import MCPServer
import MCPStdio
import ServiceLifecycle
import UnixSignals
import WeatherServer

/// Lets calls end when the server is told to stop.
struct Draining: Service {
    let server: MCPServer

    func run() async throws {
        try await gracefulShutdown()
        await self.server.drain(within: .seconds(5))
    }
}

let server = MCPServer.weather()
if CommandLine.arguments.contains("--stdio") {
    try await MCPStdio(server: server).run()
} else {
    let router = Router()
    MCPEndpoint(server: server).addRoutes(to: router)
    let application = Application(
        router: router,
        server: .mcp(),
        configuration: .init(address: .hostname("127.0.0.1", port: 8000))
    )
    // The last service is stopped first: calls end while the connections that carry their answers are still open.
    let group = ServiceGroup(
        services: [application, Draining(server: server)],
        gracefulShutdownSignals: [.sigterm, .sigint],
        logger: application.logger
    )
    try await group.run()
}
