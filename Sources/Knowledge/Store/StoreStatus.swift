/// What is in a store.
public struct StoreStatus: Sendable, Hashable {
    public var documentCount: Int
    public var chunkCount: Int
    /// How many chunks have a vector; the others are found by their words only.
    public var vectorCount: Int
    /// Grows with every change, so that callers can tell whether a cached answer is still good.
    public var generation: Int64
    /// The name of the model whose vectors the index holds, or nothing before the first vector.
    public var modelName: String?
    /// The dimension of those vectors.
    public var modelDimension: Int?
    /// How far a change of the model is, while there is one.
    public var reindex: ReindexStatus?

    /// Creates a status.
    public init(
        documentCount: Int,
        chunkCount: Int,
        vectorCount: Int,
        generation: Int64,
        modelName: String?,
        modelDimension: Int?,
        reindex: ReindexStatus? = nil
    ) {
        self.documentCount = documentCount
        self.chunkCount = chunkCount
        self.vectorCount = vectorCount
        self.generation = generation
        self.modelName = modelName
        self.modelDimension = modelDimension
        self.reindex = reindex
    }
}
