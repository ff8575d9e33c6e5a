/// Where documents, their chunks and their vectors are kept and looked up.
///
/// An index holds vectors of one embedding model only: the first document with vectors stamps it with the model's name
/// and dimension, and other models are refused from then on. Every change is one transaction and raises the
/// generation by at least one; a search sees either all of a change or nothing of it.
public protocol KnowledgeStore: Sendable {
    /// Returns what is in the store.
    func status() async throws(KnowledgeError) -> StoreStatus

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
    /// - Returns: The documents without their texts.
    /// - Throws: ``KnowledgeError/Code/storeFailed``.
    func documents(after cursor: String?, limit: Int) async throws(KnowledgeError) -> [DocumentSummary]

    /// Looks up candidates and the chunks that a caller picks of them, in one snapshot of the store.
    ///
    /// - Parameters:
    ///   - request: What to look for.
    ///   - select: Puts the candidates in order and drops those that aren't wanted. It must not block for long.
    /// - Returns: The picked chunks, in the order that `select` gave.
    /// - Throws: ``KnowledgeError/Code/modelMismatch`` if the request's vector is of another model than the index.
    func search(
        _ request: CandidateRequest,
        select: @escaping @Sendable ([Candidate]) -> [Candidate]
    ) async throws(KnowledgeError) -> CandidateResponse
}
