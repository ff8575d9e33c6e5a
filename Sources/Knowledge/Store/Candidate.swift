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

    /// Which documents may be found; applied before the limit.
    public var filter: DocumentFilter

    /// Which of the two searches leads to candidates; with ``SearchMode/lexical``, a vector only gives them cosines.
    public var mode: SearchMode

    /// How many chunks before and after each hit are given with it, from 0 to 10.
    public var neighbours: Int

    /// Creates a request.
    public init(
        terms: [String],
        dense: Dense?,
        limit: Int,
        filter: DocumentFilter = DocumentFilter(),
        mode: SearchMode = .hybrid,
        neighbours: Int = 0
    ) {
        self.terms = terms
        self.dense = dense
        self.limit = limit
        self.filter = filter
        self.mode = mode
        self.neighbours = neighbours
    }

    /// Makes sure that the request is within its limits; stores call it before they use one.
    ///
    /// - Throws: ``KnowledgeError/Code/invalidArguments`` with the limit.
    public func check() throws(KnowledgeError) {
        guard (1...1000).contains(self.limit) else {
            throw KnowledgeError(
                .invalidArguments,
                "A search gives 1 to 1000 candidates of each kind, not \(self.limit)."
            )
        }
        guard (0...10).contains(self.neighbours) else {
            throw KnowledgeError(.invalidArguments, "A hit may come with 0 to 10 neighbours, not \(self.neighbours).")
        }
        guard self.terms.count <= 256 else {
            throw KnowledgeError(.invalidArguments, "A search may have 256 words; it has \(self.terms.count).")
        }
        try self.filter.check()
    }
}

/// A chunk that may answer a query.
public struct Candidate: Sendable, Hashable {
    /// The store's own number of the chunk.
    public var chunkID: Int64

    /// The document that the chunk is of.
    public var documentID: String

    /// The place of the chunk among those of its document, from 0.
    public var chunkIndex: Int

    /// How well the words match: BM25, higher is better, 0 if none of them occurs or it isn't among the best.
    public var lexicalScore: Double

    /// The place in the list of the best by words, from 1; nothing if it isn't in that list.
    public var lexicalRank: Int?

    /// The cosine of the angle between the chunk's vector and the query's; nothing without vectors.
    ///
    /// It is exact for every candidate, whichever search led to it.
    public var cosine: Double?

    /// The place in the list of the nearest vectors, from 1; nothing if it isn't in that list.
    public var denseRank: Int?

    /// The score that the ranking gave, for the order and for the answer.
    public var score: Double

    /// Creates a candidate.
    public init(
        chunkID: Int64,
        documentID: String = "",
        chunkIndex: Int = 0,
        lexicalScore: Double,
        lexicalRank: Int? = nil,
        cosine: Double?,
        denseRank: Int? = nil,
        score: Double = 0
    ) {
        self.chunkID = chunkID
        self.documentID = documentID
        self.chunkIndex = chunkIndex
        self.lexicalScore = lexicalScore
        self.lexicalRank = lexicalRank
        self.cosine = cosine
        self.denseRank = denseRank
        self.score = score
    }
}

/// A candidate that was picked, with its chunk.
public struct CandidateHit: Sendable {
    public var candidate: Candidate
    public var chunk: StoredChunk

    /// The chunks that come before it in its document, in order; empty unless neighbours are asked for.
    public var before: [StoredChunk]

    /// The chunks that come after it in its document, in order; empty unless neighbours are asked for.
    public var after: [StoredChunk]

    /// Creates a hit.
    public init(candidate: Candidate, chunk: StoredChunk, before: [StoredChunk] = [], after: [StoredChunk] = []) {
        self.candidate = candidate
        self.chunk = chunk
        self.before = before
        self.after = after
    }
}

/// What a store found.
public struct CandidateResponse: Sendable {
    /// The picked candidates with their chunks, best first.
    public var hits: [CandidateHit]

    /// The generation of the store that was searched.
    public var generation: Int64

    /// Whether chunks of the index lack a vector, because they were ingested without an embedder.
    public var lacksVectors: Bool

    /// In how many chunks of the whole index, whatever the filter, each of the request's terms occurs.
    ///
    /// Empty with ``SearchMode/dense``, which doesn't look at words.
    public var termFrequencies: [String: Int]

    /// How many chunks the whole index holds.
    public var chunkCount: Int

    /// Creates a response.
    public init(
        hits: [CandidateHit],
        generation: Int64,
        lacksVectors: Bool,
        termFrequencies: [String: Int] = [:],
        chunkCount: Int = 0
    ) {
        self.hits = hits
        self.generation = generation
        self.lacksVectors = lacksVectors
        self.termFrequencies = termFrequencies
        self.chunkCount = chunkCount
    }
}
