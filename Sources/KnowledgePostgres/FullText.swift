import Foundation
import Knowledge

/// The full-text side of a chunk: which terms occur how often in which field.
struct FullTextEntry {
    /// How often a term occurs in the title and headings, in the text, and among the parts of identifiers.
    struct Counts {
        var context = 0
        var text = 0
        var identifiers = 0
    }

    var counts: [String: Counts] = [:]
    /// The number of terms in all fields together, which scores are normalised by.
    var length = 0

    init(_ entry: IndexedDocument.Entry) {
        self.add(entry.chunk.context, to: \.context)
        self.add(entry.chunk.text, to: \.text)
        self.add(entry.identifierParts, to: \.identifiers)
    }

    private mutating func add(_ text: String, to field: WritableKeyPath<Counts, Int>) {
        for term in LexicalAnalyzer.terms(in: text) {
            self.length += 1
            if term.utf8.count <= Self.maximumTermLength { self.counts[term, default: Counts()][keyPath: field] += 1 }
        }
    }

    /// The most bytes of a term; longer ones, which nobody looks for, aren't indexed (a B-tree has a limit near it).
    static let maximumTermLength = 1000
}

/// The formula and constants of BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond",
/// 2009), as SQLite has them, so that both stores give the same scores.
enum BM25 {
    /// How rare a term is, by the number of chunks that hold it.
    static func inverseFrequency(_ frequency: Int, chunkCount: Int) -> Double {
        let value = (Double(chunkCount - frequency) + 0.5) / (Double(frequency) + 0.5)
        return value > 1 ? log(value) : 1e-6
    }

    /// The score of one posting `p` of a term `q`, in SQL, by the placeholder of the chunks' average length.
    static func score(averageLength: String) -> String {
        let count = "(2.0 * p.context_count + p.text_count + 0.5 * p.identifier_count)::float8"
        return "q.weight * \(count) * 2.2 / (\(count) + 1.2 * (0.25 + 0.75 * p.length / \(averageLength)))"
    }
}
