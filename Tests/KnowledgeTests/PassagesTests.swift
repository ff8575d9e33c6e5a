import Foundation
import Testing

@testable import Knowledge

@Suite("From hits to passages")
struct PassagesTests {
    private static func found(_ id: Int64, text: String, score: Double) -> Found {
        let chunk = StoredChunk(
            documentID: "d\(id)",
            source: "d\(id)",
            title: "",
            version: "v",
            index: 0,
            headingPath: [],
            text: text,
            span: 0..<text.utf8.count,
            indexedAt: Date(timeIntervalSince1970: 0),
            sourceUpdatedAt: nil
        )
        let candidate = Candidate(chunkID: id, lexicalScore: 1, cosine: nil, score: score)
        let response = CandidateResponse(
            hits: [CandidateHit(candidate: candidate, chunk: chunk)],
            generation: 1,
            lacksVectors: false
        )
        let search = PartSearch(text: "q", part: nil, analysis: QueryAnalysis("q"), response: response)
        return Found.merged([search], partWeight: 1)[0]
    }

    private static let text =
        "The staging database is restored from the nightly backup by the platform team every week."

    @Test("A copy of a better passage is left out; a passage that only begins alike stays")
    func duplicates() {
        let all = [
            Self.found(1, text: Self.text, score: 0.9), Self.found(2, text: Self.text + "  ", score: 0.8),
            Self.found(3, text: Self.text.uppercased(), score: 0.7),
            Self.found(
                4,
                text:
                    "The staging database is restored from the nightly backup, unless it is Sunday and nobody is there.",
                score: 0.6
            ),
            Self.found(5, text: "See also", score: 0.5), Self.found(6, text: "See also", score: 0.4),
        ]
        let (kept, duplicates) = NearDuplicates.split(all)
        #expect(kept.map(\.hit.candidate.chunkID) == [1, 4, 5, 6])
        #expect(duplicates.map(\.hit.candidate.chunkID) == [2, 3])
    }

    @Test("Whole passages are packed into the budget; a shorter one behind a long one still fits")
    func budget() {
        func result(_ tokens: Int) -> SearchResult {
            SearchResult(
                documentID: "\(tokens)",
                source: "",
                title: "",
                headingPath: [],
                chunkIndex: 0,
                text: "",
                span: 0..<0,
                tokenCount: tokens,
                score: 1,
                similarity: nil,
                indexedAt: Date(timeIntervalSince1970: 0),
                sourceUpdatedAt: nil
            )
        }
        let all = [100, 300, 50, 60].map(result)
        let packed = ContextBudget(maximumTokens: 200).pack(all)
        #expect(packed.results.map(\.tokenCount) == [100, 50])
        #expect(packed.omitted.map(\.tokenCount) == [300, 60])
        #expect(ContextBudget(maximumTokens: nil).pack(all).results.count == 4)
        #expect(ContextBudget(maximumTokens: 10).pack(all).results.isEmpty)
    }

    @Test("The scores of a re-ranking model decide; what it didn't see stays behind, in its order")
    func reranked() {
        let all = (1...4).map { Self.found(Int64($0), text: "text \($0)", score: 1 - Double($0) / 10) }
        let ordered = Found.reranked(Array(all.prefix(3)), scores: [-4, 2, 0], rest: all.dropFirst(3))
        #expect(ordered.map(\.hit.candidate.chunkID) == [2, 3, 1, 4])
        #expect(ordered.first?.score == 1)
        #expect(ordered.first?.explanation.rerankScore == 2)
        #expect(ordered.allSatisfy { (0...1).contains($0.score) })
        let probabilities = Found.reranked(Array(all.prefix(2)), scores: [0.2, 0.7], rest: [])
        #expect(probabilities.map(\.score) == [0.7, 0.2])
    }

    @Test("Confidence grows with both signs, and is unsure without either")
    func confidence() {
        #expect(AnswerConfidence(similarity: 0.7, coverage: 0.7).probability > 0.9)
        #expect(AnswerConfidence(similarity: 0.2, coverage: 0.2).isProbablyMissing)
        #expect(
            AnswerConfidence(similarity: 0.2, coverage: 0.9).probability
                > AnswerConfidence(similarity: 0.2, coverage: 0.1).probability
        )
        #expect(AnswerConfidence(similarity: nil, coverage: 1).probability > 0.9)
        #expect(AnswerConfidence(similarity: nil, coverage: 0).isProbablyMissing)
    }

    @Test("A part of a text is taken by bytes, or not at all")
    func slices() {
        #expect("Größe".slice(utf8: 0..<4) == "Grö")
        #expect("Größe".slice(utf8: 0..<3) == nil, "cut within a character")
        #expect("abc".slice(utf8: 1..<9) == nil)
        #expect("abc".slice(utf8: 3..<3) == "")
    }
}
