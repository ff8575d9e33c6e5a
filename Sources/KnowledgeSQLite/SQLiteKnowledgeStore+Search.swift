import CFullText
import CKernels
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
                let search = CandidateSearch(
                    database: database,
                    vectors: self.vectors,
                    limits: self.limits,
                    request: request
                )
                return try search.response(select: select)
            }
            if let response { return response }
        }
        throw KnowledgeError(.storeFailed, "The knowledge base changes too fast to be searched. Try again.")
    }
}

/// One search inside its read transaction.
private struct CandidateSearch {
    /// How much a word counts in the title and headings, in the text, and among the parts of identifiers.
    private static let fieldWeights = [2.0, 1.0, 0.5]

    private let database: Database
    private let vectors: VectorCache
    private let limits: SQLiteKnowledgeStore.Limits
    private let request: CandidateRequest
    /// The words, each once; the full-text index knows nothing of those that consist of punctuation.
    private let terms: [String]

    init(
        database: Database,
        vectors: VectorCache,
        limits: SQLiteKnowledgeStore.Limits,
        request: CandidateRequest
    ) {
        self.database = database
        self.vectors = vectors
        self.limits = limits
        self.request = request
        var terms: [String] = []
        for term in request.terms where !terms.contains(term) && !LexicalAnalyzer.terms(in: term).isEmpty {
            terms.append(term)
        }
        self.terms = terms
    }

    /// Returns nothing if the vectors in memory are newer than the transaction.
    func response(select: ([Candidate]) -> [Candidate]) throws -> CandidateResponse? {
        let state = try IndexState.fetch(self.database)
        let allowed = self.request.filter.isEmpty ? nil : try ChunkSet(of: self.request.filter, in: self.database)
        let lexical = self.request.mode == .dense ? nil : try self.lexical(among: allowed)
        guard let candidates = try self.withCosines(lexical?.best ?? [], among: allowed, state: state) else {
            return nil
        }
        return CandidateResponse(
            hits: try self.hits(of: select(candidates)),
            generation: state.generation,
            lacksVectors: state.vectorCount < state.chunkCount,
            termFrequencies: lexical?.frequencies ?? [:],
            chunkCount: state.chunkCount
        )
    }

    /// Returns the best chunks by BM25 that hold any of the words, best first, and in how many chunks each word occurs.
    private func lexical(
        among allowed: ChunkSet?
    ) throws -> (best: [(id: Int64, score: Double)], frequencies: [String: Int]) {
        var frequencies = Dictionary(self.request.terms.map { ($0, 0) }) { first, _ in first }
        guard !self.terms.isEmpty else { return ([], frequencies) }
        // Quoted, a word is never taken for an operator of the query language. A text in C ends at the first zero.
        let quoted = self.terms.map { "\"\($0.replacing("\"", with: "\"\"").replacing("\0", with: " "))\"" }
        let ranges = (allowed?.ranges ?? []).map { gantry_row_range(first: $0.lowerBound, last: $0.upperBound) }
        var best = [gantry_row_score](repeating: gantry_row_score(), count: self.request.limit)
        var found = 0
        var counts = [Int64](repeating: 0, count: self.terms.count)
        let result = gantry_full_text_search(
            UnsafeMutableRawPointer(self.database.sqliteConnection),
            "document_embeddings_fts",
            quoted.joined(separator: " OR "),
            Self.fieldWeights,
            Self.fieldWeights.count,
            allowed == nil ? 0 : 1,
            ranges,
            ranges.count,
            self.limits.maximumPostings,
            &best,
            best.count,
            &found,
            &counts,
            counts.count
        )
        guard result == 0 else { throw DatabaseError(resultCode: ResultCode(rawValue: result)) }
        for (term, count) in zip(self.terms, counts) { frequencies[term] = Int(count) }
        return (best[..<found].map { ($0.row, $0.score) }, frequencies)
    }

    /// Adds the nearest vectors, says which chunk of which document each candidate is, and gives it its true cosine.
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
        guard let dense = self.request.dense, state.model != nil else {
            try self.complete(&candidates, query: nil)
            return Array(candidates.values)
        }
        try state.check(dense.model)
        var near: Set<Int64> = []
        if self.request.mode != .lexical {
            let snapshot = try self.vectors.snapshot(
                in: self.database,
                generation: state.generation,
                dimension: dense.model.dimension
            )
            guard let snapshot else { return nil }
            // Half as many again, so that the best by the exact vectors are among them.
            let limit = self.request.limit + self.request.limit / 2 + 32
            near = Set(snapshot.search(dense.vector, limit: limit, allowed: allowed).map(\.id))
        }
        for id in near where candidates[id] == nil {
            candidates[id] = Candidate(chunkID: id, lexicalScore: 0, cosine: nil)
        }
        try self.complete(&candidates, query: dense.vector)
        let nearest = near.compactMap { candidates[$0] }
            .sorted { ($0.cosine ?? -1, $1.chunkID) > ($1.cosine ?? -1, $0.chunkID) }
        for (index, candidate) in nearest.enumerated() {
            if index < self.request.limit {
                candidates[candidate.chunkID]?.denseRank = index + 1
            } else if candidate.lexicalRank == nil {
                candidates[candidate.chunkID] = nil
            }
        }
        return Array(candidates.values)
    }

    /// Reads what the candidates' rows say: the document, the place in it, and the vector.
    private func complete(_ candidates: inout [Int64: Candidate], query: [Float]?) throws {
        let ids = "[\(candidates.keys.map { "\($0)" }.joined(separator: ","))]"
        let statement = try self.database.cachedStatement(
            sql: """
                SELECT e.id, e.document_id, e.chunk_index, iif(?, e.embedding, NULL)
                FROM json_each(?) j JOIN document_embeddings e ON e.id = j.value
                """
        )
        let rows = try Row.fetchCursor(statement, arguments: [query != nil, ids])
        while let row = try rows.next() {
            let id: Int64 = row[0]
            candidates[id]?.documentID = row[1]
            candidates[id]?.chunkIndex = row[2]
            guard let query, let data: Data = row[3] else { continue }
            let vector = try VectorBlob.vector(data, dimension: query.count)
            candidates[id]?.cosine = Double(gantry_dot_f32(query, vector, query.count))
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
