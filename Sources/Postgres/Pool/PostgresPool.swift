public import Logging
import Synchronization

/// Connections to one database that are opened when they are needed, kept, checked, and replaced.
///
/// The connection that was used last is used next, so that in quiet times few are in use. Callers that have to wait are
/// served in order. A connection that broke, grew too old, or was given back in the middle of something is closed; the
/// server may be restarted at any time, and the pool gets along with it by itself.
public final class PostgresPool: Sendable {
    /// What the pool is doing.
    public struct Statistics: Sendable, Hashable {
        /// Connections that are open or being opened.
        ///
        /// Never more than `size` and `maxOverflow` together.
        public var open = 0
        /// Those among them that nobody uses.
        public var idle = 0
        /// Callers that wait for one.
        public var waiting = 0
        /// How many have been opened since the pool was made.
        public var opened = 0
        /// How many of those have been closed again.
        public var closed = 0
        /// How many callers got none: too many waited already, or none became free in time.
        public var exhausted = 0

        /// Those among the open ones that somebody uses.
        public var inUse: Int { self.open - self.idle }
    }

    private typealias Instant = ContinuousClock.Instant

    private struct Idle {
        var lease: Lease
        var since: Instant
    }

    /// A connection, and when it is too old.
    private struct Lease {
        var connection: PostgresConnection
        var expiry: Instant
    }

    /// What a caller that waited gets.
    private enum Grant {
        case connection(Lease)
        /// There is room to open one.
        case room
        case failure(PostgresError)
    }

    private enum Step {
        case use(Lease)
        case check(Lease)
        case discard(Lease)
        case open
        case wait
        case fail(PostgresError)
    }

    private struct State {
        var idle: [Idle] = []
        /// In the order they came: the identifiers only grow.
        var waiters: [(id: UInt64, continuation: CheckedContinuation<Grant, Never>)] = []
        var nextWaiter: UInt64 = 0
        var statistics = Statistics()
        var isClosed = false
        /// Callers of ``PostgresPool/close()`` that wait until all connections are closed.
        var closers: [CheckedContinuation<Void, Never>] = []
    }

    /// Where the connections go to, and their limits.
    public let configuration: PostgresConfiguration
    /// The limits of the pool.
    public let limits: PostgresPoolConfiguration
    private let logger: Logger
    private let prepare: @Sendable (PostgresConnection) async throws -> Void
    private let state = Mutex(State())

    /// Creates a pool.
    ///
    /// No connection is opened before one is needed.
    ///
    /// - Parameters:
    ///   - configuration: Where the connections go to, and their limits.
    ///   - limits: The limits of the pool.
    ///   - logger: Told about connections that are opened, closed and lost.
    ///   - prepare: Runs on each connection after it was opened, for what a session has to set. If it fails, the connection
    ///     is closed, and the caller gets the error.
    public init(
        _ configuration: PostgresConfiguration,
        limits: PostgresPoolConfiguration = PostgresPoolConfiguration(),
        logger: Logger,
        prepare: @escaping @Sendable (PostgresConnection) async throws -> Void = { _ in }
    ) {
        precondition(limits.size > 0 && limits.maxOverflow >= 0, "A pool needs room for a connection.")
        self.configuration = configuration
        self.limits = limits
        self.logger = logger
        self.prepare = prepare
    }

    /// What the pool is doing now.
    public var statistics: Statistics {
        self.state.withLock { state in
            var statistics = state.statistics
            statistics.idle = state.idle.count
            statistics.waiting = state.waiters.count
            return statistics
        }
    }

    // MARK: Using a connection

    /// Lends a connection for the time of a closure.
    ///
    /// A transaction that the closure leaves open is rolled back. Settings of the session that it makes stay.
    ///
    /// - Throws: What the closure throws; ``PostgresError/Code/poolExhausted``, ``PostgresError/Code/connectionFailed``,
    ///   ``PostgresError/Code/authenticationFailed``, ``PostgresError/Code/closed``, ``PostgresError/Code/cancelled``.
    @discardableResult
    public nonisolated(nonsending) func withConnection<Result>(
        _ body: (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        let lease = try await self.acquire()
        do {
            let result = try await body(lease.connection)
            await self.release(lease)
            return result
        } catch {
            await self.release(lease)
            throw error
        }
    }

    /// Runs a closure in a transaction on a connection of the pool.
    ///
    /// See ``PostgresConnection/withTransaction(isolation:isReadOnly:_:)``.
    @discardableResult
    public nonisolated(nonsending) func withTransaction<Result>(
        isolation: PostgresIsolation = .readCommitted,
        isReadOnly: Bool = false,
        _ body: (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        try await self.withConnection { connection in
            try await connection.withTransaction(isolation: isolation, isReadOnly: isReadOnly, body)
        }
    }

    /// Runs one statement on a connection of the pool.
    ///
    /// See ``PostgresConnection/query(_:_:timeout:)``.
    @discardableResult
    public func query(
        _ sql: String,
        _ parameters: [PostgresParameter] = [],
        timeout: Duration? = nil
    )
        async throws(PostgresError) -> PostgresRows
    {
        let lease = try await self.acquire()
        do {
            let rows = try await lease.connection.query(sql, parameters, timeout: timeout)
            await self.release(lease)
            return rows
        } catch {
            await self.release(lease)
            throw error
        }
    }

    /// Closes the pool: callers that wait get ``PostgresError/Code/closed``, and idle connections are closed at once.
    ///
    /// Those in use are closed when they are given back, which this waits for.
    public func close() async {
        let (idle, waiters) = self.state.withLock { state in
            state.isClosed = true
            defer {
                state.idle = []
                state.waiters = []
            }
            return (state.idle, state.waiters)
        }
        for waiter in waiters { waiter.continuation.resume(returning: .failure(Self.closed)) }
        for entry in idle { await self.discard(entry.lease) }
        await withCheckedContinuation { continuation in
            let isDone = self.state.withLock { state in
                guard state.statistics.open > 0 else { return true }
                state.closers.append(continuation)
                return false
            }
            if isDone { continuation.resume() }
        }
    }

    private static let closed = PostgresError(.closed, "The pool of connections to the database has been closed.")
    private static let exhausted = PostgresError(
        .poolExhausted,
        "All connections to the database are in use, and none became free in time."
    )

    // MARK: Taking and giving back

    private func acquire() async throws(PostgresError) -> Lease {
        let deadline = Instant.now + self.limits.acquireTimeout
        var hasRoom = false
        while true {
            let step = hasRoom ? .open : self.nextStep(now: .now, deadline: deadline)
            hasRoom = false
            switch step {
            case .use(let lease): return lease
            case .check(let lease):
                do {
                    let left = Instant.now.duration(to: deadline)
                    try await lease.connection.ping(timeout: min(self.limits.checkTimeout, left))
                    return lease
                } catch {
                    self.logger.info(
                        "A connection to the database was dead and is replaced",
                        metadata: ["error": "\(error)"]
                    )
                    await self.discard(lease)
                    if error.code == .cancelled { throw error }
                }
            case .discard(let lease): await self.discard(lease)
            case .open: return try await self.open(deadline: deadline)
            case .wait:
                switch await self.wait(until: deadline) {
                case .connection(let lease): return lease
                case .room: hasRoom = true
                case .failure(let error): throw error
                }
            case .fail(let error): throw error
            }
        }
    }

    private func nextStep(now: Instant, deadline: Instant) -> Step {
        self.state.withLock { state in
            if state.isClosed { return .fail(Self.closed) }
            if now >= deadline {
                state.statistics.exhausted += 1
                return .fail(Self.exhausted)
            }
            if let entry = state.idle.popLast() {
                if !entry.lease.connection.isOpen || entry.lease.expiry <= now { return .discard(entry.lease) }
                return entry.since + self.limits.checkAfter <= now ? .check(entry.lease) : .use(entry.lease)
            }
            if state.statistics.open < self.limits.size + self.limits.maxOverflow {
                state.statistics.open += 1
                return .open
            }
            if state.waiters.count < self.limits.maxWaiters { return .wait }
            state.statistics.exhausted += 1
            return .fail(PostgresError(.poolExhausted, "Too many callers wait for a connection to the database."))
        }
    }

    /// Opens a connection.
    ///
    /// There is room for it already.
    private func open(deadline: Instant) async throws(PostgresError) -> Lease {
        var configuration = self.configuration
        configuration.connectTimeout = min(configuration.connectTimeout, max(Instant.now.duration(to: deadline), .zero))
        let connection: PostgresConnection
        do {
            connection = try await PostgresConnection.connect(configuration)
        } catch {
            self.giveRoom(wasOpened: false)
            throw error
        }
        let jitter = Double.random(in: 0.9...1)
        let lease = Lease(connection: connection, expiry: .now + self.limits.recycle * jitter)
        let opened = self.state.withLock { state in
            state.statistics.opened += 1
            return state.statistics
        }
        self.logger.debug("Opened a connection to the database", metadata: ["pool.open": "\(opened.open)"])
        do {
            try await self.prepare(connection)
        } catch {
            await self.discard(lease)
            throw error as? PostgresError
                ?? PostgresError(.connectionFailed, "The connection to the database could not be set up.", cause: error)
        }
        await connection.setCloseHandler { [weak self, weak connection] in
            if let self, let connection { self.removeIdle(connection) }
        }
        return lease
    }

    private func release(_ lease: Lease) async {
        let connection = lease.connection
        if connection.status.load(ordering: .acquiring) == .busy { await connection.rollBack() }
        let now = Instant.now
        let waiter = self.state.withLock { state -> CheckedContinuation<Grant, Never>?? in
            let isUsable =
                connection.status.load(ordering: .acquiring) == .idle && lease.expiry > now && !state.isClosed
            guard isUsable else { return .none }
            if !state.waiters.isEmpty { return .some(state.waiters.removeFirst().continuation) }
            guard state.statistics.open <= self.limits.size else { return .none }
            state.idle.append(Idle(lease: lease, since: now))
            return .some(nil)
        }
        switch waiter {
        case .some(let waiter?): waiter.resume(returning: .connection(lease))
        case .some(nil):
            // It may have been lost just before it was among the idle ones.
            if !connection.isOpen { self.removeIdle(connection) }
        case .none: await self.discard(lease)
        }
    }

    /// Closes a connection that is in no list, and gives its room away.
    private func discard(_ lease: Lease) async {
        await lease.connection.close()
        self.giveRoom(wasOpened: true)
    }

    /// Takes a connection that was lost out of the idle ones, if it is one of them.
    private func removeIdle(_ connection: PostgresConnection) {
        let wasIdle = self.state.withLock { state in
            guard let index = state.idle.firstIndex(where: { $0.lease.connection === connection }) else { return false }
            state.idle.remove(at: index)
            return true
        }
        guard wasIdle else { return }
        self.logger.info("The database closed an idle connection")
        self.giveRoom(wasOpened: true)
    }

    /// Lets the first who waits open a connection, since one is gone.
    private func giveRoom(wasOpened: Bool) {
        typealias Waiters = (CheckedContinuation<Grant, Never>?, [CheckedContinuation<Void, Never>])
        let (waiter, closers) = self.state.withLock { state -> Waiters in
            if wasOpened { state.statistics.closed += 1 }
            if !state.waiters.isEmpty { return (state.waiters.removeFirst().continuation, []) }
            state.statistics.open -= 1
            guard state.isClosed, state.statistics.open == 0 else { return (nil, []) }
            defer { state.closers = [] }
            return (nil, state.closers)
        }
        waiter?.resume(returning: .room)
        for closer in closers { closer.resume() }
    }

    // MARK: Waiting

    private func wait(until deadline: Instant) async -> Grant {
        let id = self.state.withLock { state in
            defer { state.nextWaiter += 1 }
            return state.nextWaiter
        }
        let loop = PostgresEventLoop.shared
        let timer = loop.addTimer(at: deadline) {
            if self.endWait(id, .failure(Self.exhausted)) { self.state.withLock { $0.statistics.exhausted += 1 } }
        }
        defer { loop.removeTimer(timer) }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // Between the look at the lists and now, a connection may have become free, or the pool closed.
                let grant = self.state.withLock { state -> Grant? in
                    if Task.isCancelled { return .failure(Self.cancelled) }
                    if state.isClosed { return .failure(Self.closed) }
                    if let entry = state.idle.popLast() { return .connection(entry.lease) }
                    if state.statistics.open < self.limits.size + self.limits.maxOverflow {
                        state.statistics.open += 1
                        return .room
                    }
                    state.waiters.append((id, continuation))
                    return nil
                }
                if let grant { continuation.resume(returning: grant) }
            }
        } onCancel: {
            _ = self.endWait(id, .failure(Self.cancelled))
        }
    }

    private static let cancelled = PostgresError(.cancelled, "The wait for a connection to the database was cancelled.")

    /// - Returns: Whether the caller still waited.
    private func endWait(_ id: UInt64, _ grant: Grant) -> Bool {
        let continuation = self.state.withLock { state -> CheckedContinuation<Grant, Never>? in
            guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return nil }
            return state.waiters.remove(at: index).continuation
        }
        continuation?.resume(returning: grant)
        return continuation != nil
    }
}
