import JSON
import MCP
import Synchronization

/// Answers that came with the request; a question without one ends the request.
///
/// Specification: 2026-07-28, basic/patterns/mrtr.
final class ReplayedInput: InputSource {
    private let client: ClientCapabilities
    private let revision: ProtocolRevision
    /// What the client sends along: the answers of earlier rounds, and those of this one.
    private let given: JSONObject
    private let taken = Mutex<JSONObject>([:])

    init(client: ClientCapabilities, revision: ProtocolRevision, earlier: JSONObject, latest: JSONObject) {
        self.client = client
        self.revision = revision
        var given = latest
        // What was sealed can't be changed by what comes later.
        for (key, answer) in earlier { given[key] = answer }
        self.given = given
    }

    /// The answers that the handler has asked for so far.
    var answers: JSONObject {
        self.taken.withLock { $0 }
    }

    func canAsk(_ request: InputRequest) -> Bool {
        request.isSupported(by: self.client, in: self.revision)
    }

    func answers(to questions: [InputQuestion]) async throws -> [String: JSONObject] {
        for question in questions where self.canAsk(question.request) == false {
            throw MCPError.missingCapability(question.request.requiredCapabilities)
        }
        var found: [String: JSONObject] = [:]
        var missing: [InputQuestion] = []
        for question in questions {
            guard let answer = self.given[question.key] else {
                missing.append(question)
                continue
            }
            if let problem = question.request.problem(in: answer) {
                throw MCPError(.invalidParams, "The answer \(question.key) is not valid. \(problem)")
            }
            found[question.key] = answer.objectValue
            self.taken.withLock { $0[question.key] = answer }
        }
        guard missing.isEmpty else {
            throw InputRequired(questions: missing, answers: self.answers)
        }
        return found
    }
}
