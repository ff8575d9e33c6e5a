/// The identity and the limits of an embedding model.
///
/// The name and the dimension are stamped on an index: vectors of two models are not comparable, even when they have
/// the same dimension.
public struct EmbeddingModel: Sendable, Hashable {
    /// The name that tells this model, and this precision of it, from every other one.
    public var name: String

    /// The number of components of each vector.
    public var dimension: Int

    /// The number of tokens that the model reads of one text, without the special tokens that it adds; the rest is cut
    /// off.
    public var maximumTokens: Int

    /// Creates the description of a model.
    public init(name: String, dimension: Int, maximumTokens: Int) {
        self.name = name
        self.dimension = dimension
        self.maximumTokens = maximumTokens
    }
}

/// Something that turns text into vectors whose dot products say how alike the texts are in meaning.
public protocol Embedder: Sendable {
    /// The model behind the vectors.
    var model: EmbeddingModel { get }

    /// Returns one vector per text, in the order of the texts.
    ///
    /// - Parameter texts: The texts to embed. Text beyond the model's token limit is cut off.
    /// - Returns: Vectors of length 1 with `model.dimension` components.
    /// - Throws: What the model throws; `CancellationError` if the task is cancelled.
    func embed(_ texts: [String]) async throws -> [[Float]]

    /// Returns one vector per text, as ``embed(_:)`` does, and may treat those that somebody waits for before others.
    ///
    /// Embedders to which it makes no difference need only ``embed(_:)``.
    func embed(_ texts: [String], for purpose: EmbeddingPurpose) async throws -> [[Float]]

    /// Returns the number of tokens of a text, without the special tokens that the model adds.
    func tokenCount(of text: String) -> Int

    /// Returns where each token lies in the original text, in order.
    ///
    /// - Returns: Ranges of UTF-8 byte offsets.
    func tokenSpans(of text: String) -> [Range<Int>]
}

/// What vectors are wanted for.
public enum EmbeddingPurpose: Sendable {
    /// To be kept in an index.
    case index
    /// To look something up, while somebody waits for it.
    case query
}

extension Embedder {
    public func embed(_ texts: [String], for purpose: EmbeddingPurpose) async throws -> [[Float]] {
        try await self.embed(texts)
    }
}

/// Why an embedder failed, in words that are fit for whoever asked: what is wrong, and what to do about it.
public protocol EmbedderFailure: Error {
    var message: String { get }
}
