import Foundation
import Knowledge
import KnowledgePostgres
import KnowledgeSQLite
import TestSupport
import Testing

@Suite("Ingestion queues")
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
