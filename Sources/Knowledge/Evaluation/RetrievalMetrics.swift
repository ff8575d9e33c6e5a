import Foundation

/// How good a ranking is, from 0 to 1 each; the mean over queries when there are several.
///
/// nDCG takes the relevance as gain and divides by log2(rank + 1). Recall is over all relevant documents. MRR is one
/// divided by the rank of the first relevant document within the cut, hit tells whether there is one.
public struct RetrievalMetrics: Sendable, Hashable {
    public private(set) var ndcgAt10 = 0.0
    public private(set) var recallAt5 = 0.0
    public private(set) var recallAt10 = 0.0
    public private(set) var recallAt20 = 0.0
    public private(set) var recallAt100 = 0.0
    public private(set) var mrrAt10 = 0.0
    public private(set) var hitAt1 = 0.0
    public private(set) var hitAt5 = 0.0
    public private(set) var hitAt10 = 0.0

    private init() {}

    /// Scores the ranking of one query.
    ///
    /// - Parameters:
    ///   - ranking: The documents, best first.
    ///   - judgements: The relevance of documents; at least one has to be above 0, else all metrics are 0.
    public init(ranking: [String], judgements: [String: Int]) {
        let relevant = Set(judgements.filter { $0.value > 0 }.keys)
        guard !relevant.isEmpty else { return }
        let gains = ranking.prefix(10).map { max(0, judgements[$0] ?? 0) }
        let ideal = judgements.values.filter { $0 > 0 }.sorted(by: >).prefix(10)
        self.ndcgAt10 = Self.discounted(gains) / Self.discounted(ideal)
        func recall(_ cut: Int) -> Double {
            Double(ranking.prefix(cut).count { relevant.contains($0) }) / Double(relevant.count)
        }
        self.recallAt5 = recall(5)
        self.recallAt10 = recall(10)
        self.recallAt20 = recall(20)
        self.recallAt100 = recall(100)
        if let first = ranking.prefix(10).firstIndex(where: relevant.contains) {
            self.mrrAt10 = 1 / Double(first + 1)
            self.hitAt1 = first < 1 ? 1 : 0
            self.hitAt5 = first < 5 ? 1 : 0
            self.hitAt10 = 1
        }
    }

    /// Scores a run: the mean over all judged queries, those that the run lacks counting as 0.
    public init(run: RankedRun, judgements: [String: [String: Int]]) {
        guard !judgements.isEmpty else { return }
        // In a fixed order, so that the sum is the same on every run.
        let all = judgements.sorted { $0.key < $1.key }.map { query, relevance in
            RetrievalMetrics(ranking: run.documents(forQuery: query), judgements: relevance)
        }
        for field in Self.fields {
            self[keyPath: field.path] = all.reduce(0) { $0 + $1[keyPath: field.path] } / Double(all.count)
        }
    }

    /// The metrics with their usual names, in the order in which they are printed.
    public var named: [(name: String, value: Double)] { Self.fields.map { ($0.name, self[keyPath: $0.path]) } }

    private static var fields: [(name: String, path: WritableKeyPath<RetrievalMetrics, Double>)] {
        [
            ("ndcg@10", \.ndcgAt10), ("recall@5", \.recallAt5), ("recall@10", \.recallAt10),
            ("recall@20", \.recallAt20), ("recall@100", \.recallAt100), ("mrr@10", \.mrrAt10), ("hit@1", \.hitAt1),
            ("hit@5", \.hitAt5), ("hit@10", \.hitAt10),
        ]
    }

    private static func discounted(_ gains: some Sequence<Int>) -> Double {
        gains.enumerated().reduce(0) { $0 + Double($1.element) / log2(Double($1.offset + 2)) }
    }
}
