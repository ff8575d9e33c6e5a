extension KnowledgeBase {
    /// Finds the chunks that answer a question best.
    ///
    /// - Parameters:
    ///   - text: A question or keywords.
    ///   - topK: The most chunks to return.
    /// - Returns: The chunks, best first; none if nothing in the index has to do with the question.
    /// - Throws: ``KnowledgeError/Code/invalidArguments`` for an empty or overlong query,
    ///   ``KnowledgeError/Code/modelMismatch`` if the index was made with another embedding model.
    public func query(_ text: String, topK: Int = 3) async throws(KnowledgeError) -> KnowledgeAnswer {
        try self.check(text, topK: topK)
        let analysis = QueryAnalysis(text)
        let dense = try await self.vector(of: text)
        let ranking = Ranking(configuration: self.configuration.ranking)
        let response = try await self.store.search(
            CandidateRequest(terms: analysis.terms, dense: dense, limit: self.configuration.candidateLimit)
        ) { candidates in
            Array(ranking.ranked(candidates).prefix(max(topK, RelevanceRule.depth)))
        }
        let relevant = RelevanceRule(configuration: self.configuration.ranking)
            .isAnswered(by: response.hits, analysis: analysis)
        return KnowledgeAnswer(
            mode: dense == nil ? .lexical : .hybrid,
            notice: self.notice(lacksVectors: response.lacksVectors),
            results: relevant ? response.hits.prefix(topK).map { SearchResult($0.candidate, $0.chunk) } : [],
            generation: response.generation
        )
    }

    private func check(_ text: String, topK: Int) throws(KnowledgeError) {
        guard (1...self.configuration.maximumTopK).contains(topK) else {
            throw KnowledgeError(
                .invalidArguments,
                "top_k is \(topK); give a number from 1 to \(self.configuration.maximumTopK)."
            )
        }
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw KnowledgeError(.invalidArguments, "The query is empty; ask a question or give keywords.")
        }
        guard text.unicodeScalars.count <= self.configuration.maximumQueryLength else {
            throw KnowledgeError(
                .invalidArguments,
                "The query is longer than \(self.configuration.maximumQueryLength) characters; shorten it."
            )
        }
    }

    private func vector(of text: String) async throws(KnowledgeError) -> CandidateRequest.Dense? {
        guard let embedder = self.embedder else { return nil }
        let vectors = try await embedder.checkedVectors(of: [text], for: .query)
        return vectors.first.map { CandidateRequest.Dense(vector: $0, model: embedder.model) }
    }
}

extension SearchResult {
    init(_ candidate: Candidate, _ chunk: StoredChunk) {
        self.init(
            documentID: chunk.documentID,
            source: chunk.source,
            title: chunk.title,
            headingPath: chunk.headingPath,
            chunkIndex: chunk.index,
            text: chunk.text,
            span: chunk.span,
            score: candidate.score,
            similarity: candidate.cosine,
            indexedAt: chunk.indexedAt,
            sourceUpdatedAt: chunk.sourceUpdatedAt
        )
    }
}
