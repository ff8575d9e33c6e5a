import Foundation
import JSON
import Knowledge
import Testing

/// What every knowledge store has to keep its promise of.
///
/// Each check gets a store that is empty.
struct KnowledgeStoreContract {
    static let model = EmbeddingModel(name: "test-model", dimension: 4, maximumTokens: 256)

    let makeStore: () async throws -> any KnowledgeStore

    func run() async throws {
        try await self.empty(self.makeStore())
        try await self.roundTrip(self.makeStore())
        try await self.replacement(self.makeStore())
        try await self.deletion(self.makeStore())
        try await self.pages(self.makeStore())
        try await self.search(self.makeStore())
        try await self.hostileWords(self.makeStore())
        try await self.models(self.makeStore())
        try await self.generations(self.makeStore())
        try await self.filters(self.makeStore())
        try await self.narrowFilter(self.makeStore())
        try await self.limits(self.makeStore())
        try await self.legs(self.makeStore())
        try await self.neighbours(self.makeStore())
        try await self.reuse(self.makeStore())
        try await self.reindex(self.makeStore())
        try await self.embeddingLater(self.makeStore())
    }

    private func empty(_ store: any KnowledgeStore) async throws {
        let status = try await store.status()
        #expect([status.documentCount, status.chunkCount, status.vectorCount] as [Int] == [0, 0, 0])
        #expect(status.modelName == nil)
        #expect(try await store.document(id: "a") == nil)
        #expect(try await store.documents(after: nil, limit: 10).isEmpty)
        #expect(try await store.delete(documentID: "a") == false)
        #expect(try await self.ids(store, terms: ["word"], vector: [1, 0, 0, 0]).isEmpty)
    }

    private func roundTrip(_ store: any KnowledgeStore) async throws {
        var document = Self.document("a", ["One about cats", "Two about dogs"])
        document.document.metadata = ["team": "platform", "nested": ["x": [1, nil]]]
        document.document.sourceUpdatedAt = Date(timeIntervalSince1970: 5)
        #expect(try await store.write(document))
        let stored = try #require(try await store.document(id: "a"))
        #expect(stored.text == document.document.text)
        #expect(stored.summary.metadata == document.document.metadata)
        #expect(stored.summary.chunkCount == 2)
        #expect(stored.summary.indexedAt == document.indexedAt)
        #expect(stored.summary.sourceUpdatedAt == Date(timeIntervalSince1970: 5))
        let version = try await store.versions(ofDocuments: ["a", "b"])
        #expect(version == ["a": DocumentVersion(contentHash: document.contentHash, modelName: "test-model")])
        let response = try await self.response(store, terms: ["dogs"], vector: nil)
        let chunk = try #require(response.hits.first?.chunk)
        #expect(chunk.text == "Two about dogs")
        #expect(chunk.headingPath == ["Heading \"1\""])
        #expect(chunk.index == 1)
        #expect(chunk.span == 15..<29)
    }

    /// After a commit nothing of the old text is found, by words or by vector, and no trace of it stays.
    private func replacement(_ store: any KnowledgeStore) async throws {
        try await store.write(Self.document("a", ["cats", "dogs", "birds"], vectors: [[1, 0, 0, 0]]))
        try await store.write(Self.document("b", ["ships"], vectors: [[0, 0, 1, 0]]))
        _ = try await self.ids(store, terms: [], vector: [1, 0, 0, 0])
        let isNew = try await store.write(Self.document("a", ["fish"], vectors: [[0, 1, 0, 0]]))
        #expect(!isNew)
        for word in ["cats", "dogs", "birds"] { #expect(try await self.texts(store, terms: [word], vector: nil) == []) }
        #expect(try await Set(self.texts(store, terms: [], vector: [1, 0, 0, 0])) == ["fish", "ships"])
        #expect(try await store.status().chunkCount == 2)
        #expect(try await store.status().vectorCount == 2)
        #expect(try await store.status().documentCount == 2)
    }

    private func deletion(_ store: any KnowledgeStore) async throws {
        try await store.write(Self.document("a", ["cats"], vectors: [[1, 0, 0, 0]]))
        try await store.write(Self.document("b", ["ships"], vectors: [[0, 0, 1, 0]]))
        _ = try await self.ids(store, terms: [], vector: [1, 0, 0, 0])
        #expect(try await store.delete(documentID: "a"))
        #expect(try await self.texts(store, terms: ["cats"], vector: [1, 0, 0, 0]) == ["ships"])
        #expect(try await store.delete(documentID: "a") == false)
        #expect(try await store.document(id: "a") == nil)
        try await store.write(Self.document("c", ["trees"], vectors: [[0, 1, 0, 0]]))
        #expect(try await Set(self.texts(store, terms: [], vector: [1, 0, 0, 0])) == ["ships", "trees"])
    }

    private func pages(_ store: any KnowledgeStore) async throws {
        for id in ["b", "ä", "a", "B", "c/d"] { try await store.write(Self.document(id, ["text"])) }
        let first = try await store.documents(after: nil, limit: 3)
        let second = try await store.documents(after: first.last?.id, limit: 3)
        #expect(first.map(\.id) == ["B", "a", "b"])
        #expect(second.map(\.id) == ["c/d", "ä"])
    }

    /// Both kinds of search, true cosines for all candidates, limits, and the order that the caller gives.
    private func search(_ store: any KnowledgeStore) async throws {
        try await store.write(Self.document("near", ["zzz"], vectors: [[1, 0, 0, 0]]))
        try await store.write(Self.document("far", ["Rotating keys"], vectors: [[0, 0, 0, 1]]))
        try await store.write(Self.document("middle", ["yyy"], vectors: [[0.6, 0.8, 0, 0]]))
        let response = try await self.response(store, terms: ["rotated"], vector: [1, 0, 0, 0], limit: 1)
        let byDocument = Dictionary(uniqueKeysWithValues: response.hits.map { ($0.chunk.documentID, $0.candidate) })
        #expect(Set(byDocument.keys) == ["near", "far"], "The best of each search, words compared without endings")
        #expect(byDocument["far"]?.cosine == 0)
        #expect(byDocument["near"]?.cosine == 1)
        #expect((byDocument["far"]?.lexicalScore ?? 0) > 0)
        #expect(byDocument["near"]?.lexicalScore == 0)
        #expect(!response.lacksVectors)

        let request = CandidateRequest(terms: [], dense: .init(vector: [1, 0, 0, 0], model: Self.model), limit: 10)
        let reversed = try await store.search(request) { candidates in
            candidates.sorted { ($0.cosine ?? 0) < ($1.cosine ?? 0) }.prefix(2).map { $0 }
        }
        #expect(reversed.hits.map(\.chunk.documentID) == ["far", "middle"])
    }

    /// Words are words, whatever they look like to a query language.
    private func hostileWords(_ store: any KnowledgeStore) async throws {
        try await store.write(Self.document("a'; DROP TABLE documents; --", ["NEAR OR AND NOT"]))
        for word in ["OR", "NEAR(", "\"", "a\" OR \"b", "*", "col:x", "'; DROP TABLE documents; --", "^", "-", ""] {
            _ = try await self.ids(store, terms: [word], vector: nil)
        }
        #expect(try await self.texts(store, terms: ["NEAR"], vector: nil) == ["NEAR OR AND NOT"])
        #expect(try await store.document(id: "a'; DROP TABLE documents; --") != nil)
    }

    private func models(_ store: any KnowledgeStore) async throws {
        var lexical = Self.document("lexical", ["words only"])
        lexical.model = nil
        lexical.entries[0].vector = nil
        try await store.write(lexical)
        #expect(try await store.status().modelName == nil)
        try await store.write(Self.document("a", ["cats"]))
        #expect(try await store.status().modelName == "test-model")
        #expect(try await store.status().modelDimension == 4)
        #expect(try await self.response(store, terms: ["cats"], vector: [1, 0, 0, 0]).lacksVectors)

        var other = Self.document("a", ["dogs"])
        other.model?.name = "other"
        await Self.expect(.modelMismatch) { try await store.write(other) }
        #expect(try await self.texts(store, terms: ["cats", "dogs"], vector: nil) == ["cats"], "Nothing has changed")
        let foreign = CandidateRequest.Dense(
            vector: [1, 0],
            model: EmbeddingModel(name: "test-model", dimension: 2, maximumTokens: 9)
        )
        await Self.expect(.modelMismatch) {
            try await store.search(CandidateRequest(terms: [], dense: foreign, limit: 5)) { $0 }
        }
        var crooked = Self.document("b", ["x"])
        crooked.entries[0].vector = [1, 0]
        await Self.expect(.embeddingFailed) { try await store.write(crooked) }
        #expect(try await store.document(id: "b") == nil)
    }

    private func generations(_ store: any KnowledgeStore) async throws {
        var last = try await store.status().generation
        for change in 0..<3 {
            if change < 2 {
                try await store.write(Self.document("a", ["text \(change)"]))
            } else {
                try await store.delete(documentID: "a")
            }
            let generation = try await store.status().generation
            #expect(generation > last)
            last = generation
        }
        try await store.delete(documentID: "nothing")
        #expect(try await store.status().generation == last)
        #expect(try await self.response(store, terms: ["x"], vector: nil).generation == last)
    }

    private func response(
        _ store: any KnowledgeStore,
        terms: [String],
        vector: [Float]?,
        limit: Int = 10
    ) async throws -> CandidateResponse {
        let dense = vector.map { CandidateRequest.Dense(vector: $0, model: Self.model) }
        return try await store.search(CandidateRequest(terms: terms, dense: dense, limit: limit)) { $0 }
    }

    private func ids(_ store: any KnowledgeStore, terms: [String], vector: [Float]?) async throws -> [String] {
        try await self.response(store, terms: terms, vector: vector).hits.map(\.chunk.documentID)
    }

    private func texts(_ store: any KnowledgeStore, terms: [String], vector: [Float]?) async throws -> [String] {
        try await self.response(store, terms: terms, vector: vector).hits.map(\.chunk.text)
    }

    /// A document with one chunk per text; chunks without a vector of their own get the last one.
    static func document(
        _ id: String,
        _ texts: [String],
        vectors: [[Float]] = [[0.5, 0.5, 0.5, 0.5]]
    ) -> IndexedDocument {
        var offset = 0
        let entries = texts.enumerated().map { index, text in
            let span = offset..<offset + text.utf8.count
            offset = span.upperBound + 1
            return IndexedDocument.Entry(
                chunk: Chunk(
                    index: index,
                    headingPath: ["Heading \"\(index)\""],
                    text: text,
                    span: span,
                    context: "Context"
                ),
                identifierParts: "",
                vector: index < vectors.count ? vectors[index] : vectors[vectors.count - 1]
            )
        }
        return IndexedDocument(
            document: Document(id: id, title: "Title", text: texts.joined(separator: "\n")),
            contentHash: "hash of \(texts)",
            model: Self.model,
            entries: entries,
            indexedAt: Date(timeIntervalSince1970: 1_000_000)
        )
    }

    static func expect<T>(_ code: KnowledgeError.Code, _ body: () async throws -> T) async {
        let error = await #expect(throws: KnowledgeError.self) { _ = try await body() }
        #expect(error?.code == code)
    }
}
