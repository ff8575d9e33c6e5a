import MCPServer
import ServiceLifecycle

/// Lets calls end when the server is told to stop.
struct Draining: Service {
    let server: MCPServer

    func run() async throws {
        try? await gracefulShutdown()
        await self.server.drain(within: .seconds(5))
    }
}
