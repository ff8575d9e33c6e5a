import Foundation
import Knowledge
import Testing

extension KnowledgeStoreContract {
    private static let next = EmbeddingModel(name: "next-model", dimension: 3, maximumTokens: 256)

    /// A vector is found again by the text that it was made of, and only for the model that it is of.
    func reuse(_ store: any KnowledgeStore) async throws {
        try await store.write(Self.document("a", ["cats", "dogs"], vectors: [[1, 0, 0, 0], [0, 1, 0, 0]]))
        var lexical = Self.document("b", ["fish"])
        lexical.model = nil
        lexical.entries[0].vector = nil
        try await store.write(lexical)
        let texts = ["cats", "dogs", "fish", "ships"].map { TextHash(Chunk.embeddedText(context: "Context", text: $0)) }
        let found = try await store.vectors(ofTexts: texts, model: Self.model)
        #expect(found == [texts[0]: [1, 0, 0, 0], texts[1]: [0, 1, 0, 0]])
        #expect(try await store.vectors(ofTexts: texts, model: Self.next).isEmpty)
        try await store.delete(documentID: "a")
        #expect(try await store.vectors(ofTexts: texts, model: Self.model).isEmpty)
    }

    /// The old vectors serve until every chunk has a new one, whatever is written and removed meanwhile.
    func reindex(_ store: any KnowledgeStore) async throws {
        try await store.write(Self.document("a", ["cats", "dogs", "birds"], vectors: [[1, 0, 0, 0]]))
        try await store.write(Self.document("b", ["ships"], vectors: [[0, 1, 0, 0]]))
        await Self.expect(.invalidArguments) { try await store.chunksToEmbed(after: nil, limit: 5) }
        await Self.expect(.invalidArguments) { try await store.finishReindex(model: Self.next) }
        let begun = try await store.beginReindex(model: Self.next)
        #expect([begun.embeddedCount, begun.chunkCount] as [Int] == [0, 4])
        #expect(try await store.status().reindex == begun)

        let first = try await store.chunksToEmbed(after: nil, limit: 2)
        #expect(first.map(\.text) == ["Context\ncats", "Context\ndogs"])
        try await self.embed(first, store)
        #expect(try await store.finishReindex(model: Self.next) == false)
        #expect(try await store.beginReindex(model: Self.next).embeddedCount == 2, "It goes on where it was")
        #expect(try await self.found(store, [1, 0, 0, 0], Self.model).count == 4, "The old vectors serve")
        await Self.expect(.modelMismatch) { try await self.found(store, [1, 0, 0], Self.next) }
        await Self.expect(.modelMismatch) { try await store.writeEmbeddings([:], model: Self.model) }
        await Self.expect(.embeddingFailed) {
            try await store.writeEmbeddings([first[0].chunkID: [1]], model: Self.next)
        }

        // What changes meanwhile is taken along.
        try await store.write(Self.document("c", ["trees"], vectors: [[0, 0, 1, 0]]))
        let late = try await store.chunksToEmbed(after: first[1].chunkID, limit: 10)
        try await store.delete(documentID: "b")
        try await store.write(Self.document("a", ["fish"], vectors: [[0, 0, 0, 1]]))
        try await self.embed(late, store)
        #expect(try await store.finishReindex(model: Self.next) == false, "Document a is new again")
        try await self.embed(store.chunksToEmbed(after: nil, limit: 10), store)
        let generation = try await store.status().generation
        #expect(try await store.finishReindex(model: Self.next))

        let status = try await store.status()
        #expect(status.modelName == "next-model")
        #expect([status.modelDimension, status.vectorCount, status.chunkCount] as [Int?] == [3, 2, 2])
        #expect(status.reindex == nil)
        #expect(status.generation > generation)
        #expect(try await self.found(store, [1, 0, 0], Self.next).sorted() == ["fish", "trees"])
        await Self.expect(.modelMismatch) { try await self.found(store, [1, 0, 0, 0], Self.model) }
        #expect(try await store.versions(ofDocuments: ["a"])["a"]?.modelName == "next-model")
        await Self.expect(.invalidArguments) { try await store.finishReindex(model: Self.next) }
        await Self.expect(.modelMismatch) { try await store.write(Self.document("d", ["x"])) }

        // There and back again, so that nothing of the first change is left.
        _ = try await store.beginReindex(model: Self.next)
        _ = try await store.beginReindex(model: Self.model)
        let all = try await store.chunksToEmbed(after: nil, limit: 10)
        try await store.writeEmbeddings(
            Dictionary(uniqueKeysWithValues: all.map { ($0.chunkID, [1, 0, 0, 0]) }),
            model: Self.model
        )
        #expect(try await store.finishReindex(model: Self.model))
        try await store.write(Self.document("d", ["x"], vectors: [[0, 1, 0, 0]]))
        #expect(try await self.found(store, [1, 0, 0, 0], Self.model).sorted() == ["fish", "trees", "x"])
    }

    /// Chunks that were ingested without a model get vectors of the model that the index has.
    func embeddingLater(_ store: any KnowledgeStore) async throws {
        var lexical = Self.document("lexical", ["words only"])
        lexical.model = nil
        lexical.entries[0].vector = nil
        try await store.write(lexical)
        try await store.write(Self.document("a", ["cats"], vectors: [[0, 1, 0, 0]]))
        #expect(try await self.found(store, [1, 0, 0, 0], Self.model) == ["cats"])
        let begun = try await store.beginReindex(model: Self.model)
        #expect([begun.embeddedCount, begun.chunkCount] as [Int] == [1, 2])
        let chunks = try await store.chunksToEmbed(after: nil, limit: 10)
        #expect(chunks.map(\.text) == ["Context\nwords only"])
        try await store.writeEmbeddings([chunks[0].chunkID: [1, 0, 0, 0]], model: Self.model)
        #expect(try await store.finishReindex(model: Self.model))
        #expect(try await self.found(store, [1, 0, 0, 0], Self.model) == ["words only", "cats"])
        #expect(try await store.status().vectorCount == 2)
    }

    private func embed(_ chunks: [ChunkToEmbed], _ store: any KnowledgeStore) async throws {
        try await store.writeEmbeddings(
            Dictionary(uniqueKeysWithValues: chunks.map { ($0.chunkID, [1, 0, 0]) }),
            model: Self.next
        )
    }

    /// The texts of the nearest chunks, nearest first.
    private func found(
        _ store: any KnowledgeStore,
        _ vector: [Float],
        _ model: EmbeddingModel
    ) async throws -> [String] {
        let request = CandidateRequest(terms: [], dense: .init(vector: vector, model: model), limit: 10)
        return try await store.search(request) { candidates in
            candidates.sorted { ($0.denseRank ?? 99) < ($1.denseRank ?? 99) }
        }
        .hits.map(\.chunk.text)
    }
}
