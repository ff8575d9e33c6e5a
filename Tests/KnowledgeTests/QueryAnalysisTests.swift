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

    @Test("Coverage is the share of the words that a text holds, endings aside, rare words counting more")
    func coverage() {
        let analysis = QueryAnalysis("How are signing keys rotated?")
        let even = TermRarity(frequencies: [:], chunkCount: 10)
        #expect(analysis.coverage(of: "Rotating the key for signing.", rarity: even) == 1)
        #expect(abs(analysis.coverage(of: "The key of the house.", rarity: even) - 1.0 / 3) < 1e-9)
        #expect(analysis.coverage(of: "", rarity: even) == 0)
        let common = TermRarity(frequencies: ["keys": 9, "signing": 1, "rotated": 0], chunkCount: 10)
        #expect(analysis.coverage(of: "The key of the house.", rarity: common) < 0.1)
        #expect(analysis.coverage(of: "It is rotated.", rarity: common) > 0.4)
        #expect(
            QueryAnalysis("max retries").coverage(of: "maxRetries = 3", rarity: even) == 1,
            "Identifiers have parts"
        )
    }
}
