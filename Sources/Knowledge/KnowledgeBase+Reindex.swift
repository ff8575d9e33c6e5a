extension KnowledgeBase {
    /// Brings the whole index to the embedding model in use, or gives vectors to chunks that were ingested without one.
    ///
    /// The old vectors go on serving until every chunk has a new one; then all change in one transaction. Documents that
    /// are written meanwhile are taken along. Interrupted, by whatever it may be, it goes on where it was when it is
    /// called again.
    ///
    /// - Parameter progress: Called after each batch.
    /// - Returns: How many chunks were embedded by this call.
    /// - Throws: ``KnowledgeError/Code/embeddingFailed`` if there is no model or it fails, ``KnowledgeError/Code/cancelled``;
    ///   what was embedded before is kept.
    @discardableResult
    public func reindex(progress: (ReindexStatus) -> Void = { _ in }) async throws(KnowledgeError) -> Int {
        guard let embedder = self.embedder else {
            throw KnowledgeError(.embeddingFailed, "The embedding model is missing; run make setup.")
        }
        let model = embedder.model
        var status = try await self.store.beginReindex(model: model)
        progress(status)
        var embedded = 0
        repeat {
            var last: Int64?
            while true {
                guard !Task.isCancelled else {
                    throw KnowledgeError(.cancelled, "The change of the model was cancelled.")
                }
                let chunks = try await self.store.chunksToEmbed(
                    after: last,
                    limit: self.configuration.embeddingBatchSize
                )
                guard let end = chunks.last?.chunkID else { break }
                let vectors = try await embedder.checkedVectors(of: chunks.map(\.text), for: .index)
                try await self.store.writeEmbeddings(
                    Dictionary(uniqueKeysWithValues: zip(chunks.map(\.chunkID), vectors)),
                    model: model
                )
                embedded += chunks.count
                status.embeddedCount = min(status.embeddedCount + chunks.count, status.chunkCount)
                progress(status)
                last = end
            }
        } while try await !self.store.finishReindex(model: model)
        return embedded
    }
}
