import Foundation
import JSON
import Knowledge
import Synchronization
import Testing
import Upstream

@testable import Embedding

/// A service that answers with what a closure says, and notes what it was asked.
private final class Service: HTTPUpstream {
    typealias Answer = @Sendable (_ input: [String], _ request: UpstreamRequest) async throws -> UpstreamResponse

    private let answer: Answer
    private let noted = Mutex<[(texts: [String], request: UpstreamRequest)]>([])
    private let running = Mutex((now: 0, most: 0))

    init(_ answer: @escaping Answer) { self.answer = answer }

    var requests: [(texts: [String], request: UpstreamRequest)] { self.noted.withLock { $0 } }
    var mostAtOnce: Int { self.running.withLock { $0.most } }

    func send(_ request: UpstreamRequest) async throws -> UpstreamResponse {
        let body = try JSONValue(parsing: request.body ?? [])
        let texts = (body["input"]?.arrayValue ?? []).compactMap(\.stringValue)
        self.noted.withLock { $0.append((texts, request)) }
        self.running.withLock {
            $0.now += 1
            $0.most = max($0.most, $0.now)
        }
        defer { self.running.withLock { $0.now -= 1 } }
        return try await self.answer(texts, request)
    }

    /// Vectors of three numbers that tell the length of the text.
    static func vectors(_ texts: [String], reversed: Bool = false) -> UpstreamResponse {
        var entries = texts.enumerated().map { index, text -> JSONValue in
            ["index": .integer(index), "embedding": [.integer(text.utf8.count), 1, 0.5]]
        }
        if reversed { entries.reverse() }
        return UpstreamResponse(status: 200, body: JSONValue.object(["data": .array(entries)]).serialized())
    }
}

@Suite("Remote embedder")
struct RemoteEmbedderTests {
    private static let model = EmbeddingModel(name: "three", dimension: 3, maximumTokens: 100)

    private func embedder(
        _ service: Service,
        key: String? = "sk-1",
        change: (inout RemoteEmbedderConfiguration) -> Void = { _ in }
    ) throws -> RemoteEmbedder {
        let found = RemoteEmbedderConfiguration(baseURL: "https://example.com/v1/", model: Self.model, apiKey: key)
        var configuration = try #require(found)
        change(&configuration)
        var policy = RemoteEmbedder.policy
        policy.sleep = { _ in }
        return RemoteEmbedder(configuration: configuration, upstream: service, policy: policy)
    }

    private func code(
        of answer: UpstreamResponse
    ) async throws -> (code: EmbeddingError.Code, message: String, requests: Int) {
        let service = Service { _, _ in answer }
        let embedder = try self.embedder(service)
        do {
            _ = try await embedder.embed(["text"], for: .query)
        } catch let error as EmbeddingError {
            return (error.code, error.message, service.requests.count)
        }
        throw KnowledgeError(.embeddingFailed, "There was no error.")
    }

    @Test("Each text gets its own vector, of length 1, in whatever order they are answered")
    func order() async throws {
        let service = Service { texts, _ in Service.vectors(texts, reversed: true) }
        let texts = (1...10).map { String(repeating: "x", count: $0) }
        let vectors = try await self.embedder(service).embed(texts)
        for (text, vector) in zip(texts, vectors) {
            #expect(vector.count == 3)
            #expect(abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-6)
            #expect(abs(vector[0] / vector[1] - Float(text.utf8.count)) < 1e-4)
        }
        let request = try #require(service.requests.first).request
        #expect(request.url == "https://example.com/v1/embeddings")
        #expect(request.headers.contains { $0 == ("Authorization", "Bearer sk-1") })
        #expect(try await self.embedder(service).embed([]).isEmpty)
    }

    @Test("Requests are bounded in texts, in bytes and in number")
    func bounds() async throws {
        let service = Service { texts, _ in
            for _ in 0..<20 { await Task.yield() }
            return Service.vectors(texts)
        }
        let embedder = try self.embedder(service) {
            $0.maximumTextsPerRequest = 5
            $0.maximumBytesPerRequest = 100
            $0.maximumConcurrentRequests = 2
        }
        let texts = (0..<40).map { String(repeating: "y", count: 1 + $0 * 37 % 61) }
        let vectors = try await embedder.embed(texts)
        for (text, vector) in zip(texts, vectors) {
            #expect(abs(vector[0] / vector[1] - Float(text.utf8.count)) < 1e-3)
        }
        for (texts, _) in service.requests {
            #expect(texts.count <= 5)
            #expect(texts.count == 1 || texts.reduce(0) { $0 + $1.utf8.count } <= 100)
        }
        #expect(service.requests.reduce(0) { $0 + $1.texts.count } == 40)
        #expect(service.mostAtOnce == 2)
    }

    @Test("What the model can't read is cut off, at a character; an empty text is sent as a blank")
    func cutting() async throws {
        let service = Service { texts, _ in Service.vectors(texts) }
        let embedder = try self.embedder(service)
        let long = String(repeating: "é漢 ", count: 500)
        _ = try await embedder.embed([long, "", "short"])
        let sent = try #require(service.requests.first).texts
        #expect(embedder.tokenCount(of: sent[0]) == 100)
        #expect(long.hasPrefix(sent[0]))
        #expect(Array(sent[1...]) == [" ", "short"])
    }

    @Test("Vectors may come in base64, and a service that refuses it is asked without from then on")
    func base64() async throws {
        let numbers: [Float] = [3, 0, -4]
        let data = numbers.reduce(into: Data()) { data, number in
            withUnsafeBytes(of: number.bitPattern.littleEndian) { data.append(contentsOf: $0) }
        }
        let body = #"{"data": [{"index": 0, "embedding": "\#(data.base64EncodedString())"}]}"#
        let encoded = Service { _, _ in UpstreamResponse(status: 200, body: Array(body.utf8)) }
        #expect(try await self.embedder(encoded).embed(["a"]) == [[0.6, 0, -0.8]])

        let plain = Service { texts, request in
            let asked = try JSONValue(parsing: request.body ?? [])["encoding_format"]
            return asked == nil ? Service.vectors(texts) : UpstreamResponse(status: 422)
        }
        let embedder = try self.embedder(plain)
        #expect(try await embedder.embed(["a"]).count == 1)
        #expect(try await embedder.embed(["b"]).count == 1)
        #expect(plain.requests.count == 3)
    }

    @Test("A failure that may pass is tried again, and a lasting one is an error of its own kind")
    func failures() async throws {
        let left = Mutex([429, 500, 503])
        let service = Service { texts, _ in
            guard let status = left.withLock({ $0.popLast() }) else { return Service.vectors(texts) }
            return UpstreamResponse(status: status, headers: [("Retry-After", "1")])
        }
        #expect(try await self.embedder(service).embed(["a"]).count == 1)
        #expect(service.requests.count == 4)

        var found = try await self.code(of: UpstreamResponse(status: 429))
        #expect(found.code == .rateLimited && found.requests == 4)
        found = try await self.code(of: UpstreamResponse(status: 500))
        #expect(found.code == .unavailable && found.requests == 4)
        found = try await self.code(
            of: UpstreamResponse(status: 401, body: Array("{\"error\": {\"message\": \"sk-1\"}}".utf8))
        )
        #expect(found.code == .unauthorized && found.requests == 1)
        #expect(!found.message.contains("sk-1"))
        found = try await self.code(
            of: UpstreamResponse(status: 404, body: Array("{\"error\": {\"message\": \"No such\"}}".utf8))
        )
        #expect(found.code == .rejected && found.requests == 1)
        #expect(found.message.contains("No such"))

        let broken = Service { _, _ in throw UpstreamError(.connectionFailed, "The connection failed.") }
        let error = await #expect(throws: EmbeddingError.self) { try await self.embedder(broken).embed(["a"]) }
        #expect(error?.code == .unavailable)
        #expect(broken.requests.count == 4)
    }

    @Test(
        "An answer that isn't one vector of the dimension for each text is refused",
        arguments: [
            ("", EmbeddingError.Code.malformedAnswer), ("{}", .malformedAnswer), (#"{"data": []}"#, .malformedAnswer),
            (#"{"data": [{"index": 1, "embedding": [1, 2, 3]}]}"#, .malformedAnswer),
            (#"{"data": [{"index": -1, "embedding": [1, 2, 3]}]}"#, .malformedAnswer),
            (#"{"data": [{"index": "0", "embedding": [1, 2, 3]}]}"#, .malformedAnswer),
            (#"{"data": [{"index": 0, "embedding": [1, "2", 3]}]}"#, .malformedAnswer),
            (#"{"data": [{"index": 0, "embedding": "AAA"}]}"#, .malformedAnswer),
            (#"{"data": [{"index": 0, "embedding": [0, 0, 0]}]}"#, .malformedAnswer),
            (#"{"data": [{"index": 0, "embedding": []}]}"#, .malformedAnswer),
            (#"{"data": [{"index": 0, "embedding": [1, 2]}]}"#, .wrongDimension),
            (#"{"data": [{"index": 0, "embedding": [1, 2, 3, 4]}]}"#, .wrongDimension),
        ]
    )
    func answers(body: String, code: EmbeddingError.Code) async throws {
        #expect(try await self.code(of: UpstreamResponse(status: 200, body: Array(body.utf8))).code == code)
    }

    @Test("Twice the same number is refused")
    func twice() async throws {
        let body = #"{"data": [{"index": 0, "embedding": [1, 2, 3]}, {"index": 0, "embedding": [1, 2, 3]}]}"#
        let service = Service { _, _ in UpstreamResponse(status: 200, body: Array(body.utf8)) }
        let error = await #expect(throws: EmbeddingError.self) { try await self.embedder(service).embed(["a", "b"]) }
        #expect(error?.code == .malformedAnswer)
    }

    @Test(
        "A key is sent over https or to this machine only",
        arguments: [
            ("https://example.com/v1", "sk", true), ("http://127.0.0.1:80/v1", "sk", true),
            ("http://localhost/v1", "sk", true), ("http://[::1]:8/v1", "sk", true),
            ("http://example.com/v1", nil, true),
            ("http://example.com/v1", "sk", false), ("http://localhost.example.com/v1", "sk", false),
            ("http://127.0.0.1@example.com/v1", "sk", false), ("https://user@example.com/v1", "sk", false),
            ("ftp://example.com", nil, false), ("https://", nil, false), ("https://example.com", "s\nk", false),
            ("https://example.com", "", true),
        ] as [(String, String?, Bool)]
    )
    func addresses(url: String, key: String?, isAccepted: Bool) {
        #expect(
            (RemoteEmbedderConfiguration(baseURL: url, model: Self.model, apiKey: key) != nil) == isAccepted
        )
    }

    @Test("Cancelling ends the requests under way")
    func cancellation() async throws {
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        let service = Service { _, _ in
            begin.yield()
            try await Task.sleep(for: .seconds(600))
            return UpstreamResponse(status: 500)
        }
        let embedder = try self.embedder(service)
        let task = Task { try await embedder.embed(["a"]) }
        for await _ in begun { break }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
