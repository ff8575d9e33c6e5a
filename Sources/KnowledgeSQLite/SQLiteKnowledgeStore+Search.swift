import Foundation
import GRDB
public import Knowledge

extension SQLiteKnowledgeStore {
    public func search(
        _ request: CandidateRequest,
        select: @escaping @Sendable ([Candidate]) -> [Candidate]
    ) async throws(KnowledgeError) -> CandidateResponse {
        try request.check()
        // Another search may bring the vectors in memory to a newer generation than this one's transaction sees. A new
        // transaction sees the newer one too, so trying again ends unless writers are faster than transactions begin.
        for _ in 0..<100 {
            let response = try await self.read { database -> CandidateResponse? in
                let search = CandidateSearch(database: database, vectors: self.vectors, request: request)
                return try search.response(select: select)
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
    let request: CandidateRequest

    /// Returns nothing if the vectors in memory are newer than the transaction.
    func response(select: ([Candidate]) -> [Candidate]) throws -> CandidateResponse? {
        let state = try IndexState.fetch(self.database)
        let allowed = self.request.filter.isEmpty ? nil : try ChunkSet(of: self.request.filter, in: self.database)
        let lexical = try self.lexical(among: allowed)
        guard let candidates = try self.withCosines(lexical, among: allowed, state: state) else { return nil }
        return CandidateResponse(
            hits: try self.hits(of: select(try self.placed(candidates))),
            generation: state.generation,
            lacksVectors: state.vectorCount < state.chunkCount,
            termFrequencies: try self.termFrequencies(),
            chunkCount: state.chunkCount
        )
    }

    /// Returns the best chunks by BM25 that hold any of the words, best first.
    ///
    /// FTS5 gives better matches lower numbers.
    private func lexical(among allowed: ChunkSet?) throws -> [(id: Int64, score: Double)] {
        guard self.request.mode != .dense, !self.request.terms.isEmpty else { return [] }
        if let allowed {
            let function = DatabaseFunction("gantry_is_allowed", argumentCount: 1, pure: true) { values in
                Int64.fromDatabaseValue(values[0]).map { allowed.contains($0) }
            }
            self.database.add(function: function)
        }
        defer { if allowed != nil { self.database.remove(function: Self.allowedFunction) } }
        let rows = try Row.fetchAll(
            self.database,
            sql: """
                SELECT rowid, -bm25(document_embeddings_fts, 2.0, 1.0, 0.5) FROM document_embeddings_fts
                WHERE document_embeddings_fts MATCH ? \(allowed == nil ? "" : "AND gantry_is_allowed(rowid)")
                ORDER BY 2 DESC, 1 LIMIT ?
                """,
            arguments: [self.request.terms.map(Self.quoted).joined(separator: " OR "), self.request.limit]
        )
        // BM25 of FTS5 is never quite 0, even for a word that nearly all chunks hold.
        return rows.map { ($0[0], max($0[1] as Double, .leastNormalMagnitude)) }
    }

    private static let allowedFunction = DatabaseFunction("gantry_is_allowed", argumentCount: 1, pure: true) { _ in nil
    }

    /// Quoted, a word is never taken for an operator of the query language.
    private static func quoted(_ term: String) -> String { "\"\(term.replacing("\"", with: "\"\""))\"" }

    private func termFrequencies() throws -> [String: Int] {
        let statement = try self.database.cachedStatement(
            sql: "SELECT count(*) FROM document_embeddings_fts WHERE document_embeddings_fts MATCH ?"
        )
        var frequencies: [String: Int] = [:]
        for term in self.request.terms where frequencies[term] == nil {
            frequencies[term] = try Int.fetchOne(statement, arguments: [Self.quoted(term)]) ?? 0
        }
        return frequencies
    }

    /// Adds the nearest vectors, and gives every candidate its true cosine.
    private func withCosines(
        _ lexical: [(id: Int64, score: Double)],
        among allowed: ChunkSet?,
        state: IndexState
    ) throws -> [Candidate]? {
        var candidates: [Int64: Candidate] = [:]
        for (index, match) in lexical.enumerated() {
            candidates[match.id] = Candidate(
                chunkID: match.id,
                lexicalScore: match.score,
                lexicalRank: index + 1,
                cosine: nil
            )
        }
        guard let dense = self.request.dense, state.model != nil else { return Array(candidates.values) }
        try state.check(dense.model)
        let snapshot = try self.vectors.snapshot(
            in: self.database,
            generation: state.generation,
            dimension: dense.model.dimension
        )
        guard let snapshot else { return nil }
        let (best, cosines) = snapshot.search(
            dense.vector,
            limit: self.request.mode == .lexical ? 0 : self.request.limit,
            allowed: allowed,
            alsoScoring: lexical.map(\.id)
        )
        for (id, cosine) in cosines { candidates[id]?.cosine = Double(cosine) }
        for (index, match) in best.enumerated() {
            var candidate =
                candidates[match.id] ?? Candidate(chunkID: match.id, lexicalScore: 0, cosine: Double(match.score))
            candidate.denseRank = index + 1
            candidates[match.id] = candidate
        }
        return Array(candidates.values)
    }

    /// Adds which chunk of which document each candidate is.
    private func placed(_ candidates: [Candidate]) throws -> [Candidate] {
        let ids = "[\(candidates.map { "\($0.chunkID)" }.joined(separator: ","))]"
        let rows = try Row.fetchCursor(
            self.database,
            sql: """
                SELECT e.id, e.document_id, e.chunk_index FROM json_each(?) j JOIN document_embeddings e ON e.id = j.value
                """,
            arguments: [ids]
        )
        var places: [Int64: (document: String, index: Int)] = [:]
        while let row = try rows.next() { places[row[0]] = (row[1], row[2]) }
        return candidates.map { candidate in
            var candidate = candidate
            guard let place = places[candidate.chunkID] else { return candidate }
            candidate.documentID = place.document
            candidate.chunkIndex = place.index
            return candidate
        }
    }

    private func hits(of candidates: [Candidate]) throws -> [CandidateHit] {
        let count = self.request.neighbours
        return try candidates.compactMap { candidate in
            let index = candidate.chunkIndex
            let chunks = try StoredChunk.fetch(
                from: self.database,
                document: candidate.documentID,
                indexes: max(0, index - count)..<index + count + 1
            )
            guard let position = chunks.firstIndex(where: { $0.index == index }) else { return nil }
            return CandidateHit(
                candidate: candidate,
                chunk: chunks[position],
                before: Array(chunks[..<position]),
                after: Array(chunks[(position + 1)...])
            )
        }
    }
}
