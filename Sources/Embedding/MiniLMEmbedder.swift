import COpenBLAS
import Dispatch
import Foundation
public import Knowledge

/// The all-MiniLM-L6-v2 sentence embedding, computed in this process.
///
/// The weights are mapped, not read: pages come in as they are used, and several processes share them. Work runs on
/// threads of its own, one per core, so that nothing waits in Swift's cooperative pool.
public final class MiniLMEmbedder: Embedder {
    /// The name, dimension and token limit of the model, which are known before it is opened.
    public static let model = EmbeddingModel(
        name: "all-MiniLM-L6-v2",
        dimension: BertModel.width,
        maximumTokens: 254
    )

    public var model: EmbeddingModel { Self.model }

    private let tokenizer: WordPieceTokenizer
    private let bert: BertModel
    private let lanes: [DispatchQueue]

    /// How many tokens one forward pass takes, so that its memory stays bounded (about 40 MB).
    private static let maximumBatchTokens = 2048

    /// Opens the model.
    ///
    /// - Parameter modelDirectory: Holds `model.safetensors` and `vocab.txt`.
    /// - Throws: ``EmbeddingError`` if they are missing or are something else.
    public init(modelDirectory: String) throws(EmbeddingError) {
        guard let vocabulary = try? String(contentsOfFile: modelDirectory + "/vocab.txt", encoding: .utf8) else {
            throw EmbeddingError(
                .modelMissing,
                "The embedding model's vocabulary is not in \(modelDirectory); `make setup` fetches it."
            )
        }
        self.tokenizer = try WordPieceTokenizer(vocabulary: vocabulary)
        let tensors = try Safetensors(path: modelDirectory + "/model.safetensors")
        self.bert = try BertModel(tensors, vocabularySize: self.tokenizer.vocabularySize)
        // Each pass runs on one core; several passes run side by side.
        openblas_set_num_threads(1)
        self.lanes = (0..<max(1, ProcessInfo.processInfo.activeProcessorCount)).map {
            DispatchQueue(label: "gantry.embedding.\($0)")
        }
    }

    public func tokenCount(of text: String) -> Int {
        self.tokenizer.tokens(of: text).count
    }

    public func tokenSpans(of text: String) -> [Range<Int>] {
        self.tokenizer.tokens(of: text).map(\.span)
    }

    /// The vectors of some texts.
    ///
    /// What lies beyond 254 tokens of a text is not seen by the model.
    ///
    /// - Throws: `CancellationError` if the task is cancelled; batches that have begun are finished first.
    public func embed(_ texts: [String]) async throws -> [[Float]] {
        let sequences = texts.map(self.sequence)
        // Texts of like length go together, so that the lanes end at about the same time.
        let order = sequences.indices.sorted { sequences[$0].count > sequences[$1].count }
        var batches: [[Int]] = []
        var tokens = 0
        for index in order {
            if batches.isEmpty || tokens + sequences[index].count > Self.maximumBatchTokens {
                batches.append([])
                tokens = 0
            }
            batches[batches.count - 1].append(index)
            tokens += sequences[index].count
        }
        var vectors = [[Float]](repeating: [], count: texts.count)
        try await withThrowingTaskGroup { group in
            var waiting = batches.makeIterator()
            // No more batches are begun than there are lanes, so that cancelling leaves little behind.
            for lane in self.lanes {
                guard let batch = waiting.next() else { break }
                group.addTask { (lane, try await self.run(batch, sequences, on: lane)) }
            }
            while let (lane, results) = try await group.next() {
                for (index, vector) in results { vectors[index] = vector }
                if let batch = waiting.next() {
                    group.addTask { (lane, try await self.run(batch, sequences, on: lane)) }
                }
            }
        }
        return vectors
    }

    private func sequence(_ text: String) -> [Int32] {
        let tokens = self.tokenizer.tokens(of: text, limit: Self.model.maximumTokens)
        return [self.tokenizer.classification] + tokens.map(\.id) + [self.tokenizer.separator]
    }

    private func run(_ batch: [Int], _ sequences: [[Int32]], on lane: DispatchQueue) async throws -> [(Int, [Float])] {
        try Task.checkCancellation()
        return await withCheckedContinuation { continuation in
            lane.async {
                continuation.resume(returning: Array(zip(batch, self.bert.vectors(of: batch.map { sequences[$0] }))))
            }
        }
    }
}
