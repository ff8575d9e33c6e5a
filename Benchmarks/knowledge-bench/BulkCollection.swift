import Foundation
import JSON
import Knowledge
import KnowledgePostgres
import Postgres

/// A collection of very short texts that is copied into PostgreSQL past the store, with the vector index made at the end, as
/// when a backup is restored: so a million vectors take minutes.
///
/// Its chunks have no postings, so only searches by meaning can be measured with it.
struct BulkCollection {
    /// The nearest chunks of a question, found while the vectors are made: they needn't be in memory together.
    struct Nearest {
        private var best: [(name: String, cosine: Float)] = []

        var names: Set<String> { Set(self.best.map(\.name)) }

        mutating func offer(_ name: @autoclosure () -> String, _ cosine: Float) {
            guard self.best.count < 10 || cosine > self.best[9].cosine else { return }
            let place = self.best.firstIndex { $0.cosine < cosine } ?? self.best.count
            self.best.insert((name(), cosine), at: place)
            if self.best.count > 10 { self.best.removeLast() }
        }
    }

    private static let documentsPerCopy = 500

    var collection = SyntheticCollection()
    let questions: [(text: String, vector: [Float])]
    /// What an exact scan finds for the first questions, among all chunks and among those of tenant 7.
    private(set) var nearest: [(all: Nearest, filtered: Nearest)]

    init(questionCount: Int, checkedCount: Int) {
        var collection = SyntheticCollection()
        self.questions = (0..<questionCount).map { _ in collection.question() }
        self.nearest = Array(repeating: (Nearest(), Nearest()), count: min(checkedCount, questionCount))
        self.collection = collection
    }

    /// Loads at least that many chunks.
    ///
    /// - Returns: How many there are.
    mutating func load(_ count: Int, into store: PostgresKnowledgeStore, _ pool: PostgresPool) async throws -> Int {
        // The first document stamps the index with the model, and so makes the vector index that is dropped here.
        let first = self.collection.document(0)
        try await store.write(first)
        for entry in first.entries { self.compare(entry.vector ?? [], "document-0 \(entry.chunk.index)", tenant: 0) }
        let documents = max(1, count / SyntheticCollection.chunksPerDocument)
        let definition: String? = try await pool.withConnection { connection in
            let rows = try await connection.query(
                """
                SELECT indexdef FROM pg_indexes
                WHERE schemaname = current_schema() AND indexname = 'document_embeddings_vectors'
                """
            )
            let definition: String? = try rows.first?.get(0)
            try await connection.execute(script: "DROP INDEX document_embeddings_vectors")
            return definition
        }
        let copies = stride(from: 1, to: documents, by: Self.documentsPerCopy).map { start in
            start..<min(start + Self.documentsPerCopy, documents)
        }
        for numbers in copies { try await Self.copyDocuments(numbers, pool) }
        // Every chunk's document is looked up, and the plan for that would be one for the table as it was when it was empty.
        try await pool.withConnection { try await $0.execute(script: "ANALYZE documents") }
        for numbers in copies { try await self.copyChunks(numbers, pool) }
        let chunks = documents * SyntheticCollection.chunksPerDocument
        try await pool.withConnection { connection in
            try await connection.query(
                """
                UPDATE index_state SET generation = generation + 1, document_count = $1, chunk_count = $2, vector_count = $2
                """,
                [.int(documents), .int(chunks)]
            )
            try await connection.withStatementTimeout(nil) {
                try await connection.execute(script: "\(definition ?? ""); ANALYZE")
            }
        }
        return chunks
    }

    private static let date = Date(timeIntervalSince1970: 1_700_000_000)

    private static func copyDocuments(_ numbers: Range<Int>, _ pool: PostgresPool) async throws {
        let rows: [[PostgresParameter]] = numbers.map { number in
            let tenant = number % SyntheticCollection.tenants
            return [
                .text("document-\(number)"), .text("made/up/\(tenant)/\(number).txt"), .text("Document \(number)"),
                .text(""), .jsonb("{\"tenant\": \(tenant)}"), .text("\(number)"),
                .text(SyntheticCollection.model.name), .int4(Int32(SyntheticCollection.chunksPerDocument)),
                .textArray([]), .timestamptz(Self.date), .timestamptz(Self.date),
            ]
        }
        try await pool.withTransaction { connection in
            try await connection.copy(
                """
                COPY documents (id, source, title, content, metadata, content_hash, model_name, chunk_count, access_labels,
                    created_at, updated_at) FROM STDIN (FORMAT binary)
                """,
                rows: rows
            )
        }
    }

    private mutating func copyChunks(_ numbers: Range<Int>, _ pool: PostgresPool) async throws {
        var rows: [[PostgresParameter]] = []
        for number in numbers {
            let id = "document-\(number)"
            for index in 0..<SyntheticCollection.chunksPerDocument {
                let vector = self.collection.vector()
                self.compare(vector, "\(id) \(index)", tenant: number % SyntheticCollection.tenants)
                rows.append([
                    .text(id), .int4(Int32(index)), .text("Passage \(index)."), .text(""), .textArray([]), .int(0),
                    .int(0), .int4(2), .int4Array([]), .bytea(Array("\(id) \(index)".utf8)), .vector(vector),
                    .timestamptz(Self.date),
                ])
            }
        }
        let chunks = rows
        try await pool.withTransaction { connection in
            try await connection.copy(
                """
                COPY document_embeddings (document_id, chunk_index, chunk_text, context, heading_path, span_start, span_end,
                    length, term_ids, text_hash, embedding, created_at) FROM STDIN (FORMAT binary)
                """,
                rows: chunks
            )
        }
    }

    private mutating func compare(_ vector: [Float], _ name: String, tenant: Int) {
        for index in self.nearest.indices {
            let cosine = SyntheticCollection.dot(vector, self.questions[index].vector)
            self.nearest[index].all.offer(name, cosine)
            if tenant == 7 { self.nearest[index].filtered.offer(name, cosine) }
        }
    }
}
