import CKernels

/// The forward pass of a small BERT: embeddings, transformer layers, mean pooling.
///
/// Devlin et al., arXiv:1810.04805; Reimers and Gurevych, arXiv:1908.10084.
final class BertModel: Sendable {
    private struct Norm: Sendable {
        var gain: Safetensors.Floats
        var shift: Safetensors.Floats
    }

    private struct Layer: Sendable {
        /// Query, key and value in one matrix, so that they cost one multiplication.
        var attention: LinearLayer
        var output: LinearLayer
        var outputNorm: Norm
        var expand: LinearLayer
        var contract: LinearLayer
        var contractNorm: Norm
    }

    static let width = 384
    private static let inner = 1536
    private static let heads = 12
    private static let layerCount = 6
    private static let positions = 512
    private static let epsilon: Float = 1e-12

    private let processor: gantry_processor
    private let tensors: Safetensors
    private let vocabularySize: Int
    private let words: Safetensors.Floats
    private let positionVectors: Safetensors.Floats
    private let typeVector: Safetensors.Floats
    private let norm: Norm
    private let layers: [Layer]

    /// Takes the weights from a file.
    ///
    /// - Parameters:
    ///   - tensors: The weights. Those of linear layers are copied, so that their pages aren't needed any more.
    ///   - vocabularySize: How many words there are.
    ///   - processor: The instructions to use.
    ///   - arithmetic: How products of matrices are computed.
    /// - Throws: ``EmbeddingError/Code/modelCorrupt`` if a tensor is missing or has another shape.
    init(
        _ tensors: Safetensors,
        vocabularySize: Int,
        processor: gantry_processor,
        arithmetic: Arithmetic
    ) throws(EmbeddingError) {
        let (width, inner) = (Self.width, Self.inner)
        self.processor = processor
        self.tensors = tensors
        self.vocabularySize = vocabularySize
        self.words = try tensors.floats("embeddings.word_embeddings.weight", shape: [vocabularySize, width])
        self.positionVectors = try tensors.floats(
            "embeddings.position_embeddings.weight",
            shape: [Self.positions, width]
        )
        self.typeVector = try tensors.floats("embeddings.token_type_embeddings.weight", shape: [2, width])
        func norm(_ name: String) throws(EmbeddingError) -> Norm {
            Norm(
                gain: try tensors.floats("\(name).LayerNorm.weight", shape: [width]),
                shift: try tensors.floats("\(name).LayerNorm.bias", shape: [width])
            )
        }
        func linear(_ names: [String], outputs: Int, inputs: Int) throws(EmbeddingError) -> LinearLayer {
            var (weights, bias): ([Float], [Float]) = ([], [])
            for name in names {
                let matrix = try tensors.floats("\(name).weight", shape: [outputs, inputs]).pointer
                weights.append(contentsOf: UnsafeBufferPointer(start: matrix, count: outputs * inputs))
                let vector = try tensors.floats("\(name).bias", shape: [outputs]).pointer
                bias.append(contentsOf: UnsafeBufferPointer(start: vector, count: outputs))
            }
            return LinearLayer(
                weights: weights,
                bias: bias,
                inputs: inputs,
                processor: processor,
                arithmetic: arithmetic
            )
        }
        self.norm = try norm("embeddings")
        var layers: [Layer] = []
        for index in 0..<Self.layerCount {
            let name = "encoder.layer.\(index)"
            let parts = ["query", "key", "value"].map { "\(name).attention.self.\($0)" }
            layers.append(
                Layer(
                    attention: try linear(parts, outputs: width, inputs: width),
                    output: try linear(["\(name).attention.output.dense"], outputs: width, inputs: width),
                    outputNorm: try norm("\(name).attention.output"),
                    expand: try linear(["\(name).intermediate.dense"], outputs: inner, inputs: width),
                    contract: try linear(["\(name).output.dense"], outputs: width, inputs: inner),
                    contractNorm: try norm("\(name).output")
                )
            )
        }
        self.layers = layers
        tensors.releasePages()
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
        let hidden = UnsafeMutablePointer<Float>.aligned(rows * width)
        let context = UnsafeMutablePointer<Float>.aligned(rows * width)
        // Queries, keys and values; later what is between the layers that expand and contract.
        let wide = UnsafeMutablePointer<Float>.aligned(rows * max(3 * width, inner))
        let scratch = UnsafeMutablePointer<Float>.aligned(gantry_attention_scratch(longest))
        let integers = IntegerRows(rows: rows, width: inner)
        defer {
            for buffer in [hidden, context, wide, scratch] { buffer.deallocate() }
            integers.deallocate()
        }
        self.embed(sequences, into: hidden)
        self.normalise(hidden, rows, self.norm)

        for layer in self.layers {
            layer.attention.apply(hidden, rows: rows, into: wide, scratch: integers)
            var row = 0
            for sequence in sequences {
                gantry_attention(
                    self.processor,
                    wide + row * 3 * width,
                    sequence.count,
                    Self.heads,
                    scratch,
                    context + row * width
                )
                row += sequence.count
            }
            layer.output.apply(context, rows: rows, into: hidden, flags: gantry_add, scratch: integers)
            self.normalise(hidden, rows, layer.outputNorm)
            layer.expand.apply(hidden, rows: rows, into: wide, flags: gantry_gelu, scratch: integers)
            layer.contract.apply(wide, rows: rows, into: hidden, flags: gantry_add, scratch: integers)
            self.normalise(hidden, rows, layer.contractNorm)
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

    /// Writes the sum of word, position and type for each token.
    private func embed(_ sequences: [[Int32]], into hidden: UnsafeMutablePointer<Float>) {
        let width = Self.width
        var row = 0
        for sequence in sequences {
            precondition(sequence.count <= Self.positions, "A sequence has at most 512 tokens.")
            for (position, id) in sequence.enumerated() {
                precondition((0..<self.vocabularySize).contains(Int(id)), "An id is one of the vocabulary's.")
                let word = self.words.pointer + Int(id) * width
                let place = self.positionVectors.pointer + position * width
                gantry_add3(word, place, self.typeVector.pointer, width, hidden + row * width)
                row += 1
            }
        }
    }

    private func normalise(_ hidden: UnsafeMutablePointer<Float>, _ rows: Int, _ norm: Norm) {
        gantry_layer_norm(self.processor, hidden, norm.gain.pointer, norm.shift.pointer, rows, Self.width, Self.epsilon)
    }
}
