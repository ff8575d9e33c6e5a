/// The weights that turn candidates into an order.
public struct RankingConfiguration: Sendable {
    /// How much the cosine counts against the words, from 0 to 1.
    ///
    /// With 0.5, nDCG@10 is .826, .761 and .435 on three
    /// collections (API documentation, source code, abstracts); 0.6 is worse on two of them.
    public var denseWeight = 0.5

    /// How much the hits of a part of a question count against those of the whole question, from 0 to 1.
    public var partWeight = 0.9

    /// The confidence below which nothing is shown at all.
    ///
    /// Put to their own collection and to the two others, none of 573 questions of the three gets an empty answer from its
    /// own, and 63 to 91 % of them get one from another (docs/retrieval.md); the others are shown as probably missing.
    public var minimumConfidence = 0.15

    /// Creates weights with the measured defaults.
    public init() {}
}

/// Puts candidates in order by a weighted sum of their normalised scores.
///
/// The cosine is stretched to 0…1 between the lowest and the highest of the candidates, the lexical score is divided
/// by the highest; a chunk that no word led to has the lexical score 0. Convex combination of normalised scores, as in
/// Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval" (2022), keeps the distances that rank
/// fusion throws away.
struct Ranking: Sendable {
    let configuration: RankingConfiguration
    var mode = SearchMode.hybrid

    /// Returns the candidates with their scores from 0 to 1, best first; equal ones in the order of their numbers.
    func ranked(_ candidates: [Candidate]) -> [Candidate] {
        let cosines = candidates.compactMap(\.cosine)
        let lowest = cosines.min() ?? 0
        let spread = (cosines.max() ?? 0) - lowest
        let bestLexical = candidates.map(\.lexicalScore).max() ?? 0
        let weight = self.weight(hasCosines: !cosines.isEmpty)
        return candidates.map { candidate in
            var candidate = candidate
            let dense = candidate.cosine.map { spread > 0 ? ($0 - lowest) / spread : 1 } ?? 0
            let lexical = bestLexical > 0 ? candidate.lexicalScore / bestLexical : 0
            candidate.score = weight * dense + (1 - weight) * lexical
            return candidate
        }
        .sorted { ($0.score, $1.chunkID) > ($1.score, $0.chunkID) }
    }

    private func weight(hasCosines: Bool) -> Double {
        switch self.mode {
        case .hybrid: hasCosines ? self.configuration.denseWeight : 0
        case .dense: 1
        case .lexical: 0
        }
    }
}
