import Foundation
import HTTPTypes
import JSON
import MCP
import MCPHTTP

/// The body of a request over HTTP, in both eras, with the headers that an honest client would send.
///
/// Every answer is JSON-RPC with the id of the request and the status that belongs to it, and nothing else is answered.
/// What the server asks is answered, and what it gives to come back with is good: cursors, states of questions, tasks.
///
/// In an input, `$cursor`, `$state`, `$task` and `$question` stand for a cursor of `tools/list`, the state of a call of
/// `ask`, a task that is done and one that asks.
final class HTTPBodyTarget: FuzzTarget {
    static let name = "http-body"
    static let dictionary = messageDictionary + ["$cursor", "$state", "$task", "$question"].map { "\"\($0)\"" }

    private static let maximumDepth = 64
    private let client: HTTPClient
    /// A session of each legacy revision, and its revision.
    private let sessions: [(id: String, revision: ProtocolRevision)]
    private let cursor: String
    private let state: String
    private let task: String

    init() async throws {
        let values = FewValues()
        var configuration = MCPEndpoint.Configuration()
        // Timers and streams stay for as long as this.
        configuration.keepAliveInterval = .seconds(4)
        configuration.eventLifetime = .seconds(4)
        let client = HTTPClient(MCPEndpoint(server: FuzzServer.make(sessions: values), configuration: configuration))
        self.client = client
        var sessions: [(id: String, revision: ProtocolRevision)] = []
        for revision in ProtocolRevision.legacy {
            sessions.append((try await client.openSession(revision), revision))
        }
        self.sessions = sessions
        let page = try await Self.result(of: "tools/list", [:], client)
        self.cursor = try require(page["nextCursor"]?.stringValue, "There is no second page.")
        let asking = try await Self.result(of: "tools/call", ["name": "ask"], client)
        self.state = try require(asking["requestState"]?.stringValue, "There is no question.")
        let started = try await Self.result(of: "tools/call", ["name": "work"], client)
        self.task = try require(started["taskId"]?.stringValue, "There is no task.")
        values.keepAll()
    }

    func run(_ input: [UInt8]) async throws -> Outcome {
        guard input.contains(UInt8(ascii: "$")) else { return try await self.send(input) }
        var text = String(decoding: input, as: UTF8.self)
        for (name, value) in [("$cursor", self.cursor), ("$state", self.state), ("$task", self.task)] {
            text.replace(name, with: value)
        }
        guard text.contains("$question") else {
            // What is no text is sent as it is.
            return try await self.send(String(validating: input, as: UTF8.self) == nil ? input : Array(text.utf8))
        }
        let question = try await self.startQuestion()
        let outcome = try await self.send(Array(text.replacing("$question", with: question).utf8))
        _ = try await Self.result(of: "tasks/cancel", ["taskId": .string(question)], self.client)
        return outcome
    }

    /// Begins a task that asks; those before it may take a moment to end.
    private func startQuestion() async throws -> String {
        for _ in 0..<100 {
            let message = try await Self.answer(to: "tools/call", ["name": "ask.later"], self.client)
            if let id = message?.result?["taskId"]?.stringValue { return id }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw FuzzFailure(description: "Tasks that were cancelled don't end.")
    }

    // MARK: One body

    private func send(_ input: [UInt8]) async throws -> Outcome {
        let expected = ExpectedAnswer(to: input, maximumDepth: Self.maximumDepth)
        var session = self.sessions[input.count % self.sessions.count]
        var headers = HTTPFields.post
        var isModern = false
        switch expected {
        case .answer(let call):
            isModern = RequestMeta.isModern(params: call.params) || call.method == "server/discover"
            if isModern { headers.addRouting(call) }
            if isModern == false, call.method != "initialize" { headers[.mcpSessionID] = session.id }
        case .batch:
            // Half of them where they are welcome.
            let batching = self.sessions.first { $0.revision.supports(.batching) }
            if input.count.isMultiple(of: 2), let batching { session = batching }
            headers[.mcpSessionID] = session.id
        case .error, .silence:
            headers[.mcpSessionID] = session.id
        }
        let answer = try await self.post(input, headers, expected)
        let messages = try answer.messages()
        try self.check(answer.status, messages, expected, session.revision, isModern: isModern)
        if case .answer(let call) = expected, let result = messages.last?.result {
            try await self.goOn(call, result, headers, answer)
        }
        var hasher = Hasher()
        hasher.combine(answer.status)
        if case .batch = expected {
            hasher.combine(Set(messages.map(\.outcome)))
        } else {
            hasher.combine(messages.last?.outcome)
        }
        hasher.combine(messages.count > 1)
        hasher.combine(messages.contains(where: \.isRequest))
        hasher.combine(isModern)
        return hasher.finalize()
    }

    /// Posts a body, answers what the server asks meanwhile, and closes streams that have no end.
    private func post(_ input: [UInt8], _ headers: HTTPFields, _ expected: ExpectedAnswer) async throws -> HTTPAnswer {
        var isEndless = false
        if case .answer(let call) = expected { isEndless = call.method == "subscriptions/listen" }
        let answers = ClientAnswers(seed: input)
        return try await self.client.send(input, headers: headers) { [client, isEndless] message in
            if isEndless { return .close }
            if message["method"] != nil, let id = message["id"] {
                _ = try await client.send(answers.message(to: message, id).serialized(), headers: headers)
            }
            return .read
        }
    }

    private func check(
        _ status: Int,
        _ messages: [ServerMessage],
        _ expected: ExpectedAnswer,
        _ revision: ProtocolRevision,
        isModern: Bool
    ) throws {
        let codes = messages.map { $0.errorCode ?? 0 }
        switch expected {
        case .error(let code, let id):
            try expect(status == 400 && codes == [code.value], "\(status) \(codes) instead of 400 \(code.value).")
            try expect(messages.last?.id == id?.json, "The id is not that of the request.")
        case .silence:
            try expect(status == 202 && messages.isEmpty, "What wants no answer was answered with \(status).")
        case .answer(let call):
            try self.check(status, messages, call, isModern: isModern)
        case .batch(let parts):
            guard revision.supports(.batching), ExpectedAnswer.batchSizes.contains(parts.count) else {
                try expect(status == 400 && codes == [-32600], "A batch was answered with \(status) \(codes).")
                return
            }
            var tally = AnswerTally()
            for part in parts {
                switch part {
                case .error(let code, let id): tally.want(id, code: code)
                case .answer(let call): tally.want(call.id)
                case .silence, .batch: break
                }
            }
            for message in messages { tally.add(message) }
            try tally.check()
            let proper = tally.expectedCount == 0 ? 202 : 200
            try expect(status == proper, "The status of a batch is \(status) instead of \(proper).")
        }
    }

    private func check(
        _ status: Int,
        _ messages: [ServerMessage],
        _ call: JSONRPCRequest,
        isModern: Bool
    ) throws {
        let codes = messages.map { $0.errorCode ?? 0 }
        let message = try require(messages.last, "The request was not answered, but \(status).")
        try expect(messages.dropLast().contains(where: \.isAnswer) == false, "An answer is not the last message.")
        try expect(isModern == false || messages.contains(where: \.isRequest) == false, "The server sent a request.")
        if call.method == "subscriptions/listen", message.isNotification {
            let first = messages[0].json
            try expect(
                first["method"] == "notifications/subscriptions/acknowledged"
                    && first["params"]?["_meta"]?[MetaKey.subscriptionID] == call.id.json && status == 200,
                "A stream begins with \(first), not with its acknowledgement."
            )
            return
        }
        try expect(message.isAnswer, "The last message is no answer.")
        try expect(message.id == call.id.json, "The id is not that of the request.")
        let code = message.errorCode.map(MCPError.Code.init)
        let proper: Set<Int> =
            if let code {
                isModern ? [messages.count > 1 ? 200 : MCPError(code, "").httpStatus] : [200, 400]
            } else {
                [200]
            }
        try expect(proper.contains(status), "The status is \(status) with the code \(codes).")
    }

    // MARK: What comes after

    /// Does what the answer allows: the next page, the answers to questions, looking at the task, using the session.
    private func goOn(
        _ call: JSONRPCRequest,
        _ result: JSONValue,
        _ headers: HTTPFields,
        _ answer: HTTPAnswer
    ) async throws {
        if call.method == "initialize" {
            let id = try require(answer.headers[.mcpSessionID], "initialize opened no session.")
            var headers = HTTPFields.post
            headers[.mcpSessionID] = id
            let ended = try await self.client.send([], headers: headers, method: .delete)
            try expect(ended.status == 204, "A new session can't be ended: \(ended.status).")
            return
        }
        if call.method.hasSuffix("/list"), let cursor = result["nextCursor"] {
            let page = try await self.follow(call, headers) { $0["cursor"] = cursor }
            try expect(page.errorCode == nil, "The next page is an error: \(page.json).")
        }
        if result["resultType"] == "input_required" { try await self.answerQuestions(call, result, headers) }
        let created = result["resultType"] == "task" ? result["taskId"] : result["task"]?["taskId"]
        if call.method == "tools/call", let created {
            let meta = call.params["_meta"] ?? [:]
            for method in ["tasks/get", "tasks/cancel"] {
                var next = JSONRPCRequest(id: .integer(2), method: method)
                next.params = ["taskId": created, "_meta": meta]
                let message = try await self.ask(next, headers)
                // It may be over already.
                let isProper = message.result != nil || method == "tasks/cancel"
                try expect(isProper, "A new task can't be looked at: \(message.json).")
            }
        }
    }

    /// Sends a request again with answers, and with its state where it does not belong.
    private func answerQuestions(_ call: JSONRPCRequest, _ result: JSONValue, _ headers: HTTPFields) async throws {
        let state = try require(result["requestState"], "There are questions without a state.")
        let questions = try require(result["inputRequests"]?.objectValue, "There are no questions.")
        let answers = ClientAnswers(seed: [])
        var responses: JSONObject = [:]
        for (key, question) in questions { responses[key] = answers.result(for: question) }
        let next = try await self.follow(call, headers) { params in
            params["requestState"] = state
            params["inputResponses"] = .object(responses)
        }
        // The next question may be one that the client can't be asked.
        let codes: [Int?] = [nil, MCPError.Code.missingRequiredClientCapability.value]
        try expect(codes.contains(next.errorCode), "Good answers lead to \(next.json).")
        for (key, _) in next.result?["inputRequests"]?.objectValue ?? [:] {
            try expect(questions[key] == nil, "\(key) is asked again.")
        }
        let other = try await self.follow(call, headers) { params in
            params["requestState"] = state
            params["inputResponses"] = .object(responses)
            params["fuzz"] = true
        }
        try expect(other.errorCode == -32602, "The state is good for another request: \(other.json).")
    }

    private func follow(
        _ call: JSONRPCRequest,
        _ headers: HTTPFields,
        _ change: (inout JSONObject) -> Void
    ) async throws -> ServerMessage {
        var next = call
        change(&next.params)
        return try await self.ask(next, headers)
    }

    /// Sends a request and takes its answer.
    private func ask(_ call: JSONRPCRequest, _ headers: HTTPFields) async throws -> ServerMessage {
        var headers = headers
        if headers[.mcpMethod] != nil { headers.addRouting(call) }
        let answer = try await self.post(call.json.serialized(), headers, .answer(call))
        return try require(try answer.messages().last, "There is no answer to \(call.method).")
    }

    /// The result of a request of 2026-07-28.
    private static func result(
        of method: String,
        _ params: JSONObject,
        _ client: HTTPClient
    ) async throws -> JSONValue {
        let message = try await Self.answer(to: method, params, client)
        return try require(message?.result, "\(method) has no result: \(message?.json ?? .null).")
    }

    private static func answer(
        to method: String,
        _ params: JSONObject,
        _ client: HTTPClient
    ) async throws -> ServerMessage? {
        var call = JSONRPCRequest(id: .integer(1), method: method, params: params)
        let capabilities: JSONObject = [
            "elicitation": [:], "sampling": [:], "roots": [:],
            "extensions": [ClientCapabilities.tasksExtension: [:]],
        ]
        call.params["_meta"] = [
            MetaKey.protocolVersion: "2026-07-28", MetaKey.clientCapabilities: .object(capabilities),
        ]
        var headers = HTTPFields.post
        headers.addRouting(call)
        return try await client.send(call.json.serialized(), headers: headers).messages().last
    }
}

/// What the client answers when it is asked something.
struct ClientAnswers: Sendable {
    private let choice: UInt64

    /// - Parameter seed: Decides what is answered; good answers without.
    init(seed: [UInt8]) {
        var generator = SeededGenerator(seed: seed)
        self.choice = seed.isEmpty ? 0 : generator.next() % 8
    }

    func message(to request: JSONValue, _ id: JSONValue) -> JSONValue {
        if self.choice == 7 {
            return ["jsonrpc": "2.0", "id": id, "error": ["code": -1, "message": "The user is not there."]]
        }
        return ["jsonrpc": "2.0", "id": id, "result": self.result(for: request)]
    }

    func result(for request: JSONValue) -> JSONValue {
        switch self.choice {
        case 4: return ["action": "decline"]
        case 5: return ["action": "accept", "content": ["name": 1]]
        case 6: return [:]
        default: break
        }
        switch request["method"] {
        case "elicitation/create": return ["action": "accept", "content": ["name": "Ada"]]
        case "roots/list": return ["roots": [["uri": "file:///fuzz"]]]
        default: return ["role": "assistant", "content": ["type": "text", "text": "Hello."], "model": "fuzz"]
        }
    }
}

extension HTTPClient {
    /// Opens a session of a client that can be asked everything.
    func openSession(_ revision: ProtocolRevision) async throws -> String {
        let initialize = JSONRPCRequest(
            id: .integer(1),
            method: "initialize",
            params: [
                "protocolVersion": .string(revision.name),
                "capabilities": ["elicitation": [:], "sampling": [:], "roots": [:]],
                "clientInfo": ["name": "fuzz", "version": "1"],
            ]
        )
        let answer = try await self.send(initialize.json.serialized(), headers: .post)
        return try require(answer.headers[.mcpSessionID], "There is no session.")
    }
}

extension HTTPFields {
    /// What every message is sent with.
    static let post: Self = [.contentType: "application/json", .accept: "application/json, text/event-stream"]

    /// Adds the headers that repeat what the body says.
    mutating func addRouting(_ call: JSONRPCRequest) {
        self[.mcpProtocolVersion] = RequestMeta(params: call.params).protocolVersion
        self[.mcpMethod] = call.method
        let name = call.params["name"] ?? call.params["uri"] ?? call.params["taskId"]
        self[.mcpName] = name?.stringValue.map(Self.wrapped)
        for (key, header) in [("region", "Region"), ("count", "Count"), ("urgent", "Urgent")] {
            let name = HTTPField.Name.named("Mcp-Param-\(header)")
            switch call.params["arguments"]?[key] {
            case .string(let text)?: self[name] = Self.wrapped(text)
            case .null?, nil: self[name] = nil
            case let value?: self[name] = Self.wrapped(value.serializedString())
            }
        }
    }

    private static func wrapped(_ text: String) -> String {
        "=?base64?\(Data(text.utf8).base64EncodedString())?="
    }
}
