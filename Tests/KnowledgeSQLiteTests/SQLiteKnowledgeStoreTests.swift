import Foundation
import GRDB
import JSON
import Knowledge
import Testing

@testable import KnowledgeSQLite

@Suite("The SQLite store")
struct SQLiteKnowledgeStoreTests {
    typealias Contract = KnowledgeStoreContract

    @Test("It keeps the promises of every store")
    func contract() async throws {
        var directories: [TemporaryStore] = []
        let contract = Contract {
            let directory = try TemporaryStore()
            directories.append(directory)
            return try directory.open()
        }
        try await contract.run()
    }

    @Test("It keeps the promises about metadata, feedback, checks and changes")
    func records() async throws {
        var directories: [TemporaryStore] = []
        let contract = KnowledgeRecordsContract {
            let directory = try TemporaryStore()
            directories.append(directory)
            return try directory.open()
        }
        try await contract.run()
    }

    @Test("A filter reads an index and not the texts of all documents")
    func filterIndex() async throws {
        let directory = try TemporaryStore()
        let store = try directory.open()
        let filter = DocumentFilter(
            sources: [try GlobPattern("docs/**")],
            metadata: [
                try MetadataCondition(MetadataPath("tenant"), .eq, 7),
                try MetadataCondition(MetadataPath("tags"), .contains, "oil"),
            ],
            updatedAfter: Date(timeIntervalSince1970: 0),
            labels: .only(["a"])
        )
        let plan = try await store.pool.read { database in
            try filter.withCondition(in: database) { condition in
                try Row.fetchAll(
                    database,
                    sql: "EXPLAIN QUERY PLAN \(ChunkSet.statement(condition.sql))",
                    arguments: condition.arguments
                )
                .map { $0["detail"] as String }
            }
        }
        #expect(plan.contains { $0.contains("USING COVERING INDEX documents_filter") }, "\(plan)")
        #expect(!plan.contains { $0.contains("TEMP B-TREE") }, "\(plan)")
    }

    /// Postings that fit into memory, that don't, and of which the first word's do.
    @Test("The best chunks by words, and their scores, are those of FTS5's own bm25()", arguments: [4_000_000, 0, 150])
    func bestByWords(maximumPostings: Int) async throws {
        let directory = try TemporaryStore()
        var limits = SQLiteKnowledgeStore.Limits()
        limits.maximumPostings = maximumPostings
        let store = try directory.open(limits)
        // Every third chunk has "oil", every second "gas"; lengths go from 1 word to 200, which takes two bytes to write.
        for number in 0..<30 {
            let texts = (0..<10).map { index in
                let row = number * 10 + index
                let words = [
                    row % 3 == 0 ? "oil" : "tar", row % 2 == 0 ? "gas" : "tar", row % 7 == 0 ? "coal coal" : "tar",
                ]
                return (words + [String](repeating: "filler", count: row * 37 % 200)).joined(separator: " ")
            }
            try await store.write(Contract.document("d\(number)", texts))
        }
        let words = ["oil", "gas", "coal", "context", "unknown"]
        for filter in [DocumentFilter(), DocumentFilter(sources: [try GlobPattern("d2*")])] {
            let request = CandidateRequest(terms: words, dense: nil, limit: 25, filter: filter, mode: .lexical)
            let response = try await store.search(request) {
                $0.sorted { ($0.lexicalRank ?? 0) < ($1.lexicalRank ?? 0) }
            }
            let expected = try await store.pool.read { database in
                try Row.fetchAll(
                    database,
                    sql: """
                        SELECT f.rowid, -bm25(document_embeddings_fts, 2.0, 1.0, 0.5) AS score
                        FROM document_embeddings_fts f JOIN document_embeddings e ON e.id = f.rowid
                        WHERE document_embeddings_fts MATCH 'oil OR gas OR coal OR context OR unknown'
                            AND (e.document_id LIKE 'd2%' OR ?)
                        """,
                    arguments: [filter.isEmpty]
                )
                .map { (id: $0["rowid"] as Int64, score: $0["score"] as Double) }
            }
            .sorted { ($0.score, $1.id) > ($1.score, $0.id) }.prefix(25)
            #expect(response.hits.map(\.candidate.chunkID) == expected.map(\.id))
            for (hit, wanted) in zip(response.hits, expected) {
                #expect(abs(hit.candidate.lexicalScore - wanted.score) < 1e-9)
            }
            #expect(
                response.termFrequencies == ["oil": 100, "gas": 150, "coal": 43, "context": 300, "unknown": 0],
                "Whatever the filter"
            )
        }
    }

    @Test("Changes that are too long past to be named are not made up")
    func unnamedChanges() async throws {
        let directory = try TemporaryStore()
        var limits = SQLiteKnowledgeStore.Limits()
        limits.keptChanges = 2
        let store = try directory.open(limits)
        for index in 0..<4 { try await store.write(Contract.document("d\(index)", ["text"])) }
        let all = try await store.changes(after: 0, limit: 100)
        #expect(all.documents == nil)
        #expect(try await store.changes(after: all.generation - 1, limit: 100).documents == ["d3": true])
    }

    @Test("What one opener of the file writes, the other finds at once")
    func twoOpeners() async throws {
        let directory = try TemporaryStore()
        let reader = try directory.open()
        let writer = try directory.open()
        let base = Self.base(reader)
        for round in 0..<5 {
            try await writer.write(Contract.document("a", ["round\(round)"], vectors: [[1, 0, 0, 0]]))
            try await writer.write(Contract.document("b\(round)", ["other\(round)"], vectors: [[0, 1, 0, 0]]))
            if round > 0 { try await writer.delete(documentID: "b\(round - 1)") }
            let request = CandidateRequest(
                terms: [],
                dense: .init(vector: [1, 0, 0, 0], model: Contract.model),
                limit: 10
            )
            let found = try await reader.search(request) { $0.sorted { ($0.cosine ?? 0) > ($1.cosine ?? 0) } }
            #expect(found.hits.map(\.chunk.text) == ["round\(round)", "other\(round)"])
        }
        #expect(try await base.status().store.documentCount == 2)
    }

    @Test("Searches during writes see whole documents only, old or new")
    func concurrent() async throws {
        let directory = try TemporaryStore()
        let store = try directory.open()
        let second = try directory.open()
        try await store.write(Contract.document("a", ["v0", "v0", "v0"]))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for version in 1...60 {
                    let texts = [String](repeating: "v\(version)", count: 1 + version % 4)
                    try await store.write(Contract.document("a", texts))
                }
            }
            for opener in [store, store, second] {
                group.addTask {
                    for _ in 0..<60 {
                        let dense = CandidateRequest.Dense(vector: [1, 0, 0, 0], model: Contract.model)
                        let found = try await opener.search(CandidateRequest(terms: [], dense: dense, limit: 20)) { $0 }
                        let texts = Set(found.hits.map(\.chunk.text))
                        #expect(texts.count == 1, "Chunks of several versions, or none")
                        let version = texts.first.flatMap { Int($0.dropFirst()) } ?? 0
                        #expect(found.hits.count == (version == 0 ? 3 : 1 + version % 4))
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("The vectors in memory catch up after more changes than are kept")
    func forgottenChanges() async throws {
        let directory = try TemporaryStore()
        var limits = SQLiteKnowledgeStore.Limits()
        limits.keptChanges = 2
        let store = try directory.open(limits)
        let dense = CandidateRequest.Dense(vector: [1, 0, 0, 0], model: Contract.model)
        let request = CandidateRequest(terms: [], dense: dense, limit: 50)
        try await store.write(Contract.document("first", ["first"]))
        _ = try await store.search(request) { $0 }
        for index in 0..<10 { try await store.write(Contract.document("d\(index)", ["text\(index)"])) }
        try await store.delete(documentID: "first")
        try await store.delete(documentID: "d3")
        let found = try await store.search(request) { $0 }
        let expected = Set((0..<10).filter { $0 != 3 }.map { "text\($0)" })
        #expect(Set(found.hits.map(\.chunk.text)) == expected)
        #expect(found.hits.count == expected.count)
    }

    @Test("More vectors than allowed are refused with their own error, and nothing changes")
    func tooManyVectors() async throws {
        let directory = try TemporaryStore()
        var limits = SQLiteKnowledgeStore.Limits()
        limits.maximumVectors = 3
        let store = try directory.open(limits)
        try await store.write(Contract.document("a", ["one", "two"]))
        await Contract.expect(.tooManyVectors) { try await store.write(Contract.document("b", ["three", "four"])) }
        #expect(try await store.status().documentCount == 1)
        try await store.write(Contract.document("a", ["one", "two", "three"]))
        await Contract.expect(.tooManyVectors) {
            try await store.write(Contract.document("a", ["one", "two", "three", "four"]))
        }
        #expect(try await store.document(id: "a")?.summary.chunkCount == 3, "The old text stays")

        limits.maximumVectors = 2
        let smaller = try directory.open(limits)
        let dense = CandidateRequest.Dense(vector: [1, 0, 0, 0], model: Contract.model)
        await Contract.expect(.tooManyVectors) {
            try await smaller.search(CandidateRequest(terms: [], dense: dense, limit: 5)) { $0 }
        }
    }

    @Test("A file of a newer version is refused, one that is no database too")
    func foreignFiles() async throws {
        let newer = try TemporaryStore()
        let store = try newer.open()
        try await store.pool.write { database in
            try database.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('999-future')")
        }
        #expect(throws: KnowledgeError.self) { try newer.open() }
        do { _ = try newer.open() } catch { #expect((error as? KnowledgeError)?.code == .newerSchema) }

        let garbage = try TemporaryStore()
        try Data(String(repeating: "no database ", count: 500).utf8).write(to: URL(fileURLWithPath: garbage.path))
        do { _ = try garbage.open() } catch { #expect((error as? KnowledgeError)?.code == .storeFailed) }
        #expect(throws: KnowledgeError.self) { try garbage.open() }
    }

    @Test("A file of the first version is brought to the present schema, and nothing of it is lost")
    func migration() async throws {
        let directory = try TemporaryStore()
        let pool = try DatabasePool(path: directory.path)
        try KnowledgeMigrations.migrator.migrate(pool, upTo: "001-documents")
        try await pool.write { database in
            for id in ["a", "b"] {
                try database.execute(
                    sql: """
                        INSERT INTO documents VALUES (:id, 'docs/' || :id, 'Title', 'one two', '{"n":1}', 'hash',
                            'test-model', 2, 1, 2, NULL);
                        INSERT INTO document_embeddings (document_id, chunk_index, chunk_text, context, heading_path,
                            identifiers, span_start, span_end, embedding, created_at)
                        VALUES (:id, 0, 'one ' || :id, '', '[]', '', 0, 3, :vector, 2),
                            (:id, 1, 'two ' || :id, '', '[]', '', 4, 7, :vector, 2);
                        """,
                    arguments: ["id": id, "vector": VectorBlob.data([1, 0, 0, 0])]
                )
            }
            try database.execute(
                sql: """
                    UPDATE index_state SET model_name = 'test-model', model_dimension = 4, document_count = 2,
                        chunk_count = 4, vector_count = 4;
                    INSERT INTO index_changes (document_id) VALUES ('a'), ('b');
                    """
            )
        }
        try pool.close()
        let store = try directory.open()
        #expect(try await store.status().generation == 2)
        #expect(try await store.document(id: "a")?.summary.accessLabels == [])
        let request = CandidateRequest(
            terms: ["one"],
            dense: .init(vector: [1, 0, 0, 0], model: Contract.model),
            limit: 10,
            filter: DocumentFilter(sources: [try GlobPattern("docs/b")], labels: .only([]))
        )
        let found = try await store.search(request) { $0 }
        #expect(found.hits.map(\.chunk.text).sorted() == ["one b", "two b"])
        try await store.write(Contract.document("a", ["new"]))
        #expect(try await store.search(CandidateRequest(terms: ["new"], dense: nil, limit: 3)) { $0 }.hits.count == 1)
    }

    @Test("Removing a document leaves no row behind, in the full-text index neither")
    func noRowsLeft() async throws {
        let directory = try TemporaryStore()
        let store = try directory.open()
        try await store.write(Contract.document("a", ["cats", "dogs"]))
        try await store.write(Contract.document("a", ["fish"]))
        try await store.delete(documentID: "a")
        try await store.pool.write { database in
            #expect(try Int.fetchOne(database, sql: "SELECT count(*) FROM document_embeddings") == 0)
            let words =
                "SELECT count(*) FROM document_embeddings_fts WHERE document_embeddings_fts MATCH 'cats OR fish'"
            #expect(try Int.fetchOne(database, sql: words) == 0)
            // Fails if the full-text index and the table that it is made of disagree.
            try database.execute(
                sql: "INSERT INTO document_embeddings_fts (document_embeddings_fts, rank) VALUES ('integrity-check', 1)"
            )
            #expect(try String.fetchOne(database, sql: "PRAGMA journal_mode") == "wal")
            #expect(try Bool.fetchOne(database, sql: "PRAGMA foreign_keys") == true)
        }
    }

    private static func base(_ store: SQLiteKnowledgeStore) -> KnowledgeBase {
        KnowledgeBase(store: store, embedder: nil, now: { Date(timeIntervalSince1970: 0) })
    }
}
