public import JSON
public import Logging
public import MCP

/// On whose behalf a call runs.
public struct Principal: Sendable, Hashable {
    /// Who it is, for records and for binding sessions.
    public var id: String
    /// What the policy calls it: the names of its roles.
    public var roles: [String]
    /// What its credentials were issued for; nothing if they have no such limit.
    public var scopes: [String]?
    /// When its credentials end, in seconds since 1970; nothing if they don't.
    ///
    /// Whoever goes on telling it something has to stop then.
    public var expiry: Double?

    public init(id: String, roles: [String] = [], scopes: [String]? = nil, expiry: Double? = nil) {
        self.id = id
        self.roles = roles
        self.scopes = scopes
        self.expiry = expiry
    }

    /// Whoever can reach a server that asks for no tokens: someone on this machine.
    public static let local = Self(id: "local")
}

/// What a handler knows about the request that it serves: values, and ways to tell and ask the client something.
public struct ToolContext: Sendable {
    /// The id under which the log knows this request.
    public let requestID: String
    /// On whose behalf the call runs.
    public let principal: Principal
    /// When the call is ended, whatever it does.
    ///
    /// Time in which the client is asked does not count.
    public let deadline: ContinuousClock.Instant
    /// Where the handler logs, for whoever runs the server.
    public let logger: Logger
    /// The W3C trace context of the caller, to be passed on.
    public let traceparent: String?
    /// How far the permission of this call reaches.
    ///
    /// Handlers that find things whose kind policies have limits for, rather than being called with one, keep to it.
    public private(set) var reach: AccessReach

    let reporter: ProgressReporter?
    let interaction: Interaction?
    /// Tells all clients of the server what has changed, whatever way the call came in.
    let announcer: Announcer?
    let sealer: Sealer

    /// A context for a handler that is called by itself, as in a test: nobody is told or asked anything.
    public init(
        requestID: String,
        principal: Principal = .local,
        deadline: ContinuousClock.Instant = .now + .seconds(30),
        logger: Logger = Logger(label: "gantry.tool"),
        traceparent: String? = nil,
        reach: AccessReach = .everything
    ) {
        self.init(
            requestID: requestID,
            principal: principal,
            deadline: deadline,
            logger: logger,
            traceparent: traceparent,
            reach: reach,
            reporter: nil,
            interaction: nil,
            announcer: nil,
            sealer: Self.ownSealer
        )
    }

    init(
        requestID: String,
        principal: Principal,
        deadline: ContinuousClock.Instant,
        logger: Logger,
        traceparent: String?,
        reach: AccessReach,
        reporter: ProgressReporter?,
        interaction: Interaction?,
        announcer: Announcer?,
        sealer: Sealer
    ) {
        self.requestID = requestID
        self.principal = principal
        self.deadline = deadline
        self.logger = logger
        self.traceparent = traceparent
        self.reach = reach
        self.reporter = reporter
        self.interaction = interaction
        self.announcer = announcer
        self.sealer = sealer
    }

    /// The same context with another reach.
    func reaching(_ reach: AccessReach) -> Self {
        var context = self
        context.reach = reach
        return context
    }

    /// For contexts outside of a server.
    private static let ownSealer = Sealer(keys: [SealingKey()])

    /// Tells the client how far the work has come, if it asked to be told.
    ///
    /// It never waits: a client that reads too slowly misses some. Values that don't increase are left out, since the
    /// specification wants every notification to be ahead of the one before.
    ///
    /// - Parameters:
    ///   - done: How much is done, in the unit of `total`.
    ///   - total: How much there is, if that is known.
    ///   - message: What is being done, for people.
    public func progress(_ done: Double, total: Double? = nil, message: String? = nil) {
        self.reporter?.report(done, total: total, message: message)
    }

    /// Sends the client a log message, if it wants messages of this level.
    ///
    /// - Parameters:
    ///   - level: How serious it is.
    ///   - data: What there is to say; no secrets.
    ///   - logger: The part of the server that says it.
    public func log(_ level: LoggingLevel, _ data: JSONValue, logger: String? = nil) {
        self.interaction?.log(level, data, logger: logger)
    }

    /// Tells those who subscribed to a resource that it has changed.
    public func resourceUpdated(_ uri: String) async {
        await self.announcer?.announce(.resourceUpdated(uri: uri))
    }

    /// Tells clients that a list has changed.
    public func listChanged(_ list: ListKind) async {
        await self.announcer?.announce(.listChanged(list))
    }

    /// Closes the client's connection while the work goes on; the client comes back for the answer.
    ///
    /// Only event streams of 2025-11-25 can be paused; elsewhere nothing happens.
    ///
    /// Specification: 2025-11-25, basic/transports, "Resumability and Redelivery".
    public func pauseStream(retryAfter: Duration) {
        self.interaction?.sink.pause(retryAfter: retryAfter)
    }

    /// Makes a task of the call, if the client knows tasks and the tool is declared ``ConfiguredTool/TaskOptions`` with
    /// `startsByItself`.
    ///
    /// The call is answered with the task, and the handler runs again, from its beginning, as that task, with the answers
    /// that it has got; there, and for clients without tasks, nothing happens.
    public func startTask() throws {
        guard case .throwing(let input)? = self.interaction?.taskStart else { return }
        throw BecomesTask(answers: input.answers)
    }
}

/// What a handler of a prompt or a resource knows about its request.
public typealias HandlerContext = ToolContext
