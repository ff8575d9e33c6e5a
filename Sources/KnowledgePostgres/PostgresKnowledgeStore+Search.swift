import Foundation
public import Knowledge
import Postgres

extension PostgresKnowledgeStore {
    public func search(
        _ request: CandidateRequest,
        select: @escaping @Sendable ([Candidate]) -> [Candidate]
    ) async throws(KnowledgeError) -> CandidateResponse {
        try request.check()
        return try await self.read { connection in
            try await CandidateSearch(connection: connection, limits: self.limits, request: request)
                .response(select: select)
        }
    }
}

/// One search inside its read transaction.
private struct CandidateSearch {
    let connection: PostgresConnection
    let limits: PostgresKnowledgeStore.Limits
    let request: CandidateRequest

    func response(select: ([Candidate]) -> [Candidate]) async throws -> CandidateResponse {
        let state = try await IndexState.fetch(self.connection)
        var candidates: [Int64: Candidate] = [:]
        var frequencies: [String: Int] = [:]
        if self.request.mode != .dense {
            let lexical = try await self.lexical(state)
            frequencies = lexical.frequencies
            for (index, match) in lexical.best.enumerated() {
                candidates[match.id] = Candidate(
                    chunkID: match.id,
                    lexicalScore: match.score,
                    lexicalRank: index + 1,
                    cosine: nil
                )
            }
        }
        if let dense = self.request.dense, state.model != nil {
            try state.check(dense.model)
            if self.request.mode != .lexical {
                for (index, var near) in try await self.nearest(dense).enumerated() {
                    near.lexicalScore = candidates[near.chunkID]?.lexicalScore ?? 0
                    near.lexicalRank = candidates[near.chunkID]?.lexicalRank
                    near.denseRank = index + 1
                    candidates[near.chunkID] = near
                }
            }
        }
        try await self.complete(&candidates, query: state.model == nil ? nil : self.request.dense?.vector)
        return CandidateResponse(
            hits: try await self.hits(of: select(Array(candidates.values))),
            generation: state.generation,
            lacksVectors: state.vectorCount < state.chunkCount,
            termFrequencies: frequencies,
            chunkCount: state.chunkCount
        )
    }

    // MARK: Words

    private struct Term {
        var number: Int
        var frequency: Int
        /// How rare it is, times how often the query has it.
        var weight: Double
    }

    /// Returns the best chunks by BM25 that hold any of the words, best first, and in how many chunks each word occurs.
    private func lexical(
        _ state: IndexState
    ) async throws -> (best: [(id: Int64, score: Double)], frequencies: [String: Int]) {
        let analysed = Set(self.request.terms).map { word in
            (
                word: word,
                terms: LexicalAnalyzer.terms(in: word).filter { $0.utf8.count <= FullTextEntry.maximumTermLength }
            )
        }
        let wanted = Dictionary(analysed.flatMap(\.terms).map { ($0, 1) }, uniquingKeysWith: +)
        var found: [String: Term] = [:]
        if !wanted.isEmpty {
            let rows = try await self.connection.query(
                "SELECT term, id, chunk_frequency FROM terms WHERE term = ANY($1) AND chunk_frequency > 0",
                [.textArray(wanted.keys.sorted())]
            )
            for row in rows {
                let term: String = try row.get(0)
                let frequency: Int = try row.get(2)
                let rarity = BM25.inverseFrequency(frequency, chunkCount: state.chunkCount)
                found[term] = Term(
                    number: try row.get(1),
                    frequency: frequency,
                    weight: rarity * Double(wanted[term] ?? 1)
                )
            }
        }
        let frequencies = analysed.map { word, terms in (word, terms.map { found[$0]?.frequency ?? 0 }.min() ?? 0) }
        let best = try await self.best(Array(found.values).sorted { $0.frequency < $1.frequency }, state)
        return (best, Dictionary(uniqueKeysWithValues: frequencies))
    }

    /// Returns the best chunks for terms that are in order, the rarest first.
    private func best(_ terms: [Term], _ state: IndexState) async throws -> [(id: Int64, score: Double)] {
        guard let rarest = terms.first else { return [] }
        var leading = [rarest]
        var postings = rarest.frequency
        for term in terms.dropFirst() {
            postings += term.frequency
            guard postings <= self.limits.maximumPostings else { break }
            leading.append(term)
        }
        let averageLength = max(1, Double(state.termCount) / Double(max(1, state.chunkCount)))
        guard leading.count < terms.count else {
            return try await self.scored(leading, averageLength, limit: self.request.limit, among: nil)
        }
        // More than are wanted, since the common words may change the order.
        let many = try await self.scored(leading, averageLength, limit: 3 * self.request.limit + 200, among: nil)
        return try await self.scored(terms, averageLength, limit: self.request.limit, among: many.map(\.id))
    }

    private func scored(
        _ terms: [Term],
        _ averageLength: Double,
        limit: Int,
        among ids: [Int64]?
    ) async throws -> [(id: Int64, score: Double)] {
        var parameters = StatementParameters()
        let numbers = parameters.bind(.int4Array(terms.map { Int32($0.number) }))
        let weights = parameters.bind(.float8Array(terms.map(\.weight)))
        let length = parameters.bind(.float8(averageLength))
        var conditions: [String] = []
        if let ids {
            conditions.append("p.chunk_id = ANY(\(parameters.bind(.int8Array(ids))))")
        } else if !self.request.filter.isEmpty {
            conditions.append(
                """
                p.chunk_id IN (SELECT e.id FROM document_embeddings e JOIN documents d ON d.id = e.document_id
                    WHERE \(self.request.filter.condition(&parameters)))
                """
            )
        }
        let rows = try await self.connection.query(
            """
            SELECT p.chunk_id, sum(\(BM25.score(averageLength: length))) AS score
            FROM unnest(\(numbers), \(weights)) q (term_id, weight) JOIN postings p ON p.term_id = q.term_id
            \(conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND "))
            GROUP BY p.chunk_id ORDER BY score DESC, p.chunk_id LIMIT \(parameters.bind(.int(limit)))
            """,
            parameters.values
        )
        return try rows.map { (try $0.get(0), max(try $0.get(1), .leastNormalMagnitude)) }
    }

    // MARK: Vectors

    /// Returns the nearest chunks with their places and exact cosines, nearest first.
    ///
    /// A filter that keeps few chunks is applied first, and all that are left are compared. Otherwise the index gives
    /// chunks in about the right order until enough have passed the filter (iterative scan), and these are sorted.
    private func nearest(_ dense: CandidateRequest.Dense) async throws -> [Candidate] {
        let column = try VectorColumn(dimension: dense.model.dimension)
        let isExact = try await self.keepsFewChunks()
        if !isExact {
            try await self.connection.query(
                """
                SELECT set_config('hnsw.ef_search', $1, TRUE), set_config('hnsw.iterative_scan', 'relaxed_order', TRUE)
                """,
                [.text("\(min(1000, max(self.limits.searchWidth, self.request.limit)))")]
            )
        }
        var parameters = StatementParameters()
        let exact = parameters.bind(.vector(dense.vector))
        // The index is used only if the statement orders by what it holds.
        let order =
            isExact
            ? "e.\(column.name) <=> \(exact)::vector" : column.distance(to: parameters.bind(.halfvec(dense.vector)))
        let filter =
            self.request.filter.isEmpty
            ? "" : "JOIN documents d ON d.id = e.document_id AND \(self.request.filter.condition(&parameters))"
        let rows = try await self.connection.query(
            """
            WITH near AS MATERIALIZED (
                SELECT e.id, e.document_id, e.chunk_index, 1 - (e.\(column.name) <=> \(exact)::vector) AS cosine
                FROM document_embeddings e \(filter)
                WHERE e.\(column.name) IS NOT NULL ORDER BY \(order) LIMIT \(parameters.bind(.int(self.request.limit)))
            ) SELECT id, document_id, chunk_index, cosine FROM near ORDER BY cosine DESC, id
            """,
            parameters.values
        )
        return try rows.map { row in
            Candidate(
                chunkID: try row.get(0),
                documentID: try row.get(1),
                chunkIndex: try row.get(2),
                lexicalScore: 0,
                cosine: try row.get(3)
            )
        }
    }

    private func keepsFewChunks() async throws -> Bool {
        guard !self.request.filter.isEmpty else { return false }
        var parameters = StatementParameters()
        let rows = try await self.connection.query(
            "SELECT coalesce(sum(chunk_count), 0) FROM documents d WHERE \(self.request.filter.condition(&parameters))",
            parameters.values
        )
        return try rows.first.map { try $0.get(0, as: Int.self) <= self.limits.maximumExactChunks } ?? true
    }

    // MARK: Rows

    /// Reads what the rows of those say that only words led to: the document, the place in it, and the exact cosine.
    private func complete(_ candidates: inout [Int64: Candidate], query: [Float]?) async throws {
        let incomplete = candidates.values.filter { $0.denseRank == nil }.map(\.chunkID)
        guard !incomplete.isEmpty else { return }
        var parameters = StatementParameters()
        let ids = parameters.bind(.int8Array(incomplete))
        let cosine = query.map { "1 - (e.embedding <=> \(parameters.bind(.vector($0)))::vector)" } ?? "NULL::float8"
        let rows = try await self.connection.query(
            """
            SELECT e.id, e.document_id, e.chunk_index, \(cosine) FROM document_embeddings e WHERE e.id = ANY(\(ids))
            """,
            parameters.values
        )
        for row in rows {
            let id: Int64 = try row.get(0)
            candidates[id]?.documentID = try row.get(1)
            candidates[id]?.chunkIndex = try row.get(2)
            candidates[id]?.cosine = try row.getIfPresent(3)
        }
    }

    private func hits(of candidates: [Candidate]) async throws -> [CandidateHit] {
        guard !candidates.isEmpty else { return [] }
        let rows = try await self.connection.query(
            """
            SELECT \(StoredChunk.columns), q.position
            FROM unnest($1::text[], $2::integer[]) WITH ORDINALITY q (document_id, chunk_index, position)
            JOIN document_embeddings e ON e.document_id = q.document_id
                AND e.chunk_index BETWEEN q.chunk_index - $3 AND q.chunk_index + $3
            JOIN documents d ON d.id = e.document_id
            ORDER BY q.position, e.chunk_index
            """,
            [
                .textArray(candidates.map(\.documentID)), .int4Array(candidates.map { Int32($0.chunkIndex) }),
                .int(self.request.neighbours),
            ]
        )
        var chunks = [[StoredChunk]](repeating: [], count: candidates.count)
        for row in rows { chunks[try row.get(11, as: Int.self) - 1].append(try StoredChunk(row)) }
        return zip(candidates, chunks).compactMap { candidate, chunks in
            guard let position = chunks.firstIndex(where: { $0.index == candidate.chunkIndex }) else { return nil }
            return CandidateHit(
                candidate: candidate,
                chunk: chunks[position],
                before: Array(chunks[..<position]),
                after: Array(chunks[(position + 1)...])
            )
        }
    }
}
