public import Foundation

/// One passage of an answer, with what a citation needs.
///
/// Its text comes from outside and is not to be trusted.
public struct SearchResult: Sendable, Hashable {
    public var documentID: String
    public var source: String
    public var title: String
    /// The content hash of the document that was searched, by which a later reader can tell whether it has changed.
    public var version: String
    public var headingPath: [String]
    /// The chunk that was found.
    public var chunkIndex: Int
    /// All chunks that the passage is made of, in order.
    public var chunkIndexes: ClosedRange<Int>
    public var text: String
    /// Where the text lies in the document's text, in UTF-8 byte offsets.
    public var span: Range<Int>
    /// How many tokens the text has, as the embedding model counts them.
    public var tokenCount: Int
    /// The rank score from 0 to 1, comparable within one answer only.
    public var score: Double
    /// The cosine between query and chunk, comparable across answers; nothing in a lexical answer.
    public var similarity: Double?
    public var indexedAt: Date
    public var sourceUpdatedAt: Date?
    /// Whether the document is older than its source's policy allows.
    public var isStale: Bool
    /// How the score came about.
    public var explanation: RankExplanation

    /// Creates a result.
    public init(
        documentID: String,
        source: String,
        title: String,
        version: String = "",
        headingPath: [String],
        chunkIndex: Int,
        chunkIndexes: ClosedRange<Int>? = nil,
        text: String,
        span: Range<Int>,
        tokenCount: Int = 0,
        score: Double,
        similarity: Double?,
        indexedAt: Date,
        sourceUpdatedAt: Date?,
        isStale: Bool = false,
        explanation: RankExplanation = RankExplanation()
    ) {
        self.documentID = documentID
        self.source = source
        self.title = title
        self.version = version
        self.headingPath = headingPath
        self.chunkIndex = chunkIndex
        self.chunkIndexes = chunkIndexes ?? chunkIndex...chunkIndex
        self.text = text
        self.span = span
        self.tokenCount = tokenCount
        self.score = score
        self.similarity = similarity
        self.indexedAt = indexedAt
        self.sourceUpdatedAt = sourceUpdatedAt
        self.isStale = isStale
        self.explanation = explanation
    }
}

/// Which rank and score each search gave to a result, to see why it stands where it stands.
public struct RankExplanation: Sendable, Hashable {
    /// The place among the best by words, from 1; nothing if it isn't among them.
    public var lexicalRank: Int?
    /// BM25, or 0.
    public var lexicalScore: Double
    /// The place among the nearest by meaning, from 1; nothing if it isn't among them.
    public var denseRank: Int?
    /// The cosine with the question, or with the part of it that found the result.
    public var cosine: Double?
    /// The score that the fusion of the two gave, before re-ranking.
    public var fusedScore: Double
    /// What the re-ranking model gave, if it was asked about this result.
    public var rerankScore: Double?
    /// The part of the question, by its place in ``KnowledgeAnswer/parts``, that led to the result; nothing if the whole
    /// question did.
    public var part: Int?

    /// Creates an explanation.
    public init(
        lexicalRank: Int? = nil,
        lexicalScore: Double = 0,
        denseRank: Int? = nil,
        cosine: Double? = nil,
        fusedScore: Double = 0,
        rerankScore: Double? = nil,
        part: Int? = nil
    ) {
        self.lexicalRank = lexicalRank
        self.lexicalScore = lexicalScore
        self.denseRank = denseRank
        self.cosine = cosine
        self.fusedScore = fusedScore
        self.rerankScore = rerankScore
        self.part = part
    }
}
