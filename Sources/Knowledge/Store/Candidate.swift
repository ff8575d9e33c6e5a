/// What a store should look for.
public struct CandidateRequest: Sendable {
    /// A vector and the model that it is from.
    public struct Dense: Sendable {
        public var vector: [Float]
        public var model: EmbeddingModel

        /// Creates the dense half of a request.
        public init(vector: [Float], model: EmbeddingModel) {
            self.vector = vector
            self.model = model
        }
    }

    /// The words to look for; a chunk that holds any of them is a candidate.
    public var terms: [String]

    /// The vector to look for, or nothing for a search by words alone.
    public var dense: Dense?

    /// The most candidates of each kind.
    public var limit: Int

    /// Creates a request.
    public init(terms: [String], dense: Dense?, limit: Int) {
        self.terms = terms
        self.dense = dense
        self.limit = limit
    }
}

/// A chunk that may answer a query.
public struct Candidate: Sendable, Hashable {
    /// The store's own number of the chunk.
    public var chunkID: Int64

    /// How well the words match: BM25, higher is better, 0 if none of them occurs or it isn't among the best.
    public var lexicalScore: Double

    /// The cosine of the angle between the chunk's vector and the query's; nothing without vectors.
    public var cosine: Double?

    /// The score that the ranking gave, for the order and for the answer.
    public var score: Double

    /// Creates a candidate.
    public init(chunkID: Int64, lexicalScore: Double, cosine: Double?, score: Double = 0) {
        self.chunkID = chunkID
        self.lexicalScore = lexicalScore
        self.cosine = cosine
        self.score = score
    }
}

/// What a store found.
public struct CandidateResponse: Sendable {
    /// The picked candidates with their chunks, best first.
    public var hits: [(candidate: Candidate, chunk: StoredChunk)]

    /// The generation of the store that was searched.
    public var generation: Int64

    /// Whether chunks of the index lack a vector, because they were ingested without an embedder.
    public var lacksVectors: Bool

    /// Creates a response.
    public init(hits: [(candidate: Candidate, chunk: StoredChunk)], generation: Int64, lacksVectors: Bool) {
        self.hits = hits
        self.generation = generation
        self.lacksVectors = lacksVectors
    }
}
