import Foundation
import JSON
import Testing

@testable import Knowledge

@Suite("Reports of evaluations")
struct EvaluationReportTests {
    private static func record(
        _ name: String,
        _ scores: [Double],
        text: String = "a question"
    ) throws -> EvaluationRecord {
        let questions: [JSONValue] = scores.enumerated().map { index, score in
            [
                "id": .string("q\(index)"), "text": .string(text),
                "metrics": ["ndcg@10": .double(score), "recall@10": .double(score)], "found": ["a"], "relevant": ["b"],
            ]
        }
        let json: JSONValue = [
            "gantry_evaluation": 1, "name": .string(name), "documents": 3, "chunks": 5, "mode": "hybrid",
            "metrics": ["ndcg@10": 0, "recall@10": 0], "questions": .array(questions),
        ]
        return try EvaluationRecord(parsing: json.serialized(), name: name)
    }

    @Test("A large, steady difference is significant; a small, unsteady one isn't; none at all has p = 1")
    func significance() {
        let first = (0..<60).map { Double($0 % 7) / 10 }
        let better = PairedComparison(first, first.map { $0 + 0.2 })
        #expect(abs(better.difference - 0.2) < 1e-9)
        #expect(better.pValue < 0.001)
        #expect(better.interval.lowerBound > 0.19 && better.interval.upperBound < 0.21)
        #expect(better.betterCount == 60 && better.worseCount == 0)
        let noise = PairedComparison(first, first.enumerated().map { $0.isMultiple(of: 2) ? $1 + 0.1 : $1 - 0.1 })
        #expect(noise.pValue > 0.5)
        #expect(noise.interval.contains(0))
        let same = PairedComparison(first, first)
        #expect(same.pValue == 1)
        #expect(same.interval == 0...0)
    }

    @Test("The p-value of the randomisation test is that of all exchanges")
    func exactValue() {
        // Five equal changes: only 2 of the 32 exchanges give a sum as large.
        let result = PairedComparison([0, 0, 0, 0, 0], [0.1, 0.1, 0.1, 0.1, 0.1])
        #expect(abs(result.pValue - 2.0 / 32) < 0.01)
        #expect(result == PairedComparison([0, 0, 0, 0, 0], [0.1, 0.1, 0.1, 0.1, 0.1]))
    }

    @Test("A record is read as it was written")
    func roundTrip() throws {
        let record = try Self.record("a", [0.25, 1, 0])
        let again = try EvaluationRecord(parsing: record.json.serialized(), name: "a")
        #expect(again == record)
        #expect(record.mean(of: "ndcg@10") == 1.25 / 3)
        for text in ["{", "{}", #"{"gantry_evaluation": 2, "metrics": {}, "questions": []}"#, "[]"] {
            let error = #expect(throws: KnowledgeError.self) {
                try EvaluationRecord(parsing: Array(text.utf8), name: "bad.json")
            }
            #expect(error?.message.contains("bad.json") == true)
        }
    }

    @Test("Two runs are compared by the questions that both have")
    func comparison() throws {
        let comparison = try EvaluationComparison(try Self.record("a", [0, 0.5, 1]), try Self.record("b", [0.5, 0.5]))
        #expect(comparison.changes.count == 2)
        #expect(comparison.largestChanges(10).map(\.id) == ["q0"])
        #expect(comparison.table.contains("ndcg@10"))
        #expect(comparison.table.contains("2 questions in common; others are left out"))
        let empty = try Self.record("c", [])
        #expect(throws: KnowledgeError.self) { try EvaluationComparison(try Self.record("a", [1]), empty) }
    }

    @Test("Pages hold all figures, need no other file and escape what comes from outside")
    func pages() throws {
        let hostile = "<script>alert('x')</script> & \"more\""
        let first = try Self.record(hostile, [0, 0.5, 1], text: hostile)
        let one = EvaluationPage.html(first)
        let two = EvaluationPage.html(try EvaluationComparison(first, Self.record("b", [1, 0.5, 1], text: hostile)))
        for page in [one, two] {
            #expect(page.contains("<svg"))
            #expect(!page.contains("<script"))
            #expect(page.contains("&lt;script&gt;"))
            #expect(!page.contains("src=") && !page.contains("href=") && !page.contains("url("))
            #expect(page.contains("ndcg@10"))
        }
        #expect(one.contains("0.5000"))
        #expect(two.contains("+0.3333"))
    }

    @Test("Figures have four decimals and their sign")
    func figures() {
        #expect(Figures.decimals(0.12345) == "0.1235" || Figures.decimals(0.12345) == "0.1234")
        #expect(Figures.signed(-0.00001) == "+0.0000")
        #expect(Figures.signed(-1.5) == "-1.5000")
        #expect(Figures.table([["a", "10"], ["bcd", "2"]]) == "a    10\nbcd   2")
    }

    @Test("A team's questions name documents, sources or patterns")
    func questions() throws {
        let lines = """
            {"question": "How?", "relevant": ["docs/keys.md", "runbooks/**"], "id": "how"}
            {"question": "Why?", "relevant": ["why"]}
            """
        let set = try EvaluationSet(questions: Array(lines.utf8))
        #expect(set.queries.map(\.id) == ["how", "line-2"])
        func result(_ id: String, _ source: String) -> SearchResult {
            SearchResult(
                documentID: id,
                source: source,
                title: "",
                headingPath: [],
                chunkIndex: 0,
                text: "",
                span: 0..<0,
                score: 1,
                similarity: nil,
                indexedAt: Date(timeIntervalSince1970: 0),
                sourceUpdatedAt: nil
            )
        }
        #expect(set.name(of: result("x", "docs/keys.md"), for: "how") == "docs/keys.md")
        #expect(set.name(of: result("y", "runbooks/a/b.md"), for: "how") == "runbooks/**")
        #expect(set.name(of: result("z", "other.md"), for: "how") == "z")
        for text in [
            #"{"question": "x"}"#, #"{"relevant": ["a"]}"#, "nonsense", #"{"question": "x", "relevant": [1]}"#,
        ] {
            #expect(throws: KnowledgeError.self) { try EvaluationSet(questions: Array(text.utf8)) }
        }
    }
}
