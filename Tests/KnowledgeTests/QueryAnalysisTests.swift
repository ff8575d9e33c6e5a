import Testing

@testable import Knowledge

@Suite("Analysing queries")
struct QueryAnalysisTests {
    @Test(
        "Question words are left out, identifiers are taken apart",
        arguments: [
            (
                "What is the purpose of the DiffExecutor struct?",
                ["purpose", "diffexecutor", "struct", "diff", "executor"]
            ),
            ("How do I rotate the signing key?", ["rotate", "signing", "key"]),
            ("run_target method", ["run", "target", "method"]),
            ("HTTPServer2 URLSession", ["httpserver2", "urlsession", "http", "server2", "url", "session"]),
            ("timeout timeout Timeout", ["timeout"]),
            ("who are you", ["who", "are", "you"]),
            ("Größe der Übung", ["größe", "der", "übung"]),
            ("\"drop table\" OR NEAR(x)", ["drop", "table", "near", "x"]),
            ("?!", []),
        ] as [(String, [String])]
    )
    func terms(query: String, expected: [String]) {
        #expect(QueryAnalysis(query).terms == expected)
    }

    @Test("A query of very many words is bounded")
    func bounded() {
        let query = (0..<5000).map { "word\($0)" }.joined(separator: " ")
        #expect(QueryAnalysis(query).terms.count == 64)
    }

    @Test("Coverage is the share of the words that a text holds, endings aside")
    func coverage() {
        let analysis = QueryAnalysis("How are signing keys rotated?")
        #expect(analysis.coverage(of: "Rotating the key for signing.") == 1)
        #expect(analysis.coverage(of: "The key of the house.") == 1.0 / 3)
        #expect(analysis.coverage(of: "") == 0)
    }
}
