import CKernels
import COpenBLAS

/// The forward pass of a small BERT: embeddings, transformer layers, mean pooling.
///
/// Devlin et al., arXiv:1810.04805; Reimers and Gurevych, arXiv:1908.10084.
// @unchecked: nothing is written after init, and the tensors live as long as the mapping that is held.
final class BertModel: @unchecked Sendable {
    private struct Layer {
        /// Query, key and value in one matrix, so that they cost one multiplication.
        var attention: [Float]
        var attentionBias: [Float]
        var output: UnsafePointer<Float>
        var outputBias: UnsafePointer<Float>
        var outputGain: UnsafePointer<Float>
        var outputShift: UnsafePointer<Float>
        var expand: UnsafePointer<Float>
        var expandBias: UnsafePointer<Float>
        var contract: UnsafePointer<Float>
        var contractBias: UnsafePointer<Float>
        var contractGain: UnsafePointer<Float>
        var contractShift: UnsafePointer<Float>
    }

    static let width = 384
    private static let inner = 1536
    private static let heads = 12
    private static let headWidth = width / heads
    private static let layerCount = 6
    private static let positions = 512
    private static let epsilon: Float = 1e-12

    private let tensors: Safetensors
    private let vocabularySize: Int
    private let words: UnsafePointer<Float>
    private let positionVectors: UnsafePointer<Float>
    private let typeVector: UnsafePointer<Float>
    private let gain: UnsafePointer<Float>
    private let shift: UnsafePointer<Float>
    private let layers: [Layer]

    init(_ tensors: Safetensors, vocabularySize: Int) throws(EmbeddingError) {
        let (width, inner) = (Self.width, Self.inner)
        self.tensors = tensors
        self.vocabularySize = vocabularySize
        self.words = try tensors.floats("embeddings.word_embeddings.weight", shape: [vocabularySize, width])
        self.positionVectors = try tensors.floats(
            "embeddings.position_embeddings.weight",
            shape: [Self.positions, width]
        )
        self.typeVector = try tensors.floats("embeddings.token_type_embeddings.weight", shape: [2, width])
        self.gain = try tensors.floats("embeddings.LayerNorm.weight", shape: [width])
        self.shift = try tensors.floats("embeddings.LayerNorm.bias", shape: [width])
        var layers: [Layer] = []
        for index in 0..<Self.layerCount {
            let name = "encoder.layer.\(index)"
            var attention: [Float] = []
            var attentionBias: [Float] = []
            for part in ["query", "key", "value"] {
                let matrix = try tensors.floats("\(name).attention.self.\(part).weight", shape: [width, width])
                attention.append(contentsOf: UnsafeBufferPointer(start: matrix, count: width * width))
                let bias = try tensors.floats("\(name).attention.self.\(part).bias", shape: [width])
                attentionBias.append(contentsOf: UnsafeBufferPointer(start: bias, count: width))
            }
            layers.append(
                Layer(
                    attention: attention,
                    attentionBias: attentionBias,
                    output: try tensors.floats("\(name).attention.output.dense.weight", shape: [width, width]),
                    outputBias: try tensors.floats("\(name).attention.output.dense.bias", shape: [width]),
                    outputGain: try tensors.floats("\(name).attention.output.LayerNorm.weight", shape: [width]),
                    outputShift: try tensors.floats("\(name).attention.output.LayerNorm.bias", shape: [width]),
                    expand: try tensors.floats("\(name).intermediate.dense.weight", shape: [inner, width]),
                    expandBias: try tensors.floats("\(name).intermediate.dense.bias", shape: [inner]),
                    contract: try tensors.floats("\(name).output.dense.weight", shape: [width, inner]),
                    contractBias: try tensors.floats("\(name).output.dense.bias", shape: [width]),
                    contractGain: try tensors.floats("\(name).output.LayerNorm.weight", shape: [width]),
                    contractShift: try tensors.floats("\(name).output.LayerNorm.bias", shape: [width])
                )
            )
        }
        self.layers = layers
    }

    /// The vectors of some sequences of tokens, each of length 1.
    ///
    /// The sequences lie one behind the other, without padding: all that works token by token runs over the whole, and
    /// only attention goes sequence by sequence.
    ///
    /// - Parameter sequences: Ids of the vocabulary, special tokens included, at most 512 each.
    /// - Returns: One vector of 384 numbers for each sequence.
    func vectors(of sequences: [[Int32]]) -> [[Float]] {
        let (width, inner) = (Self.width, Self.inner)
        let rows = sequences.reduce(0) { $0 + $1.count }
        let longest = sequences.map(\.count).max() ?? 0
        let hidden = UnsafeMutablePointer<Float>.allocate(capacity: rows * width)
        let projected = UnsafeMutablePointer<Float>.allocate(capacity: rows * 3 * width)
        let context = UnsafeMutablePointer<Float>.allocate(capacity: rows * width)
        let expanded = UnsafeMutablePointer<Float>.allocate(capacity: rows * inner)
        let scores = UnsafeMutablePointer<Float>.allocate(capacity: longest * longest)
        defer {
            for buffer in [hidden, projected, context, expanded, scores] {
                buffer.deallocate()
            }
        }
        self.embed(sequences, into: hidden, scratch: context)

        for layer in self.layers {
            multiply(hidden, layer.attention, into: projected, rows, 3 * width, width)
            gantry_add_bias(projected, layer.attentionBias, rows, 3 * width)
            var row = 0
            for sequence in sequences {
                Self.attend(
                    projected + row * 3 * width,
                    sequence.count,
                    scores,
                    context + row * width
                )
                row += sequence.count
            }
            multiply(context, layer.output, into: projected, rows, width, width)
            gantry_add_layer_norm(
                projected,
                layer.outputBias,
                hidden,
                layer.outputGain,
                layer.outputShift,
                rows,
                width,
                Self.epsilon
            )
            multiply(projected, layer.expand, into: expanded, rows, inner, width)
            gantry_bias_gelu(expanded, layer.expandBias, rows, inner)
            multiply(expanded, layer.contract, into: hidden, rows, width, inner)
            gantry_add_layer_norm(
                hidden,
                layer.contractBias,
                projected,
                layer.contractGain,
                layer.contractShift,
                rows,
                width,
                Self.epsilon
            )
        }

        var row = 0
        return sequences.map { sequence in
            defer { row += sequence.count }
            return [Float](unsafeUninitializedCapacity: width) { buffer, count in
                guard let start = buffer.baseAddress else { return }
                gantry_mean_pool(hidden + row * width, sequence.count, width, start)
                count = width
            }
        }
    }

    private func embed(
        _ sequences: [[Int32]],
        into hidden: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        let width = Self.width
        var row = 0
        for sequence in sequences {
            precondition(sequence.count <= Self.positions, "A sequence has at most 512 tokens.")
            for (position, id) in sequence.enumerated() {
                precondition((0..<self.vocabularySize).contains(Int(id)), "An id is one of the vocabulary's.")
                (hidden + row * width).update(from: self.words + Int(id) * width, count: width)
                (scratch + row * width).update(from: self.positionVectors + position * width, count: width)
                row += 1
            }
        }
        gantry_add_layer_norm(hidden, self.typeVector, scratch, self.gain, self.shift, row, width, Self.epsilon)
    }

    /// Self-attention of one sequence, head by head.
    private static func attend(
        _ projected: UnsafePointer<Float>,
        _ length: Int,
        _ scores: UnsafeMutablePointer<Float>,
        _ context: UnsafeMutablePointer<Float>
    ) {
        let stride = Int32(3 * width)
        let (count, depth) = (Int32(length), Int32(headWidth))
        for head in 0..<heads {
            let query = projected + head * headWidth
            cblas_sgemm(
                101,
                111,
                112,
                count,
                count,
                depth,
                1,
                query,
                stride,
                query + width,
                stride,
                0,
                scores,
                count
            )
            gantry_softmax(scores, length, length, 1 / Float(headWidth).squareRoot())
            cblas_sgemm(
                101,
                111,
                111,
                count,
                depth,
                count,
                1,
                scores,
                count,
                query + 2 * width,
                stride,
                0,
                context + head * headWidth,
                Int32(width)
            )
        }
    }
}

/// result = left (rows × inner) times the transpose of right (columns × inner).
private func multiply(
    _ left: UnsafePointer<Float>,
    _ right: UnsafePointer<Float>,
    into result: UnsafeMutablePointer<Float>,
    _ rows: Int,
    _ columns: Int,
    _ inner: Int
) {
    cblas_sgemm(
        101,
        111,
        112,
        Int32(rows),
        Int32(columns),
        Int32(inner),
        1,
        left,
        Int32(inner),
        right,
        Int32(inner),
        0,
        result,
        Int32(columns)
    )
}
