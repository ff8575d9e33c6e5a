public import Audit
import Foundation
import GRDB

/// Audit records in a SQLite file, for one or several processes on one machine.
public final class SQLiteAuditStore: AuditStore {
    private let pool: DatabasePool
    private let chain: AuditChain

    /// Opens the file, and makes it if there is none.
    ///
    /// - Throws: ``AuditError`` if it can't be used.
    public init(path: String, chain: AuditChain) throws(AuditError) {
        self.chain = chain
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        // A record that was answered for must outlast a loss of power.
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        do {
            self.pool = try DatabasePool(path: path, configuration: configuration)
            try Self.migrator(chain).migrate(self.pool)
        } catch {
            throw AuditError(.unavailable, "The audit log \(path) can't be opened: \(error)", cause: error)
        }
    }

    private static func migrator(_ chain: AuditChain) -> DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { database in
            try database.execute(
                sql: """
                    CREATE TABLE tool_audit_log (
                        sequence INTEGER PRIMARY KEY,
                        id TEXT NOT NULL UNIQUE,
                        timestamp INTEGER NOT NULL,
                        user_id TEXT NOT NULL,
                        roles TEXT NOT NULL,
                        tool_name TEXT NOT NULL,
                        permission TEXT NOT NULL,
                        effect TEXT NOT NULL,
                        targets TEXT NOT NULL,
                        params TEXT NOT NULL,
                        params_sha256 TEXT NOT NULL,
                        status TEXT NOT NULL,
                        result TEXT,
                        upstream_status INTEGER,
                        duration_ms INTEGER NOT NULL,
                        trace_id TEXT,
                        request_id TEXT NOT NULL,
                        transport TEXT NOT NULL,
                        replica TEXT NOT NULL,
                        link BLOB NOT NULL
                    ) STRICT;
                    CREATE INDEX tool_audit_log_user ON tool_audit_log (user_id, sequence);
                    CREATE INDEX tool_audit_log_tool ON tool_audit_log (tool_name, sequence);
                    -- Calls that change something, from before they run until they are recorded.
                    CREATE TABLE tool_audit_begun (
                        id TEXT NOT NULL PRIMARY KEY,
                        timestamp INTEGER NOT NULL,
                        record TEXT NOT NULL
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE tool_audit_span (
                        only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
                        first INTEGER NOT NULL,
                        first_link BLOB NOT NULL,
                        last INTEGER NOT NULL,
                        last_link BLOB NOT NULL,
                        seal BLOB NOT NULL
                    ) STRICT;
                    """
            )
            try Self.write(.empty, chain, database)
        }
        return migrator
    }

    // MARK: Writing

    public func begin(_ record: AuditRecord) async throws(AuditError) {
        let record = record.withoutNull
        try await self.write { database in
            try database.execute(
                sql: "INSERT OR REPLACE INTO tool_audit_begun (id, timestamp, record) VALUES (?, ?, ?)",
                arguments: [record.id, record.timestamp, record.storedText]
            )
        }
    }

    public func append(_ records: [AuditRecord]) async throws(AuditError) {
        try await self.write { [chain] database in
            var span = try Self.span(chain, database)
            for record in records.map(\.withoutNull) {
                try database.execute(sql: "DELETE FROM tool_audit_begun WHERE id = ?", arguments: [record.id])
                let isThere = try Bool.fetchOne(
                    database,
                    sql: "SELECT EXISTS (SELECT 1 FROM tool_audit_log WHERE id = ?)",
                    arguments: [record.id]
                )
                guard isThere == false else { continue }
                let link = chain.link(record, sequence: span.end + 1, after: span.endLink)
                try Self.insert(AuditEntry(sequence: span.end + 1, record: record, link: link), database)
                span.end += 1
                span.endLink = link
            }
            try Self.write(span, chain, database)
        }
    }

    public func unfinished(before time: Int) async throws(AuditError) -> [AuditRecord] {
        try await self.read { database in
            try String.fetchAll(
                database,
                sql: "SELECT record FROM tool_audit_begun WHERE timestamp < ? ORDER BY timestamp LIMIT 1000",
                arguments: [time]
            )
            .compactMap(AuditRecord.init(storedText:))
        }
    }

    public func prune(before time: Int) async throws(AuditError) -> Int {
        try await self.write { [chain] database in
            var span = try Self.span(chain, database)
            // Only from the beginning, so that what stays is one piece.
            let kept = try Int.fetchOne(
                database,
                sql: "SELECT min(sequence) FROM tool_audit_log WHERE timestamp >= ?",
                arguments: [time]
            )
            let last = kept.map { $0 - 1 } ?? span.end
            guard last > span.start else { return 0 }
            guard let link = try [UInt8].fetchLink(database, sequence: last) else {
                throw AuditError(.broken, "Record \(last) is missing.")
            }
            try database.execute(sql: "DELETE FROM tool_audit_log WHERE sequence <= ?", arguments: [last])
            let removed = database.changesCount
            span.start = last
            span.startLink = link
            try Self.write(span, chain, database)
            return removed
        }
    }

    // MARK: Reading

    public func span() async throws(AuditError) -> AuditSpan {
        try await self.read { [chain] database in try Self.span(chain, database) }
    }

    public func entries(after sequence: Int, limit: Int) async throws(AuditError) -> [AuditEntry] {
        try await self.read { database in
            try Row.fetchAll(
                database,
                sql: "SELECT * FROM tool_audit_log WHERE sequence > ? ORDER BY sequence LIMIT ?",
                arguments: [sequence, limit]
            )
            .map(AuditEntry.init(row:))
        }
    }

    public func entries(matching filter: AuditFilter, limit: Int) async throws(AuditError) -> [AuditEntry] {
        try await self.read { database in
            var conditions = ["1"]
            var arguments: StatementArguments = []
            func require(_ condition: String, _ value: (any DatabaseValueConvertible)?) {
                guard let value else { return }
                conditions.append(condition)
                arguments += [value]
            }
            require("user_id = ?", filter.user)
            require("tool_name = ?", filter.tool)
            require("status = ?", filter.outcome)
            require("instr(',' || targets || ',', ',' || ? || ',') > 0", filter.target)
            require("timestamp >= ?", filter.since)
            require("timestamp < ?", filter.until)
            require("sequence < ?", filter.before)
            arguments += [limit]
            return try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM tool_audit_log WHERE \(conditions.joined(separator: " AND "))
                    ORDER BY sequence DESC LIMIT ?
                    """,
                arguments: arguments
            )
            .map(AuditEntry.init(row:))
        }
    }

    // MARK: Rows

    private static func span(_ chain: AuditChain, _ database: Database) throws -> AuditSpan {
        guard let row = try Row.fetchOne(database, sql: "SELECT * FROM tool_audit_span WHERE only = 1") else {
            throw AuditError(
                .broken,
                "It is not known where the log begins and ends: its table tool_audit_span is empty."
            )
        }
        let span = AuditSpan(
            start: row["first"],
            startLink: row.bytes("first_link"),
            end: row["last"],
            endLink: row.bytes("last_link")
        )
        guard row.bytes("seal") == chain.seal(span) else {
            throw AuditError(.broken, "Where the log begins and ends was changed, or the key is another one.")
        }
        return span
    }

    private static func write(_ span: AuditSpan, _ chain: AuditChain, _ database: Database) throws {
        try database.execute(
            sql: """
                INSERT OR REPLACE INTO tool_audit_span (only, first, first_link, last, last_link, seal)
                VALUES (1, ?, ?, ?, ?, ?)
                """,
            arguments: [
                span.start, Data(span.startLink), span.end, Data(span.endLink), Data(chain.seal(span)),
            ]
        )
    }

    private static func insert(_ entry: AuditEntry, _ database: Database) throws {
        let record = entry.record
        try database.execute(
            sql: """
                INSERT INTO tool_audit_log VALUES
                (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                entry.sequence, record.id, record.timestamp, record.user, record.roles, record.tool, record.permission,
                record.effect, record.targets, record.arguments, record.argumentsDigest, record.outcome, record.message,
                record.upstreamStatus, record.durationMilliseconds, record.traceID, record.requestID, record.transport,
                record.replica, Data(entry.link),
            ]
        )
    }

    private func write<T: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> T
    ) async throws(AuditError) -> T {
        do {
            return try await self.pool.write(body)
        } catch let error as AuditError {
            throw error
        } catch {
            throw AuditError(.unavailable, "The audit log can't be written.", cause: error)
        }
    }

    private func read<T: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> T
    ) async throws(AuditError) -> T {
        do {
            return try await self.pool.read(body)
        } catch let error as AuditError {
            throw error
        } catch {
            throw AuditError(.unavailable, "The audit log can't be read.", cause: error)
        }
    }
}
