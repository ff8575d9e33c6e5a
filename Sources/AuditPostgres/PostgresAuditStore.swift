public import Audit
public import Logging
public import Postgres
import Synchronization

/// Audit records in PostgreSQL, for any number of servers.
///
/// There is one chain for all of them. Whoever appends holds the row that says where the chain ends until the records are
/// committed, so that no two append after the same link; the servers share the key of the chain.
///
/// The tables are made when the store is first used.
public final class PostgresAuditStore: AuditStore {
    private let pool: PostgresPool
    private let chain: AuditChain
    private let logger: Logger
    private let isPrepared = Atomic(false)

    /// Creates a store.
    ///
    /// Nothing is connected before it is used.
    ///
    /// - Parameters:
    ///   - pool: The connections. The store doesn't close them.
    ///   - chain: The chain with its key.
    ///   - logger: Told about migrations and failures.
    public init(pool: PostgresPool, chain: AuditChain, logger: Logger) {
        self.pool = pool
        self.chain = chain
        self.logger = logger
    }

    /// Makes the tables, or brings them up to date; the first use of the store does it too.
    ///
    /// - Returns: The names of the migrations that were carried out.
    @discardableResult
    public func prepare() async throws(AuditError) -> [String] {
        do {
            let done = try await AuditTables.migrations(self.chain).run(self.pool)
            for name in done { self.logger.info("Migrated the audit log", metadata: ["migration.name": "\(name)"]) }
            self.isPrepared.store(true, ordering: .releasing)
            return done
        } catch {
            throw Self.auditError(error)
        }
    }

    // MARK: Writing

    public func begin(_ record: AuditRecord) async throws(AuditError) {
        let record = record.withoutNull
        try await self.transaction { connection in
            try await connection.query(
                """
                INSERT INTO tool_audit_begun (id, timestamp, record) VALUES ($1, to_timestamp($2 / 1000.0), $3::text::json)
                ON CONFLICT (id) DO UPDATE SET timestamp = excluded.timestamp, record = excluded.record
                """,
                [.text(record.id), .int(record.timestamp), .text(record.storedText)]
            )
        }
    }

    public func append(_ records: [AuditRecord]) async throws(AuditError) {
        guard records.isEmpty == false else { return }
        let records = records.map(\.withoutNull)
        let ids = PostgresParameter.textArray(records.map(\.id))
        try await self.transaction { [chain] connection in
            var span = try await AuditTables.span(chain, connection, locking: true)
            try await connection.query("DELETE FROM tool_audit_begun WHERE id = ANY($1)", [ids])
            var known = Set(
                try await connection.query("SELECT id FROM tool_audit_log WHERE id = ANY($1)", [ids])
                    .map { try $0.get(0, as: String.self) }
            )
            var entries: [AuditEntry] = []
            for record in records where known.insert(record.id).inserted {
                let link = chain.link(record, sequence: span.end + 1, after: span.endLink)
                entries.append(AuditEntry(sequence: span.end + 1, record: record, link: link))
                span.end += 1
                span.endLink = link
            }
            guard entries.isEmpty == false else { return }
            try await AuditTables.insert(entries, connection)
            try await AuditTables.write(span, chain, connection)
        }
    }

    public func unfinished(before time: Int) async throws(AuditError) -> [AuditRecord] {
        try await self.transaction(isReadOnly: true) { connection in
            try await connection.query(
                """
                SELECT record::text FROM tool_audit_begun WHERE timestamp < to_timestamp($1 / 1000.0)
                ORDER BY timestamp LIMIT 1000
                """,
                [Self.milliseconds(time)]
            )
            .compactMap { AuditRecord(storedText: try $0.get(0, as: String.self)) }
        }
    }

    public func prune(before time: Int) async throws(AuditError) -> Int {
        try await self.transaction { [chain] connection in
            var span = try await AuditTables.span(chain, connection, locking: true)
            // Only from the beginning, so that what stays is one piece.
            let kept = try await connection.query(
                """
                SELECT sequence FROM tool_audit_log WHERE timestamp >= to_timestamp($1 / 1000.0) ORDER BY sequence LIMIT 1
                """,
                [Self.milliseconds(time)]
            )
            let last = try kept.first.map { try $0.get(0, as: Int.self) - 1 } ?? span.end
            guard last > span.start else { return 0 }
            let rows = try await connection.query("SELECT link FROM tool_audit_log WHERE sequence = $1", [.int(last)])
            guard let link: [UInt8] = try rows.first?.get(0) else {
                throw AuditError(.broken, "Record \(last) is missing.")
            }
            let removed = try await connection.query("DELETE FROM tool_audit_log WHERE sequence <= $1", [.int(last)])
            span.start = last
            span.startLink = link
            try await AuditTables.write(span, chain, connection)
            return removed.affectedRows
        }
    }

    // MARK: Reading

    public func span() async throws(AuditError) -> AuditSpan {
        try await self.transaction(isReadOnly: true) { [chain] in try await AuditTables.span(chain, $0) }
    }

    public func entries(after sequence: Int, limit: Int) async throws(AuditError) -> [AuditEntry] {
        try await self.transaction(isReadOnly: true) { connection in
            try await connection.query(
                "SELECT \(AuditTables.columns) FROM tool_audit_log WHERE sequence > $1 ORDER BY sequence LIMIT $2",
                [.int(sequence), .int(limit)]
            )
            .map(AuditTables.entry)
        }
    }

    public func entries(matching filter: AuditFilter, limit: Int) async throws(AuditError) -> [AuditEntry] {
        var conditions = ["true"]
        var parameters: [PostgresParameter] = []
        func require(_ condition: String, _ value: PostgresParameter?) {
            guard let value else { return }
            parameters.append(value)
            conditions.append(condition.replacing("?", with: "$\(parameters.count)"))
        }
        func text(_ value: String?) -> PostgresParameter? { value.map { .text($0.withoutNull) } }
        require("user_id = ?", text(filter.user))
        require("tool_name = ?", text(filter.tool))
        require("status = ?", text(filter.outcome))
        require("? = ANY(string_to_array(targets, ','))", text(filter.target))
        require("timestamp >= to_timestamp(?::bigint / 1000.0)", filter.since.map(Self.milliseconds))
        require("timestamp < to_timestamp(?::bigint / 1000.0)", filter.until.map(Self.milliseconds))
        require("sequence < ?", filter.before.map { .int($0) })
        parameters.append(.int(limit))
        let sql = """
            SELECT \(AuditTables.columns) FROM tool_audit_log WHERE \(conditions.joined(separator: " AND "))
            ORDER BY sequence DESC LIMIT $\(parameters.count)
            """
        return try await self.transaction(isReadOnly: true) { [parameters] connection in
            try await connection.query(sql, parameters).map(AuditTables.entry)
        }
    }

    /// A time, but none beyond those that the database knows: the year 9999.
    private static func milliseconds(_ time: Int) -> PostgresParameter {
        .int(min(max(time, 0), 253_402_300_799_000))
    }

    // MARK: Transactions

    @discardableResult
    private func transaction<Value: Sendable>(
        isReadOnly: Bool = false,
        _ body: @Sendable (PostgresConnection) async throws -> Value
    ) async throws(AuditError) -> Value {
        if self.isPrepared.load(ordering: .acquiring) == false { try await self.prepare() }
        do {
            return try await self.pool.withTransaction(isReadOnly: isReadOnly, body)
        } catch {
            throw Self.auditError(error)
        }
    }

    private static func auditError(_ error: any Error) -> AuditError {
        if let error = error as? AuditError { return error }
        let message = (error as? PostgresError)?.message ?? "\(error)"
        return AuditError(.unavailable, "The audit log in PostgreSQL can't be used: \(message)", cause: error)
    }
}
