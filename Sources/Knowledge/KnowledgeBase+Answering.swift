import Foundation

extension KnowledgeBase {
    /// What the cache of answers has done so far.
    public var cacheStatistics: SemanticCache.Statistics { self.cache?.statistics ?? SemanticCache.Statistics() }

    /// Answers a question from the cache or by a search, and watches how well.
    ///
    /// - Parameters:
    ///   - text: The question, checked.
    ///   - options: What is wanted, checked.
    ///   - principal: Whose question it is: an answer is never given to somebody else.
    ///   - search: Makes the answer.
    /// - Returns: The answer, with its identifier.
    /// - Throws: What `search` throws.
    func answer(
        _ text: String,
        _ options: KnowledgeQueryOptions,
        principal: String,
        search: () async throws(KnowledgeError) -> KnowledgeAnswer
    ) async throws(KnowledgeError) -> KnowledgeAnswer {
        let start = ContinuousClock.now
        var answer = try await self.cached(text, options, principal, search)
        answer.id = String(Self.fingerprint(of: text, "\(answer.generation)", principal).prefix(16))
        try await self.markStale(&answer)
        self.quality.observe(
            QualityWatch.Observation(
                query: text,
                answerID: answer.id,
                resultCount: answer.results.count,
                bestSimilarity: answer.results.compactMap(\.similarity).max(),
                isLowConfidence: answer.isProbablyMissing,
                isCached: answer.isCached,
                duration: .now - start
            ),
            at: self.now()
        )
        return answer
    }

    private func cached(
        _ text: String,
        _ options: KnowledgeQueryOptions,
        _ principal: String,
        _ search: () async throws(KnowledgeError) -> KnowledgeAnswer
    ) async throws(KnowledgeError) -> KnowledgeAnswer {
        guard let cache = self.cache else { return try await search() }
        // Asking the store each time finds changes by any process.
        let generation = try await self.store.status().generation
        let scope = SemanticCache.Scope(generation: generation, options: options, principal: principal)
        let question = QuestionFingerprint(text)
        let found = try await cache.find(question, in: scope, now: self.now()) { texts throws(KnowledgeError) in
            guard options.mode != .lexical, let embedder = self.embedder else { return nil }
            return try await embedder.checkedVectors(of: texts, for: .query)
        }
        if var found {
            found.isCached = true
            return found
        }
        let start = ContinuousClock.now
        let answer = try await search()
        if self.isRepeatable(answer) {
            cache.insert(answer, for: question, in: scope, cost: .now - start, now: self.now())
        }
        return answer
    }

    /// Whether the same search gives the same answer: not if something failed that may work the next time.
    private func isRepeatable(_ answer: KnowledgeAnswer) -> Bool {
        answer.notice == nil || [true, false].contains { answer.notice == self.notice(lacksVectors: $0) }
    }

    /// Marks the results that are older than allowed now, whenever the answer was made.
    private func markStale(_ answer: inout KnowledgeAnswer) async throws(KnowledgeError) {
        guard let freshness = self.freshness, !answer.results.isEmpty else { return }
        let stale = try await freshness.stale(
            of: answer.results.map { Freshness.Item(id: $0.documentID, source: $0.source, indexedAt: $0.indexedAt) },
            now: self.now()
        )
        for index in answer.results.indices {
            answer.results[index].isStale = stale.contains(answer.results[index].documentID)
        }
    }
}
