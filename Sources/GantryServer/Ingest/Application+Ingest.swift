import Extraction
import Foundation
public import Knowledge

extension Application {
    /// Ingests the files that some paths mean: see ``FileFinder``.
    ///
    /// - Parameters:
    ///   - paths: Files and directories.
    ///   - progress: Called after each document.
    /// - Returns: What became of each document.
    /// - Throws: A ``KnowledgeError`` if a path isn't there or nothing can be ingested at all.
    public func ingest(
        paths: [String],
        progress: @escaping (IngestProgress) -> Void
    ) async throws(KnowledgeError) -> IngestReport {
        let files = try FileFinder { FileExtractor.canRead(path: $0) }.files(at: paths)
        return try await self.knowledge.ingest(files: files, progress: progress)
    }

    /// Measures retrieval on a labelled collection, with the embedder of this application and a store of its own.
    ///
    /// - Parameters:
    ///   - set: The collection.
    ///   - progress: Called after each document is ingested.
    /// - Returns: The figures.
    /// - Throws: A ``KnowledgeError`` if a document or a query fails.
    public func evaluate(
        _ set: EvaluationSet,
        progress: @escaping (IngestProgress) -> Void
    ) async throws(KnowledgeError) -> Evaluation.Report {
        try await self.withEmptyStore { store throws(KnowledgeError) in
            let base = KnowledgeBase(store: store, embedder: self.embedder, now: { Date() })
            return try await Evaluation(base: base).run(set, progress: progress)
        }
    }

    /// Measures how exactly chunks cover the passages that answer questions, with a store of its own.
    ///
    /// - Parameters:
    ///   - set: Documents, questions and spans.
    ///   - cut: By structure, or into windows for comparison.
    ///   - chunking: The sizes of chunks.
    /// - Returns: The figures.
    /// - Throws: A ``KnowledgeError`` if a document or a query fails.
    public func evaluate(
        _ set: ChunkEvaluationSet,
        cut: ChunkEvaluation.Cut,
        chunking: ChunkingConfiguration
    ) async throws(KnowledgeError) -> ChunkEvaluation.Report {
        try await self.withEmptyStore { store throws(KnowledgeError) in
            var configuration = KnowledgeConfiguration()
            configuration.chunking = chunking
            let base = KnowledgeBase(
                store: store,
                embedder: self.embedder,
                configuration: configuration,
                now: { Date() }
            )
            return try await ChunkEvaluation(base: base).run(set, cut: cut)
        }
    }
}
