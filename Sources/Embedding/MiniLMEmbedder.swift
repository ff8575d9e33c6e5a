import COpenBLAS
import FoundationEssentials
public import Knowledge
import Synchronization

/// The all-MiniLM-L6-v2 sentence embedding, computed in this process.
///
/// Texts become vectors of 384 components and length 1. What lies beyond the first 254 tokens of a text doesn't count:
/// the model reads 256, of which two mark the beginning and the end.
///
/// The weights are mapped, not read: pages come in as they are used, and several processes share them. Computations run
/// on threads of their own, at most one per core.
///
/// Model: huggingface.co/sentence-transformers/all-MiniLM-L6-v2.
public final class MiniLMEmbedder: Embedder {
    public let model = EmbeddingModel(name: "all-MiniLM-L6-v2", dimension: BertModel.width, maximumTokens: 254)

    private let tokenizer: WordPieceTokenizer
    private let bert: BertModel
    private let queue: ComputeQueue
    private let width: Int
    private let calls = Mutex(0)

    /// How many calls may be under way at once.
    static let maximumCalls = 128

    /// How many tokens one forward pass takes, unless a single text has more: enough that the matrices fill a core, few
    /// enough that memory stays small (14 kB per token) and that a query doesn't wait long behind a document.
    static let maximumBatchTokens = 512

    /// Opens the model.
    ///
    /// - Parameter modelDirectory: Holds `model.safetensors` and `vocab.txt`.
    /// - Throws: ``EmbeddingError`` if they are missing, can't be read, or are something else.
    public init(modelDirectory: String) throws(EmbeddingError) {
        self.tokenizer = WordPieceTokenizer(vocabulary: try Vocabulary(path: modelDirectory + "/vocab.txt"))
        let tensors = try Safetensors(path: modelDirectory + "/model.safetensors")
        self.bert = try BertModel(tensors, vocabularySize: self.tokenizer.vocabulary.count)
        self.width = max(1, ProcessInfo.processInfo.activeProcessorCount)
        self.queue = ComputeQueue(width: self.width)
        // Each forward pass runs on one core, several side by side: better than one pass on several cores, which would
        // have to wait for one another after every matrix.
        openblas_set_num_threads(1)
    }

    public func tokenCount(of text: String) -> Int {
        self.tokenizer.tokens(of: text).count
    }

    public func tokenSpans(of text: String) -> [Range<Int>] {
        self.tokenizer.tokens(of: text).map(\.span)
    }

    /// Returns the vectors of some texts.
    ///
    /// - Throws: ``EmbeddingError/Code/overloaded`` if 128 calls are under way. `CancellationError` if the task is
    ///   cancelled; computations that have begun are finished first, at most one per core.
    public func embed(_ texts: [String]) async throws -> [[Float]] {
        try self.beginCall()
        defer { self.calls.withLock { $0 -= 1 } }
        let sequences = try await self.queue.run { texts.map(self.sequence) }
        var batches = Self.batches(sequences.map(\.count)).makeIterator()
        var vectors = [[Float]](repeating: [], count: texts.count)
        try await withThrowingTaskGroup { group in
            func add(_ batch: [Int]) {
                group.addTask {
                    (batch, try await self.queue.run { self.bert.vectors(of: batch.map { sequences[$0] }) })
                }
            }
            // Only as many batches wait as can run, so that many texts of one call don't hold up those of another.
            for _ in 0..<self.width { batches.next().map(add) }
            while let (batch, results) = try await group.next() {
                for (index, vector) in zip(batch, results) { vectors[index] = vector }
                batches.next().map(add)
            }
        }
        return vectors
    }

    private func beginCall() throws(EmbeddingError) {
        let admitted = self.calls.withLock { calls in
            guard calls < Self.maximumCalls else { return false }
            calls += 1
            return true
        }
        guard admitted else {
            throw EmbeddingError(
                .overloaded,
                "The embedding model is working on \(Self.maximumCalls) requests; try again in a few seconds."
            )
        }
    }

    private func sequence(_ text: String) -> [Int32] {
        let tokens = self.tokenizer.tokens(of: text, limit: self.model.maximumTokens)
        return [self.tokenizer.vocabulary.classification] + tokens.map(\.id) + [self.tokenizer.vocabulary.separator]
    }

    /// Puts sequences of like length together, the longest first, so that the cores end at about the same time.
    ///
    /// - Parameter lengths: The number of tokens of each sequence.
    /// - Returns: The indices of the sequences, batch by batch.
    static func batches(_ lengths: [Int]) -> [[Int]] {
        var batches: [[Int]] = []
        var tokens = 0
        for index in lengths.indices.sorted(by: { lengths[$0] > lengths[$1] }) {
            if batches.isEmpty || tokens + lengths[index] > Self.maximumBatchTokens {
                batches.append([])
                tokens = 0
            }
            batches[batches.count - 1].append(index)
            tokens += lengths[index]
        }
        return batches
    }
}
