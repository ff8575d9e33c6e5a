extension Embedder {
    /// Embeds texts and makes sure that the answer has the promised shape.
    ///
    /// - Throws: ``KnowledgeError/Code/embeddingFailed``, or ``KnowledgeError/Code/cancelled``.
    func checkedVectors(
        of texts: [String],
        for purpose: EmbeddingPurpose
    ) async throws(KnowledgeError) -> [[Float]] {
        let vectors: [[Float]]
        do {
            vectors = try await self.embed(texts, for: purpose)
        } catch is CancellationError {
            throw KnowledgeError(.cancelled, "The task was cancelled.")
        } catch {
            let reason = (error as? any EmbedderFailure).map { " \($0.message)" } ?? ""
            throw KnowledgeError(
                .embeddingFailed,
                "The embedding model \(self.model.name) failed.\(reason)",
                cause: error
            )
        }
        guard vectors.count == texts.count, vectors.allSatisfy({ $0.count == self.model.dimension }) else {
            throw KnowledgeError(
                .embeddingFailed,
                "The embedding model \(self.model.name) didn't answer with \(texts.count) vectors of "
                    + "\(self.model.dimension) components."
            )
        }
        guard vectors.allSatisfy({ $0.allSatisfy(\.isFinite) }) else {
            throw KnowledgeError(
                .embeddingFailed,
                "The embedding model \(self.model.name) answered with a vector that isn't made of numbers."
            )
        }
        return vectors
    }
}
