import CKernels
import Foundation
import Testing

@testable import Embedding

/// The kernels of each instruction set that this processor runs, against sums in double precision.
@Suite("Linear layers and attention")
struct LinearLayerTests {
    static let processors: [gantry_processor] = [
        gantry_portable, gantry_avx2, gantry_avx_vnni, gantry_avx512, gantry_avx512_half,
    ].filter { gantry_runs($0) }

    /// Numbers from -0.5 to 0.5, the same in each run.
    private static func numbers(_ count: Int, seed: UInt64) -> [Float] {
        var state = seed
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(state >> 40) / Float(1 << 24) - 0.5
        }
    }

    private static func gelu(_ x: Double) -> Double { 0.5 * x * (1 + erf(x / 2.0.squareRoot())) }

    @Test(
        "A layer is the product with its weights, plus bias, with and without GELU and what was there",
        arguments: processors,
        [(1, 32, 384), (15, 64, 384), (29, 544, 386), (14, 32, 1536)]
    )
    func layer(processor: gantry_processor, shape: (rows: Int, outputs: Int, inputs: Int)) {
        let (rows, outputs, inputs) = shape
        let input = Self.numbers(rows * inputs, seed: 1)
        let weights = Self.numbers(outputs * inputs, seed: 2)
        let bias = Self.numbers(outputs, seed: 3)
        let before = Self.numbers(rows * outputs, seed: 4)
        var arithmetics: [(Arithmetic, Double)] = [(.float32, 2e-5)]
        if gantry_has_i16(processor), inputs.isMultiple(of: 16) { arithmetics.append((.integer16, 1e-2)) }
        for (arithmetic, tolerance) in arithmetics {
            let layer = LinearLayer(
                weights: weights,
                bias: bias,
                inputs: inputs,
                processor: processor,
                arithmetic: arithmetic
            )
            let scratch = IntegerRows(rows: rows, width: inputs)
            defer { scratch.deallocate() }
            for flags in [0, gantry_add, gantry_gelu, gantry_add | gantry_gelu] {
                var output = before
                output.withUnsafeMutableBufferPointer { buffer in
                    guard let start = buffer.baseAddress else { return }
                    layer.apply(input, rows: rows, into: start, flags: flags, scratch: scratch)
                }
                var worst = 0.0
                // A part of the columns, others in each row.
                for row in 0..<rows {
                    for column in stride(from: row % 31, to: outputs, by: 31) {
                        var sum = Double(bias[column])
                        if flags & gantry_add != 0 { sum += Double(before[row * outputs + column]) }
                        for k in 0..<inputs {
                            sum += Double(input[row * inputs + k]) * Double(weights[column * inputs + k])
                        }
                        if flags & gantry_gelu != 0 { sum = Self.gelu(sum) }
                        worst = max(worst, abs(sum - Double(output[row * outputs + column])))
                    }
                }
                #expect(worst < tolerance, "\(arithmetic), flags \(flags)")
            }
        }
    }

    @Test("Integers hold rows of any size, and of nothing but zeros", arguments: processors)
    func quantisation(processor: gantry_processor) {
        var input = Self.numbers(3 * 384, seed: 5)
        for index in 0..<384 {
            input[index] *= 1e20
            input[384 + index] = 0
        }
        var integers = [Int16](repeating: 1, count: 3 * 384)
        var scales = [Float](repeating: 1, count: 3)
        gantry_quantise_i16(processor, input, 3, 384, &integers, &scales)
        #expect(scales[1] == 0)
        #expect(integers[384..<768].allSatisfy { $0 == 0 })
        for row in [0, 2] {
            #expect(integers[(row * 384)..<((row + 1) * 384)].map { abs(Int($0)) }.max() == gantry_i16_limit)
            for index in (row * 384)..<((row + 1) * 384) {
                #expect(abs(Float(integers[index]) * scales[row] - input[index]) <= scales[row] * 0.501)
            }
        }
    }

    @Test("Products of the largest integers don't overflow", arguments: processors.filter { gantry_has_i16($0) })
    func overflow(processor: gantry_processor) {
        for inputs in [384, 1536] {
            let layer = LinearLayer(
                weights: [Float](repeating: 1, count: 32 * inputs),
                bias: [Float](repeating: 0, count: 32),
                inputs: inputs,
                processor: processor,
                arithmetic: .integer16
            )
            let scratch = IntegerRows(rows: 1, width: inputs)
            defer { scratch.deallocate() }
            var output = [Float](repeating: 0, count: 32)
            let ones = [Float](repeating: -1, count: inputs)
            output.withUnsafeMutableBufferPointer { buffer in
                guard let start = buffer.baseAddress else { return }
                layer.apply(ones, rows: 1, into: start, scratch: scratch)
            }
            #expect(output.allSatisfy { abs($0 + Float(inputs)) < 0.01 * Float(inputs) })
        }
    }

    @Test("Attention weighs the values by the softmax of the scores", arguments: processors, [1, 2, 14, 31, 33, 100])
    func attention(processor: gantry_processor, length: Int) {
        let heads = 2
        let width = heads * Int(gantry_panel)
        let projected = Self.numbers(length * 3 * width, seed: 6).map { 6 * $0 }
        var context = [Float](repeating: 0, count: length * width)
        var scratch = [Float](repeating: .nan, count: gantry_attention_scratch(length))
        gantry_attention(processor, projected, length, heads, &scratch, &context)
        var worst = 0.0
        for head in 0..<heads {
            func number(_ row: Int, _ part: Int, _ place: Int) -> Double {
                Double(projected[row * 3 * width + part * width + head * 32 + place])
            }
            for row in 0..<length {
                let scores = (0..<length).map { other in
                    exp((0..<32).reduce(0) { $0 + number(row, 0, $1) * number(other, 1, $1) } / 32.0.squareRoot())
                }
                let sum = scores.reduce(0, +)
                for place in 0..<32 {
                    let expected = (0..<length).reduce(0) { $0 + scores[$1] / sum * number($1, 2, place) }
                    worst = max(worst, abs(expected - Double(context[row * width + head * 32 + place])))
                }
            }
        }
        #expect(worst < 1e-4)
    }

    @Test("Layer normalisation gives mean 0 and variance 1 before gain and shift", arguments: processors)
    func normalisation(processor: gantry_processor) {
        var rows = Self.numbers(2 * 384, seed: 7)
        gantry_layer_norm(
            processor,
            &rows,
            [Float](repeating: 2, count: 384),
            [Float](repeating: 3, count: 384),
            2,
            384,
            1e-12
        )
        for row in [rows[..<384], rows[384...]] {
            let mean = row.reduce(0, +) / 384
            #expect(abs(mean - 3) < 1e-4)
            #expect(abs(row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 384 - 4) < 1e-3)
        }
    }
}
