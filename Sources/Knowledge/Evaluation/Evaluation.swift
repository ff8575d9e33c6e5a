/// Measures how well a knowledge base finds the documents that a labelled collection asks for.
public struct Evaluation: Sendable {
    /// What an evaluation gave.
    public struct Report: Sendable {
        public var documentCount: Int
        public var chunkCount: Int
        /// How many queries have at least one relevant document; only they count.
        public var queryCount: Int
        /// How many of those got no document at all.
        public var unansweredCount: Int
        public var mode: KnowledgeAnswer.Mode
        /// The model that embedded the documents, if they have vectors.
        public var model: String?
        public var metrics: RetrievalMetrics
        public var run: RankedRun
        /// The queries in the order of their file, for ``RankedRun/trecText(queries:tag:)``.
        public var queryIDs: [String]

        /// The figures as lines of a name and a value.
        public var table: String {
            var rows: [(String, String)] = [
                ("documents", "\(self.documentCount)"), ("chunks", "\(self.chunkCount)"),
                ("queries", "\(self.queryCount)"), ("unanswered", "\(self.unansweredCount)"),
                ("mode", self.mode.rawValue),
            ]
            rows += self.metrics.named.map { ($0.name, Self.fourDecimals($0.value)) }
            return rows.map { $0.0 + String(repeating: " ", count: max(1, 14 - $0.0.count)) + $0.1 }
                .joined(separator: "\n")
        }

        private static func fourDecimals(_ value: Double) -> String {
            let digits = String(Int((value * 10_000).rounded()))
            let padded = String(repeating: "0", count: max(0, 5 - digits.count)) + digits
            return "\(padded.dropLast(4)).\(padded.suffix(4))"
        }
    }

    private let base: KnowledgeBase

    /// Creates an evaluation.
    ///
    /// - Parameter base: A knowledge base whose store is empty; it is filled with the collection's documents.
    public init(base: KnowledgeBase) { self.base = base }

    /// Ingests the documents, asks every question through ``KnowledgeBase/query(_:topK:)``, and scores the answers.
    ///
    /// A document counts with its best chunk.
    ///
    /// - Throws: A ``KnowledgeError`` if the store isn't empty, or if a document or a query fails.
    public func run(
        _ set: EvaluationSet,
        progress: @escaping (IngestProgress) -> Void = { _ in }
    ) async throws(KnowledgeError) -> Report {
        guard try await self.base.status().store.documentCount == 0 else {
            throw KnowledgeError(.invalidArguments, "An evaluation needs an empty store.")
        }
        try Self.check(set)
        let ingested = try await self.base.ingest(set.documents, progress: progress)
        for result in ingested.results {
            if case .failed(let error) = result.outcome, error.code != .emptyDocument { throw error }
        }
        return try await self.ask(set)
    }

    /// Asks the questions of a set without documents to the knowledge base as it is.
    ///
    /// - Throws: A ``KnowledgeError`` if no question has a relevant document, or if a query fails.
    public func ask(_ set: EvaluationSet) async throws(KnowledgeError) -> Report {
        try Self.check(set)
        var run = RankedRun()
        var unanswered = 0
        var mode = KnowledgeAnswer.Mode.lexical
        let queries = set.queries.filter { set.judgements[$0.id] != nil }
        for query in queries {
            let answer = try await self.base.query(query.text, topK: self.base.configuration.maximumTopK)
            mode = answer.mode
            if answer.results.isEmpty { unanswered += 1 }
            for result in answer.results {
                run.add(query: query.id, document: set.name(of: result, for: query.id), score: result.score)
            }
        }
        let status = try await self.base.status().store
        return Report(
            documentCount: status.documentCount,
            chunkCount: status.chunkCount,
            queryCount: set.judgements.count,
            unansweredCount: unanswered,
            mode: mode,
            model: status.modelName,
            metrics: RetrievalMetrics(run: run, judgements: set.judgements),
            run: run,
            queryIDs: set.queries.map(\.id)
        )
    }

    private static func check(_ set: EvaluationSet) throws(KnowledgeError) {
        guard !set.judgements.isEmpty else {
            throw KnowledgeError(.invalidArguments, "No query has a relevant document.")
        }
    }
}
