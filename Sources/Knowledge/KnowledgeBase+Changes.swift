/// The ways in which the index changes; all of them pass here, so that none is kept from those who listen.
extension KnowledgeBase {
    /// Writes a document, and tells of it once it is committed.
    ///
    /// - Returns: Whether the document is new.
    func write(_ document: IndexedDocument) async throws(KnowledgeError) -> Bool {
        let isNew = try await self.store.write(document)
        await self.events?.publish(IndexEvent(.indexed, documentID: document.document.id, changesList: isNew))
        return isNew
    }

    /// Removes a document with its chunks, vectors and full-text entries.
    ///
    /// - Returns: Whether there was such a document.
    @discardableResult
    public func delete(documentID: String) async throws(KnowledgeError) -> Bool {
        let existed = try await self.store.delete(documentID: documentID)
        if existed { await self.events?.publish(IndexEvent(.deleted, documentID: documentID, changesList: true)) }
        return existed
    }

    /// Notes that a document is the same as its source, where the age of its source's documents is watched.
    func noteUnchanged(_ document: Document) async throws(KnowledgeError) {
        guard let freshness = self.freshness, freshness.policy.maximumAge(ofSource: document.source) != nil else {
            return
        }
        try await freshness.store.noteChecked([document.id], at: self.now())
    }

    /// The identifiers of those of some documents that are older than the policy of their source allows.
    public func stale(among documents: [DocumentSummary]) async throws(KnowledgeError) -> Set<String> {
        guard let freshness = self.freshness else { return [] }
        return try await freshness.stale(
            of: documents.map { Freshness.Item(id: $0.id, source: $0.source, indexedAt: $0.indexedAt) },
            now: self.now()
        )
    }
}
