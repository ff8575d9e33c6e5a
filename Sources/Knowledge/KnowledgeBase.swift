public import Foundation

/// Documents that can be added, searched by meaning and by words, listed and removed.
///
/// Without an embedder everything works by words alone; answers say so.
public struct KnowledgeBase: Sendable {
    let store: any KnowledgeStore
    let embedder: (any Embedder)?
    let reranker: (any Reranker)?
    let extractor: (any DocumentExtractor)?
    let configuration: KnowledgeConfiguration
    let now: @Sendable () -> Date
    let events: IndexEvents?
    let cache: SemanticCache?
    let freshness: Freshness?
    /// How well questions have been answered.
    public let quality: QualityWatch

    /// Creates a knowledge base.
    ///
    /// - Parameters:
    ///   - store: Where documents are kept.
    ///   - embedder: The embedding model, or nothing if it is missing.
    ///   - reranker: A model that puts the best candidates in order, or nothing for the order of the search.
    ///   - extractor: What finds documents in files; needed by ``ingest(files:progress:)`` only.
    ///   - configuration: Limits and weights.
    ///   - events: Where changes of documents are told.
    ///   - cache: Remembers answers, or nothing to make each anew.
    ///   - freshness: What decides whether a document is stale, or nothing if none ever is.
    ///   - quality: Watches how well questions are answered.
    ///   - now: The present time, for `indexed_at`.
    public init(
        store: any KnowledgeStore,
        embedder: (any Embedder)?,
        reranker: (any Reranker)? = nil,
        extractor: (any DocumentExtractor)? = nil,
        configuration: KnowledgeConfiguration = KnowledgeConfiguration(),
        events: IndexEvents? = nil,
        cache: SemanticCache? = nil,
        freshness: Freshness? = nil,
        quality: QualityWatch = QualityWatch(),
        now: @escaping @Sendable () -> Date
    ) {
        self.store = store
        self.embedder = embedder
        self.reranker = reranker
        self.extractor = extractor
        self.configuration = configuration
        self.now = now
        self.events = events
        self.cache = cache
        self.freshness = freshness
        self.quality = quality
    }

    /// Returns how many documents there are, and by which model they are indexed.
    public func status() async throws(KnowledgeError) -> KnowledgeStatus {
        let stored = try await self.store.status()
        return KnowledgeStatus(
            store: stored,
            embedder: self.embedder?.model,
            mode: self.embedder == nil ? .lexical : .hybrid,
            notice: self.notice(lacksVectors: stored.vectorCount < stored.chunkCount)
        )
    }

    /// Returns documents in the order of their identifiers.
    ///
    /// - Parameters:
    ///   - cursor: The last identifier of the page before, or nothing for the first page.
    ///   - limit: The most documents to return, from 1 to 1,000.
    ///   - filter: Which documents to return.
    /// - Returns: The documents without their texts.
    /// - Throws: ``KnowledgeError/Code/invalidArguments`` for another limit, or a filter beyond its limits.
    public func documents(
        after cursor: String? = nil,
        limit: Int = 100,
        filter: DocumentFilter = DocumentFilter()
    ) async throws(KnowledgeError) -> [DocumentSummary] {
        guard (1...1000).contains(limit) else {
            throw KnowledgeError(.invalidArguments, "The limit is \(limit); give a number from 1 to 1000.")
        }
        return try await self.store.documents(after: cursor, limit: limit, filter: filter)
    }

    /// Returns a document with its text, or nothing if there is none of this identifier.
    public func document(id: String) async throws(KnowledgeError) -> StoredDocument? {
        try await self.store.document(id: id)
    }

    func notice(lacksVectors: Bool) -> String? {
        if self.embedder == nil {
            return "lexical-only: the embedding model is missing; run make setup"
        }
        if lacksVectors {
            return "Some documents were ingested without the embedding model and are found by their words only; "
                + "ingest them again."
        }
        return nil
    }
}

/// What a knowledge base holds and how it answers.
public struct KnowledgeStatus: Sendable {
    public var store: StoreStatus
    /// The model that embeds queries, or nothing if it is missing.
    public var embedder: EmbeddingModel?
    /// How queries are answered now.
    public var mode: KnowledgeAnswer.Mode
    /// What is wrong with the index or the model, for people.
    public var notice: String?
}
