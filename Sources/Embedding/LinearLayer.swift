import CKernels

/// How the products of matrices are computed.
enum Arithmetic: Sendable {
    /// 32-bit floats.
    case float32
    /// 16-bit integers, with a scale for each row; sums in 32-bit integers.
    case integer16
}

/// The weights of a linear layer, in the order in which the kernels read them.
final class LinearLayer: Sendable {
    let outputs: Int
    let inputs: Int
    private let processor: gantry_processor
    private let arithmetic: Arithmetic
    nonisolated(unsafe) private let packed: UnsafeMutableRawPointer  // Safe: its own, and written in `init` only.
    /// The scale of each output, with 16-bit integers.
    private let scales: [Float]
    private let bias: [Float]

    /// Packs the weights.
    ///
    /// - Parameters:
    ///   - weights: `outputs` rows of `inputs` numbers.
    ///   - bias: One number for each output.
    ///   - inputs: An even number.
    ///   - processor: What the kernels are made of; with 16-bit integers one that has them.
    ///   - arithmetic: How products are computed.
    init(weights: [Float], bias: [Float], inputs: Int, processor: gantry_processor, arithmetic: Arithmetic) {
        let outputs = bias.count
        precondition(outputs.isMultiple(of: gantry_panel) && inputs.isMultiple(of: 2))
        precondition(weights.count == outputs * inputs)
        self.outputs = outputs
        self.inputs = inputs
        self.processor = processor
        self.arithmetic = arithmetic
        self.bias = bias
        var scales: [Float] = []
        switch arithmetic {
        case .float32:
            let packed = UnsafeMutablePointer<Float>.aligned(outputs * inputs)
            gantry_pack_f32(weights, outputs, inputs, packed)
            self.packed = UnsafeMutableRawPointer(packed)
        case .integer16:
            precondition(gantry_has_i16(processor))
            let packed = UnsafeMutablePointer<Int16>.aligned(outputs * inputs)
            scales = [Float](repeating: 0, count: outputs)
            gantry_pack_i16(weights, outputs, inputs, packed, &scales)
            self.packed = UnsafeMutableRawPointer(packed)
        }
        self.scales = scales
    }

    deinit { self.packed.deallocate() }

    /// Multiplies rows of input with the weights.
    ///
    /// - Parameters:
    ///   - input: Rows of `inputs` numbers.
    ///   - rows: How many rows.
    ///   - output: `rows` rows of `outputs` numbers.
    ///   - flags: What becomes of the products: `gantry_add`, `gantry_gelu`.
    ///   - scratch: Room for integers.
    func apply(
        _ input: UnsafePointer<Float>,
        rows: Int,
        into output: UnsafeMutablePointer<Float>,
        flags: Int = 0,
        scratch: IntegerRows
    ) {
        switch self.arithmetic {
        case .float32:
            gantry_linear_f32(
                self.processor,
                input,
                self.packed.assumingMemoryBound(to: Float.self),
                self.bias,
                Int32(flags),
                output,
                rows,
                self.outputs,
                self.inputs
            )
        case .integer16:
            gantry_quantise_i16(self.processor, input, rows, self.inputs, scratch.values, scratch.scales)
            gantry_linear_i16(
                self.processor,
                scratch.values,
                scratch.scales,
                self.packed.assumingMemoryBound(to: Int16.self),
                self.scales,
                self.bias,
                Int32(flags),
                output,
                rows,
                self.outputs,
                self.inputs
            )
        }
    }
}

/// Room for rows of 16-bit integers and their scales.
struct IntegerRows {
    let values: UnsafeMutablePointer<Int16>
    let scales: UnsafeMutablePointer<Float>

    init(rows: Int, width: Int) {
        self.values = .aligned(rows * width)
        self.scales = .aligned(rows)
    }

    func deallocate() {
        self.values.deallocate()
        self.scales.deallocate()
    }
}

extension UnsafeMutablePointer {
    /// Memory that begins with a cache line, which is as long as the longest vector.
    static func aligned(_ count: Int) -> Self {
        UnsafeMutableRawPointer.allocate(byteCount: max(1, count) * MemoryLayout<Pointee>.stride, alignment: 64)
            .bindMemory(to: Pointee.self, capacity: max(1, count))
    }
}
