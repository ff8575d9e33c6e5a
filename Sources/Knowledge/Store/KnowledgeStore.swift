/// Where documents, their chunks and their vectors are kept and looked up.
///
/// An index holds vectors of one embedding model only: the first document with vectors stamps it with the model's name
/// and dimension, and other models are refused from then on, until the index has been brought to another one. Every
/// change is one transaction and raises the generation by at least one; a search sees either all of a change or nothing
/// of it.
///
/// Any method may throw ``KnowledgeError/Code/storeFailed`` and ``KnowledgeError/Code/cancelled``.
public protocol KnowledgeStore: Sendable {
    /// Returns what is in the store.
    func status() async throws(KnowledgeError) -> StoreStatus

    // MARK: Documents

    /// Returns the versions of those of the given documents that are in the store, by document identifier.
    func versions(ofDocuments ids: [String]) async throws(KnowledgeError) -> [String: DocumentVersion]

    /// Writes a document with its chunks, vectors and full-text entries in one transaction, in place of what was
    /// there under its identifier.
    ///
    /// - Returns: Whether the document is new.
    /// - Throws: ``KnowledgeError/Code/modelMismatch`` if the index holds vectors of another model,
    ///   ``KnowledgeError/Code/tooManyVectors`` if it is full; then nothing has changed.
    @discardableResult
    func write(_ document: IndexedDocument) async throws(KnowledgeError) -> Bool

    /// Removes a document with all that belongs to it.
    ///
    /// - Returns: Whether there was such a document.
    @discardableResult
    func delete(documentID: String) async throws(KnowledgeError) -> Bool

    /// Returns a document with its text, or nothing if there is none of this identifier.
    func document(id: String) async throws(KnowledgeError) -> StoredDocument?

    /// Returns documents in the order of their identifiers (compared by their UTF-8).
    ///
    /// - Parameters:
    ///   - cursor: The identifier after which to start, or nothing for the start.
    ///   - limit: The most documents to return, at least 1.
    ///   - filter: Which documents to return.
    /// - Returns: The documents without their texts.
    /// - Throws: ``KnowledgeError/Code/invalidArguments`` if the filter is beyond its limits.
    func documents(
        after cursor: String?,
        limit: Int,
        filter: DocumentFilter
    ) async throws(KnowledgeError) -> [DocumentSummary]

    /// Returns chunks of a document in order; those that don't exist are left out.
    ///
    /// - Parameters:
    ///   - id: The document.
    ///   - indexes: The places of the chunks, from 0.
    /// - Returns: The chunks, at most 1,000.
    /// - Throws: ``KnowledgeError/Code/storeFailed``.
    func chunks(ofDocument id: String, indexes: Range<Int>) async throws(KnowledgeError) -> [StoredChunk]

    // MARK: Searching

    /// Looks up candidates and the chunks that a caller picks of them, in one snapshot of the store.
    ///
    /// - Parameters:
    ///   - request: What to look for.
    ///   - select: Puts the candidates in order and drops those that aren't wanted. It must not block for long.
    /// - Returns: The picked chunks, in the order that `select` gave.
    /// - Throws: ``KnowledgeError/Code/modelMismatch`` if the request's vector is of another model than the index,
    ///   ``KnowledgeError/Code/invalidArguments`` if the request is beyond its limits.
    func search(
        _ request: CandidateRequest,
        select: @escaping @Sendable ([Candidate]) -> [Candidate]
    ) async throws(KnowledgeError) -> CandidateResponse

    // MARK: Vectors

    /// Returns the vectors of texts that the index holds already, so that they needn't be embedded again.
    ///
    /// - Parameters:
    ///   - texts: The fingerprints of the texts; at most 1,000.
    ///   - model: The model that they have to be of.
    /// - Returns: The vectors that were found; none if the index is of another model.
    /// - Throws: ``KnowledgeError/Code/invalidArguments`` for more texts.
    func vectors(
        ofTexts texts: [TextHash],
        model: EmbeddingModel
    ) async throws(KnowledgeError) -> [TextHash: [Float]]

    /// Begins to bring the index to a model, or goes on with it after an interruption. The index serves as it is until
    /// ``finishReindex(model:)``.
    ///
    /// For the model that the index has already, only chunks without a vector get one. What was embedded for a third
    /// model, and not finished, is dropped.
    ///
    /// - Returns: How far it is.
    func beginReindex(model: EmbeddingModel) async throws(KnowledgeError) -> ReindexStatus

    /// Returns chunks that have no vector yet of the model to which the index is being brought, by ascending number.
    ///
    /// - Parameters:
    ///   - chunkID: The number after which to look, or nothing for the start.
    ///   - limit: The most chunks to return.
    /// - Returns: The chunks with what the model has to read.
    /// - Throws: ``KnowledgeError/Code/invalidArguments`` if the index isn't being brought to a model.
    func chunksToEmbed(after chunkID: Int64?, limit: Int) async throws(KnowledgeError) -> [ChunkToEmbed]

    /// Keeps vectors beside those that serve. Those of chunks that are gone meanwhile are dropped.
    ///
    /// - Throws: ``KnowledgeError/Code/modelMismatch`` if the index is being brought to another model.
    func writeEmbeddings(_ vectors: [Int64: [Float]], model: EmbeddingModel) async throws(KnowledgeError)

    /// Puts the new vectors in place of the old ones in one transaction, if every chunk has one.
    ///
    /// - Returns: Whether it is done; if not, ask for ``chunksToEmbed(after:limit:)`` again, because documents were written
    ///   meanwhile.
    /// - Throws: ``KnowledgeError/Code/modelMismatch`` if the index is being brought to another model.
    func finishReindex(model: EmbeddingModel) async throws(KnowledgeError) -> Bool
}

extension KnowledgeStore {
    /// Returns documents in the order of their identifiers, whatever they are.
    public func documents(after cursor: String?, limit: Int) async throws(KnowledgeError) -> [DocumentSummary] {
        try await self.documents(after: cursor, limit: limit, filter: DocumentFilter())
    }
}
