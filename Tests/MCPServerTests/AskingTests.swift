import JSON
import MCP
import MCPClient
import MCPServer
import Synchronization
import Testing

/// Asks for a name, then for a colour, and counts how often it was begun.
private final class Interview: Tool {
    static let name: ToolName = "interview"
    static let description = "Asks."
    static let effect = Effect.read
    static let permission: Permission = "test:read"

    struct NameForm: ToolArguments { @Param("Name", .length(1...20)) var name: String }
    struct ColourForm: ToolArguments { @Param("Colour") var colour: String }
    struct Arguments: ToolArguments { @Param("Topic") var topic: String = "you" }

    let begun = Atomic(0)

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> String {
        self.begun.add(1, ordering: .relaxed)
        guard let name = try await context.ask("Your name?", for: NameForm.self).content?.name else { return "no name" }
        guard let colour = try await context.ask("A colour?", for: ColourForm.self).content?.colour else {
            return "\(name), no colour"
        }
        return "\(name), \(colour)"
    }
}

/// Asks for a name.
private struct Introduction: Prompt {
    static let name = "introduction"
    static let description = "Asks."

    func get(_ arguments: NoArguments, _ context: HandlerContext) async throws -> GetPromptResult {
        [.user(try await context.ask("Your name?", for: Interview.NameForm.self).content?.name ?? "nobody")]
    }
}

@Suite("Asking the user", .timeLimit(.minutes(1)))
struct AskingTests {
    private let interview = Interview()

    private func server(_ configure: (inout MCPServer.Options) -> Void = { _ in }) -> MCPServer {
        var options = MCPServer.Options()
        configure(&options)
        return MCPServer(name: "test", version: "1", options: options) {
            self.interview
            Introduction()
        }
    }

    private static func text(_ result: JSONObject) -> String? { result["content"]?[0]?["text"]?.stringValue }

    @Test(
        "One handler asks clients of both eras",
        arguments: [ProtocolRevision.v2025_06_18, .v2025_11_25, .v2026_07_28]
    )
    func both(revision: ProtocolRevision) async throws {
        let client = InProcessClient(server: self.server(), revision: revision) { question in
            #expect(question.method == "elicitation/create")
            let isName = question.params["message"] == "Your name?"
            return ["action": "accept", "content": isName ? ["name": "Ada"] : ["colour": "red"]]
        }
        #expect(Self.text(try await client.callTool("interview")) == "Ada, red")
        // Since 2026-07-28 the handler begins anew with each round.
        let rounds = revision.supports(.multiRoundTrip) ? 3 : 1
        #expect(self.interview.begun.load(ordering: .relaxed) == rounds)
    }

    @Test("Declined and cancelled are answers, too", arguments: ["decline", "cancel"])
    func declined(action: String) async throws {
        for revision in [ProtocolRevision.v2025_11_25, .v2026_07_28] {
            let client = InProcessClient(server: self.server(), revision: revision) { _ in
                ["action": .string(action)]
            }
            #expect(Self.text(try await client.callTool("interview")) == "no name")
        }
    }

    @Test("A client that can't be asked is told what it lacks")
    func capability() async throws {
        let modern = InProcessClient(server: self.server())
        let error = await #expect(throws: MCPError.self) { try await modern.callTool("interview") }
        #expect(error?.code == .missingRequiredClientCapability)
        #expect(error?.data == ["requiredCapabilities": ["elicitation": [:]]])
        let legacy = InProcessClient(server: self.server(), revision: .v2025_11_25)
        #expect(try await legacy.callTool("interview")["isError"] == true)
    }

    @Test("A prompt that can't ask, or gets nonsense for an answer, is no failure of the server")
    func prompt() async throws {
        let name: JSONObject = ["name": "introduction"]
        for revision in [ProtocolRevision.v2025_11_25, .v2026_07_28] {
            let able = InProcessClient(server: self.server(), revision: revision) { _ in
                ["action": "accept", "content": ["name": "Ada"]]
            }
            let prompt = try await able.request("prompts/get", name)
            #expect(prompt["messages"]?[0]?["content"]?["text"] == "Ada")
            let unable = InProcessClient(server: self.server(), revision: revision)
            let error = await #expect(throws: MCPError.self) { try await unable.request("prompts/get", name) }
            let expected: MCPError.Code =
                revision.supports(.multiRoundTrip) ? .missingRequiredClientCapability : .invalidRequest
            #expect(error?.code == expected)
            #expect(error?.data == ["requiredCapabilities": ["elicitation": [:]]])
        }
        let nonsense = InProcessClient(server: self.server(), revision: .v2025_11_25) { _ in ["action": "perhaps"] }
        let error = await #expect(throws: MCPError.self) { try await nonsense.request("prompts/get", name) }
        #expect(error?.code == .invalidRequest)
    }

    @Test("Answers that don't fit are refused")
    func nonsense() async throws {
        for answer: JSONObject in [
            ["action": "maybe"], ["action": "accept"], ["action": "accept", "content": ["name": 1]],
        ] {
            let client = InProcessClient(server: self.server()) { _ in answer }
            let error = await #expect(throws: MCPError.self) { try await client.callTool("interview") }
            #expect(error?.code == .invalidParams)
        }
    }

    // MARK: The state of a request

    private let first: JSONObject = ["question-1": ["action": "accept", "content": ["name": "Ada"]]]

    /// The first round, and what the second would send.
    private func secondRound(
        _ server: MCPServer,
        principal: Principal = .local,
        arguments: JSONObject = [:]
    ) async throws -> JSONObject {
        let client = InProcessClient(server: server, principal: principal, capabilities: ["elicitation": [:]])
        let call: JSONObject = ["name": "interview", "arguments": .object(arguments)]
        let result = try await client.request("tools/call", call)
        #expect(result["resultType"] == "input_required")
        var next = call
        next["inputResponses"] = .object(self.first)
        next["requestState"] = result["requestState"]
        return next
    }

    private func code(_ server: MCPServer, _ call: JSONObject, _ principal: Principal = .local) async -> MCPError.Code?
    {
        let client = InProcessClient(server: server, principal: principal, capabilities: ["elicitation": [:]])
        do {
            _ = try await client.request("tools/call", call)
            return nil
        } catch {
            return (error as? MCPError)?.code
        }
    }

    @Test("The state of a request serves its principal, its tool and its arguments only")
    func binding() async throws {
        let server = self.server()
        let next = try await self.secondRound(server)
        #expect(await self.code(server, next) == nil)
        #expect(await self.code(server, next, Principal(id: "mallory")) == .invalidParams)
        var other = next
        other["arguments"] = ["topic": "me"]
        #expect(await self.code(server, other) == .invalidParams)
        var changed = next
        changed["requestState"] = .string((next["requestState"]?.stringValue ?? "") + "A")
        #expect(await self.code(server, changed) == .invalidParams)
    }

    @Test("A state that is too old is refused")
    func expiry() async throws {
        let server = self.server { $0.requestStateLifetime = .zero }
        #expect(await self.code(server, try await self.secondRound(server)) == .invalidParams)
    }

    @Test("Replicas with the same key open each other's states, also after a new key has come")
    func rotation() async throws {
        let (old, new) = (
            SealingKey(bytes: Array(repeating: 1, count: 32)), SealingKey(bytes: Array(repeating: 2, count: 32))
        )
        let before = self.server { $0.sealingKeys = [old] }
        let after = self.server { $0.sealingKeys = [new, old] }
        let stranger = self.server { $0.sealingKeys = [new] }
        let next = try await self.secondRound(before)
        #expect(await self.code(after, next) == nil)
        #expect(await self.code(stranger, next) == .invalidParams)
    }

    @Test("What was answered before can't be changed later")
    func earlierAnswers() async throws {
        let server = self.server()
        let client = InProcessClient(server: server, capabilities: ["elicitation": [:]])
        var call = try await self.secondRound(server)
        let second = try await client.request("tools/call", call)
        call["requestState"] = second["requestState"]
        call["inputResponses"] = [
            "question-1": ["action": "accept", "content": ["name": "Eve"]],
            "question-2": ["action": "accept", "content": ["colour": "blue"]],
        ]
        #expect(Self.text(try await client.request("tools/call", call)) == "Ada, blue")
    }

    @Test("The time that the user takes does not count against the deadline of the call")
    func deadline() async throws {
        let server = MCPServer(name: "test", version: "1") {
            ConfiguredTool(self.interview).timeout(.milliseconds(100))
        }
        let client = InProcessClient(server: server, revision: .v2025_11_25) { question in
            try await Task.sleep(for: .milliseconds(250))
            let isName = question.params["message"] == "Your name?"
            return ["action": "accept", "content": isName ? ["name": "Ada"] : ["colour": "red"]]
        }
        #expect(Self.text(try await client.callTool("interview")) == "Ada, red")
    }

    @Test("Codes of one revision don't reach another")
    func codes() async throws {
        let server = MCPServer(name: "test", version: "1") { Refusing() }
        let expected: [(ProtocolRevision, String, Int)] = [
            (.v2026_07_28, "resource", -32602), (.v2025_11_25, "resource", -32002),
            (.v2026_07_28, "url", -32600), (.v2025_11_25, "url", -32042), (.v2025_06_18, "url", -32600),
            (.v2026_07_28, "capability", -32021), (.v2025_11_25, "capability", -32600),
        ]
        for (revision, reason, code) in expected {
            let client = InProcessClient(server: server, revision: revision)
            let error = await #expect(throws: MCPError.self) {
                try await client.callTool("refusing", ["reason": .string(reason)])
            }
            #expect(error?.code.value == code, "\(reason) in \(revision)")
        }
    }
}

/// Throws JSON-RPC errors.
private struct Refusing: Tool {
    static let name: ToolName = "refusing"
    static let description = "Refuses."
    static let effect = Effect.read
    static let permission: Permission = "test:read"

    struct Arguments: ToolArguments { @Param("Which error") var reason: String }

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> String {
        switch arguments.reason {
        case "resource": throw MCPError(.resourceNotFound, "There is none.")
        case "url":
            throw MCPError.urlElicitationRequired("Sign in.", url: "https://example.com/", elicitationID: "e")
        default: throw MCPError.missingCapability(["sampling": [:]])
        }
    }
}
