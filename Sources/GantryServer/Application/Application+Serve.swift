import Hummingbird
import JSON
import KnowledgeTools
import Logging
import MCPHTTP
import MCPServer
import MCPStdio
import NIOCore
import ServiceLifecycle
import UnixSignals

extension Application {
    /// How long open connections may take to end, once all calls are done.
    private static let connectionTime = Duration.seconds(2)

    /// Serves over HTTP until the process is told to stop (SIGTERM, SIGINT).
    ///
    /// - Throws: ``StartError`` if the address can't be listened on.
    public func serve() async throws {
        Allocator.keepFreedMemory()
        let shutdown = Shutdown(server: self.server, logger: self.logger)
        let web = Hummingbird.Application(
            router: self.router(shutdown),
            // The end of a connection cancels what runs for it.
            server: .mcp(),
            configuration: ApplicationConfiguration(
                address: .hostname(self.settings.host, port: self.settings.port),
                serverName: "gantry"
            ),
            onServerRunning: { [logger = self.logger] channel in
                logger.info("serving", metadata: ["address": "\(channel.localAddress?.description ?? "unknown")"])
            },
            logger: self.logger
        )
        // The last service is stopped first: calls end while the connections that carry their answers are still open.
        var configuration = ServiceGroupConfiguration(
            services: [
                .init(service: self.watch), .init(service: self.recrawler), .init(service: web),
                .init(service: IngestService(workers: self.workers)), .init(service: shutdown),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: self.logger
        )
        configuration.maximumGracefulShutdownDuration = Shutdown.drainTime + Self.connectionTime
        do {
            try await ServiceGroup(configuration: configuration).run()
        } catch let error as IOError {
            let address = "\(self.settings.host):\(self.settings.port)"
            throw StartError("GANTRY_HOST, GANTRY_PORT: can't listen on \(address): \(error.localizedDescription)")
        } catch  where shutdown.hasBegun {
            // A connection that would not end was cut off. That is no failure of the server.
            self.logger.warning("connections cut off", metadata: ["error": "\(error)"])
        }
    }

    /// Serves one client over standard input and output until it closes its end or the process is told to stop.
    public func serveStdio() async throws {
        let shutdown = Shutdown(server: self.server, logger: self.logger)
        var configuration = ServiceGroupConfiguration(
            services: [
                .init(service: self.watch), .init(service: self.recrawler),
                .init(service: StdioService(server: self.server), successTerminationBehavior: .gracefullyShutdownGroup),
                .init(service: IngestService(workers: self.workers)),
                .init(service: shutdown),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: self.logger
        )
        configuration.maximumGracefulShutdownDuration = Shutdown.drainTime + Self.connectionTime
        try await ServiceGroup(configuration: configuration).run()
    }

    /// All routes.
    ///
    /// Tests use it without a socket.
    func router(_ shutdown: Shutdown) -> Router<BasicRequestContext> {
        let router = Router()
        let hostGuard = HostGuard(
            hosts: self.settings.allowedHosts,
            origins: self.settings.corsOrigins,
            hostsSetting: "GANTRY_ALLOWED_HOSTS",
            originsSetting: "CORS_ORIGINS"
        )
        router.add(middleware: RequestIDMiddleware())
        router.add(middleware: ConfiguredCORS(origins: self.settings.corsOrigins))

        var endpoint = MCPEndpoint.Configuration()
        endpoint.hostGuard = hostGuard
        endpoint.offersHTTPWithSSE = self.settings.offersHTTPWithSSE
        MCPEndpoint(server: self.server, configuration: endpoint).addRoutes(to: router)
        HealthRoutes(
            knowledge: self.knowledge,
            jiraIsConfigured: self.jira != nil,
            toolCount: self.server.tools(for: .local).arrayValue?.count ?? 0,
            isStopping: { shutdown.hasBegun },
            logger: self.logger
        ).add(to: router)

        let rest = router.group().add(middleware: HostGuardMiddleware(hostGuard: hostGuard))
        let tools = ToolRoutes(server: self.server, queryTool: self.wireName(KnowledgeQuery.name))
        tools.add(to: rest)
        KnowledgeRoutes(tools: tools, wireName: { self.wireName($0) }).add(to: rest)
        UploadRoute(workers: self.workers, isReadOnly: self.settings.isReadOnly, logger: self.logger).add(to: rest)
        JobRoutes(workers: self.workers, isReadOnly: self.settings.isReadOnly).add(to: rest)
        return router
    }
}

/// Runs the stdio transport, and ends it when the process is told to stop.
private struct StdioService: Service {
    let server: MCPServer

    func run() async throws {
        try await cancelWhenGracefulShutdown { try await MCPStdio(server: self.server).run() }
    }
}
