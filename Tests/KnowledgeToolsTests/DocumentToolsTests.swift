import Foundation
import JSON
import Knowledge
import KnowledgeSQLite
import MCP
import MCPClient
import MCPServer
import Synchronization
import TestSupport
import Testing

@testable import KnowledgeTools

@Suite("Tools for documents", .timeLimit(.minutes(1)))
struct DocumentToolsTests {
    @Test(
        "Models see the reviewed definitions",
        arguments: [
            "knowledge.get_document", "knowledge.list_documents", "knowledge.add_document",
            "knowledge.delete_document", "knowledge.feedback", "knowledge.quality", "db.query_metadata",
        ]
    )
    func definition(name: String) throws {
        let tools = try ToolBench().server.tools(for: .local).arrayValue ?? []
        let tool = try #require(tools.first { $0["name"]?.stringValue == name })
        try Snapshot.expect(tool.serializedString(pretty: true) + "\n", named: "\(name).json")
    }

    @Test("A document is added, found unchanged, and only replaced when that is meant")
    func adding() async throws {
        let bench = try ToolBench()
        let note: JSONObject = [
            "title": "Keys", "text": "# Keys\n\nRotated every 90 days.", "document_id": "docs/keys",
        ]
        let dry = try await bench.call("knowledge.add_document", note.with("dry_run", true))
        #expect(dry["outcome"] == "added" && dry["dry_run"] == true)
        #expect(try await bench.base.status().store.documentCount == 0)

        let added = try await bench.call("knowledge.add_document", note)
        #expect(added["outcome"] == "added")
        #expect(added["content_hash"] == dry["content_hash"])
        #expect(added["chunk_count"] == dry["chunk_count"])
        #expect(added["uri"] == "gantry://documents/docs/keys")
        #expect(try await bench.call("knowledge.add_document", note)["outcome"] == "unchanged")
        #expect(try await bench.call("knowledge.add_document", note)["chunk_count"] == added["chunk_count"])

        let changed = note.with("text", "# Keys\n\nRotated every 30 days.")
        let conflict = await bench.failure("knowledge.add_document", changed)
        #expect(conflict?.code == .conflict)
        #expect(conflict?.suggestedAction?.contains("replace: true") == true)
        let dryReplacement = changed.with("replace", true).with("dry_run", true)
        #expect(try await bench.call("knowledge.add_document", dryReplacement)["outcome"] == "updated")
        #expect(try await bench.call("knowledge.add_document", changed.with("replace", true))["outcome"] == "updated")
        let found = try await bench.call("knowledge.query", ["query": "rotated"])
        #expect(found["chunks"]?[0]?["text"]?.stringValue?.contains("30 days") == true)
        #expect(try await bench.base.status().store.documentCount == 1)
    }

    @Test("Without an id, the content is the id, so that repeating does nothing")
    func namelessDocuments() async throws {
        let bench = try ToolBench()
        let note: JSONObject = ["title": "A", "text": "B"]
        let first = try await bench.call("knowledge.add_document", note)
        let second = try await bench.call("knowledge.add_document", note)
        #expect(first["document_id"] == second["document_id"])
        #expect(second["outcome"] == "unchanged")
        #expect(first["document_id"]?.stringValue?.hasPrefix("notes/") == true)
    }

    @Test(
        "Wrong arguments are named",
        arguments: [
            (["document_id": "../x"], "/document_id"), (["document_id": "a//b"], "/document_id"),
            (["document_id": "a?b"], "/document_id"), (["title": ""], "/title"), (["format": "pdf"], "/format"),
            (["metadata": ["gantry.file": "x"]], "/metadata"), (["access_labels": [""]], "/access_labels/0"),
        ] as [(JSONObject, String)]
    )
    func wrongArguments(change: JSONObject, pointer: String) async throws {
        var arguments: JSONObject = ["title": "A", "text": "B"]
        for (key, value) in change { arguments[key] = value }
        let error = await (try ToolBench()).failure("knowledge.add_document", arguments)
        #expect(error?.code == .invalidArguments)
        #expect(error?.mistakes.map(\.pointer.description) == [pointer])
    }

    @Test("A long document is read part by part, each within its budget, and nothing is lost")
    func reading() async throws {
        let bench = try ToolBench()
        let text = (0..<400).map { "Paragraph \($0) says something about the barometer in the hall." }
            .joined(separator: "\n\n")
        try await bench.call(
            "knowledge.add_document",
            ["title": "Long", "text": .string(text), "document_id": "long", "format": "text"]
        )
        var joined = ""
        var start: JSONValue = 0
        var parts = 0
        while true {
            let part = try await bench.call(
                "knowledge.get_document",
                ["document_id": "long", "start": start, "max_tokens": 500]
            )
            joined += part["text"]?.stringValue ?? ""
            parts += 1
            #expect((part["token_count"]?.intValue ?? 0) <= 500)
            #expect(part["content_is_untrusted"] == true)
            guard let next = part["next_start"], !next.isNull else { break }
            start = next
        }
        #expect(joined == text)
        #expect(parts > 5)
        #expect(
            await bench.failure("knowledge.get_document", ["document_id": "long", "start": 1_000_000])?.code
                == .invalidArguments
        )
        let missing = await bench.failure("knowledge.get_document", ["document_id": "none"])
        #expect(missing?.code == .notFound)
        #expect(missing?.suggestedAction?.contains("knowledge.list_documents") == true)
    }

    @Test("Lists follow their cursor, which serves this list and this principal only")
    func listing() async throws {
        let bench = try ToolBench()
        try await bench.fill(7)
        var ids: [String] = []
        var cursor: JSONValue?
        var pages = 0
        repeat {
            var arguments: JSONObject = ["limit": 3, "sources": ["docs/*"]]
            arguments["cursor"] = cursor
            let page = try await bench.call("knowledge.list_documents", arguments)
            ids += page["documents"]?.arrayValue?.compactMap { $0["document_id"]?.stringValue } ?? []
            // A string, since nil would stand for the JSON value null here.
            cursor = page["next_cursor"]?.stringValue.map(JSONValue.string)
            pages += 1
            guard let cursor else { break }
            #expect(await bench.failure("knowledge.list_documents", ["cursor": cursor])?.code == .invalidArguments)
            let other = await bench.failure(
                "knowledge.list_documents",
                arguments.with("cursor", cursor),
                as: Principal(id: "eve")
            )
            #expect(other?.code == .invalidArguments)
        } while pages < 10
        #expect(ids == (0..<7).map { "docs/00\($0).md" })
        #expect(pages == 3)
        #expect(try await bench.call("knowledge.list_documents", ["sources": ["other/**"]])["documents"] == [])
        #expect(await bench.failure("knowledge.list_documents", ["cursor": "v1.AAAA"])?.code == .invalidArguments)
        #expect(await bench.failure("knowledge.list_documents", ["updated_after": "soon"])?.code == .invalidArguments)
        let none = try await bench.call("knowledge.list_documents", ["updated_after": "2099-01-01T00:00:00Z"])
        #expect(none["documents"] == [])
        #expect(
            try await bench.call("knowledge.list_documents", ["updated_after": "2020-01-01"])["documents"]?.arrayValue?
                .count == 7
        )
    }

    // MARK: Deleting

    @Test(
        "Who can be asked is asked, in both eras, whatever confirm says",
        arguments: [
            ProtocolRevision.v2025_06_18, .v2025_11_25, .v2026_07_28,
        ]
    )
    func askingBeforeDeleting(revision: ProtocolRevision) async throws {
        let bench = try ToolBench()
        try await bench.fill(1)
        let agrees = Atomic(false)
        let questions = Atomic(0)
        let client = InProcessClient(server: bench.server, revision: revision) { question in
            questions.add(1, ordering: .relaxed)
            #expect(question.method == "elicitation/create")
            #expect(question.params["message"]?.stringValue?.contains("docs/000.md") == true)
            return agrees.load(ordering: .relaxed)
                ? ["action": "accept", "content": ["confirm": true]] : ["action": "decline"]
        }
        let arguments: JSONObject = ["document_id": "docs/000.md", "confirm": true]
        let refused = try await client.callTool("knowledge.delete_document", arguments)
        #expect(refused["_meta"]?[MetaKey.error]?["code"] == "conflict")
        #expect(try await bench.base.document(id: "docs/000.md") != nil)
        agrees.store(true, ordering: .relaxed)
        let done = try await client.callTool("knowledge.delete_document", arguments)
        #expect(done["structuredContent"]?["deleted"] == true)
        #expect(try await bench.base.document(id: "docs/000.md") == nil)
        #expect(questions.load(ordering: .relaxed) == 2)
    }

    @Test("An agreement without the tick is none")
    func emptyAgreement() async throws {
        let bench = try ToolBench()
        try await bench.fill(1)
        let client = InProcessClient(server: bench.server) { _ in ["action": "accept", "content": ["confirm": false]] }
        let result = try await client.callTool("knowledge.delete_document", ["document_id": "docs/000.md"])
        #expect(result["_meta"]?[MetaKey.error]?["code"] == "conflict")
        #expect(try await bench.base.document(id: "docs/000.md") != nil)
    }

    @Test("Who can't be asked has to say confirm: true; a dry run needs nothing and does nothing")
    func confirming() async throws {
        let bench = try ToolBench()
        try await bench.fill(1)
        let silent = InProcessClient(server: bench.server)
        let refused = try await silent.callTool("knowledge.delete_document", ["document_id": "docs/000.md"])
        let error = refused["_meta"]?[MetaKey.error]
        #expect(error?["code"] == "conflict")
        #expect(error?["suggested_action"]?.stringValue?.contains("confirm: true") == true)
        let dry = try await bench.call("knowledge.delete_document", ["document_id": "docs/000.md", "dry_run": true])
        #expect(dry["deleted"] == false && dry["dry_run"] == true && dry["chunk_count"] == 1)
        #expect(try await bench.base.document(id: "docs/000.md") != nil)
        let done = try await bench.call("knowledge.delete_document", ["document_id": "docs/000.md", "confirm": true])
        #expect(done["deleted"] == true)
        #expect(
            await bench.failure("knowledge.delete_document", ["document_id": "docs/000.md", "confirm": true])?.code
                == .notFound
        )
        #expect(try await bench.call("knowledge.query", ["query": "barometer"])["chunks"] == [])
    }

    @Test("A read-only server offers none of the tools that change something")
    func readOnly() throws {
        let names = try ToolBench(isReadOnly: true).server.tools(for: .local).arrayValue?.compactMap {
            $0["name"]?.stringValue
        }
        let writing = ["knowledge.add_document", "knowledge.delete_document", "knowledge.feedback"]
        #expect(names?.contains { writing.contains($0) } == false)
        #expect(names?.contains("knowledge.get_document") == true)
    }

    // MARK: Staleness and cache

    @Test("Stale documents are marked in lists and answers, also in remembered ones")
    func staleness() async throws {
        let rule = StalenessPolicy.Rule(sources: try GlobPattern("docs/**"), maximumAge: 60)
        let bench = try ToolBench(policy: StalenessPolicy(rules: [rule]))
        try await bench.fill(1)
        try await bench.call("knowledge.add_document", ["title": "x", "text": "barometer", "document_id": "other"])
        func base(at seconds: TimeInterval) -> KnowledgeBase {
            KnowledgeBase(
                store: bench.store,
                embedder: nil,
                freshness: Freshness(policy: StalenessPolicy(rules: [rule]), store: bench.store),
                now: { ToolBench.now.addingTimeInterval(seconds) }
            )
        }
        let documents = try await bench.base.documents()
        #expect(try await base(at: 59).stale(among: documents) == [])
        #expect(try await base(at: 61).stale(among: documents) == ["docs/000.md"])
        let results = try await base(at: 61).query("barometer", topK: 5).results
        #expect(Set(results.filter(\.isStale).map(\.documentID)) == ["docs/000.md"])
        #expect(results.count == 2)
        // Found unchanged, it is fresh again.
        try await bench.store.noteChecked(["docs/000.md"], at: ToolBench.now.addingTimeInterval(50))
        #expect(try await base(at: 100).stale(among: documents) == [])
        #expect(try await base(at: 111).stale(among: documents) == ["docs/000.md"])
    }

    @Test("Ingesting an unchanged document again notes that it was looked at")
    func checking() async throws {
        let rule = StalenessPolicy.Rule(sources: try GlobPattern("docs/**"), maximumAge: 60)
        let bench = try ToolBench(policy: StalenessPolicy(rules: [rule]))
        try await bench.fill(1)
        #expect(try await bench.store.checkTimes(of: ["docs/000.md"]) == [:])
        try await bench.fill(1)
        #expect(try await bench.store.checkTimes(of: ["docs/000.md"]) == ["docs/000.md": ToolBench.now])
    }

    @Test("An answer is remembered until any document changes, in this process or another one")
    func remembering() async throws {
        let bench = try ToolBench()
        try await bench.fill(2)
        let first = try await bench.base.query("Where is the barometer?", topK: 5)
        let second = try await bench.base.query("Where is the barometer", topK: 5)
        #expect(first.isCached == false && second.isCached == true)
        #expect(first.results == second.results && first.results.count == 2)
        // Another opener of the same file stands for another process.
        try await bench.store.delete(documentID: "docs/000.md")
        let third = try await bench.base.query("Where is the barometer?", topK: 5)
        #expect(third.isCached == false)
        #expect(third.results.map(\.documentID) == ["docs/001.md"])
        let statistics = bench.base.cacheStatistics
        #expect(statistics.exactHits == 1 && statistics.misses == 2)
    }

    // MARK: Feedback and quality

    @Test("Feedback is noted on an answer, and shown in the quality")
    func feedback() async throws {
        let bench = try ToolBench()
        try await bench.fill(1)
        let answer = try await bench.base.query("barometer")
        let given = try await bench.call(
            "knowledge.feedback",
            ["answer_id": .string(answer.id), "verdict": "wrong", "comment": "It hangs in the kitchen."]
        )
        #expect(given == ["recorded": true, "is_new": true])
        let again = try await bench.call("knowledge.feedback", ["answer_id": .string(answer.id), "verdict": "helpful"])
        #expect(again["is_new"] == false)
        let kept = try await bench.store.feedback(since: Date(timeIntervalSince1970: 0), limit: 10)
        #expect(kept.map(\.query) == ["barometer"])
        #expect(kept.map(\.verdict) == [.helpful])
        #expect(
            await bench.failure("knowledge.feedback", ["answer_id": "none", "verdict": "wrong"])?.code == .notFound
        )
        #expect(await bench.failure("knowledge.feedback", ["verdict": "wrong"])?.code == .invalidArguments)
        #expect(await bench.failure("knowledge.feedback", ["query": "x", "verdict": "bad"])?.code == .invalidArguments)

        _ = try await bench.base.query("zucchini lasagne")
        let quality = try await bench.call("knowledge.quality", ["hours": 1])
        #expect(quality["query_count"] == 2)
        #expect(quality["empty_rate"] == 0.5)
        #expect(quality["feedback"]?["helpful"] == 1)
        #expect(quality["feedback"]?["missing"] == 0)
        #expect(quality["unanswered"]?[0]?["query"] == "zucchini lasagne")
        #expect(quality["cache"]?["misses"] == 2)
        #expect(quality["similarity_histogram"]?.arrayValue?.count == 20)
    }

    // MARK: Metadata

    @Test("Documents are selected, sorted, counted and paged by their metadata")
    func metadata() async throws {
        let bench = try ToolBench()
        try await bench.fill(9)
        let query: JSONObject = [
            "where": [
                "and": [
                    ["field": "metadata.kind", "op": "eq", "value": "even"],
                    ["not": ["field": "metadata.number", "op": "in", "value": [4]]],
                ]
            ],
            "sort": [["field": "metadata.number", "order": "desc"]], "limit": 3,
        ]
        let first = try await bench.call("db.query_metadata", query)
        #expect(first["total_count"] == 4)
        #expect(
            first["documents"]?.arrayValue?.compactMap { $0["metadata"]?["number"]?.stringValue } == ["8", "6", "2"]
        )
        #expect(first["changed_meanwhile"] == false)
        let cursor = try #require(first["next_cursor"])
        try await bench.base.delete(documentID: "docs/001.md")
        let second = try await bench.call("db.query_metadata", query.with("cursor", cursor))
        #expect(second["documents"]?.arrayValue?.compactMap { $0["metadata"]?["number"]?.stringValue } == ["0"])
        #expect(second["changed_meanwhile"] == true)
        #expect(second["next_cursor"]?.isNull == true)
        #expect(await bench.failure("db.query_metadata", ["cursor": cursor])?.code == .invalidArguments)
        let count = try await bench.call("db.query_metadata", ["limit": 0])
        #expect(count["total_count"] == 8 && count["documents"] == [])
    }

    @Test("A client that asks for it hears how far a long document is")
    func progress() async throws {
        let bench = try ToolBench(embedder: CountingEmbedder())
        let client = InProcessClient(server: bench.server)
        let heard = Mutex<[JSONObject]>([])
        let text = (0..<150).map { section in
            "## Section \(section)\n\n" + (0..<60).map { "word\(section)x\($0)" }.joined(separator: " ")
        }
        _ = try await client.request(
            "tools/call",
            [
                "name": "knowledge.add_document",
                "arguments": ["title": "Long", "text": .string(text.joined(separator: "\n\n"))],
            ]
        ) { progress in heard.withLock { $0.append(progress) } }
        let done = heard.withLock { $0.compactMap { $0["progress"]?.doubleValue } }
        #expect(done.count > 1)
        #expect(done == done.sorted())
        #expect(done.last == heard.withLock { $0.last?["total"]?.doubleValue })
    }

    @Test(
        "What is wrong with a condition is named with its place",
        arguments: [
            (["field": "content", "op": "eq", "value": "x"], "/where/field"),
            (["field": "id", "op": "like", "value": "x"], "/where/op"),
            (["field": "id", "op": "in", "value": "x"], "/where/value"),
            (["and": []], "/where/and"), (["and": [["or": [["not": "x"]]]]], "/where/and/0/or/0/not"),
            (["field": "id", "op": "eq", "value": "x", "or": []], "/where/or"),
            (["sql": "SELECT 1"], "/where/sql"),
            (
                ["not": ["not": ["not": ["not": ["not": ["field": "id", "op": "eq", "value": "x"]]]]]],
                "/where/not/not/not/not/not"
            ),
        ] as [(JSONValue, String)]
    )
    func wrongConditions(condition: JSONValue, pointer: String) async throws {
        let error = await (try ToolBench()).failure("db.query_metadata", ["where": condition])
        #expect(error?.code == .invalidArguments)
        #expect(error?.mistakes.map(\.pointer.description) == [pointer])
    }
}

extension JSONObject {
    fileprivate func with(_ key: String, _ value: JSONValue) -> JSONObject {
        var object = self
        object[key] = value
        return object
    }
}

/// Vectors that say nothing, and tokens that are words.
private struct CountingEmbedder: Embedder {
    let model = EmbeddingModel(name: "test", dimension: 2, maximumTokens: 256)

    func embed(_ texts: [String]) async throws -> [[Float]] { texts.map { _ in [1, 0] } }
    func tokenCount(of text: String) -> Int { text.split(separator: " ").count }

    func tokenSpans(of text: String) -> [Range<Int>] {
        text.split(whereSeparator: \.isWhitespace).map { word in
            text.utf8.distance(
                from: text.startIndex,
                to: word.startIndex
            )..<text.utf8.distance(
                from: text.startIndex,
                to: word.endIndex
            )
        }
    }
}
