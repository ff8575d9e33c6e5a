public import Hummingbird
public import Logging
public import MCPServer
import ServiceLifecycle
import UnixSignals

/// Serves an `MCPServer` over HTTP and nothing beside it, until the process is told to stop.
///
/// ```swift
/// try await MCPHTTPServer(server: server, port: 8000).run()
/// ```
///
/// Where there are routes of your own, or TLS, put an ``MCPEndpoint`` on a Hummingbird router.
public struct MCPHTTPServer: Sendable {
    /// How long connections may take to end, once all calls are done.
    private static let connectionTime = Duration.seconds(2)

    private let server: MCPServer
    private let endpoint: MCPEndpoint
    private let host: String
    private let port: Int
    private let drainTime: Duration
    private let logger: Logger

    /// - Parameters:
    ///   - server: The server that answers.
    ///   - host: The address to listen on. Others than the loopback address need a `principal` that asks for credentials.
    ///   - port: The port to listen on; 0 takes one that is free, and the log says which.
    ///   - configuration: Limits and allowed hosts.
    ///   - drainTime: How long calls may go on when the process is told to stop.
    ///   - logger: Where the web server logs.
    ///   - principal: Who sends a request; see ``MCPEndpoint/init(server:configuration:principal:authorize:)``.
    ///   - authorize: Whether a request may be sent; see there.
    public init(
        server: MCPServer,
        host: String = "127.0.0.1",
        port: Int = 8000,
        configuration: MCPEndpoint.Configuration = MCPEndpoint.Configuration(),
        drainTime: Duration = .seconds(10),
        logger: Logger = Logger(label: "mcp.http"),
        principal: (@Sendable (Request) async throws -> Principal)? = nil,
        authorize: MCPEndpoint.Authorize? = nil
    ) {
        self.server = server
        self.endpoint = MCPEndpoint(
            server: server,
            configuration: configuration,
            principal: principal,
            authorize: authorize
        )
        self.host = host
        self.port = port
        self.drainTime = drainTime
        self.logger = logger
    }

    /// Serves on `/mcp` until the task is cancelled or the process gets SIGTERM or SIGINT.
    ///
    /// Then no call begins any more, those that run may finish, and the connections are closed.
    ///
    /// - Throws: NIO's `IOError` if the address can't be listened on.
    public func run() async throws {
        Allocator.keepFreedMemory()
        let web = Application(
            responder: EndpointResponder(self.endpoint),
            server: .mcp(answering: self.endpoint),
            configuration: ApplicationConfiguration(address: .hostname(self.host, port: self.port)),
            onServerRunning: { [logger = self.logger] channel in
                logger.info("serving", metadata: ["address": "\(channel.localAddress?.description ?? "unknown")"])
            },
            logger: Logger(label: self.logger.label) { [logger = self.logger] _ in DeferredMetadata(logger) }
        )
        // The last service is stopped first: calls end while the connections that carry their answers are still open.
        var configuration = ServiceGroupConfiguration(
            services: [
                .init(service: web), .init(service: Draining(server: self.server, limit: self.drainTime)),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: self.logger
        )
        configuration.maximumGracefulShutdownDuration = self.drainTime + Self.connectionTime
        try await ServiceGroup(configuration: configuration).run()
    }
}

/// Answers for an endpoint that is alone: what nearly all requests are needs no router.
private struct EndpointResponder: HTTPResponder {
    private let endpoint: MCPEndpoint
    private let rest: RouterResponder<BasicRequestContext>

    init(_ endpoint: MCPEndpoint) {
        let router = Router()
        endpoint.addRoutes(to: router)
        self.endpoint = endpoint
        self.rest = router.buildResponder()
    }

    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        guard request.method == .post, request.head.path == "/mcp" else {
            return try await self.rest.respond(to: request, context: context)
        }
        return try await self.endpoint.post(request)
    }
}

/// Keeps what is known about a request until there is something to log.
///
/// The web framework gives every request an id, and most handlers render that at once.
private struct DeferredMetadata: LogHandler {
    private let logger: Logger
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel: Logger.Level

    init(_ logger: Logger) {
        self.logger = logger
        self.logLevel = logger.logLevel
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var event = event
        event.metadata = self.metadata.merging(event.metadata ?? [:]) { _, new in new }
        self.logger.handler.log(event: event)
    }
}

/// Lets calls end when the server is told to stop.
private struct Draining: Service {
    let server: MCPServer
    let limit: Duration

    func run() async throws {
        try await gracefulShutdown()
        await self.server.drain(within: self.limit)
    }
}
