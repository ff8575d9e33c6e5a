/// A store that can tell which documents were changed, by whichever process.
///
/// A process hears of its own changes and of those of its replicas through ``IndexEvents``. Another program that uses the
/// same store, such as `gantry ingest` beside `gantry serve`, isn't on that bus; its changes are read here.
public protocol IndexChangeLog: Sendable {
    /// The documents that were changed after a generation.
    ///
    /// - Parameters:
    ///   - generation: The generation up to which changes are known.
    ///   - limit: The most documents to name, at least 1.
    /// - Returns: The changes.
    /// - Throws: ``KnowledgeError/Code/storeFailed``.
    func changes(after generation: Int64, limit: Int) async throws(KnowledgeError) -> IndexChanges
}

/// The documents that were changed since some generation.
public struct IndexChanges: Sendable, Hashable {
    /// The generation up to which the changes go.
    public var generation: Int64

    /// The changed documents, each once, and whether they are there now; nothing if they are more than asked for or too
    /// long past to be named, so that any document may have changed.
    public var documents: [String: Bool]?

    /// Creates changes.
    public init(generation: Int64, documents: [String: Bool]?) {
        self.generation = generation
        self.documents = documents
    }
}
