import JSON
import Reranking
import Synchronization
import Testing
import Upstream

@Suite("Re-ranking over HTTP")
struct HTTPRerankerTests {
    /// Answers every request alike, and keeps the last one.
    private final class Endpoint: HTTPUpstream {
        private let answer: Result<UpstreamResponse, UpstreamError>
        private let seen = Mutex<UpstreamRequest?>(nil)

        init(_ status: Int, _ body: String) {
            self.answer = .success(UpstreamResponse(status: status, body: Array(body.utf8)))
        }

        init(_ error: UpstreamError) { self.answer = .failure(error) }

        var request: UpstreamRequest? { self.seen.withLock { $0 } }

        func send(_ request: UpstreamRequest) async throws -> UpstreamResponse {
            self.seen.withLock { $0 = request }
            return try self.answer.get()
        }
    }

    private static func reranker(_ endpoint: Endpoint, style: HTTPReranker.Style = .cohere) -> HTTPReranker {
        let configuration = HTTPReranker.Configuration(
            url: "https://rerank.example/v2/rerank",
            model: "rank-1",
            apiKey: "secret",
            style: style
        )
        return HTTPReranker(configuration: configuration, upstream: endpoint)
    }

    @Test("Scores come back in the order of the passages, whatever the order of the answer")
    func order() async throws {
        let endpoint = Endpoint(
            200,
            #"{"results":[{"index":2,"relevance_score":0.9},{"index":0,"relevance_score":0.5},{"index":1,"relevance_score":0.1}]}"#
        )
        let scores = try await Self.reranker(endpoint).scores(query: "q", passages: ["a", "b", "c"])
        #expect(scores == [0.5, 0.1, 0.9])
        let request = try #require(endpoint.request)
        let body = try JSONValue(parsing: request.body ?? [])
        #expect(request.method == "POST")
        #expect(request.headers.contains { $0.name == "Authorization" && $0.value == "Bearer secret" })
        #expect(body["model"]?.stringValue == "rank-1")
        #expect(body["query"]?.stringValue == "q")
        #expect(body["documents"]?.arrayValue?.compactMap(\.stringValue) == ["a", "b", "c"])
        #expect(body["top_n"] == .integer(3))
    }

    @Test("A bare list with scores is understood too")
    func bareList() async throws {
        let endpoint = Endpoint(200, #"[{"index":1,"score":3.5},{"index":0,"score":-2}]"#)
        #expect(try await Self.reranker(endpoint, style: .tei).scores(query: "q", passages: ["a", "b"]) == [-2, 3.5])
        let body = try JSONValue(parsing: try #require(endpoint.request).body ?? [])
        #expect(body["texts"]?.arrayValue?.count == 2)
    }

    @Test("Passages are bounded")
    func bounded() async throws {
        let endpoint = Endpoint(200, #"{"results":[{"index":0,"relevance_score":1}]}"#)
        _ = try await Self.reranker(endpoint).scores(query: "q", passages: [String(repeating: "x", count: 20_000)])
        let body = try JSONValue(parsing: try #require(endpoint.request).body ?? [])
        #expect(body["documents"]?.arrayValue?.first?.stringValue?.count == 8_000)
    }

    @Test(
        "An answer that can't be used is an error",
        arguments: [
            (500, "{}"), (200, "not JSON"), (200, "{}"), (200, #"{"results":[]}"#),
            (200, #"{"results":[{"index":7,"relevance_score":1}]}"#), (200, #"{"results":[{"index":0}]}"#),
            (200, #"{"results":[{"index":-1,"relevance_score":1}]}"#),
        ] as [(Int, String)]
    )
    func broken(status: Int, body: String) async {
        await #expect(throws: RerankError.self) {
            try await Self.reranker(Endpoint(status, body)).scores(query: "q", passages: ["a"])
        }
    }

    @Test("No passages cost no call")
    func nothing() async throws {
        let endpoint = Endpoint(500, "")
        #expect(try await Self.reranker(endpoint).scores(query: "q", passages: []).isEmpty)
        #expect(endpoint.request == nil)
    }

    @Test("What the connection throws is thrown on")
    func connection() async {
        let endpoint = Endpoint(UpstreamError(.timedOut, "There was no answer in time."))
        await #expect(throws: UpstreamError.self) {
            try await Self.reranker(endpoint).scores(query: "q", passages: ["a"])
        }
    }
}
