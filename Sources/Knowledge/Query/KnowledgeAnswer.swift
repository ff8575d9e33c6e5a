public import Foundation

/// What a query found.
public struct KnowledgeAnswer: Sendable {
    /// How a query is answered.
    public typealias Mode = SearchMode

    public var mode: Mode

    /// What the reader should know about the answer, such as that the embedding model is missing.
    public var notice: String?

    /// The chunks that answer the query, best first; empty when nothing relevant was found.
    public var results: [SearchResult]

    /// The generation of the index that was searched.
    public var generation: Int64

    /// Creates an answer.
    public init(mode: Mode, notice: String?, results: [SearchResult], generation: Int64) {
        self.mode = mode
        self.notice = notice
        self.results = results
        self.generation = generation
    }
}

/// One chunk of an answer, with what a citation needs.
///
/// Its text comes from outside and is not to be trusted.
public struct SearchResult: Sendable, Hashable {
    public var documentID: String
    public var source: String
    public var title: String
    public var headingPath: [String]
    public var chunkIndex: Int
    public var text: String
    /// Where the text lies in the document's text, in UTF-8 byte offsets.
    public var span: Range<Int>
    /// The rank score from 0 to 1, comparable within one answer only.
    public var score: Double
    /// The cosine between query and chunk, comparable across answers; nothing in a lexical answer.
    public var similarity: Double?
    public var indexedAt: Date
    public var sourceUpdatedAt: Date?

    /// Creates a result.
    public init(
        documentID: String,
        source: String,
        title: String,
        headingPath: [String],
        chunkIndex: Int,
        text: String,
        span: Range<Int>,
        score: Double,
        similarity: Double?,
        indexedAt: Date,
        sourceUpdatedAt: Date?
    ) {
        self.documentID = documentID
        self.source = source
        self.title = title
        self.headingPath = headingPath
        self.chunkIndex = chunkIndex
        self.text = text
        self.span = span
        self.score = score
        self.similarity = similarity
        self.indexedAt = indexedAt
        self.sourceUpdatedAt = sourceUpdatedAt
    }
}
