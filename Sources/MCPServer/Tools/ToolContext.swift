public import Logging

/// On whose behalf a call runs.
public struct Principal: Sendable, Hashable {
    /// Who it is, for records and for binding sessions.
    public var id: String

    public init(id: String) {
        self.id = id
    }

    /// Whoever can reach a server that asks for no tokens: someone on this machine.
    public static let local = Self(id: "local")
}

/// What a tool knows about the call that it serves: values, and a way to report progress.
public struct ToolContext: Sendable {
    /// The id under which the log knows this call.
    public let requestID: String
    public let principal: Principal
    /// When the call is ended, whatever it does.
    public let deadline: ContinuousClock.Instant
    public let logger: Logger
    /// The W3C trace context of the caller, to be passed on.
    public let traceparent: String?

    private let reporter: ProgressReporter?

    public init(
        requestID: String,
        principal: Principal = .local,
        deadline: ContinuousClock.Instant = .now + .seconds(30),
        logger: Logger = Logger(label: "gantry.tool"),
        traceparent: String? = nil
    ) {
        self.init(
            requestID: requestID,
            principal: principal,
            deadline: deadline,
            logger: logger,
            traceparent: traceparent,
            reporter: nil
        )
    }

    init(
        requestID: String,
        principal: Principal,
        deadline: ContinuousClock.Instant,
        logger: Logger,
        traceparent: String?,
        reporter: ProgressReporter?
    ) {
        self.requestID = requestID
        self.principal = principal
        self.deadline = deadline
        self.logger = logger
        self.traceparent = traceparent
        self.reporter = reporter
    }

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
}
