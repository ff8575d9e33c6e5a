import Foundation
import JSON
import Knowledge
import Testing

/// What every store promises that keeps more than documents: selection by metadata, feedback, checks, changes.
///
/// Each check gets a store that is empty.
struct KnowledgeRecordsContract {
    typealias Store = KnowledgeStore & KnowledgeRecords

    let makeStore: () async throws -> any Store

    func run() async throws {
        try await self.comparisons(self.makeStore())
        try await self.nesting(self.makeStore())
        try await self.order(self.makeStore())
        try await self.hostileValues(self.makeStore())
        try await self.limits(self.makeStore())
        try await self.feedback(self.makeStore())
        try await self.checks(self.makeStore())
        try await self.changes(self.makeStore())
    }

    // MARK: Selection

    private static func fill(_ store: any Store) async throws {
        let metadata: [(String, JSONObject, Set<String>)] = [
            ("a", ["team": "platform", "severity": 2, "tags": ["x", "y"], "reviewed": true], []),
            ("b", ["team": "billing", "severity": 10, "owner": ["name": "Ada"]], []),
            ("c", ["team": "platform", "severity": 2.5, "reviewed": false], ["finance"]),
            ("d", ["severity": "high", "empty": nil], []),
            ("e", [:], []),
        ]
        for (index, (id, metadata, labels)) in metadata.enumerated() {
            var document = KnowledgeStoreContract.document(id, [String](repeating: "text of \(id)", count: index + 1))
            document.document.source = "docs/\(id).md"
            document.document.title = "Title \(id)"
            document.document.metadata = metadata
            document.document.accessLabels = labels
            document.indexedAt = Date(timeIntervalSince1970: Double(index) * 86_400)
            if id == "b" { document.document.sourceUpdatedAt = Date(timeIntervalSince1970: 0) }
            try await store.write(document)
        }
    }

    private static func ids(
        _ store: any Store,
        _ predicate: MetadataQuery.Predicate,
        sort: [MetadataQuery.SortKey] = [],
        labels: AccessLabels = .all
    ) async throws -> [String] {
        let page = try await store.select(MetadataQuery(predicate, sort: sort, labels: labels))
        #expect(page.totalCount == page.documents.count)
        return page.documents.map(\.id)
    }

    private static func compare(
        _ field: String,
        _ comparison: MetadataCondition.Comparison,
        _ value: JSONValue
    ) throws -> MetadataQuery.Predicate {
        .compare(try MetadataQuery.Field(field), comparison, value)
    }

    private func comparisons(_ store: any Store) async throws {
        try await Self.fill(store)
        let cases: [(String, MetadataCondition.Comparison, JSONValue, [String])] = [
            ("metadata.team", .eq, "platform", ["a", "c"]),
            ("metadata.team", .ne, "platform", ["b", "d", "e"]),
            ("metadata.severity", .gt, 2, ["b", "c"]),
            ("metadata.severity", .gte, 2, ["a", "b", "c"]),
            ("metadata.severity", .lt, 2.5, ["a"]),
            ("metadata.severity", .lte, "high", ["d"]),
            ("metadata.severity", .eq, 2.0, ["a"]),
            ("metadata.severity", .in, [10, "high"], ["b", "d"]),
            ("metadata.tags", .contains, "y", ["a"]),
            ("metadata.team", .contains, "lat", ["a", "c"]),
            ("metadata.reviewed", .eq, true, ["a"]),
            ("metadata.reviewed", .exists, true, ["a", "c"]),
            ("metadata.empty", .exists, true, ["d"]),
            ("metadata.empty", .eq, nil, ["d"]),
            ("metadata.owner.name", .eq, "Ada", ["b"]),
            ("id", .in, ["a", "e", "zzz"], ["a", "e"]),
            ("source", .contains, "/c.", ["c"]),
            ("source", .contains, "%", []),
            ("title", .eq, "Title d", ["d"]),
            ("chunk_count", .gte, 4, ["d", "e"]),
            ("chunk_count", .eq, "4", []),
            ("indexed_at", .gte, "1970-01-03", ["c", "d", "e"]),
            ("indexed_at", .eq, "1970-01-01T00:00:00Z", ["a"]),
            ("source_updated_at", .exists, true, ["b"]),
            ("source_updated_at", .exists, false, ["a", "c", "d", "e"]),
        ]
        for (field, comparison, value, expected) in cases {
            let found = try await Self.ids(store, try Self.compare(field, comparison, value))
            #expect(found == expected, "\(field) \(comparison) \(value)")
        }
        #expect(try await Self.ids(store, .all([]), labels: .only([])) == ["a", "b", "d", "e"])
        #expect(try await Self.ids(store, .all([]), labels: .only(["finance"])) == ["a", "b", "c", "d", "e"])
    }

    private func nesting(_ store: any Store) async throws {
        try await Self.fill(store)
        let platform = try Self.compare("metadata.team", .eq, "platform")
        let severe = try Self.compare("metadata.severity", .gt, 2)
        #expect(try await Self.ids(store, .all([platform, severe])) == ["c"])
        #expect(try await Self.ids(store, .any([platform, severe])) == ["a", "b", "c"])
        // What has no such value doesn't fulfil a condition, so it fulfils its opposite.
        #expect(try await Self.ids(store, .not(severe)) == ["a", "d", "e"])
        #expect(try await Self.ids(store, .not(.any([platform, .not(severe)]))) == ["b"])
        #expect(try await Self.ids(store, .any([])) == [])
        #expect(try await Self.ids(store, .all([])) == ["a", "b", "c", "d", "e"])
    }

    private func order(_ store: any Store) async throws {
        try await Self.fill(store)
        let severity = try MetadataQuery.Field("metadata.severity")
        #expect(try await Self.ids(store, .all([]), sort: [.init(severity)]) == ["a", "c", "b", "d", "e"])
        let descending = try await Self.ids(store, .all([]), sort: [.init(severity, isDescending: true)])
        #expect(descending == ["b", "c", "a", "d", "e"])
        let team = try MetadataQuery.Field("metadata.team")
        let both = try await Self.ids(
            store,
            .all([]),
            sort: [.init(team), .init(.chunkCount, isDescending: true)]
        )
        #expect(both == ["b", "c", "a", "e", "d"])
        #expect(try await Self.ids(store, .all([]), sort: [.init(.indexedAt, isDescending: true)]).first == "e")
        let page = try await store.select(MetadataQuery(sort: [.init(severity)], offset: 1, limit: 2))
        #expect(page.documents.map(\.id) == ["c", "b"])
        #expect(page.totalCount == 5)
        let count = try await store.select(MetadataQuery(limit: 0))
        #expect(count.documents.isEmpty && count.totalCount == 5)
        let status = try await store.status()
        #expect(count.generation == status.generation)
    }

    private func hostileValues(_ store: any Store) async throws {
        try await Self.fill(store)
        for text in ["' OR 1=1 --", "\"; DROP TABLE documents; --", "%", "\\", "\u{0}", "$.team", "🎉"] {
            #expect(try await Self.ids(store, try Self.compare("metadata.team", .eq, .string(text))) == [])
            #expect(try await Self.ids(store, try Self.compare("id", .in, [.string(text)])) == [])
        }
        #expect(throws: KnowledgeError.self) { try MetadataQuery.Field("metadata.a'b") }
        #expect(throws: KnowledgeError.self) { try MetadataQuery.Field("content") }
        #expect(try await store.select(MetadataQuery()).totalCount == 5)
    }

    private func limits(_ store: any Store) async throws {
        var deep = try Self.compare("id", .eq, "a")
        for _ in 0..<5 { deep = .not(deep) }
        let wide = MetadataQuery.Predicate.any(
            [MetadataQuery.Predicate](repeating: try Self.compare("id", .eq, "a"), count: 33)
        )
        for query in [
            MetadataQuery(deep), MetadataQuery(wide), MetadataQuery(limit: 201), MetadataQuery(offset: 10_001),
            MetadataQuery(sort: [.init(.id), .init(.id), .init(.id), .init(.id)]),
            MetadataQuery(try Self.compare("id", .in, [])), MetadataQuery(try Self.compare("id", .lt, true)),
        ] {
            let error = await #expect(throws: KnowledgeError.self) { try await store.select(query) }
            #expect(error?.code == .invalidArguments)
        }
    }

    // MARK: Feedback, checks, changes

    private func feedback(_ store: any Store) async throws {
        func give(
            _ verdict: Feedback.Verdict,
            _ query: String,
            by principal: String,
            at time: Double
        ) async throws -> Bool {
            try await store.record(
                Feedback(
                    verdict,
                    query: query,
                    answerID: nil,
                    documentID: "d",
                    comment: "why; DROP TABLE knowledge_feedback",
                    principal: principal,
                    createdAt: Date(timeIntervalSince1970: time)
                )
            )
        }
        #expect(try await give(.wrong, "q1", by: "ada", at: 1))
        #expect(try await give(.helpful, "q1", by: "eve", at: 2))
        #expect(try await give(.missing, "q2", by: "ada", at: 3))
        // Another opinion about the same takes the place of the first.
        #expect(try await give(.helpful, "q1", by: "ada", at: 4) == false)
        let all = try await store.feedback(since: Date(timeIntervalSince1970: 0), limit: 10)
        #expect(all.map(\.verdict) == [.helpful, .missing, .helpful])
        #expect(all.first?.principal == "ada" && all.first?.query == "q1" && all.first?.documentID == "d")
        #expect(all.first?.comment == "why; DROP TABLE knowledge_feedback")
        #expect(all.first?.answerID == nil)
        #expect(try await store.feedback(since: Date(timeIntervalSince1970: 3), limit: 1).count == 1)
        let counts = try await store.feedbackCounts(since: Date(timeIntervalSince1970: 3))
        #expect(counts == [.helpful: 1, .missing: 1])
        #expect(try await store.feedbackCounts(since: Date(timeIntervalSince1970: 9)) == [:])
    }

    private func checks(_ store: any Store) async throws {
        try await store.write(KnowledgeStoreContract.document("a", ["text"]))
        let generation = try await store.status().generation
        let time = Date(timeIntervalSince1970: 77)
        try await store.noteChecked(["a", "none"], at: time)
        #expect(try await store.checkTimes(of: ["a", "none"]) == ["a": time])
        #expect(try await store.status().generation == generation)
        try await store.noteChecked(["a"], at: Date(timeIntervalSince1970: 88))
        #expect(try await store.checkTimes(of: ["a"]) == ["a": Date(timeIntervalSince1970: 88)])
        try await store.delete(documentID: "a")
        #expect(try await store.checkTimes(of: ["a"]) == [:])
    }

    private func changes(_ store: any Store) async throws {
        let start = try await store.changes(after: .max, limit: 1).generation
        #expect(try await store.changes(after: start, limit: 5) == IndexChanges(generation: start, documents: [:]))
        try await store.write(KnowledgeStoreContract.document("a", ["one"]))
        try await store.write(KnowledgeStoreContract.document("b", ["two"]))
        try await store.write(KnowledgeStoreContract.document("a", ["three"]))
        try await store.delete(documentID: "b")
        let changes = try await store.changes(after: start, limit: 5)
        #expect(changes.documents == ["a": true, "b": false])
        #expect(changes.generation == (try await store.status().generation))
        #expect(try await store.changes(after: start, limit: 1).documents == nil)
        let later = try await store.changes(after: changes.generation - 1, limit: 5)
        #expect(later.documents == ["b": false])
    }
}
