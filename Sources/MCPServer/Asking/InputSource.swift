import JSON
import MCP

/// A question of a handler, under the key that its answer comes back with.
struct InputQuestion: Sendable {
    var key: String
    var request: InputRequest
}

/// Where the answers to a handler's questions come from.
protocol InputSource: Sendable {
    /// Whether the client can be asked this at all.
    func canAsk(_ request: InputRequest) -> Bool

    /// The result of each question, by key, checked against what was asked.
    func answers(to questions: [InputQuestion]) async throws -> [String: JSONObject]
}

/// Nobody can be asked: REST, the command line, tests.
struct NobodyToAsk: InputSource {
    func canAsk(_ request: InputRequest) -> Bool { false }

    func answers(to questions: [InputQuestion]) async throws -> [String: JSONObject] {
        let message = "This needs an answer from the user, who can't be asked this way."
        throw ToolError(
            .conflict,
            message,
            suggestedAction: "Use an MCP client that can ask its user.",
            cause: AskingFailure(error: MCPError(.invalidRequest, message))
        )
    }
}

/// Why nobody answered a handler's question, for requests that are answered with a JSON-RPC error.
struct AskingFailure: Error {
    var error: MCPError
}

/// A handler's questions, thrown through the handler: it runs again when the client has the answers.
///
/// Specification: 2026-07-28, basic/patterns/mrtr.
struct InputRequired: Error {
    var questions: [InputQuestion]
    /// What has been answered so far, by key.
    var answers: JSONObject
}

extension InputRequest {
    /// How much the answer to one question may hold, serialized.
    static let maximumAnswerBytes = 64 << 10

    /// What is wrong with an answer, or nothing.
    func problem(in answer: JSONValue) -> String? {
        guard let object = answer.objectValue else { return "Expected an object." }
        guard answer.serialized().count <= Self.maximumAnswerBytes else {
            return "An answer may have \(Self.maximumAnswerBytes) bytes."
        }
        switch self {
        case .form(_, let schema):
            guard let action = Self.action(of: object) else { return "action is accept, decline or cancel." }
            guard action == .accept else { return nil }
            guard let content = object["content"], content.objectValue != nil else {
                return "An accepted form has its content, an object."
            }
            do {
                let violations = try JSONSchema(.object(schema)).violations(in: content)
                guard let first = violations.first else { return nil }
                return "The content does not fit the form: \(first)"
            } catch {
                return "The content can't be checked against the form."
            }
        case .url:
            return Self.action(of: object) == nil ? "action is accept, decline or cancel." : nil
        case .sampling:
            guard object["role"] == "assistant" || object["role"] == "user" else { return "role is assistant or user." }
            guard object["model"]?.stringValue != nil else { return "model is a string." }
            switch object["content"] {
            case .object?, .array?: return nil
            default: return "content is an object or an array."
            }
        case .roots:
            let roots = object["roots"]?.arrayValue
            let areWellFormed = roots?.allSatisfy { $0["uri"]?.stringValue != nil } ?? false
            return areWellFormed ? nil : "roots is an array of objects with a uri."
        }
    }

    enum Action: String {
        case accept, decline, cancel
    }

    static func action(of answer: JSONObject) -> Action? {
        answer["action"]?.stringValue.flatMap(Action.init)
    }
}
