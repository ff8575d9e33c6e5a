/// What a query found.
public struct KnowledgeAnswer: Sendable {
    /// What feedback calls the answer.
    public var id = ""

    /// Whether the answer was made for an earlier question of the same meaning.
    public var isCached = false

    /// How a query is answered.
    public typealias Mode = SearchMode

    /// How the query was answered: by words alone where vectors are asked for and there is no embedding model.
    public var mode: Mode

    /// What the reader should know about the answer, such as that the embedding model is missing.
    public var notice: String?

    /// The passages that answer the query, best first; empty when nothing relevant was found.
    public var results: [SearchResult]

    /// Passages that would have been results but were left out, best first.
    public var omitted: [OmittedPassage]

    /// What was searched for: the parts of a question that asks for several things, else the question alone.
    public var parts: [QueryPart]

    /// How many tokens the passages have together, as the embedding model counts them.
    public var tokenCount: Int

    /// The generation of the index that was searched.
    public var generation: Int64

    /// Creates an answer.
    public init(
        mode: Mode,
        notice: String?,
        results: [SearchResult],
        omitted: [OmittedPassage] = [],
        parts: [QueryPart] = [],
        tokenCount: Int = 0,
        generation: Int64
    ) {
        self.mode = mode
        self.notice = notice
        self.results = results
        self.omitted = omitted
        self.parts = parts
        self.tokenCount = tokenCount
        self.generation = generation
    }

    /// How likely the knowledge base holds what was asked for: the least of the parts', because an answer to half a
    /// question isn't one.
    public var confidence: Double { self.parts.map(\.confidence.probability).min() ?? 0 }

    /// Whether some part of the question is probably not in the knowledge base.
    public var isProbablyMissing: Bool { self.parts.contains(where: \.confidence.isProbablyMissing) }
}

/// One thing that a question asks for, and how sure it is that the knowledge base holds it.
public struct QueryPart: Sendable, Hashable {
    public var text: String
    public var confidence: AnswerConfidence

    /// Creates a part.
    public init(text: String, confidence: AnswerConfidence) {
        self.text = text
        self.confidence = confidence
    }
}

/// A passage that was found but isn't among the results, with what it takes to get it.
public struct OmittedPassage: Sendable, Hashable {
    /// Why a passage was left out.
    public enum Reason: String, Sendable, Hashable {
        /// It doesn't fit into the token budget.
        case budget
        /// It says nearly the same as a better passage.
        case duplicate
    }

    public var reason: Reason
    public var documentID: String
    public var source: String
    public var title: String
    public var headingPath: [String]
    /// Where the text lies in the document's text, in UTF-8 byte offsets.
    public var span: Range<Int>
    public var tokenCount: Int
    public var score: Double

    init(_ result: SearchResult, reason: Reason) {
        self.reason = reason
        self.documentID = result.documentID
        self.source = result.source
        self.title = result.title
        self.headingPath = result.headingPath
        self.span = result.span
        self.tokenCount = result.tokenCount
        self.score = result.score
    }
}
