/// The documents that a system gave for each query, with their scores.
public struct RankedRun: Sendable {
    /// The scores of documents, by query and document.
    public private(set) var scores: [String: [String: Double]] = [:]

    /// Creates an empty run.
    public init() {}

    /// Adds a document for a query; one that is added twice counts once, at its best.
    public mutating func add(query: String, document: String, score: Double) {
        let known = self.scores[query]?[document] ?? -.infinity
        self.scores[query, default: [:]][document] = max(known, score)
    }

    /// Returns the documents of a query, best first; equal ones in descending order of their identifiers, which is
    /// how trec_eval breaks ties.
    public func documents(forQuery query: String) -> [String] {
        (self.scores[query] ?? [:])
            .sorted { first, second in
                if first.value != second.value { return first.value > second.value }
                return second.key.utf8.lexicographicallyPrecedes(first.key.utf8)
            }
            .map(\.key)
    }

    /// Returns the run in the form of TREC, with tabs between the columns: query, Q0, document, rank, score, tag.
    public func trecText(queries: [String], tag: String) -> String {
        var text = ""
        for query in queries {
            for (rank, document) in self.documents(forQuery: query).enumerated() {
                let score = self.scores[query]?[document] ?? 0
                text += "\(query)\tQ0\t\(document)\t\(rank + 1)\t\(score)\t\(tag)\n"
            }
        }
        return text
    }
}
