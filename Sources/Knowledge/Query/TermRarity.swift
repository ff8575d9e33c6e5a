import Foundation

/// How much it says that a chunk holds a word: inverse document frequency in this index.
struct TermRarity: Sendable {
    let frequencies: [String: Int]
    let chunkCount: Int

    /// Robertson's weight, as in BM25: high for a word that no chunk holds, near 0 for one that all do.
    func weight(of term: String) -> Double {
        let frequency = Double(self.frequencies[term] ?? 0)
        return log(1 + (Double(self.chunkCount) - frequency + 0.5) / (frequency + 0.5))
    }
}
