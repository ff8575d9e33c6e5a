public import JSON
public import MCP

/// What a user did with a form or a web page.
public enum ElicitationAnswer<Content: Sendable>: Sendable {
    /// Filled in, or agreed to.
    case accepted(Content)
    /// Refused.
    case declined
    /// Closed without a decision.
    case cancelled

    /// What was filled in, if it was.
    public var content: Content? {
        if case .accepted(let content) = self { content } else { nil }
    }
}

/// What a client's language model said.
public struct SamplingAnswer: Sendable {
    /// The blocks of the answer, as the specification has them: text, images, `tool_use`.
    public let content: [JSONObject]
    /// The model that answered.
    public let model: String
    /// Why the model stopped, such as `endTurn`.
    public let stopReason: String?

    /// The text blocks, joined.
    public var text: String {
        self.content.compactMap { $0["text"]?.stringValue }.joined()
    }
}

/// A directory that a client works on.
public struct Root: Sendable, Hashable {
    /// The directory as an address, such as `file:///home/ada/project`.
    public let uri: String
    /// What people call it.
    public let name: String?
}

/// How a handler asks the user, or the client's model.
///
/// The same handler serves clients of all revisions. On a session, the client is asked while the handler waits. Since
/// 2026-07-28 the handler is ended by its question and run again, from its beginning, once the client has sent the
/// answer along: so ask before doing anything that must not happen twice, and let `try` pass the error on. Questions are
/// told apart by their key; without one they are counted, and then have to come in the same order each time.
extension ToolContext {
    /// Whether the client can be asked this.
    public func canAsk(_ request: InputRequest) -> Bool {
        self.interaction?.input.canAsk(request) ?? false
    }

    /// Asks several questions at once.
    ///
    /// - Parameter questions: What is asked, by key.
    /// - Returns: The result of each, as the specification has it, checked against what was asked.
    /// - Throws: ``ToolError`` or `MCPError` if the client can't be asked or answers nonsense. Other errors end the
    ///   request so that the client can answer; they have to be passed on.
    public func ask(_ questions: [(key: String, request: InputRequest)]) async throws -> [String: JSONObject] {
        let source: any InputSource = self.interaction?.input ?? NobodyToAsk()
        return try await source.answers(to: questions.map { InputQuestion(key: $0.key, request: $0.request) })
    }

    /// Asks one question.
    public func ask(_ request: InputRequest, key: String? = nil) async throws -> JSONObject {
        let key = key ?? self.interaction?.nextKey() ?? "question-1"
        return try await self.ask([(key, request)])[key] ?? [:]
    }

    /// Lets the user fill in a form that is declared like the arguments of a tool.
    ///
    /// ```swift
    /// struct Trip: ToolArguments {
    ///     @Param("Where to") var destination: String
    ///     @Param("How many travel", .range(1...9)) var travellers: Int = 1
    /// }
    /// guard case .accepted(let trip) = try await context.ask("Where shall we go?", for: Trip.self) else { … }
    /// ```
    public func ask<Form: ToolArguments>(
        _ message: String,
        for form: Form.Type,
        key: String? = nil
    ) async throws -> ElicitationAnswer<Form> {
        let shape = Form.makeShape()
        switch try await self.ask(message, schema: shape.schema, key: key) {
        case .declined: return .declined
        case .cancelled: return .cancelled
        case .accepted(let content):
            var mistakes: [ArgumentMistake] = []
            guard let form = shape.decode(.object(content), &mistakes) else {
                throw ToolError.invalidArguments(mistakes)
            }
            return .accepted(form)
        }
    }

    /// Lets the user fill in a form.
    ///
    /// - Parameters:
    ///   - message: What the form is for.
    ///   - schema: A flat object of strings, numbers, booleans and choices.
    ///   - key: Tells this question from others.
    /// - Returns: What the user did.
    /// - Throws: As asking several questions does.
    public func ask(
        _ message: String,
        schema: JSONObject,
        key: String? = nil
    ) async throws -> ElicitationAnswer<JSONObject> {
        let answer = try await self.ask(.form(message: message, schema: schema), key: key)
        return switch InputRequest.action(of: answer) {
        case .accept: .accepted(answer["content"]?.objectValue ?? [:])
        case .decline: .declined
        case .cancel, nil: .cancelled
        }
    }

    /// Sends the user to a web page, for what must not pass through the client.
    ///
    /// - Parameters:
    ///   - message: Why.
    ///   - url: The page; `https`, and nothing in it that would let whoever has it act as the user.
    ///   - key: Tells this question from others.
    /// - Returns: Whether the user agreed to go there; not whether anything came of it.
    /// - Throws: As asking several questions does.
    public func ask(
        _ message: String,
        toVisit url: String,
        key: String? = nil
    ) async throws -> ElicitationAnswer<Void> {
        let answer = try await self.ask(.url(message: message, url: url), key: key)
        return switch InputRequest.action(of: answer) {
        case .accept: .accepted(())
        case .decline: .declined
        case .cancel, nil: .cancelled
        }
    }

    /// Asks the client's language model.
    public func sample(_ request: SamplingRequest, key: String? = nil) async throws -> SamplingAnswer {
        SamplingAnswer(try await self.ask(.sampling(request), key: key))
    }

    /// The directories that the client works on.
    ///
    /// They are a hint, and no permission.
    public func roots(key: String? = nil) async throws -> [Root] {
        [Root](try await self.ask(.roots, key: key))
    }
}

extension SamplingAnswer {
    /// Reads the result of `sampling/createMessage`.
    public init(_ answer: JSONObject) {
        switch answer["content"] {
        case .array(let blocks): self.content = blocks.compactMap(\.objectValue)
        case .object(let block): self.content = [block]
        default: self.content = []
        }
        self.model = answer["model"]?.stringValue ?? ""
        self.stopReason = answer["stopReason"]?.stringValue
    }
}

extension [Root] {
    /// Reads the result of `roots/list`.
    public init(_ answer: JSONObject) {
        self = (answer["roots"]?.arrayValue ?? []).compactMap { root in
            root["uri"]?.stringValue.map { Root(uri: $0, name: root["name"]?.stringValue) }
        }
    }
}
