import Foundation
import Knowledge
import Testing

extension KnowledgeStoreContract {
    /// Modes, ranks, term frequencies and neighbours.
    func legs(_ store: any KnowledgeStore) async throws {
        try await store.write(Self.document("a", ["apple", "banana", "cherry", "dates"], vectors: [[1, 0, 0, 0]]))
        try await store.write(Self.document("b", ["apple apple", "elder"], vectors: [[0, 1, 0, 0]]))
        try await store.write(Self.document("c", ["figs"], vectors: [[0.6, 0.8, 0, 0]]))
        let dense = CandidateRequest.Dense(vector: [0, 1, 0, 0], model: Self.model)
        var request = CandidateRequest(terms: ["apples", "figs", "unknown"], dense: dense, limit: 3)
        request.neighbours = 1

        var hits = try await self.hits(store, request)
        #expect(Set(hits.keys) == ["a0", "b0", "b1", "c0"])
        #expect(hits["a0"]?.candidate.denseRank == nil)
        #expect(hits["a0"]?.candidate.cosine == 0, "The true cosine, though the vectors didn't lead to it")
        #expect(hits["c0"]?.candidate.denseRank == 3)
        #expect(hits["b1"]?.candidate.lexicalRank == nil)
        #expect(hits["b1"]?.candidate.lexicalScore == 0)
        #expect(Set(hits.values.compactMap(\.candidate.lexicalRank)) == [1, 2, 3])
        #expect(hits["b0"]?.candidate.documentID == "b")
        #expect(hits["b1"]?.candidate.chunkIndex == 1)
        #expect(hits["a0"]?.before.isEmpty == true)
        #expect(hits["a0"]?.after.map(\.text) == ["banana"])
        #expect(hits["b1"]?.before.map(\.text) == ["apple apple"])
        let ranked = hits.values.filter { $0.candidate.lexicalRank != nil }
            .sorted { $0.candidate.lexicalScore > $1.candidate.lexicalScore }
        #expect(ranked.map(\.candidate.lexicalRank) == [1, 2, 3])

        request.mode = .dense
        hits = try await self.hits(store, request)
        #expect(Set(hits.keys) == ["b0", "b1", "c0"])
        #expect(hits.values.allSatisfy { $0.candidate.lexicalRank == nil && $0.candidate.lexicalScore == 0 })

        request.mode = .lexical
        hits = try await self.hits(store, request)
        #expect(Set(hits.keys) == ["a0", "b0", "c0"])
        #expect(hits.values.allSatisfy { $0.candidate.denseRank == nil && $0.candidate.cosine != nil })

        request.filter = DocumentFilter(sources: [try GlobPattern("c")])
        let response = try await store.search(request) { $0 }
        #expect(response.termFrequencies == ["apples": 2, "figs": 1, "unknown": 0], "Whatever the filter")
        #expect(response.chunkCount == 7)
        #expect(response.hits.map(\.chunk.documentID) == ["c"])
    }

    private func hits(_ store: any KnowledgeStore, _ request: CandidateRequest) async throws -> [String: CandidateHit] {
        let hits = try await store.search(request) { $0 }.hits
        return Dictionary(uniqueKeysWithValues: hits.map { ("\($0.chunk.documentID)\($0.chunk.index)", $0) })
    }

    /// A document's chunks by their places.
    func neighbours(_ store: any KnowledgeStore) async throws {
        try await store.write(Self.document("a", (0..<6).map { "text \($0)" }))
        #expect(try await store.chunks(ofDocument: "a", indexes: 1..<3).map(\.text) == ["text 1", "text 2"])
        #expect(try await store.chunks(ofDocument: "a", indexes: 4..<90).map(\.index) == [4, 5])
        #expect(try await store.chunks(ofDocument: "a", indexes: 9..<12).isEmpty)
        #expect(try await store.chunks(ofDocument: "b", indexes: 0..<3).isEmpty)
        #expect(try await store.chunks(ofDocument: "a", indexes: 3..<4).first?.span == 21..<27)
        let request = CandidateRequest(terms: ["3"], dense: nil, limit: 5, neighbours: 2)
        let hit = try #require(try await store.search(request) { $0 }.hits.first)
        #expect(hit.before.map(\.index) == [1, 2])
        #expect(hit.after.map(\.index) == [4, 5])
    }
}
