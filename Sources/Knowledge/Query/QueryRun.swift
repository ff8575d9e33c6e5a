/// One query under way: search, fuse, re-rank, drop duplicates, join neighbours, pack.
struct QueryRun {
    let base: KnowledgeBase
    let text: String
    let options: KnowledgeQueryOptions

    private var configuration: KnowledgeConfiguration { self.base.configuration }

    /// How the query can be answered: without an embedding model, by words alone.
    private var mode: SearchMode { self.base.embedder == nil ? .lexical : self.options.mode }

    func answer() async throws(KnowledgeError) -> KnowledgeAnswer {
        let parts = self.options.splitsQuestion ? QuestionParts.split(self.text) : []
        let searches = try await self.searches(for: [self.text] + parts)
        let asked = parts.isEmpty ? searches : Array(searches.dropFirst())
        let response = searches[0].response
        var answer = KnowledgeAnswer(
            mode: self.mode,
            notice: self.base.notice(lacksVectors: response.lacksVectors),
            results: [],
            parts: asked.map { QueryPart(text: $0.text, confidence: $0.confidence) },
            generation: searches.map(\.response.generation).min() ?? response.generation
        )
        var found = Found.merged(
            searches.filter { $0.isAnswered(by: self.configuration.ranking) },
            partWeight: self.configuration.ranking.partWeight
        )
        guard !found.isEmpty else { return answer }
        if let notice = try await self.rerank(&found) { answer.add(notice: notice) }
        let kept = self.options.dropsDuplicates ? NearDuplicates.split(found) : (found, [])
        let passages = try await Passages(base: self.base, options: self.options).results(of: kept.0)
        let packed = ContextBudget(maximumTokens: self.options.maximumTokens).pack(passages)
        answer.results = packed.results
        answer.tokenCount = packed.results.reduce(0) { $0 + $1.tokenCount }
        answer.omitted = packed.omitted.map { OmittedPassage($0, reason: .budget) }
        if let last = packed.results.last {
            answer.omitted += kept.1.filter { $0.score >= last.score }.map {
                OmittedPassage(self.base.result(of: $0), reason: .duplicate)
            }
        }
        if packed.results.isEmpty, let first = packed.omitted.first {
            answer.add(
                notice:
                    "No passage fits into max_tokens; the best one has \(first.tokenCount) tokens. Raise max_tokens."
            )
        }
        return answer
    }

    private func searches(for texts: [String]) async throws(KnowledgeError) -> [PartSearch] {
        let vectors = try await self.vectors(of: texts)
        var searches: [PartSearch] = []
        for (index, text) in texts.enumerated() {
            let analysis = QueryAnalysis(text)
            let request = CandidateRequest(
                terms: analysis.terms,
                dense: vectors?[index],
                limit: self.configuration.candidateLimit,
                filter: self.options.filter,
                mode: self.mode,
                neighbours: self.options.neighbours
            )
            let ranking = Ranking(configuration: self.configuration.ranking, mode: self.mode)
            let depth = self.depth
            let response = try await self.base.store.search(request) { Array(ranking.ranked($0).prefix(depth)) }
            searches.append(
                PartSearch(text: text, part: index == 0 ? nil : index - 1, analysis: analysis, response: response)
            )
        }
        return searches
    }

    /// How many hits are looked at: enough to fill the answer after duplicates and neighbours have been taken out.
    private var depth: Int {
        let reranked = self.base.reranker != nil && self.options.reranks ? self.configuration.rerankDepth : 0
        return max(self.options.topK + 10, self.options.topK * (self.options.neighbours + 1), reranked)
    }

    private func vectors(of texts: [String]) async throws(KnowledgeError) -> [CandidateRequest.Dense]? {
        guard let embedder = self.base.embedder, self.mode != .lexical else { return nil }
        return try await embedder.checkedVectors(of: texts, for: .query).map {
            CandidateRequest.Dense(vector: $0, model: embedder.model)
        }
    }

    /// Puts the best hits in the order of the re-ranking model.
    ///
    /// - Returns: What went wrong, if the order stays as it was.
    private func rerank(_ found: inout [Found]) async throws(KnowledgeError) -> String? {
        guard let reranker = self.base.reranker, self.options.reranks, found.count > 1 else { return nil }
        let head = Array(found.prefix(self.configuration.rerankDepth))
        do {
            let scores = try await reranker.scores(
                query: self.text,
                passages: head.map { Chunk.embeddedText(context: $0.context, text: $0.hit.chunk.text) }
            )
            guard scores.count == head.count, scores.allSatisfy(\.isFinite) else {
                return "The re-ranking model \(reranker.name) didn't answer with one score per passage; "
                    + "the order is that of the search."
            }
            found = Found.reranked(head, scores: scores, rest: found.dropFirst(head.count))
            return nil
        } catch {
            if Task.isCancelled { throw KnowledgeError(.cancelled, "The task was cancelled.") }
            return "The re-ranking model \(reranker.name) couldn't be asked; the order is that of the search."
        }
    }
}

extension KnowledgeAnswer {
    fileprivate mutating func add(notice: String) {
        self.notice = [self.notice, notice].compactMap(\.self).joined(separator: " ")
    }
}

/// The search for the whole question or for one part of it.
struct PartSearch {
    let text: String
    /// The place among the parts; nothing for the whole question.
    let part: Int?
    let analysis: QueryAnalysis
    let response: CandidateResponse
    let confidence: AnswerConfidence

    /// How many of the best hits the confidence is taken from, however many are asked for.
    private static let depth = 5

    init(text: String, part: Int?, analysis: QueryAnalysis, response: CandidateResponse) {
        self.text = text
        self.part = part
        self.analysis = analysis
        self.response = response
        let best = response.hits.prefix(Self.depth)
        let rarity = TermRarity(frequencies: response.termFrequencies, chunkCount: response.chunkCount)
        self.confidence = AnswerConfidence(
            similarity: best.compactMap(\.candidate.cosine).max(),
            coverage: best.map { analysis.coverage(of: $0.chunk.searchedText, rarity: rarity) }.max() ?? 0
        )
    }

    /// Whether any hit has to do with the question; if not, none is shown.
    func isAnswered(by configuration: RankingConfiguration) -> Bool {
        guard !self.response.hits.isEmpty else { return false }
        return self.confidence.similarity == nil || self.confidence.probability >= configuration.minimumConfidence
    }
}

/// A hit on its way to the answer.
struct Found {
    var hit: CandidateHit
    var score: Double
    var explanation: RankExplanation

    var context: String {
        ([self.hit.chunk.title] + self.hit.chunk.headingPath).filter { !$0.isEmpty }.joined(separator: " > ")
    }

    /// Puts the hits of several searches into one order: a chunk counts with its best score.
    ///
    /// Every search's scores go up to about 1, so the best of each part come first and the others in turn.
    static func merged(_ searches: [PartSearch], partWeight: Double) -> [Found] {
        var best: [Int64: Found] = [:]
        for search in searches {
            for hit in search.response.hits {
                let found = Found(hit, part: search.part, weight: search.part == nil ? 1 : partWeight)
                guard let known = best[hit.candidate.chunkID], known.score >= found.score else {
                    best[hit.candidate.chunkID] = found
                    continue
                }
            }
        }
        return best.values.sorted { ($0.score, $1.hit.candidate.chunkID) > ($1.score, $0.hit.candidate.chunkID) }
    }

    private init(_ hit: CandidateHit, part: Int?, weight: Double) {
        self.hit = hit
        self.score = weight * hit.candidate.score
        self.explanation = RankExplanation(
            lexicalRank: hit.candidate.lexicalRank,
            lexicalScore: hit.candidate.lexicalScore,
            denseRank: hit.candidate.denseRank,
            cosine: hit.candidate.cosine,
            fusedScore: self.score,
            part: part
        )
    }

    /// Puts hits in the order of other scores, brought to 0…1, and those that weren't scored behind them.
    static func reranked(_ head: [Found], scores: [Double], rest: some Sequence<Found>) -> [Found] {
        let lowest = scores.min() ?? 0
        let highest = scores.max() ?? 1
        let isProbability = lowest >= 0 && highest <= 1
        let spread = highest - lowest
        var ordered = zip(head, scores).map { found, score in
            var found = found
            found.score = isProbability ? score : spread > 0 ? (score - lowest) / spread : 1
            found.explanation.rerankScore = score
            return found
        }
        ordered.sort { ($0.score, $0.explanation.fusedScore) > ($1.score, $1.explanation.fusedScore) }
        let floor = ordered.last?.score ?? 1
        return ordered
            + rest.map { found in
                var found = found
                found.score *= floor
                return found
            }
    }
}

extension StoredChunk {
    /// The text with what is searched beside it.
    var searchedText: String { "\(self.title) \(self.headingPath.joined(separator: " ")) \(self.text)" }
}
