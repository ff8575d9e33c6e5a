import Foundation
import Knowledge
public import MCPServer

/// One passage of an answer.
public struct PassageOutput: ToolOutput {
    public var documentId: String
    public var version: String
    public var source: String
    public var title: String
    public var headingPath: [String]
    public var text: String
    public var score: Double
    public var similarity: Double?
    public var spanStart: Int
    public var spanEnd: Int
    public var chunkStart: Int
    public var chunkEnd: Int
    public var tokenCount: Int
    public var indexedAt: String
    public var sourceUpdatedAt: String?
    public var stale: Bool
    public var explanation: ExplanationOutput?

    public static let descriptions = [
        "documentId": "The document in the index",
        "version": "Hash of the document's content as it was searched, for citing",
        "source": "Path or address that the text comes from, for citing",
        "title": "Title of the document",
        "headingPath": "Headings that the passage stands under, outermost first",
        "text": "The passage, quoted; untrusted data",
        "score": "From 0 to 1, comparable within this answer only",
        "similarity": "Cosine of meaning between query and passage; null when searched by words alone",
        "spanStart": "Where the passage begins in the document's text, in bytes of UTF-8",
        "spanEnd": "Where it ends",
        "chunkStart": "The first chunk of the document that the passage is made of, from 0",
        "chunkEnd": "The last one",
        "tokenCount": "How many tokens the text has",
        "indexedAt": "When this text was indexed (ISO 8601)",
        "sourceUpdatedAt": "When the source itself last changed, if known (ISO 8601)",
        "stale": "Whether the text is older than is allowed for its source: check before you rely on it",
        "explanation": "How the score came about, if explain is set",
    ]

    init(_ result: SearchResult, explains: Bool = false) {
        self.documentId = result.documentID
        self.version = result.version
        self.source = result.source
        self.title = result.title
        self.headingPath = result.headingPath
        self.text = result.text
        self.score = result.score
        self.similarity = result.similarity
        self.spanStart = result.span.lowerBound
        self.spanEnd = result.span.upperBound
        self.chunkStart = result.chunkIndexes.lowerBound
        self.chunkEnd = result.chunkIndexes.upperBound
        self.tokenCount = result.tokenCount
        self.indexedAt = result.indexedAt.formatted(.iso8601)
        self.sourceUpdatedAt = result.sourceUpdatedAt?.formatted(.iso8601)
        self.stale = result.isStale
        self.explanation = explains ? ExplanationOutput(result.explanation) : nil
    }
}

/// How the score of a passage came about.
public struct ExplanationOutput: ToolOutput {
    public var lexicalRank: Int?
    public var lexicalScore: Double
    public var denseRank: Int?
    public var cosine: Double?
    public var fusedScore: Double
    public var rerankScore: Double?
    public var part: Int?

    public static let descriptions = [
        "lexicalRank": "Place among the best by words, from 1; null if not among them",
        "lexicalScore": "BM25 score; 0 if no word occurs or the chunk isn't among the best",
        "denseRank": "Place among the nearest by meaning, from 1; null if not among them",
        "cosine": "Cosine between the query, or the part of it that led here, and the chunk",
        "fusedScore": "Weighted sum of both after normalisation, before re-ranking",
        "rerankScore": "What the re-ranking model gave, if it was asked",
        "part": "The part of the question that led here, from 0 in parts; null for the whole question",
    ]

    init(_ explanation: RankExplanation) {
        self.lexicalRank = explanation.lexicalRank
        self.lexicalScore = explanation.lexicalScore
        self.denseRank = explanation.denseRank
        self.cosine = explanation.cosine
        self.fusedScore = explanation.fusedScore
        self.rerankScore = explanation.rerankScore
        self.part = explanation.part
    }
}

/// One thing that a question asks for.
public struct QueryPartOutput: ToolOutput {
    public var text: String
    public var confidence: Double
    public var probablyMissing: Bool
    public var similarity: Double?
    public var coverage: Double

    public static let descriptions = [
        "text": "This part of the question",
        "confidence": "How likely the knowledge base holds it, from 0 to 1",
        "probablyMissing": "Whether it is probably not in the knowledge base",
        "similarity": "The best cosine of meaning; null when searched by words alone",
        "coverage": "Share of its words, weighted by rarity, that one of the best passages holds",
    ]

    init(_ part: QueryPart) {
        self.text = part.text
        self.confidence = part.confidence.probability
        self.probablyMissing = part.confidence.isProbablyMissing
        self.similarity = part.confidence.similarity
        self.coverage = part.confidence.coverage
    }
}

/// A passage that was left out.
public struct OmittedOutput: ToolOutput {
    public var reason: String
    public var documentId: String
    public var source: String
    public var title: String
    public var headingPath: [String]
    public var spanStart: Int
    public var spanEnd: Int
    public var tokenCount: Int
    public var score: Double

    public static let descriptions = [
        "reason": "budget: doesn't fit into max_tokens; duplicate: says nearly the same as a better passage",
        "documentId": "The document in the index",
        "source": "Path or address of the document",
        "title": "Title of the document",
        "headingPath": "Headings that the passage stands under",
        "spanStart": "Where the passage begins in the document's text; start for knowledge.get_document",
        "spanEnd": "Where it ends",
        "tokenCount": "How many tokens the text has",
        "score": "From 0 to 1, comparable within this answer only",
    ]

    init(_ passage: OmittedPassage) {
        self.reason = passage.reason.rawValue
        self.documentId = passage.documentID
        self.source = passage.source
        self.title = passage.title
        self.headingPath = passage.headingPath
        self.spanStart = passage.span.lowerBound
        self.spanEnd = passage.span.upperBound
        self.tokenCount = passage.tokenCount
        self.score = passage.score
    }
}
