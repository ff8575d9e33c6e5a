public import Foundation

/// A document that is ready to be written: split, embedded and stamped.
public struct IndexedDocument: Sendable {
    /// A chunk with its vector and the extra words that it is found by.
    public struct Entry: Sendable {
        public var chunk: Chunk

        /// The parts of identifiers such as `maxRetries`, separated by spaces, which the words of the text miss.
        public var identifierParts: String

        /// A vector of length 1, or nothing without an embedder.
        public var vector: [Float]?

        /// Creates an entry.
        public init(chunk: Chunk, identifierParts: String, vector: [Float]?) {
            self.chunk = chunk
            self.identifierParts = identifierParts
            self.vector = vector
        }
    }

    public var document: Document
    public var contentHash: String

    /// The model of the vectors, or nothing if the entries have none.
    public var model: EmbeddingModel?
    public var entries: [Entry]
    public var indexedAt: Date

    /// Creates a document that is ready to be written.
    public init(
        document: Document,
        contentHash: String,
        model: EmbeddingModel?,
        entries: [Entry],
        indexedAt: Date
    ) {
        self.document = document
        self.contentHash = contentHash
        self.model = model
        self.entries = entries
        self.indexedAt = indexedAt
    }
}
