import JSON
import Logging
import MCPServer
import Synchronization
import Testing
import Upstream

@testable import JiraTools

/// Answers with what it was given, in order, and keeps what it was asked.
private final class Script: HTTPUpstream {
    private let state: Mutex<(answers: [UpstreamResponse], requests: [UpstreamRequest])>

    init(_ answers: [UpstreamResponse]) {
        self.state = Mutex((answers, []))
    }

    var requests: [JSONValue] {
        self.state.withLock { $0.requests }.compactMap { try? JSONValue(parsing: $0.body ?? []) }
    }
    var last: UpstreamRequest? { self.state.withLock { $0.requests.last } }

    func send(_ request: UpstreamRequest) async throws -> UpstreamResponse {
        try self.state.withLock { state in
            state.requests.append(request)
            guard state.answers.isEmpty == false else { throw UpstreamError(.connectionFailed, "The script is over.") }
            return state.answers.removeFirst()
        }
    }
}

/// Keeps how many issues the log says were dropped.
private final class Recorder: LogHandler {
    private let counts = Mutex<[String]>([])

    var dropped: [String] { self.counts.withLock { $0 } }

    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    var logLevel: Logger.Level {
        get { .trace }
        set {}
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        guard let count = event.metadata?["jira.dropped"] else { return }
        self.counts.withLock { $0.append("\(count)") }
    }
}

@Suite("Jira Cloud")
struct JiraCloudClientTests {
    private static func issue(_ key: String, project: String = "ENG", bare: Bool = false) -> JSONValue {
        [
            "id": "1", "key": .string(key),
            "fields": [
                "summary": "Do it", "status": ["name": "To Do"], "project": ["key": .string(project)],
                "priority": bare ? nil : ["name": "High"], "assignee": bare ? nil : ["displayName": "Ada"],
            ],
        ]
    }

    private static func page(
        _ issues: [JSONValue],
        next: String? = nil,
        reason: String = "OK"
    ) -> UpstreamResponse {
        var body: JSONObject = ["issues": .array(issues)]
        body["nextPageToken"] = next.map(JSONValue.string)
        return UpstreamResponse(
            status: 200,
            headers: [("X-Seraph-LoginReason", reason)],
            body: JSONValue.object(body).serialized()
        )
    }

    private static func server(
        _ script: Script,
        projects: Set<String> = [],
        logger: Logger = Logger(label: "test")
    ) throws -> MCPServer {
        let configuration = try #require(
            JiraConfiguration(baseURL: "https://site.example/", user: "u", token: "t0ken", projects: projects)
        )
        var retry = RetryPolicy()
        retry.sleep = { _ in }
        let client = JiraCloudClient(configuration: configuration, upstream: script, retry: retry)
        return MCPServer(name: "test", version: "1", logger: logger) {
            RetrieveBacklog(configuration: configuration, jira: client)
        }
    }

    private func call(_ server: MCPServer, _ arguments: JSONObject) async throws -> JSONValue {
        try await server.callTool(
            ToolInvocation(
                tool: "jira.retrieve_backlog",
                arguments: arguments,
                requestID: "r",
                transport: "test",
                principal: .local
            )
        ).structured
    }

    @Test("Issues come back with what was asked for; what is absent is said to be")
    func backlog() async throws {
        let script = Script([Self.page([Self.issue("ENG-1"), Self.issue("ENG-2", bare: true)])])
        let answer = try await self.call(try Self.server(script), ["project_key": "ENG"])
        #expect(
            answer["issues"] == [
                [
                    "key": "ENG-1", "summary": "Do it", "status": "To Do", "priority": "High", "assignee": "Ada",
                    "url": "https://site.example/browse/ENG-1",
                ],
                [
                    "key": "ENG-2", "summary": "Do it", "status": "To Do", "priority": "None", "assignee": nil,
                    "url": "https://site.example/browse/ENG-2",
                ],
            ]
        )
        #expect(script.requests.first?["jql"] == "project = \"ENG\" AND (status = 'To Do') ORDER BY priority DESC")
        #expect(script.requests.first?["maxResults"] == 10)
        #expect(script.last?.url == "https://site.example/rest/api/3/search/jql")
    }

    @Test("Pages are followed until there is enough")
    func pages() async throws {
        let enough = Script([Self.page([Self.issue("ENG-1")], next: "a"), Self.page([Self.issue("ENG-2")], next: "b")])
        let two = try await self.call(try Self.server(enough), ["project_key": "ENG", "max_results": 2])
        #expect(two["issues"]?.arrayValue?.count == 2)
        #expect(enough.requests.map { $0["nextPageToken"] } == [nil, "a"])
    }

    @Test("A token that comes again ends the call, wherever it came before", arguments: ["a", "b", "c"])
    func tokenAgain(token: String) async throws {
        let tokens = ["a", "b", "c", token, "d"]
        let script = Script(tokens.map { Self.page([Self.issue("ENG-1")], next: $0) })
        let server = try Self.server(script)
        let error = await #expect(throws: ToolError.self) { try await self.call(server, ["project_key": "ENG"]) }
        #expect(error?.code == .upstreamError)
        #expect(error?.message.contains("the same page again") == true)
        #expect(script.requests.count == 4)
    }

    @Test("Pages without issues are followed, but not for ever")
    func emptyPages() async throws {
        let maximum = JiraCloudClient.maximumPages
        let last = (1..<maximum).map { Self.page([], next: "\($0)") } + [Self.page([Self.issue("ENG-1")])]
        let answer = try await self.call(try Self.server(Script(last)), ["project_key": "ENG"])
        #expect(answer["issues"]?.arrayValue?.count == 1)

        let endless = Script((1...maximum + 5).map { Self.page([], next: "\($0)") })
        let server = try Self.server(endless)
        let error = await #expect(throws: ToolError.self) { try await self.call(server, ["project_key": "ENG"]) }
        #expect(error?.code == .upstreamError)
        #expect(endless.requests.count == maximum)
    }

    @Test(
        "Only a login reason of OK is one",
        arguments: [
            ("OK", true), ("OK, OK", true), ("AUTHENTICATED_FAILED", false), ("TOKEN_EXPIRED", false),
            ("NOT_OK", false), ("ok", false), ("OK, OUT", false), ("OUT", false), ("", false),
        ]
    )
    func loginReason(reason: String, isLoggedIn: Bool) async throws {
        let server = try Self.server(Script([Self.page([Self.issue("ENG-1")], reason: reason)]))
        let answer = try? await self.call(server, ["project_key": "ENG"])
        #expect((answer != nil) == isLoggedIn)
    }

    @Test("Issues of another project, or of none that can be told, are dropped and counted in the log")
    func otherProject() async throws {
        let log = Recorder()
        let script = Script([
            Self.page([
                Self.issue("ENG-1"), Self.issue("ENG-9", project: "SEC"), ["key": "ENG-2", "fields": ["summary": "x"]],
                ["key": "ENG-3"], ["fields": ["project": ["key": "ENG"]]],
            ])
        ])
        let server = try Self.server(script, logger: Logger(label: "test") { _ in log })
        let answer = try await self.call(server, ["project_key": "ENG"])
        #expect(answer["issues"]?.arrayValue?.map { $0["key"] } == ["ENG-1"])
        #expect(log.dropped == ["4"])
    }

    @Test("A project that may not be reached is refused without asking Jira")
    func forbidden() async throws {
        let script = Script([])
        let server = try Self.server(script, projects: ["OPS"])
        let error = await #expect(throws: ToolError.self) { try await self.call(server, ["project_key": "ENG"]) }
        #expect(error?.code == .forbidden)
        #expect(script.requests.isEmpty)
    }

    @Test(
        "Answers that are none become errors that an agent can act on",
        arguments: [
            (
                UpstreamResponse(
                    status: 200,
                    headers: [("x-seraph-loginreason", "AUTHENTICATED_FAILED")],
                    body: Array("{\"issues\":[]}".utf8)
                ), "unauthenticated"
            ),
            (UpstreamResponse(status: 200, body: Array("<html>login</html>".utf8)), "unauthenticated"),
            (UpstreamResponse(status: 401), "unauthenticated"),
            (UpstreamResponse(status: 403, body: Array("{\"error\":\"no\"}".utf8)), "forbidden"),
            (UpstreamResponse(status: 400, body: Array("{\"errorMessages\":[\"bad\"]}".utf8)), "invalid_arguments"),
            (UpstreamResponse(status: 400, body: Array("{\"errors\":{\"jql\":\"bad\"}}".utf8)), "invalid_arguments"),
            (UpstreamResponse(status: 410), "upstream_error"),
            (UpstreamResponse(status: 302), "upstream_error"),
            (UpstreamResponse(status: 500, body: Array("<html>".utf8)), "upstream_unavailable"),
        ]
    )
    func failures(response: UpstreamResponse, code: String) async throws {
        // After a refused query the project is looked up; it is there.
        let project = UpstreamResponse(status: 200, body: Array("{\"key\":\"ENG\"}".utf8))
        let server = try Self.server(Script([response, project]))
        let error = await #expect(throws: ToolError.self) { try await self.call(server, ["project_key": "ENG"]) }
        #expect(error?.code.rawValue == code)
        #expect(error.map { JSONValue.object($0.json).serializedString().contains("t0ken") } == false)
    }

    @Test("A project that is not there is said not to be there")
    func noProject() async throws {
        let script = Script([UpstreamResponse(status: 400), UpstreamResponse(status: 404)])
        let server = try Self.server(script)
        let error = await #expect(throws: ToolError.self) { try await self.call(server, ["project_key": "ENG"]) }
        #expect(error?.code == .notFound)
        #expect(script.last?.url == "https://site.example/rest/api/3/project/ENG")
    }

    @Test("What is refused for now is tried again, four times in all")
    func retries() async throws {
        let later = UpstreamResponse(status: 429, headers: [("Retry-After", "1")])
        let recovering = Script([later, later, later, Self.page([Self.issue("ENG-1")])])
        _ = try await self.call(try Self.server(recovering), ["project_key": "ENG"])
        #expect(recovering.requests.count == 4)

        let limited = Script([later, later, later, later, Self.page([])])
        let server = try Self.server(limited)
        let error = await #expect(throws: ToolError.self) { try await self.call(server, ["project_key": "ENG"]) }
        #expect(error?.code == .rateLimited)
        #expect(error?.retryAfter == .seconds(1))
        #expect(limited.requests.count == 4)
    }

    @Test("A pause that would end after the deadline is not begun")
    func tooLate() async throws {
        let script = Script([UpstreamResponse(status: 429, headers: [("Retry-After", "3600")])])
        let server = try Self.server(script)
        let error = await #expect(throws: ToolError.self) { try await self.call(server, ["project_key": "ENG"]) }
        #expect(error?.retryAfter == .seconds(3600))
        #expect(script.requests.count == 1)
    }

    @Test(
        "The token goes only where it can't be read on the way",
        arguments: [
            ("https://site.example", true), ("http://127.0.0.1:8089", true), ("http://localhost", true),
            ("http://site.example", false), ("http://localhost.evil.example", false), ("ftp://site.example", false),
            ("https://", false), ("https://user@site.example", false), ("", false),
        ]
    )
    func address(url: String, isAccepted: Bool) {
        #expect((JiraConfiguration(baseURL: url, user: "u", token: "t", projects: []) != nil) == isAccepted)
    }

    @Test("Credentials with control characters are none", arguments: ["a\nb", "a\r", "\u{0}", "a\tb", "\u{85}"])
    func brokenCredentials(text: String) {
        let url = "https://site.example"
        #expect(JiraConfiguration(baseURL: url, user: "u", token: text, projects: []) == nil)
        #expect(JiraConfiguration(baseURL: url, user: text, token: "t", projects: []) == nil)
        #expect(JiraConfiguration(baseURL: url, user: "ü@x.example", token: "t=ok", projects: []) != nil)
    }
}
