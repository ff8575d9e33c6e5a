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
        let access = HTTPAccess(self.access, server: self.server, recorder: self.recorder)
        let endpoint = self.endpoint(access)
        let web = Hummingbird.Application(
            router: self.router(shutdown, access, endpoint),
            // The end of a connection cancels what runs for it.
            server: .mcp(answering: endpoint, at: DirectRoute(serverName: "gantry", tellsRequestID: true)),
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
                .init(service: AuditService(log: self.auditLog)), .init(service: self.watch),
                .init(service: LeaseWatchService(watch: self.leaseWatch)),
                .init(service: self.recrawler), .init(service: web),
                .init(service: PolicyWatch(access: self.access, server: self.server)),
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
                .init(service: AuditService(log: self.auditLog)),
                .init(service: self.watch), .init(service: self.recrawler),
                .init(service: LeaseWatchService(watch: self.leaseWatch)),
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
    private func router(
        _ shutdown: Shutdown,
        _ access: HTTPAccess,
        _ endpoint: MCPEndpoint
    ) -> Router<GantryRequestContext> {
        let router = Router(context: GantryRequestContext.self)
        router.add(middleware: RequestIDMiddleware())
        router.add(middleware: ConfiguredCORS(origins: self.settings.corsOrigins))

        endpoint.addRoutes(to: router)
        if access.authenticator != nil { ResourceMetadataRoutes(resource: access.resource).add(to: router) }
        HealthRoutes(
            knowledge: self.knowledge,
            database: self.database,
            redis: self.redis,
            jiraIsConfigured: self.jira != nil,
            toolCount: self.server.tools(for: .local).arrayValue?.count ?? 0,
            isStopping: { shutdown.hasBegun },
            logger: self.logger
        ).add(to: router)

        let rest = router.group()
            .add(middleware: HostGuardMiddleware(hostGuard: endpoint.configuration.hostGuard))
            .add(middleware: AuthenticationMiddleware(access: access))
        let tools = ToolRoutes(
            server: self.server,
            queryTool: self.wireName(KnowledgeQuery.name),
            access: access
        )
        tools.add(to: rest)
        KnowledgeRoutes(tools: tools, wireName: { self.wireName($0) }).add(to: rest)
        let auditing = rest.group().add(middleware: self.permission("audit:read", .read, access))
        AuditRoutes(store: self.auditStore, logger: self.logger).add(to: auditing)
        let writing = rest.group().add(middleware: self.permission("knowledge:write", .write(idempotent: true), access))
        UploadRoute(workers: self.workers, isReadOnly: self.settings.isReadOnly, logger: self.logger).add(to: writing)
        JobRoutes(workers: self.workers, isReadOnly: self.settings.isReadOnly).add(to: writing)
        return router
    }

    /// The protocol's endpoint.
    private func endpoint(_ access: HTTPAccess) -> MCPEndpoint {
        var configuration = MCPEndpoint.Configuration()
        configuration.hostGuard = HostGuard(
            hosts: self.settings.allowedHosts + self.publicHost,
            origins: self.settings.corsOrigins,
            hostsSetting: "GANTRY_ALLOWED_HOSTS",
            originsSetting: "CORS_ORIGINS"
        )
        configuration.offersHTTPWithSSE = self.settings.offersHTTPWithSSE
        return MCPEndpoint(server: self.server, configuration: configuration) { request in
            try await access.sender(of: request)
        } authorize: { call, principal, request in
            try access.authorize(call, principal, request)
        }
    }

    /// The host of the server's own address.
    private var publicHost: [String] { WebAddress(self.settings.publicURL).map { [$0.host] } ?? [] }

    /// What routes that are no tools ask of whoever uses them.
    private func permission(_ permission: Permission, _ effect: Effect, _ access: HTTPAccess) -> PermissionMiddleware {
        PermissionMiddleware(
            access: access,
            authorizer: self.access.authorizer,
            permission: permission,
            effect: effect
        )
    }
}

/// Runs the stdio transport, and ends it when the process is told to stop.
private struct StdioService: Service {
    let server: MCPServer

    func run() async throws {
        try await cancelWhenGracefulShutdown { try await MCPStdio(server: self.server).run() }
    }
}
