import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing
import Upstream

@Suite("Requests over AsyncHTTPClient")
struct AsyncHTTPUpstreamTests {
    /// A server that answers at once with `start`, and then sends `rest`, byte by byte with pauses between them.
    private static func server(start: String, rest: Int, pause: Duration) -> some ApplicationProtocol {
        let router = Router()
        router.get("/") { _, _ in
            Response(
                status: .ok,
                headers: [.contentLanguage: "en"],
                body: ResponseBody { writer in
                    try await writer.write(ByteBuffer(string: start))
                    for _ in 0..<rest {
                        try await Task.sleep(for: pause)
                        try await writer.write(ByteBuffer(string: "."))
                    }
                    try await writer.finish(nil)
                }
            )
        }
        return Application(router: router)
    }

    /// Sends one request, and cancels it after a while if it should be.
    ///
    /// The server isn't cancelled with it: it ends when it has nothing left to do.
    private static func send(
        to server: some ApplicationProtocol,
        headers: [(name: String, value: String)] = [],
        within limit: Duration,
        maximumBodyBytes: Int = 1 << 20,
        cancelAfter pause: Duration? = nil
    ) async throws -> UpstreamResponse {
        let result = try await server.test(.live) { client in
            let request = UpstreamRequest(
                method: "GET",
                url: "http://127.0.0.1:\(try #require(client.port))/",
                headers: headers,
                deadline: .now + limit,
                maximumBodyBytes: maximumBodyBytes
            )
            let upstream = AsyncHTTPUpstream()
            let result = await withTaskGroup { group in
                group.addTask { await Self.result { try await upstream.send(request) } }
                if let pause {
                    try? await Task.sleep(for: pause)
                    group.cancelAll()
                }
                return await group.next()
            }
            try await upstream.shutdown()
            return try #require(result)
        }
        return try result.get()
    }

    private static func result<Success>(
        _ body: () async throws -> Success
    ) async -> Result<Success, any Error> {
        do {
            return .success(try await body())
        } catch {
            return .failure(error)
        }
    }

    @Test("An answer comes back with its status, headers and body")
    func answer() async throws {
        let server = Self.server(start: "Hello", rest: 3, pause: .milliseconds(1))
        let response = try await Self.send(to: server, within: .seconds(30))
        #expect(response.status == 200)
        #expect(response.header("content-language") == "en")
        #expect(response.body == Array("Hello...".utf8))
    }

    @Test("The deadline is for the whole answer: a body that trickles is given up")
    func tricklingBody() async throws {
        // Each byte is on time for a limit between two bytes; without one for the whole, the answer would come in the end.
        let server = Self.server(start: "Hello", rest: 600, pause: .milliseconds(50))
        let error = await #expect(throws: UpstreamError.self) {
            try await Self.send(to: server, within: .milliseconds(500))
        }
        #expect(error?.code == .timedOut)
    }

    @Test("A body that is too large is not read")
    func tooLarge() async throws {
        let server = Self.server(start: "Hello", rest: 0, pause: .zero)
        let error = await #expect(throws: UpstreamError.self) {
            try await Self.send(to: server, within: .seconds(30), maximumBodyBytes: 4)
        }
        #expect(error?.code == .bodyTooLarge)
    }

    @Test("A cancelled request ends as cancelled, also in the middle of the body")
    func cancelled() async throws {
        let server = Self.server(start: "Hello", rest: 600, pause: .milliseconds(50))
        await #expect(throws: CancellationError.self) {
            try await Self.send(to: server, within: .seconds(30), cancelAfter: .milliseconds(500))
        }
    }

    @Test(
        "A header with a control character is refused by its name; its value is in no error",
        arguments: ["s3cret\nX-Admin: 1", "s3cret\r\n", "\u{0}s3cret", "s3\u{1b}cret s3cret", "s3cret\u{7f}"]
    )
    func brokenHeader(value: String) async throws {
        let server = Self.server(start: "Hello", rest: 0, pause: .zero)
        let error = await #expect(throws: UpstreamError.self) {
            try await Self.send(to: server, headers: [("Authorization", value)], within: .seconds(30))
        }
        let shown = try #require(error)
        #expect(shown.code == .invalidRequest)
        #expect(shown.message.contains("Authorization"))
        #expect("\(shown)".contains("s3cret") == false)
        #expect(String(reflecting: shown).contains("s3cret") == false)
    }
}
