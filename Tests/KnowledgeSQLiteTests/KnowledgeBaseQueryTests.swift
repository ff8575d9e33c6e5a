import Foundation
import JSON
import Knowledge
import KnowledgeSQLite
import Testing

@Suite("Asking the knowledge base")
struct KnowledgeBaseQueryTests {
    private let directory: TemporaryStore
    private let store: SQLiteKnowledgeStore

    init() throws {
        self.directory = try TemporaryStore()
        self.store = try self.directory.open()
    }

    private func base(_ embedder: (any Embedder)? = WordEmbedder(), reranker: (any Reranker)? = nil) -> KnowledgeBase {
        KnowledgeBase(
            store: self.store,
            embedder: embedder,
            reranker: reranker,
            now: { Date(timeIntervalSince1970: 1000) }
        )
    }

    private static let backup =
        "The staging database is restored from the nightly backup by the platform team every week."

    private static let documents = [
        Document(
            id: "docs/keys.md",
            title: "Keys",
            text: "The signing key is rotated every ninety days by the platform team.",
            metadata: ["team": "platform"]
        ),
        Document(id: "docs/backup.md", title: "Backups", text: backup, metadata: ["team": "storage"]),
        Document(id: "old/backup.md", title: "Backups, old", text: backup),
        Document(id: "code/client.swift", title: "client.swift", text: "let maxRetries = 3 // for the HTTPClient"),
    ]

    /// A text of numbered paragraphs, each long enough to be a chunk of its own.
    private static let long = (0..<12).map { number in
        "Paragraph \(number) is about subject\(number).\n"
            + (0..<20).map { "filler\(number)x\($0)" }.joined(separator: " ")
            + (0..<180).map { _ in " and" }.joined()
    }
    .joined(separator: "\n\n \n")

    @Test("A question that asks for two things gets the best passage of each, and says how sure each part is")
    func parts() async throws {
        let base = self.base()
        try await base.ingest(Self.documents)
        let question = "How often is the signing key rotated, and where is the staging database restored from?"
        let answer = try await base.query(question, topK: 2)
        #expect(Set(answer.results.map(\.documentID)) == ["docs/keys.md", "docs/backup.md"])
        #expect(answer.parts.count == 2)
        #expect(answer.parts.allSatisfy { !$0.confidence.isProbablyMissing })
        #expect(!answer.isProbablyMissing)
        let half = try await base.query("How often is the signing key rotated? Which zucchini belongs into lasagne?")
        #expect(half.parts.map(\.confidence.isProbablyMissing) == [false, true])
        #expect(half.isProbablyMissing)
        #expect(half.results.first?.documentID == "docs/keys.md", "The part that is there is answered")
        let whole = try await base.query(question, options: KnowledgeQueryOptions(splitsQuestion: false))
        #expect(whole.parts.map(\.text) == [question])
    }

    @Test("A copy of a better passage is left out, and the answer says so")
    func duplicates() async throws {
        let base = self.base()
        try await base.ingest(Self.documents)
        let answer = try await base.query("staging database nightly backup", topK: 4)
        #expect(answer.results.count { $0.text == Self.backup } == 1)
        #expect(answer.omitted.map(\.reason) == [.duplicate])
        let all = try await base.query(
            "staging database nightly backup",
            options: KnowledgeQueryOptions(topK: 4, dropsDuplicates: false)
        )
        #expect(all.results.count { $0.text == Self.backup } == 2)
        #expect(all.omitted.isEmpty)
    }

    @Test("Neighbours are joined to one passage, which is the document's text in its span")
    func neighbours() async throws {
        let base = self.base()
        try await base.ingest([Document(id: "long", text: Self.long)])
        let alone = try await base.query("subject5", topK: 1)
        let hit = try #require(alone.results.first)
        #expect(hit.text.contains("subject5"))
        let answer = try await base.query("subject5", options: KnowledgeQueryOptions(topK: 1, neighbours: 1))
        let passage = try #require(answer.results.first)
        #expect(passage.chunkIndexes == hit.chunkIndex - 1...hit.chunkIndex + 1)
        #expect(passage.text.contains("subject4") && passage.text.contains("subject6"))
        #expect(Array(passage.text.utf8) == Array(Array(Self.long.utf8)[passage.span]))
        #expect(passage.version == hit.version && !hit.version.isEmpty)
        let two = try await base.query("subject5 subject6", options: KnowledgeQueryOptions(topK: 5, neighbours: 2))
        for (index, first) in two.results.enumerated() {
            for second in two.results[(index + 1)...] {
                #expect(!first.chunkIndexes.overlaps(second.chunkIndexes), "A chunk is in two passages")
            }
        }
        let edge = try await base.query("subject0", options: KnowledgeQueryOptions(topK: 1, neighbours: 10))
        #expect(edge.results.first?.span.lowerBound == 0)
    }

    @Test("A budget is kept with whole passages, and what is left out is listed with its place and size")
    func budget() async throws {
        let base = self.base()
        try await base.ingest([Document(id: "long", text: Self.long)] + Self.documents)
        let free = try await base.query("subject5 staging database", topK: 6)
        let most = try #require(free.results.first?.tokenCount)
        let options = KnowledgeQueryOptions(topK: 6, maximumTokens: most)
        let answer = try await base.query("subject5 staging database", options: options)
        #expect(answer.tokenCount <= most)
        #expect(answer.tokenCount == answer.results.reduce(0) { $0 + $1.tokenCount })
        let cut = answer.omitted.filter { $0.reason == .budget }
        #expect(cut.count + answer.results.count == free.results.count)
        #expect(cut.allSatisfy { $0.tokenCount > 0 && !$0.span.isEmpty })
        let none = try await base.query("subject5", options: KnowledgeQueryOptions(maximumTokens: 1))
        #expect(none.results.isEmpty)
        #expect(none.omitted.first?.reason == .budget)
        #expect(none.notice?.contains("Raise max_tokens") == true)
    }

    @Test("Filters decide before anything is ranked")
    func filters() async throws {
        let base = self.base()
        try await base.ingest(Self.documents)
        let bySource = KnowledgeQueryOptions(topK: 10, filter: DocumentFilter(sources: [try GlobPattern("old/**")]))
        #expect(
            try await base.query("staging database", options: bySource).results.map(\.documentID) == ["old/backup.md"]
        )
        let condition = try MetadataCondition(try MetadataPath("team"), .eq, "platform")
        let byTeam = KnowledgeQueryOptions(topK: 10, filter: DocumentFilter(metadata: [condition]))
        #expect(try await base.query("platform team", options: byTeam).results.map(\.documentID) == ["docs/keys.md"])
        let later = KnowledgeQueryOptions(filter: DocumentFilter(updatedAfter: Date(timeIntervalSince1970: 2000)))
        #expect(try await base.query("staging database", options: later).results.isEmpty)
    }

    @Test("The mode decides which searches lead to passages, and each explains itself")
    func modes() async throws {
        let base = self.base()
        try await base.ingest(Self.documents)
        let query = "signing key rotated"
        let hybrid = try #require(try await base.query(query, topK: 1).results.first?.explanation)
        #expect(hybrid.lexicalRank == 1 && hybrid.denseRank == 1)
        #expect(hybrid.cosine ?? 0 > 0 && hybrid.lexicalScore > 0 && hybrid.fusedScore > 0)
        let lexical = try await base.query(query, options: KnowledgeQueryOptions(topK: 1, mode: .lexical))
        #expect(lexical.mode == .lexical)
        #expect(lexical.results.first?.explanation.denseRank == nil)
        #expect(lexical.results.first?.explanation.lexicalRank == 1)
        let dense = try await base.query(query, options: KnowledgeQueryOptions(topK: 1, mode: .dense))
        #expect(dense.mode == .dense)
        #expect(dense.results.first?.explanation.lexicalRank == nil)
        #expect(dense.results.first?.explanation.denseRank == 1)
        let without = try await self.base(nil).query(query, options: KnowledgeQueryOptions(mode: .dense))
        #expect(without.mode == .lexical)
        #expect(without.notice?.contains("lexical-only") == true)
    }

    /// Prefers texts that hold a word; or fails.
    private struct WordReranker: Reranker {
        struct Failure: Error {}
        let name = "words"
        var word: String?
        var missesOne = false

        func scores(query: String, passages: [String]) async throws -> [Double] {
            guard let word else { throw Failure() }
            return passages.dropFirst(self.missesOne ? 1 : 0).map { $0.contains(word) ? 0.9 : 0.1 }
        }
    }

    @Test("A re-ranking model decides the order; without its answer the order of the search stays, with a notice")
    func reranking() async throws {
        let plain = self.base()
        try await plain.ingest(Self.documents)
        let query = "platform team database key"
        let order = try await plain.query(query, topK: 3).results.map(\.documentID)
        let reranked = try await self.base(reranker: WordReranker(word: "maxRetries")).query("client key", topK: 3)
        #expect(reranked.results.first?.documentID == "code/client.swift")
        #expect(reranked.results.first?.explanation.rerankScore == 0.9)
        #expect(reranked.notice == nil)
        for broken in [WordReranker(word: nil), WordReranker(word: "key", missesOne: true)] {
            let answer = try await self.base(reranker: broken).query(query, topK: 3)
            #expect(answer.results.map(\.documentID) == order)
            #expect(answer.notice?.contains("the order is that of the search") == true)
        }
        let off = try await self.base(reranker: WordReranker(word: nil))
            .query(query, options: KnowledgeQueryOptions(reranks: false))
        #expect(off.notice == nil)
    }

    @Test(
        "Options beyond their limits are refused",
        arguments: [
            KnowledgeQueryOptions(topK: 0), KnowledgeQueryOptions(topK: 201), KnowledgeQueryOptions(neighbours: 11),
            KnowledgeQueryOptions(neighbours: -1), KnowledgeQueryOptions(maximumTokens: 0),
        ]
    )
    func limits(options: KnowledgeQueryOptions) async {
        await KnowledgeStoreContract.expect(.invalidArguments) { try await self.base().query("q", options: options) }
    }
}
