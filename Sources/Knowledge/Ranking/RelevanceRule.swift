/// Decides whether the best chunks answer a query at all, so that the answer can honestly be "nothing relevant".
struct RelevanceRule: Sendable {
    /// How many of the best chunks are looked at, however many are asked for.
    static let depth = 5

    let configuration: RankingConfiguration

    /// Returns whether any of the hits has to do with the query.
    ///
    /// By words alone, any shared word counts. With vectors, the best cosine has to reach the threshold, or one chunk
    /// has to hold most of the query's words.
    func isAnswered(by hits: [CandidateHit], analysis: QueryAnalysis) -> Bool {
        let hits = hits.prefix(Self.depth)
        let cosines = hits.compactMap(\.candidate.cosine)
        guard let best = cosines.max() else { return !hits.isEmpty }
        if best >= self.configuration.minimumCosine { return true }
        return hits.contains { hit in
            analysis.coverage(
                of: "\(hit.chunk.title) \(hit.chunk.headingPath.joined(separator: " ")) \(hit.chunk.text)"
            )
                >= self.configuration.minimumCoverage
        }
    }
}
