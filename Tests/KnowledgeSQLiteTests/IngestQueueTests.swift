import Foundation
import Knowledge
import KnowledgePostgres
import KnowledgeSQLite
import Synchronization
import TestSupport
import Testing

@Suite("Ingestion queues", .timeLimit(.minutes(2)))
struct IngestQueueTests {
    @Test("The queue in SQLite keeps its promises")
    func sqlite() async throws {
        var directories: [TemporaryStore] = []
        try await IngestQueueContract { limits in
            let temporary = try TemporaryStore()
            directories.append(temporary)
            return SQLiteIngestQueue(store: try SQLiteKnowledgeStore(path: temporary.path), limits: limits)
        }.run()
    }

    @Test("The queue in PostgreSQL keeps its promises")
    func postgres() async throws {
        try await TemporarySchema.with { schema in
            do {
                try await IngestQueueContract { limits in
                    try await schema.clear()
                    return PostgresIngestQueue(store: schema.open(), limits: limits)
                }
                .run()
            } catch let error as KnowledgeError {
                // What the database said isn't part of the error's own description.
                Issue.record("\(error) \(error.cause.map { "\($0)" } ?? "")")
            }
        }
    }

    @Test("A server ingests what another one takes in, as soon as it is told")
    func replicas() async throws {
        try await TemporarySchema.with { schema in
            let base = KnowledgeBase(
                store: schema.open(),
                embedder: nil,
                extractor: PlainExtractor(),
                now: { Date() }
            )
            let workers = IngestWorkers(queue: PostgresIngestQueue(store: schema.open()), base: base)
            let other = PostgresIngestQueue(store: schema.open())
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await workers.run() }
                for round in 0..<2 {
                    // Nobody calls `notify`: the workers hear it from the database.
                    let job = try await other.openJob(receiver: "other", until: Date(timeIntervalSinceNow: 600))
                    let item = try await other.beginReceiving(path: "a", job: job)
                    try await other.append(Array("Text \(round)".utf8), to: item)
                    try await other.finishReceiving(item)
                    try await other.closeJob(job)
                    let done = try await workers.wait(forJob: job, until: Date(timeIntervalSinceNow: 60))
                    #expect(done?.counts == [.done: 1])
                }
                group.cancelAll()
            }
            #expect(try await base.document(id: "a")?.text == "Text 1")
        }
    }

    @Test("Servers are told of what others queue, give back, finish and cancel, and of nothing else")
    func events() async throws {
        try await TemporarySchema.with { schema in
            let listener = PostgresIngestQueue(store: schema.open())
            let queue = PostgresIngestQueue(store: schema.open())
            let (heard, continuation) = AsyncStream<IngestQueueEvent>.makeStream()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await listener.listen { continuation.yield($0) } }
                var events = heard.makeAsyncIterator()
                for event in IngestQueueEvent.allCases { #expect(await events.next() == event) }

                func add(_ path: String, to job: String) async throws {
                    let item = try await queue.beginReceiving(path: path, job: job)
                    try await queue.append([1], to: item)
                    try await queue.finishReceiving(item)
                    #expect(await events.next() == .queued)
                }
                func claim() async throws -> [Int64] {
                    let now = Date()
                    return try await queue.claim(worker: "w", limit: 9, maximumBytes: 9, until: now + 60, now: now)
                        .map(\.id)
                }
                let outcome = IngestItemOutcome(results: [])
                let until = Date(timeIntervalSinceNow: 600)

                let job = try await queue.openJob(receiver: "r", until: until)
                try await add("a", to: job)
                try await queue.giveBack(try await claim(), worker: "w", dueAt: Date(), countsAttempt: false)
                #expect(await events.next() == .queued)
                try await queue.finish([try #require(try await claim().first): outcome], worker: "w")
                // Only now, since there could have been more files.
                try await queue.closeJob(job)
                #expect(await events.next() == .jobFinished)

                let closed = try await queue.openJob(receiver: "r", until: until)
                try await add("b", to: closed)
                try await queue.closeJob(closed)
                try await queue.finish([try #require(try await claim().first): outcome], worker: "w")
                #expect(await events.next() == .jobFinished)

                // A cancelled job is over for whoever waits, although a file of it is being ingested.
                let cancelled = try await queue.openJob(receiver: "r", until: until)
                try await add("c", to: cancelled)
                _ = try await claim()
                _ = try await queue.cancel(job: cancelled)
                #expect(await events.next() == .jobFinished)
                group.cancelAll()
                try? await group.waitForAll()
            }
        }
    }

    @Test("Of a queue that can't be used is told once, and again after it could be")
    func failures() async throws {
        let temporary = try TemporaryStore()
        let queue = AbsentQueue()
        let base = KnowledgeBase(
            store: try SQLiteKnowledgeStore(path: temporary.path),
            embedder: nil,
            extractor: PlainExtractor(),
            now: { Date() }
        )
        var configuration = IngestWorkers.Configuration()
        configuration.workers = 1
        configuration.retryTime = .milliseconds(1)
        let failures = Mutex<[String]>([])
        let workers = IngestWorkers(queue: queue, base: base, configuration: configuration) { error in
            failures.withLock { $0.append(error.message) }
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await workers.run() }
            var attempts = queue.attempts.stream.makeAsyncIterator()
            /// Waits until the workers have asked so often while the queue was there, or while it wasn't.
            func wait(for count: Int, whileAway isAway: Bool) async {
                var left = count
                while left > 0, let attempt = await attempts.next() { if attempt == isAway { left -= 1 } }
            }
            await wait(for: 20, whileAway: true)
            #expect(failures.withLock { $0 } == ["away"])
            queue.isAway.store(false, ordering: .sequentiallyConsistent)
            await wait(for: 4, whileAway: false)
            queue.isAway.store(true, ordering: .sequentiallyConsistent)
            await wait(for: 20, whileAway: true)
            #expect(failures.withLock { $0 } == ["away", "away"])
            group.cancelAll()
        }
    }

    @Test("This process is alive, one that has ended is gone, and nothing is known of other machines")
    func identities() throws {
        #expect(!WorkerIdentity.isGone(WorkerIdentity.current))
        let parts = WorkerIdentity.current.split(separator: "/")
        #expect(parts.count == 4)
        #expect(WorkerIdentity.isGone([parts[0], parts[1], parts[2], "1"].joined(separator: "/")))
        #expect(!WorkerIdentity.isGone(["other", parts[1], parts[2], "1"].joined(separator: "/")))
        #expect(!WorkerIdentity.isGone("nonsense"))
    }

    @Test("Workers ingest what is queued, each file on its own, and what they are told of meanwhile")
    func workers() async throws {
        let temporary = try TemporaryStore()
        let store = try SQLiteKnowledgeStore(path: temporary.path)
        let base = KnowledgeBase(store: store, embedder: nil, extractor: PlainExtractor(), now: { Date() })
        let workers = IngestWorkers(queue: SQLiteIngestQueue(store: store), base: base)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await workers.run() }
            for round in 0..<3 {
                let job = try await workers.queue.openJob(receiver: "r", until: Date(timeIntervalSinceNow: 600))
                for (path, text) in [("a", "Text \(round)"), ("bad", ""), ("b", "Other \(round)")] {
                    let item = try await workers.queue.beginReceiving(path: path, job: job)
                    try await workers.queue.append(Array(text.utf8), to: item)
                    try await workers.queue.finishReceiving(item)
                }
                try await workers.queue.closeJob(job)
                workers.notify()
                let done = try await workers.wait(forJob: job, until: Date(timeIntervalSinceNow: 60))
                #expect(done?.state == .done)
                #expect(done?.counts == [.done: 2, .failed: 1])
                let items = try await workers.queue.items(ofJob: job, after: 0, limit: 10)
                #expect(
                    items.map(\.outcome?.status) == [round == 0 ? "added" : "updated", "failed"] + [
                        round == 0 ? "added" : "updated"
                    ]
                )
                #expect(items[1].outcome?.failures.first?.code == "empty_document")
            }
            group.cancelAll()
        }
        #expect(try await base.document(id: "a")?.text == "Text 2")
    }

    private struct PlainExtractor: DocumentExtractor {
        func documents(in bytes: [UInt8], path: String) throws(KnowledgeError) -> ExtractedDocuments {
            guard !bytes.isEmpty else { throw KnowledgeError(.emptyDocument, "\(path) is empty.") }
            return ExtractedDocuments(documents: [Document(id: path, text: String(decoding: bytes, as: UTF8.self))])
        }
    }
}

/// A queue that can be away, and has nothing to do otherwise.
private final class AbsentQueue: IngestQueue {
    let isAway = Atomic(true)
    /// Whether it was away, each time that it was asked for files.
    let attempts = AsyncStream<Bool>.makeStream()

    private func check() throws(KnowledgeError) {
        if self.isAway.load(ordering: .sequentiallyConsistent) { throw KnowledgeError(.storeFailed, "away") }
    }

    func claim(
        worker: String,
        limit: Int,
        maximumBytes: Int,
        until: Date,
        now: Date
    ) async throws(KnowledgeError) -> [IngestItem] {
        let isAway = self.isAway.load(ordering: .sequentiallyConsistent)
        self.attempts.continuation.yield(isAway)
        if isAway { throw KnowledgeError(.storeFailed, "away") }
        return []
    }

    func nextEvent() async throws(KnowledgeError) -> Date? { Date(timeIntervalSinceNow: 0.001) }
    func listen(_ heard: @Sendable (IngestQueueEvent) -> Void) async throws(KnowledgeError) {}
    func workers() async throws(KnowledgeError) -> Set<String> { [] }
    func recover(from workers: Set<String>) async throws(KnowledgeError) { try self.check() }
    func renew(worker: String, until: Date) async throws(KnowledgeError) { try self.check() }
    func openJob(receiver: String, until: Date) async throws(KnowledgeError) -> String { "job" }
    func closeJob(_ id: String) async throws(KnowledgeError) { try self.check() }
    func beginReceiving(path: String, job: String) async throws(KnowledgeError) -> Int64 { 1 }
    func append(_ bytes: [UInt8], to item: Int64) async throws(KnowledgeError) { try self.check() }
    func finishReceiving(_ item: Int64) async throws(KnowledgeError) { try self.check() }
    func abandon(_ item: Int64, error: KnowledgeError?) async throws(KnowledgeError) { try self.check() }
    func content(of item: Int64) async throws(KnowledgeError) -> [UInt8] { [] }
    func finish(_ outcomes: [Int64: IngestItemOutcome], worker: String) async throws(KnowledgeError) {
        try self.check()
    }
    func giveBack(_ items: [Int64], worker: String, dueAt: Date, countsAttempt: Bool) async throws(KnowledgeError) {
        try self.check()
    }
    func job(_ id: String) async throws(KnowledgeError) -> IngestJob? { nil }
    func jobs(limit: Int) async throws(KnowledgeError) -> [IngestJob] { [] }
    func items(ofJob id: String, after: Int64, limit: Int) async throws(KnowledgeError) -> [IngestItem] { [] }
    func cancel(job id: String) async throws(KnowledgeError) -> Bool { false }
}
