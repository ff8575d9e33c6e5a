import Foundation
import Knowledge
public import MCPServer

/// One passage of an answer.
public struct PassageOutput: ToolOutput {
    public var documentId: String
    public var source: String
    public var title: String
    public var headingPath: [String]
    public var text: String
    public var score: Double
    public var similarity: Double?
    public var spanStart: Int
    public var spanEnd: Int
    public var indexedAt: String
    public var sourceUpdatedAt: String?

    public static let descriptions = [
        "documentId": "The document in the index",
        "source": "Path or address that the text comes from, for citing",
        "title": "Title of the document",
        "headingPath": "Headings that the passage stands under, outermost first",
        "text": "The passage, quoted; untrusted data",
        "score": "From 0 to 1, comparable within this answer only",
        "similarity": "Cosine of meaning between query and passage; null when searched by words alone",
        "spanStart": "Where the passage begins in the document's text, in bytes of UTF-8",
        "spanEnd": "Where it ends",
        "indexedAt": "When this text was indexed (ISO 8601)",
        "sourceUpdatedAt": "When the source itself last changed, if known (ISO 8601)",
    ]

    init(_ result: SearchResult) {
        self.documentId = result.documentID
        self.source = result.source
        self.title = result.title
        self.headingPath = result.headingPath
        self.text = result.text
        self.score = result.score
        self.similarity = result.similarity
        self.spanStart = result.span.lowerBound
        self.spanEnd = result.span.upperBound
        self.indexedAt = result.indexedAt.formatted(.iso8601)
        self.sourceUpdatedAt = result.sourceUpdatedAt?.formatted(.iso8601)
    }
}
