import Foundation
import JSON
import Knowledge
import Postgres
import TestSupport
import Testing

@testable import KnowledgePostgres

@Suite("The PostgreSQL store")
struct PostgresKnowledgeStoreTests {
    typealias Contract = KnowledgeStoreContract

    @Test("It keeps the promises of every store")
    func contract() async throws {
        try await TemporarySchema.with { schema in
            do {
                try await Contract {
                    try await schema.clear()
                    return schema.open()
                }
                .run()
            } catch let error as KnowledgeError {
                // What the database said isn't part of the error's own description.
                Issue.record("\(error) \(error.cause.map { "\($0)" } ?? "")")
            }
        }
    }

    @Test("It keeps the promises about metadata, feedback, checks and changes")
    func records() async throws {
        try await TemporarySchema.with { schema in
            do {
                try await KnowledgeRecordsContract {
                    try await schema.clear()
                    return schema.open()
                }
                .run()
            } catch let error as KnowledgeError {
                Issue.record("\(error) \(error.cause.map { "\($0)" } ?? "")")
            }
        }
    }

    @Test("Servers that start together migrate once, and a newer schema is refused")
    func migration() async throws {
        try await TemporarySchema.with { schema in
            try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 0..<6 { group.addTask { try await schema.open().prepare() } }
                // Which server carries out which step is chance; that nobody repeats one or goes back isn't.
                var done: [String] = []
                let names = KnowledgeSchema.migrations.names
                for try await part in group {
                    #expect(part == names.filter(part.contains))
                    done += part
                }
                #expect(done.sorted() == names.sorted())
            }
            let applied = try await schema.pool.query("SELECT name FROM knowledge_migrations ORDER BY number")
            #expect(try applied.map { try $0.get(0) as String } == KnowledgeSchema.migrations.names)
            #expect(try await schema.open().prepare().isEmpty)
            try await schema.pool.query("INSERT INTO knowledge_migrations (number, name) VALUES (999, 'future')")
            await Contract.expect(.newerSchema) { try await schema.open().prepare() }
            await Contract.expect(.newerSchema) { try await schema.open().status() }
        }
    }

    /// Loads 10,000 vectors in 50 documents, one of which belongs to the tenant.
    @Test("A filter that keeps 2 % of the rows leaves 10 of 10 results, and the right ones, by the index too")
    func narrowFilterByIndex() async throws {
        try await TemporarySchema.with { schema in
            var limits = PostgresKnowledgeStore.Limits()
            limits.maximumExactChunks = 0
            let store = schema.open(limits)
            let model = EmbeddingModel(name: "wide", dimension: 32, maximumTokens: 256)
            var generator = SeededGenerator(state: 3)
            var kept: [(id: String, vector: [Float])] = []
            for number in 0..<50 {
                let vectors = (0..<200).map { _ in Self.unitVector(model.dimension, &generator) }
                var document = Contract.document("d\(number)", (0..<200).map { "text \($0)" }, vectors: vectors)
                document.model = model
                document.document.metadata = ["tenant": .integer(number % 50)]
                try await store.write(document)
                if number % 50 == 7 { kept += vectors.enumerated().map { ("d\(number) \($0)", $1) } }
            }
            try await schema.pool.query("ANALYZE")
            let filter = DocumentFilter(metadata: [try MetadataCondition(MetadataPath("tenant"), .eq, 7)])
            var right = 0
            for _ in 0..<20 {
                let query = Self.unitVector(model.dimension, &generator)
                let request = CandidateRequest(
                    terms: [],
                    dense: .init(vector: query, model: model),
                    limit: 10,
                    filter: filter
                )
                let hits = try await store.search(request) { $0 }.hits
                #expect(hits.count == 10)
                let exact = kept.map { ($0.id, zip($0.vector, query).reduce(Float(0)) { $0 + $1.0 * $1.1 }) }
                    .sorted { $0.1 > $1.1 }.prefix(10).map(\.0)
                right += Set(exact).intersection(hits.map { "\($0.chunk.documentID) \($0.chunk.index)" }).count
            }
            #expect(Double(right) / 200 >= 0.98, "Recall")
        }
    }

    private static func unitVector(_ dimension: Int, _ generator: inout SeededGenerator) -> [Float] {
        let vector = (0..<dimension).map { _ in Float.random(in: -1...1, using: &generator) }
        let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return vector.map { $0 / length }
    }

    @Test("The vector index fits the query, before and after a change of the model")
    func indexIsUsed() async throws {
        try await TemporarySchema.with { schema in
            let store = schema.open()
            try await store.write(Contract.document("a", (0..<50).map { "text \($0)" }))
            #expect(try await Self.plan(schema, dimension: 4).contains(VectorColumn.indexName))
            let next = EmbeddingModel(name: "next", dimension: 3, maximumTokens: 256)
            let base = KnowledgeBase(
                store: store,
                embedder: WordEmbedder(name: next.name, dimension: 3),
                now: Date.init
            )
            #expect(try await base.reindex() == 50)
            #expect(try await Self.plan(schema, dimension: 3).contains(VectorColumn.indexName))
        }
    }

    private static func plan(_ schema: TemporarySchema, dimension: Int) async throws -> String {
        let order = try VectorColumn(dimension: dimension).distance(to: "$1")
        return try await schema.pool.withTransaction { connection in
            try await connection.execute(script: "SET LOCAL enable_seqscan = off")
            return try await connection.query(
                "EXPLAIN SELECT id FROM document_embeddings ORDER BY \(order) LIMIT 3",
                [.halfvec([Float](repeating: 1, count: dimension))]
            )
            .map { try $0.get(0, as: String.self) }.joined(separator: "\n")
        }
    }

    @Test("Many writers at once leave exactly what the last of each document wrote")
    func concurrentWriters() async throws {
        try await TemporarySchema.with { schema in
            let store = schema.open()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<6 {
                    group.addTask {
                        for round in 0..<8 {
                            let texts = (0...round % 3).map { "common word\(writer) round\(round) \($0)" }
                            try await store.write(Contract.document("d\((writer + round) % 4)", texts))
                            if round == 5 { try await store.delete(documentID: "d\(writer % 4)") }
                        }
                    }
                    group.addTask {
                        let dense = CandidateRequest.Dense(vector: [1, 0, 0, 0], model: Contract.model)
                        for _ in 0..<20 {
                            let request = CandidateRequest(terms: ["common"], dense: dense, limit: 50)
                            let found = try await store.search(request) { $0 }
                            for (_, hits) in Dictionary(grouping: found.hits, by: \.chunk.documentID) {
                                let versions = Set(hits.map { $0.chunk.text.dropLast(2) })
                                #expect(versions.count == 1, "Chunks of two versions of a document")
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            // What is counted is what is there.
            let differences = """
                SELECT (SELECT count(*) FROM (
                        SELECT id, chunk_frequency FROM terms WHERE chunk_frequency <> 0
                        EXCEPT SELECT term_id, count(*) FROM postings GROUP BY term_id) wrong)
                    + (SELECT count(*) FROM postings WHERE chunk_id NOT IN (SELECT id FROM document_embeddings))
                    + (SELECT abs(chunk_count - (SELECT count(*) FROM document_embeddings))
                        + abs(vector_count - (SELECT count(embedding) FROM document_embeddings))
                        + abs(document_count - (SELECT count(*) FROM documents))
                        + abs(term_count - (SELECT coalesce(sum(length), 0) FROM document_embeddings)) FROM index_state)
                """
            #expect(try await schema.pool.query(differences).first?.get(0, as: Int.self) == 0)
        }
    }

    @Test("Words that are too common to lead to candidates still count for those that others led to")
    func commonWords() async throws {
        try await TemporarySchema.with { schema in
            var limits = PostgresKnowledgeStore.Limits()
            limits.maximumPostings = 3
            let pruned = schema.open(limits)
            let texts = ["rare common", "rare", "common", "common", "other", "another", "more", "others"]
            try await pruned.write(Contract.document("a", texts))
            let request = CandidateRequest(terms: ["common", "rare"], dense: nil, limit: 2)
            let found = try await pruned.search(request) { $0.sorted { $0.lexicalScore > $1.lexicalScore } }.hits
            let full = try await schema.open().search(request) { $0.sorted { $0.lexicalScore > $1.lexicalScore } }.hits
            #expect(found.map(\.chunk.text) == ["rare common", "rare"])
            #expect(found.map(\.candidate.lexicalScore) == full.map(\.candidate.lexicalScore))
        }
    }

    @Test("Text that PostgreSQL can't keep is refused with its own error, and nothing changes")
    func nulCharacter() async throws {
        try await TemporarySchema.with { schema in
            let store = schema.open()
            await Contract.expect(.invalidText) { try await store.write(Contract.document("a", ["x\0y"])) }
            let status = try await store.status()
            #expect(status.documentCount == 0)
        }
    }

    @Test("Both stores give the same scores for the same words")
    func scores() async throws {
        try await TemporarySchema.with { schema in
            let directory = try TemporaryStore()
            let stores: [any KnowledgeStore] = [try directory.open(), schema.open()]
            var lists: [[String: Double]] = []
            for store in stores {
                for (index, text) in Self.texts.enumerated() {
                    var document = Contract.document("d\(index)", [text])
                    document.entries[0].identifierParts = index == 2 ? "max retries" : ""
                    try await store.write(document)
                }
                let request = CandidateRequest(
                    terms: ["relational", "keys", "key", "retries", "Größe", "context"],
                    dense: nil,
                    limit: 10
                )
                let hits = try await store.search(request) { $0 }.hits
                lists.append(Dictionary(uniqueKeysWithValues: hits.map { ($0.chunk.text, $0.candidate.lexicalScore) }))
            }
            #expect(lists[0].count == 4)
            #expect(Set(lists[0].keys) == Set(lists[1].keys))
            for (text, score) in lists[0] { #expect(abs(score - (lists[1][text] ?? 0)) < 1e-9, "\(text)") }
        }
    }

    private static let texts = [
        "The relation of a key to other keys, and again the key", "relate it", "let maxRetries = 3", "die GROSSE größe",
    ]
}
