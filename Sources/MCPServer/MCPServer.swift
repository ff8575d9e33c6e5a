public import JSON
public import Logging
public import MCP
public import SharedState
import Synchronization

/// A server of the Model Context Protocol: tools, resources and prompts, and everything that the protocol says about them.
///
/// It does no input or output of its own. A transport parses a message, finds out which revision it speaks, and asks
/// ``respond(to:_:)``.
///
/// ```swift
/// let server = MCPServer(name: "weather", version: "1.0") {
///     CurrentWeather(station: station).timeout(.seconds(5))
///     StationList()
///     ForecastPrompt()
/// }
/// ```
public final class MCPServer: Sendable {
    /// What can be set about a server.
    public struct Options: Sendable {
        /// What a language model is told about the server as a whole.
        public var instructions: String?
        /// The server's name for people.
        public var title: String?
        /// What the server is for, for people.
        public var description: String?
        /// Where people read more about the server.
        public var websiteURL: String?
        /// Pictures for people.
        public var icons: [Icon] = []
        /// How tools are named on the wire.
        public var naming = ToolNaming.dotted
        /// The deadline of calls whose tool has none of its own.
        public var defaultTimeout = Duration.seconds(30)
        /// How long a client may take to answer what it is asked during a call.
        public var askTimeout = Duration.seconds(300)
        /// How many calls run at a time, over all clients; more are refused with `overloaded`.
        public var maximumConcurrentCalls = 256
        /// How much may be called; as much as anybody likes without.
        public var limits = CallLimits()
        /// How large the content of an answer may be: text and base64.
        public var maximumResultBytes = 1 << 20
        /// How long a legacy session that nobody uses is kept.
        public var sessionIdleLifetime = Duration.seconds(1800)
        /// How long clients may keep lists.
        public var listLifetime = Duration.seconds(60)
        /// How many entries a page of a list has.
        public var pageSize = 1000
        /// How many streams of `subscriptions/listen` and of sessions are open at a time, over all clients.
        public var maximumStreams = 10_000
        /// How many resources one session or stream may subscribe to.
        public var maximumSubscriptions = 256
        /// How many tasks of one principal may run at a time.
        public var maximumTasksPerPrincipal = 32
        /// How many tasks may run at a time, over all clients.
        public var maximumTasks = 1024
        /// How long a task is kept after it was begun.
        public var taskLifetime = Duration.seconds(3600)
        /// How often clients should ask about a task.
        public var taskPollInterval = Duration.milliseconds(500)
        /// Whether clients without tasks get the tools `operation.start`, `operation.get` and `operation.cancel`, once
        /// there is a tool that can run as a task.
        public var offersOperations = false
        /// How long the answers to a question are accepted, since 2026-07-28.
        public var requestStateLifetime = Duration.seconds(900)
        /// How long after its process has died the outcome of a call with an idempotency key counts as unknown.
        public var idempotencyLease = Duration.seconds(15)
        /// With what is sealed what clients carry: all replicas need the same.
        ///
        /// The first seals, all open.
        public var sealingKeys = [SealingKey()]

        public init() {}
    }

    /// Name and version, as clients see them.
    public let implementation: Implementation
    /// The same as every result of 2026-07-28 shows it.
    let serverInfo: JSONValue
    let options: Options
    let registry: CallRegistry
    /// Streams of `subscriptions/listen`, which are open for as long as the client likes.
    let streams: CallRegistry
    let pipeline: CallPipeline
    let sessions: SessionStore
    let stores: SharedStores
    let announcer: Announcer
    let sealer: Sealer
    let tasks: TaskEngine
    /// What is offered now; calls take a snapshot of it.
    private let current: CatalogueHolder

    /// - Parameters:
    ///   - name: The server's name.
    ///   - version: The server's version.
    ///   - options: Limits and texts.
    ///   - logger: Where the server and its tools log.
    ///   - authorizer: Who may call what.
    ///   - recorder: What takes the record of each call; one log line by default.
    ///   - stores: Where sessions, events and tasks are kept; in this process by default.
    ///   - features: The tools, resources and prompts, in the order in which they are listed.
    public init(
        name: String,
        version: String,
        options: Options = Options(),
        logger: Logger = Logger(label: "mcp.server"),
        authorizer: any Authorizer = LocalAuthorizer(readOnly: false),
        recorder: (any CallRecorder)? = nil,
        stores: SharedStores = .inMemory(),
        @ServerFeatureBuilder features: () -> [ServerFeature]
    ) {
        self.implementation = Implementation(
            name: name,
            version: version,
            title: options.title,
            description: options.description,
            websiteURL: options.websiteURL,
            icons: options.icons
        )
        self.serverInfo = .object(Codec(.v2026_07_28).json(self.implementation))
        self.options = options
        self.stores = stores
        let registry = CallRegistry(maximumCalls: options.maximumConcurrentCalls)
        let streams = CallRegistry(maximumCalls: options.maximumStreams)
        self.registry = registry
        self.streams = streams
        self.announcer = Announcer(bus: stores.bus) { event in
            switch event {
            case .callCancelled(let key): if registry.cancel(key) == false { streams.cancel(key) }
            case .sessionEnded(let id):
                registry.cancelAll(in: id)
                streams.cancelAll(in: id)
            default: break
            }
        }
        self.sealer = Sealer(keys: options.sealingKeys)
        self.pipeline = CallPipeline(
            registry: self.registry,
            authorizer: authorizer,
            limiter: CallLimiter(options.limits, shared: stores.limits),
            recorder: recorder ?? LogCallRecorder(logger: logger),
            logger: logger,
            defaultTimeout: options.defaultTimeout,
            askTimeout: options.askTimeout,
            maximumResultBytes: options.maximumResultBytes,
            sealer: self.sealer,
            once: OnceRunner(store: stores.idempotency, bus: stores.bus, lease: options.idempotencyLease),
            announcer: self.announcer
        )
        self.sessions = SessionStore(store: stores.values, idleLifetime: options.sessionIdleLifetime)
        self.tasks = TaskEngine(
            stores: stores,
            announcer: self.announcer,
            pipeline: self.pipeline.with(CallRegistry(maximumCalls: options.maximumTasks)),
            limits: TaskEngine.Limits(
                perPrincipal: options.maximumTasksPerPrincipal,
                lifetime: options.taskLifetime,
                pollInterval: options.taskPollInterval
            )
        )
        self.current = CatalogueHolder()
        self.current.set(self.makeCatalogue(features()))
    }

    /// What is offered now.
    var catalogue: ServerCatalogue { self.current.get() }

    /// Where the server logs.
    package var logger: Logger { self.pipeline.logger }

    private func makeCatalogue(_ features: [ServerFeature]) -> ServerCatalogue {
        let catalogue = ServerCatalogue(features, naming: self.options.naming)
        guard self.options.offersOperations, catalogue.tools.hasTasks else { return catalogue }
        let operations = OperationTools.all(self.tasks) { [current] in current.get() }
        return ServerCatalogue(features + ServerFeatureBuilder.buildExpression(operations), naming: self.options.naming)
    }

    /// Offers something else from now on, and tells clients which lists have changed.
    ///
    /// Calls that run are not affected.
    public func replaceFeatures(@ServerFeatureBuilder _ features: () -> [ServerFeature]) async {
        let old = self.catalogue
        let new = self.makeCatalogue(features())
        self.current.set(new)
        if old.tools.names != new.tools.names { await self.announce(.tools) }
        if old.prompts.names != new.prompts.names { await self.announce(.prompts) }
        if old.resources.names != new.resources.names { await self.announce(.resources) }
    }

    /// Tells clients that a list has changed.
    public func announce(_ list: ListKind) async {
        await self.announcer.announce(.listChanged(list))
    }

    /// Tells those who subscribed to a resource that it has changed.
    public func resourceUpdated(_ uri: String) async {
        await self.announcer.announce(.resourceUpdated(uri: uri))
    }

    /// Begins no more calls, lets those that run finish, and ends those that take longer with a retryable error.
    ///
    /// Streams end at once, tasks fail.
    public func drain(within limit: Duration = .seconds(10)) async {
        self.announcer.endAll()
        await self.streams.drain(within: .zero)
        await self.tasks.shutDown()
        await self.registry.drain(within: limit)
    }

    /// The tools that a principal may call, as a revision shows them.
    public func tools(for principal: Principal, revision: ProtocolRevision = .v2026_07_28) -> JSONValue {
        .array(self.catalogue.tools.list(Codec(revision)) { self.pipeline.isAllowed($0, principal) })
    }

    /// Calls a tool from inside the application, such as from REST or the command line, by the same road.
    ///
    /// - Throws: ``ToolError``; `not_found` if there is no such tool.
    public func callTool(_ invocation: ToolInvocation) async throws(ToolError) -> ToolAnswer {
        guard let entry = self.catalogue.tools.entry(named: invocation.tool) else {
            throw ToolError(.notFound, self.unknownTool(invocation.tool), suggestedAction: "List the tools first.")
        }
        do throws(CallFailure) {
            return ToolAnswer(try await self.pipeline.run(invocation, entry, timeout: entry.task?.timeout))
        } catch {
            throw error.toolError
        }
    }

    func unknownTool(_ name: String) -> String {
        // The name is echoed cut: it may be anything.
        var message = "There is no tool \(name.prefix(64))"
        if let nearest = Spelling.nearest(to: name, among: self.catalogue.tools.names) {
            message += "; did you mean \(nearest)?"
        } else {
            message += "."
        }
        return message
    }
}

/// What a tool answered, for ways in other than MCP.
public struct ToolAnswer: Sendable {
    /// The answer as MCP has it.
    public let result: CallToolResult

    init(_ result: CallToolResult) {
        self.result = result
    }

    /// The structured answer, or else the content blocks.
    public var structured: JSONValue {
        if let structured = self.result.structuredContent { return structured }
        return ["content": .array(self.result.content.map { .object(Codec(.v2026_07_28).json($0)) })]
    }

    /// The text of the answer.
    public var text: String {
        self.result.content
            .compactMap { if case .text(let text) = $0 { text } else { nil } }
            .joined(separator: "\n")
    }
}

/// Holds the one reference to what is offered now.
private final class CatalogueHolder: Sendable {
    private let catalogue = Mutex<ServerCatalogue>(ServerCatalogue([], naming: .dotted))

    func get() -> ServerCatalogue { self.catalogue.withLock { $0 } }
    func set(_ new: ServerCatalogue) { self.catalogue.withLock { $0 = new } }
}
