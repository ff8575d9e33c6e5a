/// The pieces of a vocabulary as two trees of their characters: one of pieces that begin a word, one of those that go on
/// in it, which the vocabulary marks with `##`.
///
/// The longest piece at some place is found in one step per character, without making strings.
struct PieceTree: Sendable {
    /// A table with open addressing: what leads from a node by a character, and to which node.
    ///
    /// At most half of it is in use; an edge of 0 is an empty place.
    private var edges: [UInt64]
    private var targets: [Int32]
    /// The piece that ends at each node, or -1.
    private var ids: [Int32] = [-1, -1]

    /// - Parameter pieces: In the order of their ids.
    init(_ pieces: [Substring]) {
        var size = 1024
        while size < 2 * pieces.reduce(0, { $0 + $1.utf8.count }) { size *= 2 }
        self.edges = Array(repeating: 0, count: size)
        self.targets = Array(repeating: -1, count: size)
        for (id, piece) in pieces.enumerated() {
            // By scalars: a mark behind the second # would make one character with it.
            let goesOn = piece.utf8.count > 2 && piece.utf8.starts(with: "##".utf8)
            var node: Int32 = goesOn ? 1 : 0
            for scalar in piece.unicodeScalars.dropFirst(goesOn ? 2 : 0) {
                let place = self.place(of: scalar, behind: node)
                if self.targets[place] < 0 {
                    self.edges[place] = Self.edge(scalar, behind: node)
                    self.targets[place] = Int32(self.ids.count)
                    self.ids.append(-1)
                }
                node = self.targets[place]
            }
            self.ids[Int(node)] = Int32(id)
        }
    }

    /// The longest piece that some characters begin with.
    func longest(in scalars: some Sequence<Unicode.Scalar>, startsWord: Bool) -> (id: Int32, length: Int)? {
        var node: Int32 = startsWord ? 0 : 1
        var length = 0
        var found: (id: Int32, length: Int)?
        for scalar in scalars {
            node = self.targets[self.place(of: scalar, behind: node)]
            guard node >= 0 else { break }
            length += 1
            let id = self.ids[Int(node)]
            if id >= 0 { found = (id, length) }
        }
        return found
    }

    /// Where an edge is in the table, or would be.
    private func place(of scalar: Unicode.Scalar, behind node: Int32) -> Int {
        let edge = Self.edge(scalar, behind: node)
        // Fibonacci hashing: the high bits of the product are well mixed.
        var place = Int(truncatingIfNeeded: (edge &* 0x9e37_79b9_7f4a_7c15) >> 32) & (self.edges.count - 1)
        while self.edges[place] != edge, self.edges[place] != 0 { place = (place + 1) & (self.edges.count - 1) }
        return place
    }

    private static func edge(_ scalar: Unicode.Scalar, behind node: Int32) -> UInt64 {
        UInt64(node + 1) << 21 | UInt64(scalar.value)
    }
}
