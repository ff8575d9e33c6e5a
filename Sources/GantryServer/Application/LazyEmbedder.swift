import Knowledge
import Logging
import Synchronization

/// An embedder that is loaded when a text is to be embedded for the first time, so that a server starts at once and
/// one that nobody asks anything stays small.
final class LazyEmbedder: Embedder {
    let model: EmbeddingModel
    private let load: @Sendable () throws -> any Embedder
    private let logger: Logger
    private let loaded = Mutex<Result<any Embedder, any Error>?>(nil)

    /// Creates an embedder that isn't loaded yet.
    ///
    /// - Parameters:
    ///   - model: What the embedder will be.
    ///   - logger: Where it is logged that the model can't be loaded.
    ///   - load: Loads it. It is called once.
    init(model: EmbeddingModel, logger: Logger, load: @escaping @Sendable () throws -> any Embedder) {
        self.model = model
        self.logger = logger
        self.load = load
    }

    func embed(_ texts: [String]) async throws -> [[Float]] {
        try await self.embed(texts, for: .index)
    }

    func embed(_ texts: [String], for purpose: EmbeddingPurpose) async throws -> [[Float]] {
        try await self.embedder().embed(texts, for: purpose)
    }

    /// Counts nothing if the model can't be loaded: the text fails to embed later, with the reason.
    func tokenCount(of text: String) -> Int {
        (try? self.embedder())?.tokenCount(of: text) ?? 0
    }

    /// Finds nothing if the model can't be loaded: the text fails to embed later, with the reason.
    func tokenSpans(of text: String) -> [Range<Int>] {
        (try? self.embedder())?.tokenSpans(of: text) ?? []
    }

    private func embedder() throws -> any Embedder {
        try self.loaded.withLock { loaded in
            if let loaded { return try loaded.get() }
            let result = Result { try self.load() }
            if case .failure(let error) = result {
                self.logger.error("embedding model unusable", metadata: ["error": "\(error)"])
            }
            loaded = result
            return try result.get()
        }
    }
}
