import Foundation
import GRDB
import JSON
public import Knowledge

extension SQLiteKnowledgeStore {
    public func search(
        _ request: CandidateRequest,
        select: @escaping @Sendable ([Candidate]) -> [Candidate]
    ) async throws(KnowledgeError) -> CandidateResponse {
        // Another search may bring the vectors in memory to a newer generation than this one's transaction sees. A new
        // transaction sees the newer one too, so trying again ends unless writers are faster than transactions begin.
        for _ in 0..<100 {
            let response = try await self.read { database -> CandidateResponse? in
                let search = CandidateSearch(database: database, vectors: self.vectors)
                return try search.response(to: request, select: select)
            }
            if let response { return response }
        }
        throw KnowledgeError(.storeFailed, "The knowledge base changes too fast to be searched. Try again.")
    }
}

/// One search inside its read transaction.
private struct CandidateSearch {
    let database: Database
    let vectors: VectorCache

    /// Returns nothing if the vectors in memory are newer than the transaction.
    func response(
        to request: CandidateRequest,
        select: ([Candidate]) -> [Candidate]
    ) throws -> CandidateResponse? {
        let state = try IndexState.fetch(self.database)
        let lexical = try self.lexical(request.terms, limit: request.limit)
        guard let candidates = try self.withCosines(lexical, request: request, state: state) else { return nil }
        return CandidateResponse(
            hits: try self.chunks(of: select(candidates)),
            generation: state.generation,
            lacksVectors: state.vectorCount < state.chunkCount
        )
    }

    /// Returns the best chunks by BM25 that hold any of the words.
    ///
    /// FTS5 gives better matches lower numbers.
    private func lexical(_ terms: [String], limit: Int) throws -> [Int64: Double] {
        guard !terms.isEmpty else { return [:] }
        // Quoted, a word is never taken for an operator of the query language.
        let expression = terms.map { "\"\($0.replacing("\"", with: "\"\""))\"" }.joined(separator: " OR ")
        let rows = try Row.fetchAll(
            self.database,
            sql: """
                SELECT rowid, -bm25(document_embeddings_fts, 2.0, 1.0, 0.5) FROM document_embeddings_fts
                WHERE document_embeddings_fts MATCH ? ORDER BY 2 DESC, 1 LIMIT ?
                """,
            arguments: [expression, limit]
        )
        // BM25 of FTS5 is never quite 0, even for a word that nearly all chunks hold.
        return Dictionary(
            uniqueKeysWithValues: rows.map { ($0[0] as Int64, max($0[1] as Double, .leastNormalMagnitude)) }
        )
    }

    /// Adds the nearest vectors, and gives every candidate its true cosine.
    private func withCosines(
        _ lexical: [Int64: Double],
        request: CandidateRequest,
        state: IndexState
    ) throws -> [Candidate]? {
        guard let dense = request.dense, state.model != nil else {
            return lexical.map { Candidate(chunkID: $0.key, lexicalScore: $0.value, cosine: nil) }
        }
        try state.check(dense.model)
        guard
            let snapshot = try self.vectors.snapshot(
                in: self.database,
                generation: state.generation,
                dimension: dense.model.dimension
            )
        else { return nil }
        var (best, cosines) = snapshot.search(dense.vector, limit: request.limit, alsoScoring: Array(lexical.keys))
        for match in best { cosines[match.id] = match.score }
        return Set(lexical.keys).union(cosines.keys).map { id in
            Candidate(chunkID: id, lexicalScore: lexical[id] ?? 0, cosine: cosines[id].map { Double($0) })
        }
    }

    private func chunks(of candidates: [Candidate]) throws -> [(candidate: Candidate, chunk: StoredChunk)] {
        let statement = try self.database.makeStatement(
            sql: """
                SELECT e.document_id, d.source, d.title, e.chunk_index, e.heading_path, e.chunk_text, e.span_start,
                    e.span_end, e.created_at, d.source_updated_at
                FROM document_embeddings e JOIN documents d ON d.id = e.document_id WHERE e.id = ?
                """
        )
        return try candidates.compactMap { candidate in
            guard let row = try Row.fetchOne(statement, arguments: [candidate.chunkID]) else { return nil }
            return (candidate, try StoredChunk(row))
        }
    }
}

extension StoredChunk {
    fileprivate init(_ row: Row) throws {
        let path: String = row[4]
        let start: Int = row[6]
        let end: Int = row[7]
        let sourceUpdatedAt: Double? = row[9]
        self.init(
            documentID: row[0],
            source: row[1],
            title: row[2],
            index: row[3],
            headingPath: try JSONValue(parsing: path).arrayValue?.compactMap(\.stringValue) ?? [],
            text: row[5],
            span: start..<max(start, end),
            indexedAt: Date(timeIntervalSince1970: row[8]),
            sourceUpdatedAt: sourceUpdatedAt.map { Date(timeIntervalSince1970: $0) }
        )
    }
}
