import Foundation
import Testing

@testable import Knowledge

@Suite("The cache of answers")
struct SemanticCacheTests {
    private static let start = Date(timeIntervalSince1970: 1_000_000)

    private static func answer(_ text: String = "text", generation: Int64 = 1) -> KnowledgeAnswer {
        let result = SearchResult(
            documentID: "d",
            source: "d",
            title: "D",
            headingPath: [],
            chunkIndex: 0,
            text: text,
            span: 0..<text.utf8.count,
            score: 1,
            similarity: 0.9,
            indexedAt: Self.start,
            sourceUpdatedAt: nil
        )
        return KnowledgeAnswer(mode: .hybrid, notice: nil, results: [result], generation: generation)
    }

    private static func scope(
        _ generation: Int64 = 1,
        _ options: KnowledgeQueryOptions = KnowledgeQueryOptions(),
        _ principal: String = "ada"
    ) -> SemanticCache.Scope {
        SemanticCache.Scope(generation: generation, options: options, principal: principal)
    }

    /// Looks up with vectors that are all the same: the worst case for telling questions apart.
    private static func find(
        _ cache: SemanticCache,
        _ question: String,
        _ scope: SemanticCache.Scope = Self.scope(),
        at now: Date = Self.start,
        cosine: Float = 1
    ) async throws -> KnowledgeAnswer? {
        try await cache.find(QuestionFingerprint(question), in: scope, now: now) { texts throws(KnowledgeError) in
            texts.count == 1 ? [[cosine, 0]] : [[1, 0], [cosine, 0]]
        }
    }

    private static func insert(
        _ cache: SemanticCache,
        _ question: String,
        _ answer: KnowledgeAnswer = Self.answer(),
        _ scope: SemanticCache.Scope = Self.scope()
    ) {
        cache.insert(
            answer,
            for: QuestionFingerprint(question),
            in: scope,
            cost: .seconds(1),
            now: Self.start
        )
    }

    @Test("Even if all vectors are the same, no opposite gets the other's answer")
    func opposites() async throws {
        var falseHits = 0
        for (first, second) in try QuestionPairs.read("opposites") {
            let cache = SemanticCache()
            Self.insert(cache, first)
            if try await Self.find(cache, second) != nil { falseHits += 1 }
            #expect(try await Self.find(cache, first) != nil)
        }
        #expect(falseHits == 0)
    }

    @Test("Paraphrases get the answer if their vectors are near, and only then")
    func paraphrases() async throws {
        for (first, second) in try QuestionPairs.read("paraphrases") {
            let cache = SemanticCache()
            Self.insert(cache, first)
            if QuestionFingerprint(first).normalised != QuestionFingerprint(second).normalised {
                #expect(try await Self.find(cache, second, cosine: 0.5) == nil, "\(second)")
            }
            #expect(try await Self.find(cache, second) != nil, "\(second)")
            // The wording is known from now on: no vector is needed.
            let again = try await cache.find(QuestionFingerprint(second), in: Self.scope(), now: Self.start) {
                _ throws(KnowledgeError) in throw KnowledgeError(.embeddingFailed, "not needed")
            }
            #expect(again != nil)
        }
    }

    @Test("An answer serves for its generation, options and principal only")
    func scopes() async throws {
        let cache = SemanticCache()
        Self.insert(cache, "How do I rotate the key?")
        var options = KnowledgeQueryOptions()
        options.filter.labels = .only(["finance"])
        #expect(try await Self.find(cache, "How do I rotate the key?", Self.scope(1, options)) == nil)
        #expect(try await Self.find(cache, "How do I rotate the key?", Self.scope(1, .init(), "eve")) == nil)
        #expect(try await Self.find(cache, "How do I rotate the key?", Self.scope(1, .init(topK: 4))) == nil)
        #expect(try await Self.find(cache, "How do I rotate the key?") != nil)
        #expect(try await Self.find(cache, "How do I rotate the key?", Self.scope(2)) == nil)
        // A change of the index drops what came before, at once.
        #expect(cache.statistics.entries == 0)
        #expect(cache.statistics.bytes == 0)
        Self.insert(cache, "late", Self.answer(generation: 1), Self.scope(1))
        #expect(cache.statistics.entries == 0)
        // An answer that another generation was searched for isn't remembered under this one.
        Self.insert(cache, "mixed", Self.answer(generation: 1), Self.scope(2))
        #expect(cache.statistics.entries == 0)
    }

    @Test("Answers expire, and the least used go when there is no room")
    func bounds() async throws {
        var limits = SemanticCache.Limits()
        limits.maximumEntries = 3
        let cache = SemanticCache(limits: limits)
        for name in ["one", "two", "three"] { Self.insert(cache, name) }
        #expect(try await Self.find(cache, "one") != nil)
        Self.insert(cache, "four")
        #expect(try await Self.find(cache, "two") == nil)
        #expect(try await Self.find(cache, "one") != nil)
        #expect(cache.statistics.entries == 3)
        #expect(cache.statistics.evictions == 1)
        #expect(try await Self.find(cache, "one", at: Self.start.addingTimeInterval(3601)) == nil)
        #expect(cache.statistics.entries == 2)

        limits.maximumBytes = 400_000
        let small = SemanticCache(limits: limits)
        Self.insert(small, "huge", Self.answer(String(repeating: "x", count: 100_000)))
        #expect(small.statistics.entries == 0)
        for index in 0..<50 {
            Self.insert(small, "question \(index)", Self.answer(String(repeating: "x", count: 10_000)))
        }
        #expect(small.statistics.bytes <= 400_000)
        #expect(small.statistics.entries <= 3)
    }

    @Test("Hits, misses and what they save are counted")
    func statistics() async throws {
        let cache = SemanticCache()
        Self.insert(cache, "How do I rotate the key?")
        _ = try await Self.find(cache, "How do I rotate the key?")
        _ = try await Self.find(cache, "how to rotate the key")
        _ = try await Self.find(cache, "something else")
        let statistics = cache.statistics
        #expect(statistics.exactHits == 1)
        #expect(statistics.similarHits == 1)
        #expect(statistics.misses == 1)
        #expect(statistics.savedTime > .seconds(1) && statistics.savedTime <= .seconds(2))
    }
}
