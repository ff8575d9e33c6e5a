public import Foundation

/// What somebody thinks of an answer of the knowledge base.
public struct Feedback: Sendable, Hashable {
    /// The opinion.
    public enum Verdict: String, Sendable, CaseIterable {
        /// The passages answered the question.
        case helpful
        /// They were about something else.
        case notHelpful = "not_helpful"
        /// They say something that isn't so.
        case wrong
        /// The answer isn't in the knowledge base, and should be.
        case missing
    }

    /// How much feedback stores keep; beyond it, the oldest goes.
    public static let maximumKept = 100_000

    public var verdict: Verdict
    /// The question, or nothing if it isn't known any more.
    public var query: String?
    /// The answer that is meant.
    public var answerID: String?
    /// The document that is meant, if it is one of them.
    public var documentID: String?
    public var comment: String?
    /// Who says so.
    public var principal: String
    public var createdAt: Date

    /// Creates feedback.
    public init(
        _ verdict: Verdict,
        query: String?,
        answerID: String?,
        documentID: String? = nil,
        comment: String? = nil,
        principal: String,
        createdAt: Date
    ) {
        self.verdict = verdict
        self.query = query
        self.answerID = answerID
        self.documentID = documentID
        self.comment = comment
        self.principal = principal
        self.createdAt = createdAt
    }
}

extension Feedback {
    /// What stores tell feedback apart by: there is one opinion of each principal about the same thing.
    package var key: String {
        KnowledgeBase.fingerprint(of: self.principal, self.answerID ?? "", self.query ?? "", self.documentID ?? "")
    }
}

/// Where feedback is kept.
public protocol FeedbackStore: Sendable {
    /// Keeps feedback, in the place of what the same principal said before about the same question, answer and document.
    ///
    /// - Returns: Whether it is new.
    /// - Throws: ``KnowledgeError/Code/storeFailed``.
    @discardableResult
    func record(_ feedback: Feedback) async throws(KnowledgeError) -> Bool

    /// Returns the latest feedback, the newest first.
    ///
    /// - Parameters:
    ///   - since: The time from which on.
    ///   - limit: The most to return, at least 1.
    /// - Returns: The feedback.
    /// - Throws: ``KnowledgeError/Code/storeFailed``.
    func feedback(since: Date, limit: Int) async throws(KnowledgeError) -> [Feedback]

    /// Returns how often each verdict was given since a time; verdicts that weren't given are left out.
    func feedbackCounts(since: Date) async throws(KnowledgeError) -> [Feedback.Verdict: Int]
}
