import CKernels
import Foundation
public import Knowledge

/// The all-MiniLM-L6-v2 sentence embedding, computed in this process.
///
/// Work runs on threads of its own, so that nothing waits in Swift's cooperative pool: as many for queries as there are
/// cores, and as many for the index, which step back behind them.
public final class MiniLMEmbedder: Embedder {
    /// The name, dimension and token limit of the model, which are known before it is opened.
    public static let model = EmbeddingModel(
        name: "all-MiniLM-L6-v2",
        dimension: BertModel.width,
        maximumTokens: 254
    )

    /// How exact the numbers inside the model are.
    ///
    /// Vectors of both have a cosine of at least .9999 to one another, so that one index may hold both.
    public enum Precision: String, Sendable, CaseIterable {
        /// Fast where the processor has it, else 32-bit floats.
        case auto
        /// 32-bit floats.
        case fp32
        /// 16-bit integers in the products of matrices, which need AVX-512 VNNI or AVX-VNNI.
        case fast
    }

    public var model: EmbeddingModel { Self.model }

    /// The precision in use: `fp32` or `fast`.
    public let precision: Precision

    private let tokenizer: WordPieceTokenizer
    private let bert: BertModel
    private let queryLane: WorkerLane
    private let indexLane: WorkerLane

    /// How many tokens one forward pass takes, so that its memory stays bounded (about 10 MB) and in the caches.
    private static let maximumBatchTokens = 512
    /// How many passes may wait for a thread, for each purpose.
    private static let maximumWaiting = 1024

    /// Opens the model.
    ///
    /// - Parameters:
    ///   - modelDirectory: Holds `model.safetensors` and `vocab.txt`.
    ///   - precision: How exact the numbers are.
    /// - Throws: ``EmbeddingError`` if the files are missing or are something else, or if the processor lacks what the
    ///   precision needs.
    public init(modelDirectory: String, precision: Precision = .auto) throws(EmbeddingError) {
        let processor = gantry_best_processor()
        let arithmetic: Arithmetic = precision != .fp32 && gantry_has_i16(processor) ? .integer16 : .float32
        if precision == .fast, arithmetic == .float32 {
            throw EmbeddingError(
                .unsupportedProcessor,
                "EMBEDDINGS_PRECISION=fast needs a processor with AVX-512 VNNI or AVX-VNNI; use auto or fp32."
            )
        }
        self.precision = arithmetic == .integer16 ? .fast : .fp32
        guard let vocabulary = try? String(contentsOfFile: modelDirectory + "/vocab.txt", encoding: .utf8) else {
            throw EmbeddingError(
                .modelMissing,
                "The embedding model's vocabulary is not in \(modelDirectory); `make setup` fetches it."
            )
        }
        self.tokenizer = try WordPieceTokenizer(vocabulary: vocabulary)
        let tensors = try Safetensors(path: modelDirectory + "/model.safetensors")
        self.bert = try BertModel(
            tensors,
            vocabularySize: self.tokenizer.vocabularySize,
            processor: processor,
            arithmetic: arithmetic
        )
        let cores = max(1, ProcessInfo.processInfo.activeProcessorCount)
        self.queryLane = WorkerLane(
            name: "embed-query",
            threads: cores,
            niceness: 0,
            limit: Self.maximumWaiting
        )
        self.indexLane = WorkerLane(
            name: "embed-index",
            threads: cores,
            niceness: 5,
            limit: Self.maximumWaiting
        )
    }

    public func tokenCount(of text: String) -> Int {
        self.tokenizer.tokens(of: text).count
    }

    public func tokenSpans(of text: String) -> [Range<Int>] {
        self.tokenizer.tokens(of: text).map(\.span)
    }

    /// The vectors of some texts, for an index.
    ///
    /// As ``embed(_:for:)``.
    public func embed(_ texts: [String]) async throws -> [[Float]] {
        try await self.embed(texts, for: .index)
    }

    /// The vectors of some texts.
    ///
    /// What lies beyond 254 tokens of a text is not seen by the model.
    ///
    /// - Throws: `CancellationError` if the task is cancelled, once the batches that have begun are finished;
    ///   ``EmbeddingError/Code/overloaded`` if too many texts wait.
    public func embed(_ texts: [String], for purpose: EmbeddingPurpose) async throws -> [[Float]] {
        let lane = purpose == .query ? self.queryLane : self.indexLane
        let sequences = texts.map(self.sequence)
        // Texts of like length go together, so that the threads end at about the same time.
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
        try await withThrowingTaskGroup(of: [(Int, [Float])].self) { group in
            // No more batches are begun than there are threads, so that cancelling leaves little behind.
            for batch in batches.prefix(lane.threadCount) {
                group.addTask { try await self.run(batch, sequences, on: lane) }
            }
            var waiting = batches.dropFirst(lane.threadCount).makeIterator()
            while let results = try await group.next() {
                for (index, vector) in results { vectors[index] = vector }
                guard let batch = waiting.next() else { continue }
                group.addTask { try await self.run(batch, sequences, on: lane) }
            }
        }
        return vectors
    }

    private func sequence(_ text: String) -> [Int32] {
        let tokens = self.tokenizer.tokens(of: text, limit: Self.model.maximumTokens)
        return [self.tokenizer.classification] + tokens.map(\.id) + [self.tokenizer.separator]
    }

    private func run(_ batch: [Int], _ sequences: [[Int32]], on lane: WorkerLane) async throws -> [(Int, [Float])] {
        let bert = self.bert
        return try await lane.run { Array(zip(batch, bert.vectors(of: batch.map { sequences[$0] }))) }
    }
}
