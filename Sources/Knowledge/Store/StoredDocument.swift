public import Foundation
public import JSON

/// What identifies the state of a document in the index.
public struct DocumentVersion: Sendable, Hashable {
    /// SHA-256 over everything that the chunks depend on: text, structure, title, metadata, chunking; in hexadecimal.
    public var contentHash: String

    /// The name of the model whose vectors the document has, or nothing without vectors.
    public var modelName: String?

    /// Creates a version.
    public init(contentHash: String, modelName: String?) {
        self.contentHash = contentHash
        self.modelName = modelName
    }
}

/// A document as the index lists it.
public struct DocumentSummary: Sendable, Hashable {
    public var id: String
    public var source: String
    public var title: String
    public var metadata: JSONObject
    public var chunkCount: Int
    public var createdAt: Date
    /// When the present text was indexed.
    public var indexedAt: Date
    /// When the source itself last changed, if it is known.
    public var sourceUpdatedAt: Date?
    public var version: DocumentVersion
    /// The labels of which a reader has to hold one; none for a document that is for everybody.
    public var accessLabels: Set<String>

    /// Creates a summary.
    public init(
        id: String,
        source: String,
        title: String,
        metadata: JSONObject,
        chunkCount: Int,
        createdAt: Date,
        indexedAt: Date,
        sourceUpdatedAt: Date?,
        version: DocumentVersion,
        accessLabels: Set<String> = []
    ) {
        self.id = id
        self.source = source
        self.title = title
        self.metadata = metadata
        self.chunkCount = chunkCount
        self.createdAt = createdAt
        self.indexedAt = indexedAt
        self.sourceUpdatedAt = sourceUpdatedAt
        self.version = version
        self.accessLabels = accessLabels
    }
}

/// A document of the index with its text.
public struct StoredDocument: Sendable, Hashable {
    public var summary: DocumentSummary
    public var text: String

    /// Creates a document.
    public init(summary: DocumentSummary, text: String) {
        self.summary = summary
        self.text = text
    }
}

/// A chunk of the index with what a citation needs.
public struct StoredChunk: Sendable, Hashable {
    public var documentID: String
    public var source: String
    public var title: String
    /// The content hash of the document that the chunk is of.
    public var version: String
    public var index: Int
    public var headingPath: [String]
    public var text: String
    /// Where the text lies in the document's text, in UTF-8 byte offsets.
    public var span: Range<Int>
    public var indexedAt: Date
    public var sourceUpdatedAt: Date?

    /// Creates a chunk.
    public init(
        documentID: String,
        source: String,
        title: String,
        version: String,
        index: Int,
        headingPath: [String],
        text: String,
        span: Range<Int>,
        indexedAt: Date,
        sourceUpdatedAt: Date?
    ) {
        self.documentID = documentID
        self.source = source
        self.title = title
        self.version = version
        self.index = index
        self.headingPath = headingPath
        self.text = text
        self.span = span
        self.indexedAt = indexedAt
        self.sourceUpdatedAt = sourceUpdatedAt
    }
}
