import Clibpq
import Synchronization

/// One connection to PostgreSQL.
///
/// It runs on the thread of ``PostgresEventLoop``, never blocks, and does one thing at a time: a second call meanwhile is
/// refused with ``PostgresError/Code/misuse``. Whoever opens a connection closes it; ``PostgresPool`` does both.
///
/// Every wait ends: with the answer, at its deadline, or soon after the task was cancelled. A statement that is cancelled is
/// cancelled in the server too, and the connection stays usable. If the server doesn't react, the connection is given up.
public actor PostgresConnection {
    /// Whether a connection can be given to the next user.
    enum Status: UInt8, AtomicRepresentable {
        /// Nothing is going on.
        case idle
        /// A statement runs, or a transaction is open.
        case busy
        case closed
    }

    /// Why a wait ended.
    private enum Readiness {
        case ready
        case timedOut
        case cancelled
    }

    /// What to do when the task is cancelled while a statement runs.
    enum CancellationRule {
        /// The statement is cancelled in the server.
        case cancelStatement
        /// The statement goes on, for a short while: it ends a transaction.
        case finishSoon
    }

    typealias Instant = ContinuousClock.Instant

    /// The limits of the connection, and where it goes to.
    public nonisolated let configuration: PostgresConfiguration
    nonisolated let status = Atomic<Status>(.busy)
    private nonisolated let loop = PostgresEventLoop.shared

    public nonisolated var unownedExecutor: UnownedSerialExecutor { self.loop.asUnownedSerialExecutor() }

    /// libpq's connection; `nil` once it is closed.
    private var pointer: OpaquePointer?
    private var descriptor: Int32 = -1
    private var registration: UInt64?
    /// What the loop watches the socket for.
    private var interest = (readable: false, writable: false)
    /// Whether the socket became ready while nobody waited for it.
    private var isSocketReady = false

    private var waiter: CheckedContinuation<Readiness, Never>?
    /// Tells waits apart, so that a late timer or cancellation doesn't end another one.
    private var waitID: UInt64 = 0
    /// How the wait ended, if that was before it began.
    private var earlyEnd: Readiness?

    private var isBusy = true
    /// Whether a request to cancel is on its way.
    ///
    /// It might hit the next statement, so that has to wait.
    private var isCancelling = false
    private var statements: PreparedStatements
    /// The limit that holds now; ``withStatementTimeout(_:_:)`` changes it.
    private var statementTimeout: Duration?
    /// The first error of the open transaction.
    private var transactionError: PostgresError?
    /// Why the connection was closed, if nobody asked for that.
    private var lossError: PostgresError?
    private var onClose: (@Sendable () -> Void)?
    private var notifications: [String: [AsyncStream<PostgresNotification>.Continuation]] = [:]

    private init(configuration: PostgresConfiguration) {
        self.configuration = configuration
        self.statements = PreparedStatements(limit: configuration.preparedStatementLimit)
        self.statementTimeout = configuration.statementTimeout
    }

    /// Whether the connection can still be used.
    public nonisolated var isOpen: Bool { self.status.load(ordering: .acquiring) != .closed }

    // MARK: Opening and closing

    /// Opens a connection.
    ///
    /// The caller has to close it.
    ///
    /// - Throws: ``PostgresError/Code/connectionFailed``, ``PostgresError/Code/authenticationFailed``,
    ///   ``PostgresError/Code/cancelled``.
    public static func connect(_ configuration: PostgresConfiguration) async throws(PostgresError) -> PostgresConnection
    {
        let deadline = Instant.now + configuration.connectTimeout
        let parameters = try await HostLookup.resolve(configuration.connectionParameters, deadline: deadline)
        let connection = PostgresConnection(configuration: configuration)
        try await connection.open(parameters, deadline: deadline)
        return connection
    }

    private func open(_ parameters: [String: String], deadline: Instant) async throws(PostgresError) {
        let pointer = withCStrings(parameters.keys.map(\.self)) { keys in
            withCStrings(parameters.values.map(\.self)) { values in PQconnectStartParams(keys, values, 0) }
        }
        guard let pointer else { throw PostgresError(.connectionFailed, "There is no memory for a connection.") }
        self.pointer = pointer
        // It would write to standard error otherwise.
        PQsetNoticeProcessor(pointer, { _, _ in }, nil)
        // "Behave as if PQconnectPoll had last returned PGRES_POLLING_WRITING" (PostgreSQL documentation, 32.1.2).
        var status = PGRES_POLLING_WRITING
        while status != PGRES_POLLING_OK {
            guard status != PGRES_POLLING_FAILED, PQstatus(pointer) != CONNECTION_BAD else {
                throw self.failToOpen(String(cString: PQerrorMessage(pointer)))
            }
            // The socket may be another one after each step, when there are several addresses to try.
            self.watch(descriptor: PQsocket(pointer), readable: status == PGRES_POLLING_READING)
            let readiness = await self.wait(until: deadline, cancellable: true)
            self.unwatch()
            switch readiness {
            case .ready: status = PQconnectPoll(pointer)
            case .timedOut: throw self.failToOpen("no answer within \(self.configuration.connectTimeout)")
            case .cancelled:
                self.close()
                throw PostgresError(.cancelled, "The connection to the database was cancelled.")
            }
        }
        guard PQsetnonblocking(pointer, 1) == 0 else { throw self.failToOpen("the socket can't be made non-blocking") }
        self.watch(descriptor: PQsocket(pointer), readable: true)
        self.end()
    }

    private func failToOpen(_ reason: String) -> PostgresError {
        let text = reason.split(whereSeparator: \.isNewline).joined(separator: " ")
        // libpq gives no SQLSTATE for this, and translates its texts unless the locale is C, so the code is a best guess.
        let isRefused =
            self.pointer.map { PQconnectionNeedsPassword($0) == 1 || PQconnectionUsedPassword($0) == 1 } ?? false
        let isAuthentication =
            text.contains("authentication failed") || (isRefused && text.contains("no password supplied"))
        self.close()
        let cause = PostgresClientError(description: text)
        return isAuthentication
            ? PostgresError(.authenticationFailed, "The database refused the user or the password.", cause: cause)
            : PostgresError(.connectionFailed, "The database can't be reached.", cause: cause)
    }

    /// Closes the connection.
    ///
    /// A statement that runs ends with ``PostgresError/Code/closed``.
    public func close() {
        guard let pointer = self.pointer else { return }
        self.pointer = nil
        self.status.store(.closed, ordering: .releasing)
        self.unwatch()
        PQfinish(pointer)
        self.endWait(self.waitID, .ready)
        for continuation in self.notifications.values.joined() { continuation.finish() }
        self.notifications = [:]
        self.onClose?()
        self.onClose = nil
    }

    /// Calls a closure when the connection is closed, by whomever.
    ///
    /// Only the pool needs that.
    func setCloseHandler(_ handler: @escaping @Sendable () -> Void) {
        if self.pointer == nil { handler() } else { self.onClose = handler }
    }

    /// Closes a connection that can't be used any more.
    private func lose(_ error: PostgresError) -> PostgresError {
        if self.lossError == nil { self.lossError = error }
        self.close()
        return error
    }

    private func lost(_ pointer: OpaquePointer) -> PostgresError {
        let text = String(cString: PQerrorMessage(pointer)).split(whereSeparator: \.isNewline).joined(separator: " ")
        return self.lose(
            PostgresError(
                .connectionLost,
                "The connection to the database was lost.",
                cause: PostgresClientError(description: text)
            )
        )
    }

    // MARK: Statements

    /// Runs one statement.
    ///
    /// The statement is prepared once per connection. Values travel apart from it, in binary form.
    ///
    /// - Parameters:
    ///   - sql: One statement, with `$1`, `$2`, … for the values. Never put values into it.
    ///   - parameters: The values, in order. There may be 65,535.
    ///   - timeout: How long to wait, if that is less than the statement timeout of the connection. The connection is given
    ///     up then.
    /// - Returns: The rows. They are in memory as a whole, so a statement that may find many needs a `LIMIT`.
    /// - Throws: A ``PostgresError``; what the server reports becomes one by its SQLSTATE.
    @discardableResult
    public func query(
        _ sql: String,
        _ parameters: [PostgresParameter] = [],
        timeout: Duration? = nil
    )
        async throws(PostgresError) -> PostgresRows
    {
        try self.begin()
        defer { self.end() }
        guard !Task.isCancelled else { throw Self.cancelled }
        let deadline = self.deadline(timeout)
        do throws(PostgresError) {
            return try await self.runPrepared(sql, parameters, deadline: deadline)
        } catch {
            // The table was changed since the statement was prepared, or the statement was discarded.
            let isStale =
                error.sqlState == "26000"
                || (error.sqlState == "0A000"
                    && (error.cause as? PostgresServerError)?.message.contains("cached plan") == true)
            guard isStale else { throw error }
            self.statements.remove(sql, parameters)
            guard let pointer = self.pointer, PQtransactionStatus(pointer) == PQTRANS_IDLE else { throw error }
            return try await self.runPrepared(sql, parameters, deadline: deadline)
        }
    }

    /// Runs statements that have no values, separated by semicolons, such as a migration.
    ///
    /// Unless they say otherwise, they are one transaction (PostgreSQL documentation, section 53.2.2.1).
    ///
    /// - Throws: A ``PostgresError`` for the first statement that failed.
    public func execute(script: String, timeout: Duration? = nil) async throws(PostgresError) {
        try self.begin()
        defer { self.end() }
        guard !Task.isCancelled else { throw Self.cancelled }
        _ = try await self.runSimple(script, deadline: self.deadline(timeout))
    }

    /// Asks the server for a sign of life.
    ///
    /// - Throws: A ``PostgresError`` if there is none in time. The connection is given up then.
    public func ping(timeout: Duration = .seconds(2)) async throws(PostgresError) {
        try await self.execute(script: "", timeout: timeout)
    }

    /// Runs a closure in which statements may take longer, or less long, than the connection allows otherwise.
    ///
    /// - Parameters:
    ///   - timeout: The limit of each statement; `nil` for none, which only building an index deserves.
    ///   - body: The work.
    /// - Returns: What the closure returns.
    /// - Throws: What the closure throws, or a ``PostgresError`` if the limit can't be set.
    @discardableResult
    public nonisolated(nonsending) func withStatementTimeout<Result>(
        _ timeout: Duration?,
        _ body: () async throws -> Result
    ) async throws -> Result {
        let before = try await self.setStatementTimeout(timeout)
        do {
            let result = try await body()
            try await self.setStatementTimeout(before)
            return result
        } catch {
            await self.restoreStatementTimeout(before)
            throw error
        }
    }

    /// - Returns: The limit that held before.
    @discardableResult
    private func setStatementTimeout(_ timeout: Duration?) async throws(PostgresError) -> Duration? {
        try self.begin()
        defer { self.end() }
        let before = self.statementTimeout
        let sql = "SET statement_timeout = \(timeout?.wholeMilliseconds ?? 0)"
        _ = try await self.runSimple(sql, deadline: self.deadline(nil), onCancel: .finishSoon)
        self.statementTimeout = timeout
        return before
    }

    /// Goes back to a limit after a failure.
    ///
    /// In a transaction that failed, rolling it back does so.
    private func restoreStatementTimeout(_ timeout: Duration?) async {
        guard let pointer = self.pointer else { return }
        if PQtransactionStatus(pointer) == PQTRANS_INERROR {
            self.statementTimeout = timeout
        } else {
            do {
                try await self.setStatementTimeout(timeout)
            } catch {
                // The next user would get a limit that is not his.
                _ = self.lose(error)
            }
        }
    }

    private func runPrepared(
        _ sql: String,
        _ parameters: [PostgresParameter],
        deadline: Instant
    )
        async throws(PostgresError) -> PostgresRows
    {
        guard let pointer = self.pointer else { throw self.closedError }
        guard parameters.count <= 65_535, sql.utf8.count < 1 << 28, !sql.utf8.contains(0) else {
            throw PostgresError(.invalidStatement, "The statement is too long, or has more than 65,535 values.")
        }
        let isSent: Bool
        if PQtransactionStatus(pointer) == PQTRANS_INERROR {
            // Nothing but the end of the transaction can be run now, so there is no use in preparing it.
            isSent = Self.send(parameters) { count, types, values, lengths, formats in
                PQsendQueryParams(pointer, sql, count, types, values, lengths, formats, 1)
            }
        } else {
            let name = try await self.prepare(sql, parameters, deadline: deadline)
            isSent = Self.send(parameters) { count, _, values, lengths, formats in
                PQsendQueryPrepared(pointer, name, count, values, lengths, formats, 1)
            }
        }
        guard isSent else { throw self.lost(pointer) }
        let results = try await self.collect(deadline: deadline)
        guard let result = results.last else { throw self.lost(pointer) }
        return PostgresRows(result: result)
    }

    /// - Returns: The name of the prepared statement.
    private func prepare(
        _ sql: String,
        _ parameters: [PostgresParameter],
        deadline: Instant
    )
        async throws(PostgresError) -> String
    {
        if let name = self.statements.name(of: sql, parameters) { return name }
        if let oldest = self.statements.removeOldestIfFull() {
            _ = try await self.runSimple("DEALLOCATE \(oldest)", deadline: deadline)
        }
        guard let pointer = self.pointer else { throw self.closedError }
        let name = self.statements.nextName()
        let types = parameters.map(\.type)
        guard PQsendPrepare(pointer, name, sql, Int32(types.count), types) == 1 else { throw self.lost(pointer) }
        _ = try await self.collect(deadline: deadline)
        self.statements.add(sql, parameters, name: name)
        return name
    }

    /// Runs statements by the simple protocol: no values, and nothing is prepared.
    private func runSimple(
        _ sql: String,
        deadline: Instant,
        onCancel: CancellationRule = .cancelStatement
    )
        async throws(PostgresError) -> [PostgresResult]
    {
        guard let pointer = self.pointer else { throw self.closedError }
        guard PQsendQuery(pointer, sql) == 1 else { throw self.lost(pointer) }
        return try await self.collect(deadline: deadline, onCancel: onCancel)
    }

    /// Calls a function of libpq with values in the form that it wants them.
    private static func send(
        _ parameters: [PostgresParameter],
        _ call: (
            Int32, UnsafePointer<UInt32>?, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?,
            UnsafePointer<Int32>?
        ) -> Int32
    ) -> Bool {
        if parameters.isEmpty { return call(0, nil, nil, nil, nil) == 1 }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(parameters.reduce(1) { $0 + ($1.bytes?.count ?? 0) })
        for parameter in parameters { bytes += parameter.bytes ?? [] }
        let lengths = parameters.map { Int32($0.bytes?.count ?? 0) }
        let formats = [Int32](repeating: 1, count: parameters.count)
        // One byte more, so that there is an address even if all values are empty: no address means NULL.
        bytes.append(0)
        return bytes.withUnsafeBytes { buffer in
            var position = 0
            let values = parameters.map { parameter -> UnsafePointer<CChar>? in
                guard let count = parameter.bytes?.count else { return nil }
                defer { position += count }
                return buffer.baseAddress.map { ($0 + position).assumingMemoryBound(to: CChar.self) }
            }
            return call(Int32(parameters.count), parameters.map(\.type), values, lengths, formats) == 1
        }
    }

    // MARK: Transactions

    /// Runs a closure in a transaction: committed if it returns, rolled back if it throws.
    ///
    /// - Parameters:
    ///   - isolation: What the transaction sees of others.
    ///   - isReadOnly: Whether the server refuses writes in it.
    ///   - body: The work. It may run again if the caller tries again, so it does nothing else than use the connection.
    /// - Returns: What the closure returns.
    /// - Throws: What the closure throws; ``PostgresError/Code/outcomeUnknown`` if the connection ends while the transaction
    ///   is being committed; ``PostgresError/Code/serializationFailure`` if it conflicts with another.
    @discardableResult
    public nonisolated(nonsending) func withTransaction<Result>(
        isolation: PostgresIsolation = .readCommitted,
        isReadOnly: Bool = false,
        _ body: (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        try await self.beginTransaction("BEGIN ISOLATION LEVEL \(isolation.sql)\(isReadOnly ? " READ ONLY" : "")")
        let result: Result
        do {
            result = try await body(self)
        } catch {
            await self.rollBack()
            throw error
        }
        try await self.commit()
        return result
    }

    private func beginTransaction(_ sql: String) async throws(PostgresError) {
        try self.begin()
        defer { self.end() }
        guard !Task.isCancelled else { throw Self.cancelled }
        guard let pointer = self.pointer, PQtransactionStatus(pointer) == PQTRANS_IDLE else {
            throw PostgresError(.misuse, "A transaction is open already on this connection.")
        }
        self.transactionError = nil
        _ = try await self.runSimple(sql, deadline: self.deadline(nil))
    }

    private func commit() async throws(PostgresError) {
        try self.begin()
        defer { self.end() }
        let results: [PostgresResult]
        do {
            results = try await self.runSimple("COMMIT", deadline: self.deadline(nil), onCancel: .finishSoon)
        } catch  where error.code == .connectionLost || error.code == .timeout {
            throw PostgresError(
                .outcomeUnknown,
                "The connection to the database was lost at the end of a transaction; it may have been carried out or not.",
                sqlState: error.sqlState,
                cause: error.cause ?? error
            )
        }
        // The server answers the end of a transaction that failed with ROLLBACK, and not with an error.
        guard results.allSatisfy({ String(cString: PQcmdStatus($0.pointer)) == "COMMIT" }) else {
            throw self.transactionError
                ?? PostgresError(.server, "The transaction was rolled back, since a statement in it had failed.")
        }
    }

    /// Rolls an open transaction back, even if the task was cancelled.
    ///
    /// If that fails, the connection is given up.
    func rollBack() async {
        guard let pointer = self.pointer, PQtransactionStatus(pointer) != PQTRANS_IDLE else { return }
        guard !self.isBusy else {
            // A task that was not waited for still uses it.
            _ = self.lose(PostgresError(.misuse, "A statement still ran when its transaction ended."))
            return
        }
        self.isBusy = true
        defer { self.end() }
        let deadline = Instant.now + self.configuration.cancelTimeout
        do {
            _ = try await self.runSimple("ROLLBACK", deadline: deadline, onCancel: .finishSoon)
        } catch {
            _ = self.lose(error)
        }
    }

    // MARK: COPY

    /// Loads many rows with `COPY`.
    ///
    /// - Parameters:
    ///   - sql: `COPY table (columns) FROM STDIN (FORMAT binary)`.
    ///   - timeout: How long all of it may take, if that is less than the statement timeout of the connection.
    ///   - body: Writes the rows. What it throws ends the `COPY`, and no row is kept.
    /// - Returns: How many rows were loaded.
    /// - Throws: What the closure throws, or a ``PostgresError``.
    @discardableResult
    public nonisolated(nonsending) func copy(
        _ sql: String,
        timeout: Duration? = nil,
        _ body: (inout PostgresCopyWriter) async throws -> Void
    ) async throws -> Int {
        let deadline = try await self.beginCopy(sql, timeout: timeout)
        var writer = PostgresCopyWriter(connection: self, deadline: deadline)
        do {
            try await body(&writer)
            try await writer.finish()
        } catch {
            // If the server failed before, its error is what matters.
            try await self.endCopy(failure: "The client stopped the copy.", deadline: deadline)
            throw error
        }
        return try await self.endCopy(failure: nil, deadline: deadline)
    }

    /// Loads rows with `COPY … (FORMAT binary)`.
    ///
    /// Each value must have exactly the type of its column: `int4` for `integer`, `int8` for `bigint`.
    ///
    /// - Returns: How many rows were loaded.
    @discardableResult
    public nonisolated(nonsending) func copy(
        _ sql: String,
        rows: some Sequence<[PostgresParameter]>,
        timeout: Duration? = nil
    ) async throws -> Int {
        try await self.copy(sql, timeout: timeout) { writer in
            for row in rows { try await writer.write(row) }
        }
    }

    private func beginCopy(_ sql: String, timeout: Duration?) async throws(PostgresError) -> Instant {
        try self.begin()
        do throws(PostgresError) {
            guard !Task.isCancelled else { throw Self.cancelled }
            let deadline = self.deadline(timeout)
            let results = try await self.runSimple(sql, deadline: deadline)
            guard let result = results.last, PQresultStatus(result.pointer) == PGRES_COPY_IN else {
                throw PostgresError(.misuse, "This is no COPY … FROM STDIN.")
            }
            return deadline
        } catch {
            self.end()
            throw error
        }
    }

    /// Sends bytes, and waits until the socket has taken them.
    func sendCopy(_ bytes: [UInt8], deadline: Instant) async throws(PostgresError) {
        var isQueued = false
        while true {
            guard let pointer = self.pointer else { throw self.closedError }
            if !isQueued {
                let result = bytes.withUnsafeBytes {
                    PQputCopyData(pointer, $0.baseAddress?.assumingMemoryBound(to: CChar.self), Int32($0.count))
                }
                // -1: the server has ended the copy. The end of it tells why.
                guard result >= 0 else { return }
                isQueued = result == 1
            }
            let flushed = PQflush(pointer)
            guard flushed >= 0 else { throw self.lost(pointer) }
            if isQueued, flushed == 0 { return }
            self.setInterest(readable: true, writable: true)
            switch await self.wait(until: deadline, cancellable: true) {
            case .ready:
                guard self.pointer != nil else { throw self.closedError }
                guard PQconsumeInput(pointer) == 1 else { throw self.lost(pointer) }
            case .timedOut: throw self.lose(Self.timedOut)
            case .cancelled: throw Self.cancelled
            }
        }
    }

    @discardableResult
    private func endCopy(failure: String?, deadline: Instant) async throws(PostgresError) -> Int {
        defer { self.end() }
        while true {
            guard let pointer = self.pointer else { throw self.closedError }
            let result = PQputCopyEnd(pointer, failure)
            guard result >= 0 else { break }
            if result == 1 { break }
            self.setInterest(readable: true, writable: true)
            guard await self.wait(until: deadline, cancellable: false) == .ready else { throw self.lose(Self.timedOut) }
        }
        do {
            let results = try await self.collect(deadline: deadline, onCancel: .finishSoon)
            return results.last.map { PostgresRows(result: $0).affectedRows } ?? 0
        } catch  where failure != nil && error.sqlState == "57014" {
            // The server confirms that the client has given up.
            return 0
        }
    }

    // MARK: Notifications

    /// Listens to a channel (`LISTEN`), as long as the connection is open.
    ///
    /// - Returns: What is sent to the channel from now on. Of what nobody reads, the newest 1,024 are kept.
    public func listen(to channel: String) async throws(PostgresError) -> AsyncStream<PostgresNotification> {
        try await self.execute(script: "LISTEN \(quotePostgresIdentifier(channel))")
        let (stream, continuation) = AsyncStream.makeStream(
            of: PostgresNotification.self,
            bufferingPolicy: .bufferingNewest(1024)
        )
        guard self.pointer != nil else { throw self.closedError }
        self.notifications[channel, default: []].append(continuation)
        return stream
    }

    private func deliverNotifications(_ pointer: OpaquePointer) {
        while let notification = PQnotifies(pointer) {
            let channel = String(cString: notification.pointee.relname)
            let payload = String(cString: notification.pointee.extra)
            PQfreemem(notification)
            for continuation in self.notifications[channel] ?? [] {
                continuation.yield(PostgresNotification(channel: channel, payload: payload))
            }
        }
    }

    // MARK: One thing at a time

    private func begin() throws(PostgresError) {
        guard self.pointer != nil else { throw self.closedError }
        guard !self.isBusy else {
            throw PostgresError(.misuse, "The connection is in use; take another one from the pool.")
        }
        self.isBusy = true
        self.status.store(.busy, ordering: .releasing)
    }

    private func end() {
        self.isBusy = false
        if self.isSocketReady { self.readWhileIdle() }
        guard let pointer = self.pointer else { return }
        let isIdle = PQtransactionStatus(pointer) == PQTRANS_IDLE
        self.status.store(isIdle ? .idle : .busy, ordering: .releasing)
    }

    private var closedError: PostgresError {
        self.lossError ?? PostgresError(.closed, "The connection to the database has been closed.")
    }

    private static let cancelled = PostgresError(.cancelled, "The statement was cancelled.")
    private static let timedOut = PostgresError(.timeout, "The database did not answer in time.")

    private func deadline(_ timeout: Duration?) -> Instant {
        // The server stops a statement by itself; its answer needs time to arrive.
        let limit = self.statementTimeout.map { $0 + self.configuration.answerTimeout }
        return .now + min(timeout ?? .seconds(86_400), limit ?? .seconds(86_400))
    }

    // MARK: Waiting for answers

    /// Sends what is left to send, and reads all answers, or up to the point where the server waits for data of `COPY`.
    ///
    /// - Throws: The error of the first statement that failed.
    private func collect(
        deadline: Instant,
        onCancel: CancellationRule = .cancelStatement
    ) async throws(PostgresError)
        -> [PostgresResult]
    {
        var deadline = deadline
        var results: [PostgresResult] = []
        var isCancelled = false
        reading: while true {
            guard let pointer = self.pointer else { throw self.closedError }
            let flushed = PQflush(pointer)
            guard flushed >= 0 || PQisBusy(pointer) == 0 else { throw self.lost(pointer) }
            while PQisBusy(pointer) == 0 {
                guard let result = PQgetResult(pointer) else { break reading }
                results.append(PostgresResult(result))
                if PQresultStatus(result) == PGRES_COPY_IN { break reading }
            }
            self.setInterest(readable: true, writable: flushed == 1)
            switch await self.wait(until: deadline, cancellable: !isCancelled) {
            case .ready:
                guard self.pointer != nil else { throw self.closedError }
                guard PQconsumeInput(pointer) == 1 else {
                    // The server may have said why before it closed the connection. This doesn't block: there is nobody
                    // left to wait for.
                    while let result = PQgetResult(pointer), results.count < 16 {
                        results.append(PostgresResult(result))
                    }
                    break reading
                }
                self.deliverNotifications(pointer)
            case .cancelled:
                isCancelled = true
                deadline = min(deadline, .now + self.configuration.cancelTimeout)
                if onCancel == .cancelStatement { self.cancelInServer(pointer) }
            case .timedOut:
                if !isCancelled { self.cancelInServer(pointer) }
                throw self.lose(isCancelled && onCancel == .cancelStatement ? Self.cancelled : Self.timedOut)
            }
        }
        // A request to cancel that is still on its way would hit the next statement.
        while self.isCancelling, self.pointer != nil {
            if await self.wait(until: deadline, cancellable: false) == .timedOut { throw self.lose(Self.cancelled) }
            guard let pointer = self.pointer else { break }
            guard PQconsumeInput(pointer) == 1 else { throw self.lost(pointer) }
        }
        guard let pointer = self.pointer else { throw self.closedError }
        let serverError = results.lazy.compactMap(\.error).first
        guard PQstatus(pointer) == CONNECTION_OK else {
            guard let serverError else { throw self.lost(pointer) }
            throw self.lose(PostgresError(serverError))
        }
        guard let serverError else { return results }
        let error = isCancelled && serverError.sqlState == "57014" ? Self.cancelled : PostgresError(serverError)
        if self.transactionError == nil { self.transactionError = error }
        throw error
    }

    /// Tells the server to stop the statement.
    ///
    /// A thread of its own does so, since libpq waits for the server.
    private func cancelInServer(_ pointer: OpaquePointer) {
        guard let cancel = PQgetCancel(pointer) else { return }
        // PQcancel is the one function that may be called on another thread.
        nonisolated(unsafe) let request = cancel  // Safe: it has a copy of all that it needs.
        self.isCancelling = true
        let hasStarted = BlockingCalls.start {
            var text = [CChar](repeating: 0, count: 256)
            _ = PQcancel(request, &text, Int32(text.count))
            PQfreeCancel(request)
            self.loop.execute {
                self.assumeIsolated { connection in
                    connection.isCancelling = false
                    // Whoever waits looks at the answers again, or finds that he needn't wait for this any more.
                    connection.endWait(connection.waitID, .ready)
                }
            }
        }
        if !hasStarted {
            PQfreeCancel(cancel)
            self.isCancelling = false
        }
    }

    // MARK: Waiting for the socket

    /// Waits until the socket is ready, the connection is closed, a request to cancel is done, or the deadline has passed.
    private func wait(until deadline: Instant, cancellable: Bool) async -> Readiness {
        self.waitID += 1
        self.earlyEnd = nil
        let id = self.waitID
        let timer = self.loop.addTimer(at: deadline) { self.assumeIsolated { $0.endWait(id, .timedOut) } }
        defer { self.loop.removeTimer(timer) }
        // A task resumes on its executor, and this one is the loop's: without the preference it would resume on the
        // cooperative pool first, and come here after that.
        return await withTaskExecutorPreference(self.loop) {
            guard cancellable else { return await self.waitForEnd() }
            return await withTaskCancellationHandler {
                await self.waitForEnd()
            } onCancel: {
                // This thread may be any.
                self.loop.execute { self.assumeIsolated { $0.endWait(id, .cancelled) } }
            }
        }
    }

    private func waitForEnd() async -> Readiness {
        await withCheckedContinuation { continuation in
            if let readiness = self.earlyEnd {
                continuation.resume(returning: readiness)
            } else if self.isSocketReady {
                self.isSocketReady = false
                self.setInterest(readable: true, writable: false)
                continuation.resume(returning: .ready)
            } else {
                self.waiter = continuation
            }
        }
    }

    /// Ends a wait, unless it has ended already.
    private func endWait(_ id: UInt64, _ readiness: Readiness) {
        guard id == self.waitID else { return }
        guard let waiter = self.waiter else {
            self.earlyEnd = readiness
            return
        }
        self.waiter = nil
        waiter.resume(returning: readiness)
    }

    private func watch(descriptor: Int32, readable: Bool) {
        self.descriptor = descriptor
        self.isSocketReady = false
        self.interest = (true, false)
        self.registration = self.loop.add(descriptor: descriptor) { _ in self.assumeIsolated { $0.socketIsReady() } }
        self.setInterest(readable: readable, writable: !readable)
    }

    private func unwatch() {
        guard let registration = self.registration else { return }
        self.loop.remove(registration, descriptor: self.descriptor)
        self.registration = nil
    }

    private func setInterest(readable: Bool, writable: Bool) {
        guard let registration = self.registration, self.interest != (readable, writable) else { return }
        self.interest = (readable, writable)
        self.loop.update(registration, descriptor: self.descriptor, readable: readable, writable: writable)
    }

    private func socketIsReady() {
        if self.waiter != nil {
            self.endWait(self.waitID, .ready)
        } else if self.isBusy {
            // Whoever is at work finds out when he waits next. Until then there is no use in being told again.
            self.isSocketReady = true
            self.setInterest(readable: false, writable: false)
        } else {
            self.readWhileIdle()
        }
    }

    /// Reads what comes without having been asked for: a notification, or the end of the connection.
    private func readWhileIdle() {
        guard let pointer = self.pointer else { return }
        self.isSocketReady = false
        self.setInterest(readable: true, writable: false)
        guard PQconsumeInput(pointer) == 1 else {
            _ = self.lost(pointer)
            return
        }
        self.deliverNotifications(pointer)
    }
}

/// What a transaction sees of others (PostgreSQL documentation, section 13.2).
public enum PostgresIsolation: Sendable {
    /// Each statement sees what was committed before it.
    case readCommitted
    /// All statements see what was committed before the first.
    case repeatableRead
    /// As if all transactions ran one after the other; some fail and have to be run again.
    case serializable

    var sql: String {
        switch self {
        case .readCommitted: "READ COMMITTED"
        case .repeatableRead: "REPEATABLE READ"
        case .serializable: "SERIALIZABLE"
        }
    }
}

/// What somebody sent to a channel with `NOTIFY`.
public struct PostgresNotification: Sendable, Hashable {
    /// The channel.
    public var channel: String
    /// The text, empty if there is none.
    public var payload: String
}

/// Puts a name in quotes, so that it can be part of a statement whatever characters it has.
public func quotePostgresIdentifier(_ name: String) -> String {
    var quoted = "\""
    for scalar in name.unicodeScalars where scalar != "\0" {
        quoted.unicodeScalars.append(scalar)
        if scalar == "\"" { quoted.unicodeScalars.append(scalar) }
    }
    return quoted + "\""
}

/// Calls a closure with an array of C strings that ends with a null pointer.
private func withCStrings<Result>(
    _ strings: [String],
    _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result
) -> Result {
    let bytes = strings.map { $0.utf8CString }
    var flat: [CChar] = []
    for string in bytes { flat += string }
    return flat.withUnsafeBufferPointer { buffer in
        var position = 0
        var pointers = bytes.map { string -> UnsafePointer<CChar>? in
            defer { position += string.count }
            return buffer.baseAddress.map { $0 + position }
        }
        pointers.append(nil)
        return body(pointers)
    }
}
