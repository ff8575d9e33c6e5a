import Foundation
import Knowledge
import KnowledgeSQLite
import Synchronization
import Testing

@Suite("The knowledge base")
struct KnowledgeBaseTests {
    private let directory: TemporaryStore
    private let store: SQLiteKnowledgeStore
    private let embedder = WordEmbedder()

    init() throws {
        self.directory = try TemporaryStore()
        self.store = try self.directory.open()
    }

    private func base(
        _ embedder: (any Embedder)?,
        configuration: KnowledgeConfiguration = KnowledgeConfiguration(),
        seconds: Double = 1000
    ) -> KnowledgeBase {
        KnowledgeBase(
            store: self.store,
            embedder: embedder,
            configuration: configuration,
            now: { Date(timeIntervalSince1970: seconds) }
        )
    }

    private static let documents = [
        Document(id: "keys", title: "Keys", text: "The signing key is rotated every ninety days by the platform team."),
        Document(id: "backup", title: "Backups", text: "The staging database is restored from the nightly backup."),
        Document(id: "code", title: "client.swift", text: "let maxRetries = 3 // for the HTTPClient"),
    ]

    @Test("A question is answered with what a citation needs")
    func query() async throws {
        let base = self.base(self.embedder)
        let report = try await base.ingest(Self.documents)
        #expect(report.addedCount == 3)
        let answer = try await base.query("How is the signing key rotated?", topK: 1)
        let best = try #require(answer.results.first)
        #expect(answer.mode == .hybrid)
        #expect(answer.notice == nil)
        #expect(answer.results.count == 1)
        #expect(best.documentID == "keys")
        #expect(best.title == "Keys")
        #expect(best.text == Self.documents[0].text)
        #expect(best.span == 0..<Self.documents[0].text.utf8.count)
        #expect(best.indexedAt == Date(timeIntervalSince1970: 1000))
        #expect(best.score > 0 && best.score <= 1)
        #expect(try await base.query("retries").results.first?.documentID == "code", "Parts of identifiers are found")
    }

    @Test("Nothing relevant is an empty answer, with and without vectors")
    func nothing() async throws {
        try await self.base(self.embedder).ingest(Self.documents)
        for embedder in [self.embedder as any Embedder, nil] {
            #expect(try await self.base(embedder).query("zucchini lasagne").results.isEmpty)
        }
    }

    @Test("Without an embedder words alone decide, and the answer says so")
    func lexicalOnly() async throws {
        let base = self.base(nil)
        try await base.ingest(Self.documents)
        let answer = try await base.query("nightly backup")
        #expect(answer.mode == .lexical)
        #expect(answer.notice == "lexical-only: the embedding model is missing; run make setup")
        #expect(answer.results.first?.documentID == "backup")
        #expect(answer.results.first?.similarity == nil)
        let withModel = try await self.base(self.embedder).query("nightly backup")
        #expect(withModel.notice?.contains("ingest them again") == true)
    }

    @Test("Ingesting again what hasn't changed costs no work and calls no embedder")
    func unchanged() async throws {
        let base = self.base(self.embedder)
        try await base.ingest(Self.documents)
        let calls = self.embedder.calls
        let generation = try await base.status().store.generation
        let report = try await base.ingest(Self.documents)
        #expect(report.unchangedCount == 3)
        #expect(self.embedder.calls == calls)
        #expect(try await base.status().store.generation == generation)

        let withoutModel = try await self.base(nil).ingest(Self.documents)
        #expect(withoutModel.unchangedCount == 3, "Vectors aren't lost because the model is missing today")
        #expect(try await base.status().store.vectorCount == 3)

        var configuration = KnowledgeConfiguration()
        configuration.chunking.windowTokens = 100
        let rechunked = try await self.base(self.embedder, configuration: configuration).ingest(Self.documents)
        #expect(rechunked.updatedCount == 3)
    }

    @Test("A document that was indexed without vectors gets them when the model is there")
    func embeddedLater() async throws {
        try await self.base(nil).ingest(Self.documents)
        let report = try await self.base(self.embedder).ingest(Self.documents)
        #expect(report.updatedCount == 3)
        #expect(try await self.base(self.embedder).status().notice == nil)
    }

    @Test("A changed document has no stale hits, keeps its creation date, and only it is embedded")
    func changed() async throws {
        try await self.base(self.embedder).ingest(Self.documents)
        _ = try await self.base(self.embedder).query("signing key")
        let texts = self.embedder.texts
        var changed = Self.documents
        changed[0] = Document(id: "keys", title: "Certificates", text: "Certificates renew themselves.")
        let base = self.base(self.embedder, seconds: 2000)
        let report = try await base.ingest(changed)
        #expect([report.updatedCount, report.unchangedCount] as [Int] == [1, 2])
        #expect(self.embedder.texts == texts + 1)
        let answer = try await base.query("signing key rotated", topK: 10)
        #expect(answer.results.allSatisfy { !$0.text.contains("signing") })
        #expect(
            try await base.query("certificates renew").results.first?.indexedAt == Date(timeIntervalSince1970: 2000)
        )
        #expect(try await base.document(id: "keys")?.summary.createdAt == Date(timeIntervalSince1970: 1000))
        #expect(try await base.delete(documentID: "keys"))
        #expect(try await base.query("certificates renew", topK: 10).results.allSatisfy { $0.documentID != "keys" })
    }

    @Test("Text that the index has already is not embedded again")
    func reuse() async throws {
        var configuration = KnowledgeConfiguration()
        configuration.chunking.windowTokens = 16
        configuration.chunking.overlapTokens = 0
        configuration.chunking.minimumTokens = 1
        let base = self.base(self.embedder, configuration: configuration)
        func document(_ id: String, _ paragraphs: [String]) -> Document {
            Document(id: id, title: "Handbook", text: paragraphs.joined(separator: "\n\n"))
        }
        let paragraphs = (0..<6).map { "Paragraph \($0) tells about topic \($0) in eleven words all told." }
        let first = try await base.ingest([document("a", paragraphs)])
        let (texts, calls) = (self.embedder.texts, self.embedder.calls)
        #expect(texts >= 6)
        #expect([first.embeddedCount, first.reusedCount] as [Int] == [texts, 0])

        // The same again, and the same under another name.
        #expect(try await base.ingest([document("a", paragraphs)]).unchangedCount == 1)
        let copy = try await base.ingest([document("b", paragraphs)])
        #expect(self.embedder.calls == calls)
        #expect([copy.embeddedCount, copy.reusedCount] as [Int] == [0, texts])

        var changed = paragraphs
        changed[2] = "Something else is told here, about nothing that was there before now."
        let second = try await base.ingest([document("a", changed)])
        #expect(self.embedder.texts == texts + second.embeddedCount)
        #expect(second.embeddedCount == 1)
        #expect(second.reusedCount == texts - 1)
        #expect(try await base.query("something else is told", topK: 1).results.first?.text == changed[2])

        // Within one ingestion a text is embedded once.
        let twice = try await base.ingest([document("c", ["All new."]), document("d", ["All new."])])
        #expect([twice.embeddedCount, twice.reusedCount] as [Int] == [1, 1])
    }

    @Test("A document that fails stops no other, and what was there stays")
    func failures() async throws {
        let base = self.base(self.embedder)
        try await base.ingest(Self.documents)
        let seen = Mutex<[String]>([])
        let report = try await base.ingest(
            [
                Document(id: "new", text: "Fine text."), Document(id: "keys", text: "POISON"),
                Document(id: "", text: "No name."), Document(id: "blank", text: " \n "),
                Document(id: "other", text: "Also fine."),
            ],
            progress: { progress in
                seen.withLock { $0.append("\(progress.done)/\(progress.total) \(progress.result.outcome.name)") }
            }
        )
        #expect([report.addedCount, report.failedCount] as [Int] == [2, 3])
        var codes: [String: KnowledgeError.Code] = [:]
        for result in report.results {
            if case .failed(let error) = result.outcome { codes[result.documentID ?? "?"] = error.code }
        }
        #expect(codes == ["keys": .embeddingFailed, "": .invalidArguments, "blank": .emptyDocument])
        #expect(try await base.document(id: "keys")?.text == Self.documents[0].text)
        #expect(seen.withLock { $0 }.count == 5)
        #expect(seen.withLock { $0 }.last?.hasPrefix("5/5") == true)
    }

    @Test("Chunks of several documents are embedded together, in bounded batches")
    func batches() async throws {
        var configuration = KnowledgeConfiguration()
        configuration.embeddingBatchSize = 10
        let base = self.base(self.embedder, configuration: configuration)
        let long = (0..<1500).map { "word\($0)." }.joined(separator: " ")
        try await base.ingest((0..<20).map { Document(id: "d\($0)", text: "Text number \($0).") })
        #expect(self.embedder.calls == 2)
        try await base.ingest([Document(id: "long", text: long)])
        #expect(self.embedder.calls == 3)
    }

    @Test("Another model is refused, for queries and for ingestion")
    func mismatch() async throws {
        try await self.base(self.embedder).ingest(Self.documents)
        let other = self.base(WordEmbedder(name: "other"))
        await KnowledgeStoreContract.expect(.modelMismatch) { try await other.query("signing key") }
        await KnowledgeStoreContract.expect(.modelMismatch) { try await other.ingest(Self.documents) }
        let smaller = self.base(WordEmbedder(dimension: 32))
        await KnowledgeStoreContract.expect(.modelMismatch) { try await smaller.query("signing key") }
    }

    @Test(
        "Queries that make no sense are refused",
        arguments: [("", 3), (" \n", 3), ("x", 0), ("x", 201), (String(repeating: "x", count: 4001), 3)]
    )
    func badQueries(query: String, topK: Int) async throws {
        await KnowledgeStoreContract.expect(.invalidArguments) { try await base(nil).query(query, topK: topK) }
    }

    @Test("Files go through the extractor; one that can't be read is one failure")
    func files() async throws {
        struct Gone: Error {}
        struct LineExtractor: DocumentExtractor {
            func documents(in bytes: [UInt8], path: String) throws(KnowledgeError) -> ExtractedDocuments {
                let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
                let failure = ExtractedDocuments.Failure(
                    source: "\(path):9",
                    error: KnowledgeError(.malformed, "Line 9 is bad.")
                )
                return ExtractedDocuments(
                    documents: lines.map { Document(id: "\(path)#\($0)", text: String($0)) },
                    failures: [failure]
                )
            }
        }
        let base = KnowledgeBase(
            store: self.store,
            embedder: self.embedder,
            extractor: LineExtractor(),
            now: { Date(timeIntervalSince1970: 0) }
        )
        let report = try await base.ingest(files: [
            SourceFile(path: "a", bytes: Array("one\ntwo".utf8)), SourceFile(path: "gone", read: { throw Gone() }),
        ])
        #expect([report.addedCount, report.failedCount] as [Int] == [2, 2])
        #expect(Set(report.results.map(\.source)) == ["a#one", "a#two", "a:9", "gone"])
    }

    @Test("A cancelled ingestion ends, and keeps what was done")
    func cancellation() async throws {
        let base = self.base(self.embedder)
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await base.ingest(Self.documents)
        }
        await KnowledgeStoreContract.expect(.cancelled) { try await task.value }
        #expect(try await base.status().store.documentCount == 0)
    }

    @Test("An evaluation ranks documents by the product's own query")
    func evaluation() async throws {
        let set = EvaluationSet(
            documents: Self.documents,
            queries: [.init(id: "q1", text: "signing key"), .init(id: "q2", text: "database restored")],
            judgements: ["q1": ["keys": 1], "q2": ["keys": 1], "q3": ["keys": 1]]
        )
        let report = try await Evaluation(base: self.base(self.embedder)).run(set)
        #expect(report.run.documents(forQuery: "q1").first == "keys")
        #expect(report.run.documents(forQuery: "q2").first == "backup")
        #expect(report.queryCount == 3)
        #expect(report.metrics.hitAt1 == 1.0 / 3)
        #expect(report.table.contains("hit@1         0.3333"))
        await KnowledgeStoreContract.expect(.invalidArguments) {
            try await Evaluation(base: base(embedder)).run(set)
        }
    }
}
