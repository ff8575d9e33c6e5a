import Testing

@testable import KnowledgeSQLite

@Suite("Vectors in memory")
struct VectorSnapshotTests {
    /// A vector that 8 bits hold without loss: whole components, the largest of which is 127.
    private static func exactVector(_ generator: inout SeededGenerator) -> [Float] {
        [127] + (0..<2).map { _ in Float(Int.random(in: -127...127, using: &generator)) }
    }

    /// Compares with a plain list, through many random changes, across segments of three rows.
    @Test("It finds what a plain scan finds, whatever was added and removed")
    func againstPlainScan() {
        var generator = SeededGenerator(state: 7)
        var snapshot = VectorSnapshot(dimension: 3, rowsPerSegment: 3)
        var plain: [(id: Int64, vector: [Float])] = []
        var nextID: Int64 = 1
        for _ in 0..<400 {
            if Int.random(in: 0..<3, using: &generator) > 0 || plain.isEmpty {
                let vector = Self.exactVector(&generator)
                snapshot.append(id: nextID, vector: vector)
                plain.append((nextID, vector))
                nextID += Int64.random(in: 1...2, using: &generator)
            } else {
                let first = plain[Int.random(in: plain.indices, using: &generator)].id
                let range = first...first + Int64.random(in: 0...6, using: &generator)
                snapshot.remove(ids: range)
                plain.removeAll { range.contains($0.id) }
            }
            let query = Self.exactVector(&generator)
            let first = Int64.random(in: 0...nextID, using: &generator)
            let allowed = [nil, ChunkSet([first...first + 3, first + 6...first + 20])].randomElement(using: &generator)!
            let expected = plain.filter { allowed?.contains($0.id) ?? true }
                .map { VectorSnapshot.Match(id: $0.id, score: zip($0.vector, query).reduce(0) { $0 + $1.0 * $1.1 }) }
                .sorted { ($0.score, $1.id) > ($1.score, $0.id) }
            #expect(snapshot.count == plain.count)
            #expect(snapshot.search(query, limit: 5, allowed: allowed) == Array(expected.prefix(5)))
            #expect(snapshot.segments.allSatisfy { !$0.ids.isEmpty && $0.ids.count <= 3 })
        }
    }

    @Test("Rounding to 8 bits leaves the nearest among the nearest")
    func rounding() {
        var generator = SeededGenerator(state: 9)
        let dimension = 384
        let vectors = (0..<2000).map { _ in (0..<dimension).map { _ in Float.random(in: -1...1, using: &generator) } }
        var snapshot = VectorSnapshot(dimension: dimension)
        for (index, vector) in vectors.enumerated() { snapshot.append(id: Int64(index + 1), vector: vector) }
        for query in vectors.prefix(5).map({ $0.map { $0 + Float.random(in: -1...1, using: &generator) } }) {
            let exact = vectors.map { zip($0, query).reduce(Float(0)) { $0 + $1.0 * $1.1 } }
            let best = exact.indices.sorted { exact[$0] > exact[$1] }.prefix(10).map { Int64($0 + 1) }
            #expect(Set(snapshot.search(query, limit: 20).map(\.id)).isSuperset(of: best))
        }
        let zero = [Float](repeating: 0, count: dimension)
        #expect(snapshot.search(zero, limit: 3).map(\.id) == [1, 2, 3])
    }

    @Test("A search goes on with the vectors it took")
    func value() {
        var snapshot = VectorSnapshot(dimension: 2)
        snapshot.append(id: 1, vector: [1, 0])
        let taken = snapshot
        snapshot.remove(ids: 1...1)
        #expect(taken.search([1, 0], limit: 3).map(\.id) == [1])
        #expect(snapshot.search([1, 0], limit: 3).isEmpty)
    }
}

/// Random numbers that are the same on every run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (self.state ^ (self.state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
