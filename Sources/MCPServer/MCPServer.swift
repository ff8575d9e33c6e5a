public import JSON
public import Logging
public import MCP
public import SharedState

/// A server of the Model Context Protocol: tools, and everything that the protocol says about calling them.
///
/// It does no input or output of its own. A transport parses a message, finds out which revision it speaks, and asks
/// ``respond(to:_:)``.
///
/// ```swift
/// let server = MCPServer(name: "weather", version: "1.0") {
///     CurrentWeather(station: station).timeout(.seconds(5))
/// }
/// ```
public final class MCPServer: Sendable {
    /// What can be set about a server.
    public struct Options: Sendable {
        /// What a language model is told about the server as a whole.
        public var instructions: String?
        public var title: String?
        public var naming = ToolNaming.dotted
        /// The deadline of calls whose tool has none of its own.
        public var defaultTimeout = Duration.seconds(30)
        /// How many calls run at a time, over all clients; more are refused with `overloaded`.
        public var maximumConcurrentCalls = 256
        /// How large a tool's answer may be, serialized.
        public var maximumResultBytes = 1 << 20
        /// How long a legacy session that nobody uses is kept.
        public var sessionIdleLifetime = Duration.seconds(1800)
        /// How long clients may keep lists.
        public var listLifetime = Duration.seconds(60)

        public init() {}
    }

    /// Name and version, as clients see them.
    public let implementation: Implementation
    let options: Options
    let catalogue: ToolCatalogue
    let registry: CallRegistry
    let pipeline: CallPipeline
    let sessions: SessionStore
    private let logger: Logger

    /// - Parameters:
    ///   - name: The server's name.
    ///   - version: The server's version.
    ///   - options: Limits and texts.
    ///   - logger: Where the server and its tools log.
    ///   - authorizer: Who may call what.
    ///   - recorder: What takes the record of each call; one log line by default.
    ///   - sessionStore: Where legacy sessions are kept.
    ///   - tools: The tools, in the order in which they are listed.
    public init(
        name: String,
        version: String,
        options: Options = Options(),
        logger: Logger = Logger(label: "mcp.server"),
        authorizer: any Authorizer = LocalAuthorizer(readOnly: false),
        recorder: (any CallRecorder)? = nil,
        sessionStore: any KeyValueStore = InMemoryKeyValueStore(),
        @ToolListBuilder tools: () -> [ConfiguredTool]
    ) {
        self.implementation = Implementation(name: name, version: version, title: options.title)
        self.options = options
        self.logger = logger
        self.catalogue = ToolCatalogue(tools(), naming: options.naming)
        self.registry = CallRegistry(maximumCalls: options.maximumConcurrentCalls)
        self.pipeline = CallPipeline(
            catalogue: self.catalogue,
            registry: self.registry,
            authorizer: authorizer,
            recorder: recorder ?? LogCallRecorder(logger: logger),
            logger: logger,
            defaultTimeout: options.defaultTimeout,
            maximumResultBytes: options.maximumResultBytes
        )
        self.sessions = SessionStore(store: sessionStore, idleLifetime: options.sessionIdleLifetime)
    }

    /// Begins no more calls, lets those that run finish, and ends those that take longer with a retryable error.
    public func drain(within limit: Duration = .seconds(10)) async {
        await self.registry.drain(within: limit)
    }

    /// The tools that a principal may call, as a revision shows them.
    public func tools(for principal: Principal, revision: ProtocolRevision = .v2026_07_28) -> JSONValue {
        self.catalogue.list(Codec(revision)) { self.pipeline.isAllowed($0, principal) }
    }

    /// Calls a tool from inside the application, such as from REST or the command line, by the same road.
    ///
    /// - Throws: ``ToolError``; `not_found` if there is no such tool.
    public func callTool(_ invocation: ToolInvocation) async throws(ToolError) -> ToolAnswer {
        guard let entry = self.catalogue.entry(named: invocation.tool) else {
            throw ToolError(.notFound, self.unknownTool(invocation.tool), suggestedAction: "List the tools first.")
        }
        return try await self.pipeline.run(invocation, entry)
    }

    func unknownTool(_ name: String) -> String {
        // The name is echoed cut: it may be anything.
        var message = "There is no tool \(name.prefix(64))"
        if let nearest = Spelling.nearest(to: name, among: self.catalogue.names) {
            message += "; did you mean \(nearest)?"
        } else {
            message += "."
        }
        return message
    }
}
