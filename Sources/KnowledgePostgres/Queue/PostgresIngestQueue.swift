public import Foundation
import JSON
public import Knowledge
import Postgres

/// The ingestion queue in the database of a knowledge store, which the workers of all servers share.
///
/// Workers pass over rows that another one is at (`SKIP LOCKED`), so none waits for another, and a server that is frozen in
/// the middle of something holds up nobody. Who changes files of a job so that it may be finished locks the job first:
/// otherwise two that end the last two files at the same time would each see the other's, and none would finish the job.
public struct PostgresIngestQueue: IngestQueue {
    private let store: PostgresKnowledgeStore
    private let limits: IngestQueueLimits

    /// On which servers with the same tables hear of one another, in SQL; the payload is an ``IngestQueueEvent``.
    private static let channel = "'gantry.ingest_queue ' || hashtext(current_schema())"

    /// Creates the queue of a store.
    public init(store: PostgresKnowledgeStore, limits: IngestQueueLimits = IngestQueueLimits()) {
        self.store = store
        self.limits = limits
    }

    // MARK: Taking in

    public func openJob(receiver: String, until: Date) async throws(KnowledgeError) -> String {
        let id = UUID().uuidString.lowercased()
        try await self.store.write { [limits] connection in
            try await Self.lockLimits(connection)
            let open = try await connection.query("SELECT count(*) FROM ingest_jobs WHERE finished_at IS NULL")
            guard try open.first?.get(0) ?? 0 < limits.openJobs else { throw limits.tooManyJobs }
            try await connection.query(
                "INSERT INTO ingest_jobs (id, receiver, receiver_until, created_at) VALUES ($1, $2, $3, $4)",
                [.text(id), .text(receiver), .timestamptz(until), .timestamptz(Date())]
            )
            try await connection.query(
                """
                DELETE FROM ingest_jobs WHERE id IN (
                    SELECT id FROM ingest_jobs WHERE finished_at IS NOT NULL ORDER BY finished_at DESC, id OFFSET $1)
                """,
                [.int(limits.keptJobs)]
            )
        }
        return id
    }

    public func closeJob(_ id: String) async throws(KnowledgeError) {
        try await self.store.write { connection in
            try await Self.makeDurable(connection)
            try await connection.query("UPDATE ingest_jobs SET receiver = NULL WHERE id = $1", [.text(id)])
            try await Self.complete([id], connection)
        }
    }

    public func beginReceiving(path: String, job: String) async throws(KnowledgeError) -> Int64 {
        try await self.store.write { [limits] connection in
            let count = try await connection.query("SELECT count(*) FROM ingest_items WHERE job_id = $1", [.text(job)])
            guard try count.first?.get(0) ?? 0 < limits.itemsPerJob else { throw limits.tooManyItems }
            let rows = try await connection.query(
                """
                INSERT INTO ingest_items (job_id, path, state, due_at)
                SELECT id, $2, 'receiving', $3 FROM ingest_jobs WHERE id = $1 AND receiver IS NOT NULL
                RETURNING id
                """,
                [.text(job), .text(path), .timestamptz(Date())]
            )
            guard let row = rows.first else { throw IngestQueueLimits.jobClosed }
            return try row.get(0)
        }
    }

    public func append(_ bytes: [UInt8], to item: Int64) async throws(KnowledgeError) {
        try await self.store.write { [limits] connection in
            let rows = try await connection.query(
                """
                UPDATE ingest_items SET byte_count = byte_count + $2 WHERE id = $1 AND state = 'receiving' RETURNING id
                """,
                [.int8(item), .int(bytes.count)]
            )
            guard rows.first != nil else { throw IngestQueueLimits.jobClosed }
            try await connection.query(
                """
                INSERT INTO ingest_pieces (item_id, sequence, bytes)
                SELECT $1, coalesce(max(sequence) + 1, 0), $2 FROM ingest_pieces WHERE item_id = $1
                """,
                [.int8(item), .bytea(bytes)]
            )
            // Last, since others wait from here on.
            try await Self.lockLimits(connection)
            let waiting = try await connection.query(
                """
                SELECT coalesce(sum(byte_count), 0)::bigint FROM ingest_items
                WHERE state IN ('receiving', 'queued', 'running')
                """
            )
            guard try waiting.first?.get(0) ?? 0 <= limits.waitingBytes else { throw limits.tooManyBytes }
        }
    }

    public func finishReceiving(_ item: Int64) async throws(KnowledgeError) {
        try await self.store.write { connection in
            try await Self.makeDurable(connection)
            let rows = try await connection.query(
                "UPDATE ingest_items SET state = 'queued' WHERE id = $1 AND state = 'receiving' RETURNING id",
                [.int8(item)]
            )
            guard rows.first != nil else { throw IngestQueueLimits.jobClosed }
            try await Self.tellOthers(.queued, connection)
        }
    }

    public func abandon(_ item: Int64, error: KnowledgeError?) async throws(KnowledgeError) {
        try await self.store.write { connection in
            let jobs = try await Self.lockJobs(of: [item], connection)
            if let error {
                let outcome = IngestItemOutcome(error: error)
                try await Self.settle([(item, .failed, outcome)], where: "i.state = 'receiving'", [], connection)
            } else {
                try await connection.query(
                    "DELETE FROM ingest_items WHERE id = $1 AND state = 'receiving'",
                    [.int8(item)]
                )
            }
            try await Self.complete(jobs, connection)
        }
    }

    // MARK: Working

    public func claim(
        worker: String,
        limit: Int,
        maximumBytes: Int,
        until: Date,
        now: Date
    ) async throws(KnowledgeError) -> [IngestItem] {
        let work = try await self.work(at: now)
        if work.hasSilentWorkers { try await self.forgetSilentWorkers(now) }
        if work.hasHopelessItems || work.hasSilentWorkers { try await self.giveUp() }
        guard work.hasDueItems || work.hasSilentWorkers else { return [] }
        return try await self.store.write { [limits] connection in
            // Two versions of a file may be queued. The first statement takes a lock on its path, so that two workers
            // can't take one each; the second sees what those that had the lock before have left behind.
            let rows = try await connection.query(
                """
                WITH due AS (
                    SELECT id, path, byte_count, attempts FROM ingest_items i
                    WHERE state = 'queued' AND due_at <= $1 AND attempts < $3 AND \(Self.isFirstOfPath)
                    ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)
                SELECT id, byte_count, attempts,
                    pg_try_advisory_xact_lock(hashtext('gantry.ingest ' || current_schema()), hashtext(path))
                FROM due ORDER BY id
                """,
                [.timestamptz(now), .int(limit), .int(limits.attempts)]
            )
            var chosen: [Int64] = []
            var total = 0
            for row in rows {
                let byteCount: Int = try row.get(1)
                let isAlone = try row.get(2) >= IngestQueueLimits.attemptsInCompany
                guard try row.get(3) else { continue }
                guard chosen.isEmpty || (!isAlone && total + byteCount <= maximumBytes) else { break }
                total += byteCount
                chosen.append(try row.get(0))
                if isAlone { break }
            }
            let claimed = try await connection.query(
                """
                UPDATE ingest_items i SET state = 'running', worker = $2, claimed_until = $3, attempts = attempts + 1
                WHERE id = ANY($1) AND state = 'queued' AND \(Self.isFirstOfPath)
                RETURNING \(Self.itemColumns)
                """,
                [.int8Array(chosen), .text(worker), .timestamptz(until)]
            )
            return try claimed.map { try IngestItem($0) }.sorted { $0.id < $1.id }
        }
    }

    /// Whether no other version of a file is being ingested, or has to be ingested before.
    private static let isFirstOfPath = """
        NOT EXISTS (
            SELECT 1 FROM ingest_items o WHERE o.path = i.path
                AND (o.state = 'running' OR (o.state = 'queued' AND o.id < i.id)))
        """

    /// What there is to do.
    private struct Work {
        var hasDueItems: Bool
        var hasHopelessItems: Bool
        /// Whether claims have run out.
        var hasSilentWorkers: Bool
    }

    private func work(at now: Date) async throws(KnowledgeError) -> Work {
        try await self.store.read { [limits] connection in
            let rows = try await connection.query(
                """
                SELECT EXISTS (SELECT 1 FROM ingest_items WHERE state = 'queued' AND due_at <= $1 AND attempts < $2),
                    EXISTS (SELECT 1 FROM ingest_items WHERE state = 'queued' AND attempts >= $2),
                    EXISTS (SELECT 1 FROM ingest_items WHERE state = 'running' AND claimed_until <= $1)
                        OR EXISTS (SELECT 1 FROM ingest_jobs WHERE receiver IS NOT NULL AND receiver_until <= $1)
                """,
                [.timestamptz(now), .int(limits.attempts)]
            )
            return Work(
                hasDueItems: try rows.first?.get(0) ?? false,
                hasHopelessItems: try rows.first?.get(1) ?? false,
                hasSilentWorkers: try rows.first?.get(2) ?? false
            )
        }
    }

    /// Gives back the claims that have run out.
    private func forgetSilentWorkers(_ now: Date) async throws(KnowledgeError) {
        try await self.store.write { connection in
            try await Self.forgetReceivers(where: "receiver_until <= $1", [.timestamptz(now)], connection)
            try await connection.query(
                """
                UPDATE ingest_items SET state = 'queued', worker = NULL WHERE id IN (
                    SELECT id FROM ingest_items WHERE state = 'running' AND claimed_until <= $1
                    FOR UPDATE SKIP LOCKED)
                """,
                [.timestamptz(now)]
            )
        }
    }

    /// Fails files that were begun too often.
    private func giveUp() async throws(KnowledgeError) {
        try await self.store.write { [limits] connection in
            let found = try await connection.query(
                "SELECT id FROM ingest_items WHERE state = 'queued' AND attempts >= $1 ORDER BY id LIMIT 1000",
                [.int(limits.attempts)]
            )
            let items = try found.map { try $0.get(0, as: Int64.self) }
            guard !items.isEmpty else { return }
            let jobs = try await Self.lockJobs(of: items, connection)
            let outcome = IngestItemOutcome(error: limits.tooManyAttempts)
            try await Self.settle(items.map { ($0, .failed, outcome) }, where: "i.state = 'queued'", [], connection)
            try await Self.complete(jobs, connection)
        }
    }

    public func content(of item: Int64) async throws(KnowledgeError) -> [UInt8] {
        try await self.store.read { connection in
            let rows = try await connection.query(
                "SELECT bytes FROM ingest_pieces WHERE item_id = $1 ORDER BY sequence",
                [.int8(item)]
            )
            return try rows.reduce(into: []) { $0 += try $1.get(0, as: [UInt8].self) }
        }
    }

    public func renew(worker: String, until: Date) async throws(KnowledgeError) {
        try await self.store.write { connection in
            // What is locked is being finished, so it needs no more time.
            try await connection.query(
                """
                UPDATE ingest_items SET claimed_until = $2 WHERE id IN (
                    SELECT id FROM ingest_items WHERE state = 'running' AND worker = $1 FOR UPDATE SKIP LOCKED)
                """,
                [.text(worker), .timestamptz(until)]
            )
            try await connection.query(
                """
                UPDATE ingest_jobs SET receiver_until = $2 WHERE id IN (
                    SELECT id FROM ingest_jobs WHERE receiver = $1 FOR NO KEY UPDATE SKIP LOCKED)
                """,
                [.text(worker), .timestamptz(until)]
            )
        }
    }

    public func finish(_ outcomes: [Int64: IngestItemOutcome], worker: String) async throws(KnowledgeError) {
        guard !outcomes.isEmpty else { return }
        try await self.store.write { connection in
            let jobs = try await Self.lockJobs(of: Array(outcomes.keys), connection)
            // What someone else has by now, because the claim ran out, stays with them.
            try await Self.settle(
                outcomes.map { ($0.key, $0.value.isFailed ? .failed : .done, $0.value) },
                where: "i.state = 'running' AND i.worker = $4",
                [.text(worker)],
                connection
            )
            try await Self.complete(jobs, connection)
        }
    }

    public func giveBack(
        _ items: [Int64],
        worker: String,
        dueAt: Date,
        countsAttempt: Bool
    ) async throws(KnowledgeError) {
        try await self.store.write { connection in
            try await connection.query(
                """
                UPDATE ingest_items SET state = 'queued', worker = NULL, due_at = $3, attempts = attempts - $4
                WHERE id = ANY($1) AND state = 'running' AND worker = $2
                """,
                [.int8Array(items), .text(worker), .timestamptz(dueAt), .int(countsAttempt ? 0 : 1)]
            )
            try await Self.tellOthers(.queued, connection)
        }
        try await self.giveUp()
    }

    public func workers() async throws(KnowledgeError) -> Set<String> {
        try await self.store.read { connection in
            let rows = try await connection.query(
                """
                SELECT worker FROM ingest_items WHERE state = 'running' AND worker IS NOT NULL
                UNION SELECT receiver FROM ingest_jobs WHERE receiver IS NOT NULL
                """
            )
            return Set(try rows.map { try $0.get(0, as: String.self) })
        }
    }

    public func recover(from workers: Set<String>) async throws(KnowledgeError) {
        try await self.store.write { connection in
            try await Self.forgetReceivers(where: "receiver = ANY($1)", [.textArray(Array(workers))], connection)
            try await connection.query(
                """
                UPDATE ingest_items SET state = 'queued', worker = NULL WHERE id IN (
                    SELECT id FROM ingest_items WHERE state = 'running' AND worker = ANY($1) FOR UPDATE SKIP LOCKED)
                """,
                [.textArray(Array(workers))]
            )
            try await Self.tellOthers(.queued, connection)
        }
    }

    public func nextEvent() async throws(KnowledgeError) -> Date? {
        try await self.store.read { connection in
            let rows = try await connection.query(
                """
                SELECT least(
                    (SELECT min(claimed_until) FROM ingest_items WHERE state = 'running'),
                    (SELECT min(due_at) FROM ingest_items i WHERE state = 'queued' AND \(Self.isFirstOfPath)),
                    (SELECT min(receiver_until) FROM ingest_jobs WHERE receiver IS NOT NULL))
                """
            )
            return try rows.first?.getIfPresent(0)
        }
    }

    public func listen(_ heard: @Sendable (IngestQueueEvent) -> Void) async throws(KnowledgeError) {
        do {
            // Not one of the pool, which may have no more than one.
            let connection = try await PostgresConnection.connect(self.store.pool.configuration)
            do {
                let channel = try await connection.query("SELECT \(Self.channel)")
                let notifications = try await connection.listen(to: channel.first?.get(0) ?? "")
                for event in IngestQueueEvent.allCases { heard(event) }
                for await notification in notifications {
                    if let event = IngestQueueEvent(rawValue: notification.payload) { heard(event) }
                }
                await connection.close()
            } catch {
                await connection.close()
                throw error
            }
            if Task.isCancelled { throw CancellationError() }
            throw PostgresError(.connectionLost, "The connection that hears of files to ingest was lost.")
        } catch {
            throw KnowledgeError(postgres: error)
        }
    }

    // MARK: Asking

    public func job(_ id: String) async throws(KnowledgeError) -> IngestJob? {
        try await self.jobs(where: "id = $1", [.text(id)]).first
    }

    public func jobs(limit: Int) async throws(KnowledgeError) -> [IngestJob] {
        try await self.jobs(where: "true ORDER BY created_at DESC, id LIMIT $1", [.int(limit)])
    }

    private func jobs(
        where clause: String,
        _ parameters: [PostgresParameter]
    ) async throws(KnowledgeError) -> [IngestJob] {
        try await self.store.read { connection in
            let rows = try await connection.query(
                "SELECT id, created_at, finished_at, is_cancelled FROM ingest_jobs WHERE \(clause)",
                parameters
            )
            let ids = try rows.map { try $0.get(0, as: String.self) }
            let states = try await connection.query(
                "SELECT job_id, state, count(*) FROM ingest_items WHERE job_id = ANY($1) GROUP BY job_id, state",
                [.textArray(ids)]
            )
            var counts: [String: [IngestItem.State: Int]] = [:]
            for row in states {
                if let state = IngestItem.State(rawValue: try row.get(1)) {
                    counts[try row.get(0), default: [:]][state] = try row.get(2)
                }
            }
            return try zip(ids, rows).map { id, row in
                let finishedAt: Date? = try row.getIfPresent(2)
                let isCancelled: Bool = try row.get(3)
                return IngestJob(
                    id: id,
                    state: isCancelled ? .cancelled : finishedAt == nil ? .running : .done,
                    createdAt: try row.get(1),
                    finishedAt: finishedAt,
                    counts: counts[id] ?? [:]
                )
            }
        }
    }

    public func items(ofJob id: String, after: Int64, limit: Int) async throws(KnowledgeError) -> [IngestItem] {
        try await self.store.read { connection in
            let rows = try await connection.query(
                "SELECT \(Self.itemColumns) FROM ingest_items i WHERE job_id = $1 AND id > $2 ORDER BY id LIMIT $3",
                [.text(id), .int8(after), .int(limit)]
            )
            return try rows.map { try IngestItem($0) }
        }
    }

    public func cancel(job id: String) async throws(KnowledgeError) -> Bool {
        try await self.store.write { connection in
            let found = try await connection.query(
                """
                UPDATE ingest_jobs SET is_cancelled = is_cancelled OR finished_at IS NULL, receiver = NULL WHERE id = $1
                RETURNING id
                """,
                [.text(id)]
            )
            guard found.first != nil else { return false }
            let waiting = try await connection.query(
                "SELECT id FROM ingest_items WHERE job_id = $1 AND state IN ('receiving', 'queued') ORDER BY id",
                [.text(id)]
            )
            .map { try $0.get(0, as: Int64.self) }
            // One that a worker has taken in between is finished.
            try await Self.settle(
                waiting.map { ($0, .cancelled, nil) },
                where: "i.state IN ('receiving', 'queued')",
                [],
                connection
            )
            try await Self.complete([id], connection)
            try await Self.tellOthers(.jobFinished, connection)
            return true
        }
    }

    // MARK: Steps of a change

    private static let itemColumns = "i.id, i.path, i.state, i.byte_count, i.attempts, i.outcome"

    /// Makes the end of the transaction wait until the disk has it, whatever the server is set to.
    private static func makeDurable(_ connection: PostgresConnection) async throws {
        try await connection.execute(script: "SET LOCAL synchronous_commit = on")
    }

    /// Lets one at a time count what there is in all.
    private static func lockLimits(_ connection: PostgresConnection) async throws {
        try await connection.query(
            "SELECT pg_advisory_xact_lock(hashtext('gantry.ingest_limits ' || current_schema()))"
        )
    }

    /// Tells all servers once the transaction is committed.
    private static func tellOthers(_ event: IngestQueueEvent, _ connection: PostgresConnection) async throws {
        try await connection.query("SELECT pg_notify(\(Self.channel), $1)", [.text(event.rawValue)])
    }

    /// Keeps the jobs of files from others until the transaction ends.
    private static func lockJobs(of items: [Int64], _ connection: PostgresConnection) async throws -> [String] {
        try await connection.query(
            """
            SELECT id FROM ingest_jobs WHERE id IN (SELECT job_id FROM ingest_items WHERE id = ANY($1))
            ORDER BY id FOR NO KEY UPDATE
            """,
            [.int8Array(items)]
        )
        .map { try $0.get(0) }
    }

    /// Keeps what became of files, if they are still in the state that the condition says, and forgets their bytes.
    private static func settle(
        _ items: [(id: Int64, state: IngestItem.State, outcome: IngestItemOutcome?)],
        where condition: String,
        _ parameters: [PostgresParameter],
        _ connection: PostgresConnection
    ) async throws {
        // An array has no place for null, so an empty text stands for no outcome.
        let outcomes = items.map { item in
            item.outcome.map { JSONValue.object($0.json).serializedString() } ?? ""
        }
        try await connection.query(
            """
            WITH settled AS (
                UPDATE ingest_items i SET state = n.state, worker = NULL, outcome = nullif(n.outcome, '')
                FROM unnest($1::bigint[], $2::text[], $3::text[]) n (id, state, outcome)
                WHERE i.id = n.id AND \(condition)
                RETURNING i.id)
            DELETE FROM ingest_pieces WHERE item_id IN (SELECT id FROM settled)
            """,
            [.int8Array(items.map(\.id)), .textArray(items.map(\.state.rawValue)), .textArray(outcomes)] + parameters
        )
    }

    /// Notes which of some jobs, which are locked, have nothing left to do.
    private static func complete(_ jobs: [String], _ connection: PostgresConnection) async throws {
        let finished = try await connection.query(
            """
            UPDATE ingest_jobs j SET finished_at = $2
            WHERE id = ANY($1) AND finished_at IS NULL AND receiver IS NULL AND NOT EXISTS (
                SELECT 1 FROM ingest_items WHERE job_id = j.id AND state IN ('receiving', 'queued', 'running'))
            RETURNING id
            """,
            [.textArray(jobs), .timestamptz(Date())]
        )
        if finished.first != nil { try await Self.tellOthers(.jobFinished, connection) }
    }

    /// Forgets what processes hadn't taken in whole, and closes their jobs.
    private static func forgetReceivers(
        where condition: String,
        _ parameters: [PostgresParameter],
        _ connection: PostgresConnection
    ) async throws {
        let jobs = try await connection.query(
            "SELECT id FROM ingest_jobs WHERE receiver IS NOT NULL AND \(condition) ORDER BY id FOR NO KEY UPDATE",
            parameters
        )
        .map { try $0.get(0, as: String.self) }
        guard !jobs.isEmpty else { return }
        try await connection.query("UPDATE ingest_jobs SET receiver = NULL WHERE id = ANY($1)", [.textArray(jobs)])
        try await connection.query(
            "DELETE FROM ingest_items WHERE job_id = ANY($1) AND state = 'receiving'",
            [.textArray(jobs)]
        )
        try await Self.complete(jobs, connection)
    }
}

extension IngestItem {
    fileprivate init(_ row: PostgresRow) throws {
        let outcome: String? = try row.getIfPresent(5)
        self.init(
            id: try row.get(0),
            path: try row.get(1),
            state: State(rawValue: try row.get(2)) ?? .failed,
            byteCount: try row.get(3),
            attempts: try row.get(4),
            outcome: outcome.flatMap { try? JSONValue(parsing: Array($0.utf8)) }
                .flatMap { IngestItemOutcome(json: $0) }
        )
    }
}
