import Testing

@testable import Knowledge

@Suite("Retrieval metrics")
struct RetrievalMetricsTests {
    /// Computed by hand: DCG = 3/log2(3) + 1/log2(5), ideal = 3/log2(2) + 2/log2(3) + 1/log2(4).
    @Test("One query agrees with values computed by hand")
    func byHand() {
        let metrics = RetrievalMetrics(
            ranking: ["x", "a", "y", "c"],
            judgements: ["a": 3, "b": 2, "c": 1, "x": 0, "z": -1]
        )
        let (log3, log5) = (1.584962500721156, 2.321928094887362)
        let gained = 3 / log3 + 1 / log5
        let ideal = 3 + 2 / log3 + 0.5
        #expect(abs(metrics.ndcgAt10 - gained / ideal) < 1e-12)
        #expect(abs(metrics.ndcgAt10 - 0.48793) < 1e-5)
        #expect(metrics.recallAt5 == 2.0 / 3)
        #expect(metrics.mrrAt10 == 0.5)
        #expect([metrics.hitAt1, metrics.hitAt5, metrics.hitAt10] == [0, 1, 1])
    }

    @Test("Cuts are cuts: what comes later doesn't count")
    func cuts() {
        let ranking = (0..<200).map { "d\($0)" }
        let metrics = RetrievalMetrics(ranking: ranking, judgements: ["d10": 1, "d19": 1, "d99": 1, "d100": 1])
        #expect(metrics.ndcgAt10 == 0)
        #expect(metrics.mrrAt10 == 0)
        #expect([metrics.recallAt10, metrics.recallAt20, metrics.recallAt100] == [0, 0.5, 0.75])
    }

    @Test("A query that the run lacks counts as 0; equal scores come in descending order of identifiers")
    func run() {
        var run = RankedRun()
        run.add(query: "q1", document: "a", score: 0.5)
        run.add(query: "q1", document: "b", score: 0.5)
        run.add(query: "q1", document: "b", score: 0.1)
        #expect(run.documents(forQuery: "q1") == ["b", "a"])
        let metrics = RetrievalMetrics(run: run, judgements: ["q1": ["a": 1], "q2": ["a": 1]])
        #expect(metrics.mrrAt10 == 0.25)
        #expect(metrics.recallAt10 == 0.5)
        #expect(run.trecText(queries: ["q1"], tag: "t") == "q1\tQ0\tb\t1\t0.5\tt\nq1\tQ0\ta\t2\t0.5\tt\n")
    }

    @Test("Judgements are read with and without a heading, in three and four columns, the highest of repeated ones")
    func judgements() throws {
        let corpus = Array(#"{"id":"d","title":"T","text":"Text"}"#.utf8)
        let queries = Array("{\"id\":\"q\",\"text\":\"Question\"}\n\n".utf8)
        let qrels = "query_id\tdoc_id\trelevance\nq\td\t1\nq\td\t2\nr 0 d 1.0\ns\td\t0\n"
        let set = try EvaluationSet(corpus: corpus, queries: queries, qrels: Array(qrels.utf8))
        #expect(set.judgements == ["q": ["d": 2], "r": ["d": 1]])
        #expect(set.documents.map(\.title) == ["T"])
        #expect(set.queries == [EvaluationSet.Query(id: "q", text: "Question")])
    }

    @Test(
        "A broken line is named",
        arguments: [
            ("{}", "", "", "Line 1 of the corpus"), ("", "\n{\"id\":1}", "", "Line 2 of the queries"),
            ("", "", "q\td\t1\nq\td", "Line 2 of the judgements"), ("", "", "q d 1\nq d x", "Line 2 of the judgements"),
        ]
    )
    func broken(corpus: String, queries: String, qrels: String, message: String) {
        let error = #expect(throws: KnowledgeError.self) {
            try EvaluationSet(corpus: Array(corpus.utf8), queries: Array(queries.utf8), qrels: Array(qrels.utf8))
        }
        #expect(error?.code == .malformed)
        #expect(error?.message.hasPrefix(message) == true)
    }
}
