import Crypto

/// The fingerprint of a text that was embedded, by which its vector is found again.
public struct TextHash: Sendable, Hashable {
    /// SHA-256 of the text's UTF-8.
    public let bytes: [UInt8]

    /// Computes the fingerprint of a text, exactly as the model reads it (``Chunk/embeddedText``).
    public init(_ text: String) { self.bytes = Array(SHA256.hash(data: Array(text.utf8))) }

    /// Takes a fingerprint from a database, or returns nothing if it hasn't 32 bytes.
    public init?(bytes: [UInt8]) {
        guard bytes.count == SHA256.byteCount else { return nil }
        self.bytes = bytes
    }
}

/// A chunk that has no vector of the model to which the index is being brought.
public struct ChunkToEmbed: Sendable, Hashable {
    /// The store's own number of the chunk.
    public var chunkID: Int64
    /// What the model has to read.
    public var text: String

    /// Creates a chunk.
    public init(chunkID: Int64, text: String) {
        self.chunkID = chunkID
        self.text = text
    }
}

/// How far a change of the embedding model is.
public struct ReindexStatus: Sendable, Hashable {
    /// The model to which the index is being brought.
    public var modelName: String
    public var modelDimension: Int
    /// How many chunks have a vector of that model.
    public var embeddedCount: Int
    /// How many chunks there are.
    public var chunkCount: Int

    /// Creates a status.
    public init(modelName: String, modelDimension: Int, embeddedCount: Int, chunkCount: Int) {
        self.modelName = modelName
        self.modelDimension = modelDimension
        self.embeddedCount = embeddedCount
        self.chunkCount = chunkCount
    }
}
