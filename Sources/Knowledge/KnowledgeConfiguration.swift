/// The limits and weights of a knowledge base.
public struct KnowledgeConfiguration: Sendable {
    /// How documents are split.
    public var chunking = ChunkingConfiguration()

    /// How candidates become an order.
    public var ranking = RankingConfiguration()

    /// The most candidates that each of the two searches gives.
    public var candidateLimit = 100

    /// How many of the best candidates a re-ranking model is asked about.
    public var rerankDepth = 50

    /// The most characters of a query.
    public var maximumQueryLength = 4000

    /// The most results of one query.
    public var maximumTopK = 200

    /// How many chunks are embedded in one call; also the most chunks of whole documents that wait for it.
    public var embeddingBatchSize = 64

    /// Creates a configuration with the measured defaults.
    public init() {}
}
