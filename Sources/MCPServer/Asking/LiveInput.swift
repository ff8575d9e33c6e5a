import JSON
import MCP
import SharedState

/// Asks the client of a session with requests of the server's own, while the call runs.
///
/// Specification: 2025-11-25, client/elicitation, client/sampling, client/roots.
struct LiveInput: InputSource {
    let session: ClientSession
    let sink: any MessageSink
    let bus: any EventBus
    /// How long the client may take.
    let timeout: Duration
    /// The call, whose deadline does not run while the client is asked.
    let call: CallHandle
    var relatedTask: String?

    /// Where the answer to a request of ours is expected.
    static func topic(session: String, id: RequestID) -> String { "mcp:response:\(session):\(id)" }

    func canAsk(_ request: InputRequest) -> Bool {
        request.isSupported(by: self.session.clientCapabilities, in: self.session.revision)
    }

    func answers(to questions: [InputQuestion]) async throws -> [String: JSONObject] {
        for question in questions where self.canAsk(question.request) == false {
            throw ToolError(
                .conflict,
                "This needs something that the client did not declare it can do (\(question.request.method)).",
                suggestedAction: "Use a client that can, or another tool.",
                cause: AskingFailure(error: .missingCapability(question.request.requiredCapabilities))
            )
        }
        return try await self.call.pausingDeadline(for: self.timeout) {
            try await withThrowingTaskGroup(of: (String, JSONObject).self) { group in
                for question in questions {
                    group.addTask { (question.key, try await self.answer(to: question.request)) }
                }
                var answers: [String: JSONObject] = [:]
                for try await (key, answer) in group { answers[key] = answer }
                return answers
            }
        }
    }

    private func answer(to question: InputRequest) async throws -> JSONObject {
        let id = RequestID.string("gantry-" + RandomID.make())
        // Before the request goes out, so that no answer is missed.
        let responses = try await self.bus.subscribe(to: Self.topic(session: self.session.id, id: id))
        var params = Codec(self.session.revision).params(of: question, elicitationID: id.description)
        if let relatedTask {
            params["_meta"] = [MetaKey.relatedTask: ["taskId": .string(relatedTask)]]
        }
        guard self.sink.send(JSONRPCRequest(id: id, method: question.method, params: params)) else {
            let message = "The client can't be asked over this connection."
            throw ToolError(.conflict, message, cause: AskingFailure(error: MCPError(.invalidRequest, message)))
        }
        for await response in responses {
            return try Self.read(response, question)
        }
        throw CancellationError()
    }

    private static func read(_ response: [UInt8], _ question: InputRequest) throws -> JSONObject {
        let value = try JSONValue(parsing: response)
        guard case .response(let response) = try JSONRPCMessage(value) else { throw CancellationError() }
        switch response.result {
        case .failure(let error):
            let message = "The client did not answer \(question.method): \(error.message.prefix(200))"
            throw ToolError(
                .conflict,
                message,
                suggestedAction: "Ask the user how to go on.",
                cause: AskingFailure(error: MCPError(.invalidRequest, message))
            )
        case .success(let answer):
            if let problem = question.problem(in: answer) {
                let message = "The client's answer to \(question.method) is not valid. \(problem)"
                throw ToolError(
                    .upstreamError,
                    message,
                    cause: AskingFailure(error: MCPError(.invalidRequest, message))
                )
            }
            return answer.objectValue ?? [:]
        }
    }
}
