public import Foundation
import GRDB
import JSON
public import Knowledge

/// The ingestion queue in the file of a knowledge store.
///
/// The moment at which a file counts as taken in is written through to the disk (`synchronous = FULL`), so that it
/// survives a power failure too; everything else is as durable as the rest of the store.
public struct SQLiteIngestQueue: IngestQueue {
    private let pool: DatabasePool
    private let limits: IngestQueueLimits

    /// Creates the queue of a store.
    public init(store: SQLiteKnowledgeStore, limits: IngestQueueLimits = IngestQueueLimits()) {
        self.pool = store.pool
        self.limits = limits
    }

    public func openJob(receiver: String, until: Date) async throws(KnowledgeError) -> String {
        let id = UUID().uuidString.lowercased()
        try await self.write { [limits] database in
            let open = try Int.fetchOne(
                database,
                sql: "SELECT count(*) FROM ingest_jobs WHERE finished_at IS NULL"
            )
            guard open ?? 0 < limits.openJobs else {
                throw limits.tooManyJobs
            }
            try database.execute(
                sql: "INSERT INTO ingest_jobs (id, receiver, receiver_until, created_at) VALUES (?, ?, ?, ?)",
                arguments: [id, receiver, until.timeIntervalSince1970, Date().timeIntervalSince1970]
            )
            try database.execute(
                sql: """
                    DELETE FROM ingest_jobs WHERE finished_at IS NOT NULL AND id NOT IN
                        (SELECT id FROM ingest_jobs WHERE finished_at IS NOT NULL ORDER BY finished_at DESC LIMIT ?)
                    """,
                arguments: [limits.keptJobs]
            )
        }
        return id
    }

    public func closeJob(_ id: String) async throws(KnowledgeError) {
        try await self.writeDurably { database in
            try database.execute(sql: "UPDATE ingest_jobs SET receiver = NULL WHERE id = ?", arguments: [id])
            try Self.completeJobs(database)
        }
    }

    public func beginReceiving(path: String, job: String) async throws(KnowledgeError) -> Int64 {
        try await self.write { [limits] database in
            let count = try Int.fetchOne(
                database,
                sql: "SELECT count(*) FROM ingest_items WHERE job_id = ?",
                arguments: [job]
            )
            guard count ?? 0 < limits.itemsPerJob else { throw limits.tooManyItems }
            try database.execute(
                sql: """
                    INSERT INTO ingest_items (job_id, path, state, due_at)
                    SELECT id, ?, 'receiving', ? FROM ingest_jobs WHERE id = ? AND receiver IS NOT NULL
                    """,
                arguments: [path, Date().timeIntervalSince1970, job]
            )
            guard database.changesCount == 1 else { throw IngestQueueLimits.jobClosed }
            return database.lastInsertedRowID
        }
    }

    public func append(_ bytes: [UInt8], to item: Int64) async throws(KnowledgeError) {
        try await self.write { [limits] database in
            let waiting = try Int.fetchOne(
                database,
                sql: """
                    SELECT coalesce(sum(byte_count), 0) FROM ingest_items
                    WHERE state IN ('receiving', 'queued', 'running')
                    """
            )
            guard (waiting ?? 0) + bytes.count <= limits.waitingBytes else { throw limits.tooManyBytes }
            try database.execute(
                sql: "UPDATE ingest_items SET byte_count = byte_count + ? WHERE id = ? AND state = 'receiving'",
                arguments: [bytes.count, item]
            )
            guard database.changesCount == 1 else { throw IngestQueueLimits.jobClosed }
            try database.execute(
                sql: """
                    INSERT INTO ingest_pieces (item_id, sequence, bytes)
                    SELECT ?, coalesce(max(sequence) + 1, 0), ? FROM ingest_pieces WHERE item_id = ?
                    """,
                arguments: [item, Data(bytes), item]
            )
        }
    }

    public func finishReceiving(_ item: Int64) async throws(KnowledgeError) {
        try await self.writeDurably { database in
            try database.execute(
                sql: "UPDATE ingest_items SET state = 'queued' WHERE id = ? AND state = 'receiving'",
                arguments: [item]
            )
            guard database.changesCount == 1 else { throw IngestQueueLimits.jobClosed }
        }
    }

    public func abandon(_ item: Int64, error: KnowledgeError?) async throws(KnowledgeError) {
        try await self.write { database in
            if let error {
                try Self.settle(item, state: .failed, outcome: IngestItemOutcome(error: error), database)
            } else {
                try database.execute(
                    sql: "DELETE FROM ingest_items WHERE id = ? AND state = 'receiving'",
                    arguments: [item]
                )
            }
            try Self.completeJobs(database)
        }
    }

    public func claim(
        worker: String,
        limit: Int,
        maximumBytes: Int,
        until: Date,
        now: Date
    ) async throws(KnowledgeError) -> [IngestItem] {
        // Most of the time there is nothing to do: then nobody's writing is disturbed.
        guard try await self.isAnythingDue(now) else { return [] }
        return try await self.write { [limits] database in
            let time = now.timeIntervalSince1970
            try database.execute(
                sql: """
                    UPDATE ingest_items SET state = 'queued', worker = NULL
                    WHERE state = 'running' AND claimed_until <= ?
                    """,
                arguments: [time]
            )
            try Self.forgetReceivers(where: "receiver_until <= ?", [time], database)
            try Self.giveUp(limits, database)
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT id, path, state, byte_count, attempts, outcome FROM ingest_items i
                    WHERE state = 'queued' AND due_at <= ? AND NOT EXISTS (
                        SELECT 1 FROM ingest_items o WHERE o.path = i.path
                            AND (o.state = 'running' OR (o.state = 'queued' AND o.id < i.id)))
                    ORDER BY id LIMIT ?
                    """,
                arguments: [time, limit]
            )
            var items: [IngestItem] = []
            var total = 0
            for row in rows {
                var item = IngestItem(row)
                let isAlone = item.attempts >= IngestQueueLimits.attemptsInCompany
                guard items.isEmpty || (!isAlone && total + item.byteCount <= maximumBytes) else { break }
                total += item.byteCount
                item.state = .running
                item.attempts += 1
                items.append(item)
                if isAlone { break }
            }
            for item in items {
                try database.execute(
                    sql: """
                        UPDATE ingest_items SET state = 'running', worker = ?, claimed_until = ?, attempts = ? WHERE id = ?
                        """,
                    arguments: [worker, until.timeIntervalSince1970, item.attempts, item.id]
                )
            }
            return items
        }
    }

    public func content(of item: Int64) async throws(KnowledgeError) -> [UInt8] {
        try await self.read { database in
            var bytes: [UInt8] = []
            let rows = try Row.fetchCursor(
                database,
                sql: "SELECT bytes FROM ingest_pieces WHERE item_id = ? ORDER BY sequence",
                arguments: [item]
            )
            while let row = try rows.next() {
                let piece: Data = row[0]
                bytes += piece
            }
            return bytes
        }
    }

    public func renew(worker: String, until: Date) async throws(KnowledgeError) {
        try await self.write { database in
            try database.execute(
                sql: "UPDATE ingest_items SET claimed_until = ? WHERE state = 'running' AND worker = ?",
                arguments: [until.timeIntervalSince1970, worker]
            )
            try database.execute(
                sql: "UPDATE ingest_jobs SET receiver_until = ? WHERE receiver = ?",
                arguments: [until.timeIntervalSince1970, worker]
            )
        }
    }

    public func finish(_ outcomes: [Int64: IngestItemOutcome], worker: String) async throws(KnowledgeError) {
        try await self.write { database in
            for (item, outcome) in outcomes {
                let owner = try String.fetchOne(
                    database,
                    sql: "SELECT worker FROM ingest_items WHERE id = ? AND state = 'running'",
                    arguments: [item]
                )
                // Someone else has the file by now, because the claim ran out.
                guard owner == worker else { continue }
                try Self.settle(item, state: outcome.isFailed ? .failed : .done, outcome: outcome, database)
            }
            try Self.completeJobs(database)
        }
    }

    public func giveBack(
        _ items: [Int64],
        worker: String,
        dueAt: Date,
        countsAttempt: Bool
    ) async throws(KnowledgeError) {
        try await self.write { [limits] database in
            for item in items {
                try database.execute(
                    sql: """
                        UPDATE ingest_items SET state = 'queued', worker = NULL, due_at = ?, attempts = attempts - ?
                        WHERE id = ? AND state = 'running' AND worker = ?
                        """,
                    arguments: [dueAt.timeIntervalSince1970, countsAttempt ? 0 : 1, item, worker]
                )
            }
            try Self.giveUp(limits, database)
        }
    }

    public func workers() async throws(KnowledgeError) -> Set<String> {
        try await self.read { database in
            try String.fetchSet(
                database,
                sql: """
                    SELECT worker FROM ingest_items WHERE state = 'running' AND worker IS NOT NULL
                    UNION SELECT receiver FROM ingest_jobs WHERE receiver IS NOT NULL
                    """
            )
        }
    }

    public func recover(from workers: Set<String>) async throws(KnowledgeError) {
        try await self.write { database in
            for worker in workers {
                try database.execute(
                    sql:
                        "UPDATE ingest_items SET state = 'queued', worker = NULL WHERE state = 'running' AND worker = ?",
                    arguments: [worker]
                )
                try Self.forgetReceivers(where: "receiver = ?", [worker], database)
            }
        }
    }

    public func nextEvent() async throws(KnowledgeError) -> Date? {
        try await self.read { database in
            let item = try Double.fetchOne(
                database,
                sql: """
                    SELECT min(CASE state WHEN 'queued' THEN due_at ELSE claimed_until END) FROM ingest_items i
                    WHERE state = 'running' OR (state = 'queued' AND NOT EXISTS (
                        SELECT 1 FROM ingest_items o WHERE o.path = i.path
                            AND (o.state = 'running' OR (o.state = 'queued' AND o.id < i.id))))
                    """
            )
            let receiver = try Double.fetchOne(
                database,
                sql: "SELECT min(receiver_until) FROM ingest_jobs WHERE receiver IS NOT NULL"
            )
            return [item, receiver].compactMap(\.self).min().map { Date(timeIntervalSince1970: $0) }
        }
    }

    // Nothing in SQLite tells one process of the changes of another; each comes back when the next claim runs out.
    public func listen(_ heard: @Sendable (IngestQueueEvent) -> Void) async throws(KnowledgeError) {}

    public func job(_ id: String) async throws(KnowledgeError) -> IngestJob? {
        try await self.read { database in
            try Row.fetchOne(
                database,
                sql: "SELECT id, created_at, finished_at, cancelled FROM ingest_jobs WHERE id = ?",
                arguments: [id]
            ).map { try IngestJob($0, database) }
        }
    }

    public func jobs(limit: Int) async throws(KnowledgeError) -> [IngestJob] {
        try await self.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT id, created_at, finished_at, cancelled FROM ingest_jobs ORDER BY created_at DESC, id LIMIT ?
                    """,
                arguments: [limit]
            ).map { try IngestJob($0, database) }
        }
    }

    public func items(ofJob id: String, after: Int64, limit: Int) async throws(KnowledgeError) -> [IngestItem] {
        try await self.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT id, path, state, byte_count, attempts, outcome FROM ingest_items
                    WHERE job_id = ? AND id > ? ORDER BY id LIMIT ?
                    """,
                arguments: [id, after, limit]
            ).map { IngestItem($0) }
        }
    }

    public func cancel(job id: String) async throws(KnowledgeError) -> Bool {
        try await self.write { database in
            try database.execute(
                sql: "UPDATE ingest_jobs SET cancelled = finished_at IS NULL, receiver = NULL WHERE id = ?",
                arguments: [id]
            )
            guard database.changesCount > 0 else { return false }
            let waiting = try Int64.fetchAll(
                database,
                sql: "SELECT id FROM ingest_items WHERE job_id = ? AND state IN ('receiving', 'queued')",
                arguments: [id]
            )
            for item in waiting { try Self.settle(item, state: .cancelled, outcome: nil, database) }
            try Self.completeJobs(database)
            return true
        }
    }

    private static func settle(
        _ item: Int64,
        state: IngestItem.State,
        outcome: IngestItemOutcome?,
        _ database: Database
    ) throws {
        try database.execute(
            sql: "UPDATE ingest_items SET state = ?, worker = NULL, outcome = ? WHERE id = ?",
            arguments: [state.rawValue, outcome.map { JSONValue.object($0.json).serializedString() }, item]
        )
        try database.execute(sql: "DELETE FROM ingest_pieces WHERE item_id = ?", arguments: [item])
    }

    /// Forgets what processes hadn't taken in whole, and closes their jobs.
    private static func forgetReceivers(
        where condition: String,
        _ arguments: StatementArguments,
        _ database: Database
    ) throws {
        try database.execute(
            sql: """
                DELETE FROM ingest_items WHERE state = 'receiving'
                    AND job_id IN (SELECT id FROM ingest_jobs WHERE receiver IS NOT NULL AND \(condition))
                """,
            arguments: arguments
        )
        try database.execute(
            sql: "UPDATE ingest_jobs SET receiver = NULL WHERE receiver IS NOT NULL AND \(condition)",
            arguments: arguments
        )
        if database.changesCount > 0 { try Self.completeJobs(database) }
    }

    /// Fails files that were begun too often.
    private static func giveUp(_ limits: IngestQueueLimits, _ database: Database) throws {
        let items = try Int64.fetchAll(
            database,
            sql: "SELECT id FROM ingest_items WHERE state = 'queued' AND attempts >= ?",
            arguments: [limits.attempts]
        )
        let outcome = IngestItemOutcome(error: limits.tooManyAttempts)
        for item in items { try Self.settle(item, state: .failed, outcome: outcome, database) }
        if !items.isEmpty { try Self.completeJobs(database) }
    }

    /// Notes which jobs have nothing left to do.
    private static func completeJobs(_ database: Database) throws {
        try database.execute(
            sql: """
                UPDATE ingest_jobs SET finished_at = ?
                WHERE finished_at IS NULL AND receiver IS NULL AND NOT EXISTS (
                    SELECT 1 FROM ingest_items
                    WHERE job_id = ingest_jobs.id AND state IN ('receiving', 'queued', 'running'))
                """,
            arguments: [Date().timeIntervalSince1970]
        )
    }

    private func isAnythingDue(_ now: Date) async throws(KnowledgeError) -> Bool {
        try await self.read { database in
            try Bool.fetchOne(
                database,
                sql: """
                    SELECT EXISTS (SELECT 1 FROM ingest_items WHERE state = 'queued' AND due_at <= ?)
                        OR EXISTS (SELECT 1 FROM ingest_items WHERE state = 'running' AND claimed_until <= ?)
                        OR EXISTS (SELECT 1 FROM ingest_jobs WHERE receiver IS NOT NULL AND receiver_until <= ?)
                    """,
                arguments: [now.timeIntervalSince1970, now.timeIntervalSince1970, now.timeIntervalSince1970]
            ) ?? false
        }
    }

    private func read<T: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> T
    ) async throws(KnowledgeError) -> T {
        do { return try await self.pool.read(body) } catch { throw KnowledgeError(store: error) }
    }

    private func write<T: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> T
    ) async throws(KnowledgeError) -> T {
        do { return try await self.pool.write(body) } catch { throw KnowledgeError(store: error) }
    }

    private func writeDurably(_ body: @escaping @Sendable (Database) throws -> Void) async throws(KnowledgeError) {
        do {
            try await self.pool.writeWithoutTransaction { database in
                try database.execute(sql: "PRAGMA synchronous = FULL")
                defer { try? database.execute(sql: "PRAGMA synchronous = NORMAL") }
                try database.inTransaction(.immediate) {
                    try body(database)
                    return .commit
                }
            }
        } catch { throw KnowledgeError(store: error) }
    }
}

extension IngestItem {
    fileprivate init(_ row: Row) {
        let outcome: String? = row[5]
        self.init(
            id: row[0],
            path: row[1],
            state: State(rawValue: row[2]) ?? .failed,
            byteCount: row[3],
            attempts: row[4],
            outcome: outcome.flatMap { try? JSONValue(parsing: Array($0.utf8)) }
                .flatMap { IngestItemOutcome(json: $0) }
        )
    }
}

extension IngestJob {
    fileprivate init(_ row: Row, _ database: Database) throws {
        let id: String = row[0]
        let finishedAt: Double? = row[2]
        let isCancelled: Bool = row[3]
        var counts: [IngestItem.State: Int] = [:]
        let states = try Row.fetchAll(
            database,
            sql: "SELECT state, count(*) FROM ingest_items WHERE job_id = ? GROUP BY state",
            arguments: [id]
        )
        for state in states {
            if let name = IngestItem.State(rawValue: state[0]) { counts[name] = state[1] }
        }
        self.init(
            id: id,
            state: isCancelled ? .cancelled : finishedAt == nil ? .running : .done,
            createdAt: Date(timeIntervalSince1970: row[1]),
            finishedAt: finishedAt.map { Date(timeIntervalSince1970: $0) },
            counts: counts
        )
    }
}
