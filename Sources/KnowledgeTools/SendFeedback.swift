public import Foundation
public import Knowledge
public import MCPServer

/// Takes an opinion about an answer.
public struct SendFeedback: Tool {
    public static let name: ToolName = "knowledge.feedback"
    public static let title: String? = "Rate an answer"
    public static let description = """
        Notes whether an answer of knowledge.query was any good, for those who look after the knowledge base.

        Use this tool when: passages turned out to be wrong or outdated, or the answer should be in the knowledge base \
        and isn't; or when the user says that an answer was helpful or not.
        Do not use it for: rating your own answers, or every query.

        Give the answer_id of the answer, or the query. Verdicts: helpful; not_helpful (about something else); wrong (says \
        something that isn't so); missing (should be there and isn't). Example: {"answer_id": "8f2c…", "verdict": \
        "wrong", "document_id": "docs/keys.md", "comment": "The rotation takes 30 days now."}

        Giving the same opinion again changes nothing; another one takes the place of the first.
        """
    public static let effect: Effect = .write(idempotent: true)
    public static let permission: Permission = "knowledge:feedback"

    public enum Verdict: String, ToolEnum {
        case helpful
        case notHelpful = "not_helpful"
        case wrong, missing
    }

    public struct Arguments: ToolArguments {
        @Param("The opinion") public var verdict: Verdict
        @Param("answer_id of the answer", .check { ($0?.utf8.count ?? 1) <= 64 ? nil : "Expected answer_id." })
        public var answerId: String?
        @Param("The question, if there is no answer_id", .check { SendFeedback.problem($0, maximum: 4000) })
        public var query: String?
        @Param("The document that is meant, if it is one", .check { SendFeedback.problem($0, maximum: 1024) })
        public var documentId: String?
        @Param("Why, in a sentence; no secrets", .check { SendFeedback.problem($0, maximum: 2000) })
        public var comment: String?
        public init() {}
    }

    public struct Output: ToolOutput {
        public var recorded: Bool
        public var isNew: Bool
        public static let descriptions = [
            "recorded": "Whether the opinion is noted",
            "isNew": "False if you gave an opinion about this before; the new one counts",
        ]
    }

    private let quality: QualityWatch
    private let store: any FeedbackStore
    private let now: @Sendable () -> Date

    /// Creates the tool.
    ///
    /// - Parameters:
    ///   - quality: Knows the question of a recent answer.
    ///   - store: Keeps feedback.
    ///   - now: The present time.
    public init(quality: QualityWatch, store: any FeedbackStore, now: @escaping @Sendable () -> Date) {
        self.quality = quality
        self.store = store
        self.now = now
    }

    public func call(_ arguments: Arguments, _ context: ToolContext) async throws -> Output {
        let query = arguments.query ?? arguments.answerId.flatMap(self.quality.question)
        guard let query else {
            let message =
                arguments.answerId == nil
                ? "Neither answer_id nor query is given." : "There is no recent answer of this answer_id."
            throw ToolError(
                arguments.answerId == nil ? .invalidArguments : .notFound,
                message,
                suggestedAction: "Call again with query: the text of the question."
            )
        }
        let feedback = Feedback(
            Feedback.Verdict(rawValue: arguments.verdict.rawValue) ?? .helpful,
            query: query,
            answerID: arguments.answerId,
            documentID: arguments.documentId,
            comment: arguments.comment,
            principal: context.principal.id,
            createdAt: self.now()
        )
        do {
            return Output(recorded: true, isNew: try await self.store.record(feedback))
        } catch {
            throw ToolError(knowledge: error)
        }
    }

    static func problem(_ text: String?, maximum: Int) -> String? {
        guard let text else { return nil }
        return (1...maximum).contains(text.unicodeScalars.count) ? nil : "Expected 1 to \(maximum) characters."
    }
}
