import Testing

@testable import KnowledgeSQLite

@Suite("Vectors in memory")
struct VectorSnapshotTests {
    private static func add(_ id: Int64, _ vector: [Float], to snapshot: inout VectorSnapshot) {
        vector.withUnsafeBytes { snapshot.append(id: id, vector: $0) }
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
                let vector = (0..<3).map { _ in Float.random(in: -1...1, using: &generator) }
                Self.add(nextID, vector, to: &snapshot)
                plain.append((nextID, vector))
                nextID += Int64.random(in: 1...2, using: &generator)
            } else {
                let first = plain[Int.random(in: plain.indices, using: &generator)].id
                let range = first...first + Int64.random(in: 0...6, using: &generator)
                snapshot.remove(ids: range)
                plain.removeAll { range.contains($0.id) }
            }
            let query = (0..<3).map { _ in Float.random(in: -1...1, using: &generator) }
            let scores = plain.map { ($0.id, zip($0.vector, query).reduce(Float(0)) { $0 + $1.0 * $1.1 }) }
            let wanted = Array(plain.map(\.id).shuffled(using: &generator).prefix(4)) + [nextID + 5]
            let found = snapshot.search(query, limit: 5, alsoScoring: wanted)
            #expect(snapshot.count == plain.count)
            #expect(found.best.map(\.id) == scores.sorted { $0.1 > $1.1 }.prefix(5).map(\.0))
            #expect(Set(found.scores.keys) == Set(wanted.filter { $0 < nextID }))
            for (id, score) in scores where found.scores[id] != nil {
                #expect(abs((found.scores[id] ?? 9) - score) < 1e-5)
            }
            #expect(snapshot.segments.allSatisfy { !$0.ids.isEmpty && $0.ids.count <= 3 })
        }
    }

    @Test("A search goes on with the vectors it took")
    func value() {
        var snapshot = VectorSnapshot(dimension: 2)
        Self.add(1, [1, 0], to: &snapshot)
        let taken = snapshot
        snapshot.remove(ids: 1...1)
        #expect(taken.search([1, 0], limit: 3, alsoScoring: []).best.map(\.id) == [1])
        #expect(snapshot.search([1, 0], limit: 3, alsoScoring: [1]).best.isEmpty)
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
