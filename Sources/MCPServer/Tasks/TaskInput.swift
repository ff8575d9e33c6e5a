import JSON
import MCP
import Synchronization

/// Wakes up the handler of a task when the task has changed.
final class TaskChanges: Sendable {
    private let changes: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (self.changes, self.continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func signal() {
        self.continuation.yield()
    }

    /// Waits for the next signal, or takes one that nobody has waited for.
    func next() async {
        for await _ in self.changes { return }
    }
}

/// Asks the client by way of the task: it sees the questions when it asks about the task, and answers with
/// `tasks/update`.
final class TaskInput: InputSource {
    private let engine: TaskEngine
    private let id: String
    private let client: ClientCapabilities
    private let codec: Codec
    private let call: CallHandle
    private let changes: TaskChanges
    /// What was answered before the task began.
    private let earlier: JSONObject
    /// Keys are used once in the life of a task.
    private let used = Mutex<Set<String>>([])
    /// How long the client may take to answer.
    private static let timeout = Duration.seconds(3600)

    init(
        engine: TaskEngine,
        id: String,
        client: ClientCapabilities,
        codec: Codec,
        call: CallHandle,
        changes: TaskChanges,
        earlier: JSONObject
    ) {
        self.engine = engine
        self.id = id
        self.client = client
        self.codec = codec
        self.call = call
        self.changes = changes
        self.earlier = earlier
    }

    func canAsk(_ request: InputRequest) -> Bool {
        request.isSupported(by: self.client, in: self.codec.revision)
    }

    func answers(to questions: [InputQuestion]) async throws -> [String: JSONObject] {
        var answers: [String: JSONObject] = [:]
        var asked: [String: String] = [:]
        var requests: JSONObject = [:]
        for question in questions {
            if let answer = self.earlier[question.key]?.objectValue {
                answers[question.key] = answer
                continue
            }
            guard self.canAsk(question.request) else {
                throw MCPError.missingCapability(question.request.requiredCapabilities)
            }
            let key = self.unusedKey(question.key)
            asked[key] = question.key
            requests[key] = question.request.json(self.codec)
        }
        guard asked.isEmpty == false else { return answers }
        let questions = requests
        await self.engine.change(self.id) { record in
            record.state.status = .inputRequired
            for (key, request) in questions { record.state.inputRequests[key] = request }
        }
        let found = try await self.call.pausingDeadline(for: Self.timeout) { try await self.wait(for: Set(asked.keys)) }
        for (key, name) in asked { answers[name] = found[key]?.objectValue }
        return answers
    }

    private func unusedKey(_ key: String) -> String {
        self.used.withLock { used in
            var candidate = key
            var count = 1
            while used.insert(candidate).inserted == false {
                count += 1
                candidate = "\(key)-\(count)"
            }
            return candidate
        }
    }

    private func wait(for keys: Set<String>) async throws -> JSONObject {
        while true {
            try Task.checkCancellation()
            guard let record = try await self.engine.stored(self.id), record.state.status.isTerminal == false else {
                throw CancellationError()
            }
            if keys.allSatisfy({ record.answers[$0] != nil }) { return record.answers }
            await self.changes.next()
        }
    }
}

extension InputRequest {
    /// As it stands in `inputRequests`.
    func json(_ codec: Codec) -> JSONValue {
        ["method": .string(self.method), "params": .object(codec.params(of: self))]
    }

    /// What a stored question asks, as far as its answer has to be checked.
    init?(json: JSONValue) {
        let params = json["params"]
        switch json["method"] {
        case "elicitation/create" where params?["mode"] == "url":
            self = .url(message: params?["message"]?.stringValue ?? "", url: params?["url"]?.stringValue ?? "")
        case "elicitation/create":
            self = .form(
                message: params?["message"]?.stringValue ?? "",
                schema: params?["requestedSchema"]?.objectValue ?? [:]
            )
        case "sampling/createMessage": self = .sampling(SamplingRequest([], maxTokens: 0))
        case "roots/list": self = .roots
        default: return nil
        }
    }
}
