import HTTPTypes
import Hummingbird
import HummingbirdTesting
import JSON
import MCP
import MCPHTTP
import MCPServer
import NIOCore
import Testing

private struct Greet: Tool {
    static let name: ToolName = "greet"
    static let description = "Greets."
    static let effect = Effect.read
    static let permission: Permission = "greeting:read"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String { context.principal.id }
}

@Suite("Who may send a request")
struct AccessTests {
    private struct Broken: Error {}

    /// An endpoint that knows the senders `Bearer ada` and `Bearer broken`, and lets nobody call `greet` but Ada.
    private func application() -> some ApplicationProtocol {
        let server = MCPServer(name: "test", version: "1") { Greet() }
        let router = Router()
        MCPEndpoint(server: server) { request in
            switch request.headers[.authorization] {
            case "Bearer broken": throw Broken()
            case let token? where token.hasPrefix("Bearer "): return Principal(id: String(token.dropFirst(7)))
            default:
                throw HTTPError(
                    .unauthorized,
                    headers: [.wwwAuthenticate: #"Bearer resource_metadata="https://a.example/x""#],
                    message: "Send a token."
                )
            }
        } authorize: { call, principal, _ in
            guard let permission = server.permission(for: call), principal.id != "ada" else { return }
            throw HTTPError(
                .forbidden,
                headers: [.wwwAuthenticate: #"Bearer error="insufficient_scope", scope="\#(permission)""#]
            )
        }.addRoutes(to: router)
        return Application(router: router)
    }

    private static let call = JSONRPCRequest(
        id: .integer(7),
        method: "tools/call",
        params: [
            "name": "greet", "arguments": [:],
            "_meta": .object([MetaKey.protocolVersion: "2026-07-28", MetaKey.clientCapabilities: [:]]),
        ]
    )

    private func send(
        _ body: String,
        token: String?,
        method: HTTPRequest.Method = .post
    ) async throws -> (response: TestResponse, message: JSONValue?) {
        var headers: HTTPFields = [
            .contentType: "application/json", .accept: "application/json, text/event-stream",
        ]
        headers[.authorization] = token.map { "Bearer \($0)" }
        for (name, value) in [
            "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "greet",
        ] {
            headers[try #require(HTTPField.Name(name))] = value
        }
        let fields = headers
        return try await self.application().test(.live) { client in
            let response = try await client.execute(
                uri: "/mcp",
                method: method,
                headers: fields,
                body: ByteBuffer(string: body)
            )
            return (response, try? JSONValue(parsing: Array(buffer: response.body)))
        }
    }

    @Test("Whoever is not known is refused with the status and the challenge of the closure, whatever the body is")
    func unknown() async throws {
        for (method, body) in [(HTTPRequest.Method.post, "no JSON"), (.get, ""), (.delete, "")] {
            let (response, message) = try await self.send(body, token: nil, method: method)
            #expect(response.status == .unauthorized)
            #expect(response.headers[.wwwAuthenticate] == #"Bearer resource_metadata="https://a.example/x""#)
            #expect(message?["error"]?["message"] == "Send a token.")
            #expect(message?["id"] == nil)
        }
    }

    @Test("An error that is no refusal tells nothing of itself")
    func broken() async throws {
        let (response, message) = try await self.send(Self.call.json.serializedString(), token: "broken")
        #expect(response.status == .internalServerError)
        #expect(message?["error"]?["message"]?.stringValue?.contains("Broken") == false)
    }

    @Test("A request that its sender may not send is refused with the scopes that it needs")
    func forbidden() async throws {
        let call = Self.call.json.serializedString()
        let (response, _) = try await self.send(call, token: "bob")
        #expect(response.status == .forbidden)
        #expect(
            response.headers[.wwwAuthenticate] == #"Bearer error="insufficient_scope", scope="greeting:read""#
        )
        #expect(try await self.send("[\(call)]", token: "bob").response.status == .forbidden)
        let (answer, message) = try await self.send(call, token: "ada")
        #expect(answer.status == .ok)
        #expect(message?["result"]?["content"]?[0]?["text"] == "ada")
    }

    @Test("A refusal names the setting where the lists are, if it is told")
    func settings() {
        let request = Request(
            head: HTTPRequest(method: .post, scheme: "http", authority: "evil.example", path: "/mcp"),
            body: RequestBody(buffer: ByteBuffer())
        )
        #expect(HostGuard().refusal(of: request) == "This Host is not served here.")
        let named = HostGuard(hostsSetting: "HOSTS", originsSetting: "ORIGINS")
        #expect(named.refusal(of: request) == "This Host is not served here; HOSTS lists those that are.")
    }
}
