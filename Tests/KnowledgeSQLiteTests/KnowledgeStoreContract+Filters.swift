import Foundation
import JSON
import Knowledge
import Testing

extension KnowledgeStoreContract {
    /// Every kind of filter lets the same documents through a list and through both searches.
    func filters(_ store: any KnowledgeStore) async throws {
        try await self.fillForFilters(store)
        let one = "\u{65}\u{301}"
        let cases: [(DocumentFilter, [String])] = [
            (DocumentFilter(), ["a", "b", "c", "d"]),
            (try Self.filter(sources: ["docs/**"]), ["a", "b"]),
            (try Self.filter(sources: ["docs/*"]), ["a"]),
            (try Self.filter(sources: ["**/b.md", "src/?.swift"]), ["b", "c"]),
            (try Self.filter(sources: ["**/*.md"]), ["a", "b"]),
            (try Self.filter(sources: ["docs", "'; DROP TABLE documents; --", ".*", "[a-z]*"]), []),
            (try Self.filter("team", .eq, "platform"), ["a", "b"]),
            (try Self.filter("team", .ne, "platform"), ["c", "d"]),
            (try Self.filter("team", .in, ["data", "platform"]), ["a", "b", "c"]),
            (try Self.filter("team", .exists, true), ["a", "b", "c"]),
            (try Self.filter("team", .exists, false), ["d"]),
            (try Self.filter("team", .contains, "form"), ["a", "b"]),
            (try Self.filter("team", .eq, "Platform"), []),
            (try Self.filter("nested.level", .eq, 2), ["a", "b"]),
            (try Self.filter("nested.level", .eq, 2.0), ["a", "b"]),
            (try Self.filter("nested.level", .gt, 1.5), ["a", "b", "c"]),
            (try Self.filter("nested.level", .lte, 2), ["a", "b"]),
            (try Self.filter("nested.level", .lt, "3"), []),
            (try Self.filter("nested.level.more", .exists, true), []),
            (try Self.filter("day", .gte, "2026-02-01"), ["b", "c"]),
            (try Self.filter("day", .lt, "2026-02-01"), ["a"]),
            (try Self.filter("done", .eq, true), ["a"]),
            (try Self.filter("done", .eq, false), ["b"]),
            (try Self.filter("done", .eq, .null), ["c"]),
            (try Self.filter("done", .exists, true), ["a", "b", "c"]),
            (try Self.filter("tags", .contains, "x"), ["a", "b"]),
            (try Self.filter("tags", .contains, 1), ["b"]),
            (try Self.filter("tags", .contains, true), ["c"]),
            (try Self.filter("tags", .eq, "x"), []),
            (try Self.filter("\"a.b \(one)\"", .eq, "'; DROP TABLE documents; --"), ["d"]),
            (try Self.filter("\"0\"", .exists, true), []),
            (DocumentFilter(updatedAfter: Date(timeIntervalSince1970: 2000)), ["b", "d"]),
            (DocumentFilter(labels: .only([])), ["a", "d"]),
            (DocumentFilter(labels: .only(["red"])), ["a", "b", "d"]),
            (DocumentFilter(labels: .only(["red", "blue", "unknown"])), ["a", "b", "c", "d"]),
            (
                DocumentFilter(
                    sources: [try GlobPattern("docs/**")],
                    metadata: [try MetadataCondition(MetadataPath("done"), .ne, true)],
                    labels: .only(["red"])
                ), ["b"]
            ),
        ]
        for (filter, expected) in cases {
            let listed = try await store.documents(after: nil, limit: 10, filter: filter).map(\.id)
            #expect(listed == expected, "list: \(filter)")
            for mode in SearchMode.allCases {
                let request = CandidateRequest(
                    terms: ["word"],
                    dense: .init(vector: [1, 0, 0, 0], model: Self.model),
                    limit: 10,
                    filter: filter,
                    mode: mode
                )
                let found = try await store.search(request) { $0 }.hits.map(\.chunk.documentID)
                #expect(found.sorted() == expected.flatMap { [$0, $0] }, "\(mode): \(filter)")
            }
        }
        let second = try await store.documents(after: "a", limit: 1, filter: Self.filter("team", .eq, "platform"))
        #expect(second.map(\.id) == ["b"])
    }

    private func fillForFilters(_ store: any KnowledgeStore) async throws {
        let facts: [(String, String, JSONObject, Date?, Set<String>)] = [
            (
                "a", "docs/a.md",
                [
                    "team": "platform", "nested": ["level": 2], "day": "2026-01-31", "done": true, "tags": ["x", "y"],
                    "list": ["first"],
                ], Date(timeIntervalSince1970: 1000), []
            ),
            (
                "b", "docs/deep/b.md",
                ["team": "platform", "nested": ["level": 2.0], "day": "2026-02-01", "done": false, "tags": ["x", 1]],
                Date(timeIntervalSince1970: 2000), ["red"]
            ),
            (
                "c", "src/c.swift",
                ["team": "data", "nested": ["level": 3], "day": "2026-02-02", "done": .null, "tags": [true]],
                Date(timeIntervalSince1970: 1999), ["blue", "green"]
            ),
            ("d", "https://example.org/d", ["a.b \u{65}\u{301}": "'; DROP TABLE documents; --"], nil, []),
        ]
        for (id, source, metadata, date, labels) in facts {
            var document = Self.document(id, ["word one", "word two"])
            document.document = Document(
                id: id,
                source: source,
                title: "Title",
                text: document.document.text,
                metadata: metadata,
                sourceUpdatedAt: date,
                accessLabels: labels
            )
            try await store.write(document)
        }
        #expect(try await store.document(id: "c")?.summary.accessLabels == ["blue", "green"])
    }

    private static func filter(sources: [String]) throws -> DocumentFilter {
        DocumentFilter(sources: try sources.map { try GlobPattern($0) })
    }

    private static func filter(
        _ path: String,
        _ comparison: MetadataCondition.Comparison,
        _ value: JSONValue
    ) throws -> DocumentFilter {
        DocumentFilter(metadata: [try MetadataCondition(MetadataPath(path), comparison, value)])
    }

    /// A filter that keeps 2 % of the chunks takes none of the 10 results away, and they are the right ones.
    func narrowFilter(_ store: any KnowledgeStore) async throws {
        var generator = SeededGenerator(state: 2)
        var kept: [(id: String, vector: [Float])] = []
        for number in 0..<100 {
            let vectors = (0..<10).map { _ in Self.randomVector(&generator) }
            var document = Self.document("d\(number)", (0..<10).map { "text \($0) common" }, vectors: vectors)
            document.document.metadata = ["tenant": .integer(number % 50)]
            try await store.write(document)
            if number % 50 == 7 { kept += vectors.enumerated().map { ("d\(number) \($0)", $1) } }
        }
        let filter = try Self.filter("tenant", .eq, 7)
        for _ in 0..<5 {
            let query = Self.randomVector(&generator)
            let request = CandidateRequest(
                terms: ["common"],
                dense: .init(vector: query, model: Self.model),
                limit: 10,
                filter: filter
            )
            let exact = kept.map { ($0.id, zip($0.vector, query).reduce(Float(0)) { $0 + $1.0 * $1.1 }) }
                .sorted { $0.1 > $1.1 }.prefix(10).map(\.0)
            let hits = try await store.search(request) { $0 }.hits
            #expect(hits.count { $0.candidate.lexicalRank != nil } == 10)
            let dense = hits.filter { $0.candidate.denseRank != nil }
                .sorted { ($0.candidate.denseRank ?? 0) < ($1.candidate.denseRank ?? 0) }
            #expect(dense.map { "\($0.chunk.documentID) \($0.chunk.index)" } == exact)
        }
    }

    static func randomVector(_ generator: inout SeededGenerator) -> [Float] {
        let vector = (0..<4).map { _ in Float.random(in: -1...1, using: &generator) }
        let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return vector.map { $0 / length }
    }

    /// What is beyond its limits is refused, and says so.
    func limits(_ store: any KnowledgeStore) async throws {
        let condition = try MetadataCondition(MetadataPath("a"), .eq, 1)
        let filters = [
            DocumentFilter(sources: Array(repeating: try GlobPattern("a"), count: 33)),
            DocumentFilter(metadata: Array(repeating: condition, count: 17)),
            DocumentFilter(labels: .only(Set((0..<1001).map { "l\($0)" }))),
        ]
        for filter in filters {
            await Self.expect(.invalidArguments) { try await store.documents(after: nil, limit: 1, filter: filter) }
            await Self.expect(.invalidArguments) {
                try await store.search(CandidateRequest(terms: ["a"], dense: nil, limit: 1, filter: filter)) { $0 }
            }
        }
        var request = CandidateRequest(terms: ["a"], dense: nil, limit: 0)
        await Self.expect(.invalidArguments) { try await store.search(request) { $0 } }
        request.limit = 1001
        await Self.expect(.invalidArguments) { try await store.search(request) { $0 } }
        request = CandidateRequest(terms: ["a"], dense: nil, limit: 1, neighbours: 11)
        await Self.expect(.invalidArguments) { try await store.search(request) { $0 } }
        request = CandidateRequest(terms: Array(repeating: "a", count: 257), dense: nil, limit: 1)
        await Self.expect(.invalidArguments) { try await store.search(request) { $0 } }
        let hashes = (0..<1001).map { TextHash("\($0)") }
        await Self.expect(.invalidArguments) { try await store.vectors(ofTexts: hashes, model: Self.model) }
    }
}
