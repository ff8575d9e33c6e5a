import Testing

@testable import Knowledge

@Suite("Ranking candidates")
struct RankingTests {
    @Test("Scores are stretched cosine and lexical score by the highest, weighted")
    func fusion() throws {
        var configuration = RankingConfiguration()
        configuration.denseWeight = 0.5
        let ranked = Ranking(configuration: configuration).ranked([
            Candidate(chunkID: 1, lexicalScore: 0, cosine: 0.9),
            Candidate(chunkID: 2, lexicalScore: 8, cosine: 0.5),
            Candidate(chunkID: 3, lexicalScore: 4, cosine: 0.7),
            Candidate(chunkID: 4, lexicalScore: 0, cosine: 0.1),
        ])
        #expect(ranked.map(\.chunkID) == [2, 3, 1, 4])
        let scores = ranked.map { ($0.score * 1000).rounded() / 1000 }
        #expect(scores == [0.75, 0.625, 0.5, 0])
    }

    @Test("Without vectors the words alone decide")
    func lexical() {
        let ranked = Ranking(configuration: RankingConfiguration()).ranked([
            Candidate(chunkID: 1, lexicalScore: 2, cosine: nil),
            Candidate(chunkID: 2, lexicalScore: 4, cosine: nil),
        ])
        #expect(ranked.map(\.chunkID) == [2, 1])
        #expect(ranked.map(\.score) == [1, 0.5])
    }

    @Test("Equal candidates come in the order of their numbers; one alone has a score above 0")
    func ties() {
        let ranking = Ranking(configuration: RankingConfiguration())
        let equal = [3, 1, 2].map { Candidate(chunkID: $0, lexicalScore: 1, cosine: 0.5) }
        #expect(ranking.ranked(equal).map(\.chunkID) == [1, 2, 3])
        #expect(ranking.ranked([Candidate(chunkID: 1, lexicalScore: 0, cosine: 0.5)]).allSatisfy { $0.score > 0 })
        #expect(ranking.ranked([]).isEmpty)
    }
}
