/// A vector in a quarter of its size: each component as a whole number from -127 to 127, times one scale.
struct QuantizedVector {
    var codes: [Int8]
    var scale: Float

    /// Rounds a vector, so that its largest component becomes 127.
    init(_ vector: some Collection<Float>) {
        let largest = vector.reduce(0) { max($0, abs($1)) }
        self.scale = largest / 127
        let factor = largest > 0 ? 127 / largest : 0
        self.codes = vector.map { Int8(($0 * factor).rounded()) }
    }
}
