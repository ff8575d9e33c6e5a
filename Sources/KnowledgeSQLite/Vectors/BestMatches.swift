/// Keeps the best few of many matches in a heap whose root is the worst of them.
struct BestMatches {
    private let limit: Int
    private var heap: [VectorSnapshot.Match] = []

    init(limit: Int) { self.limit = limit }

    mutating func offer(_ id: Int64, score: Float) {
        let match = VectorSnapshot.Match(id: id, score: score)
        if self.heap.count < self.limit {
            self.heap.append(match)
            self.siftUp(self.heap.count - 1)
        } else if let worst = self.heap.first, Self.isWorse(worst, than: match) {
            self.heap[0] = match
            self.siftDown()
        }
    }

    /// Returns the matches, best first; equal ones in the order of their identifiers.
    func sorted() -> [VectorSnapshot.Match] { self.heap.sorted { Self.isWorse($1, than: $0) } }

    private static func isWorse(_ first: VectorSnapshot.Match, than second: VectorSnapshot.Match) -> Bool {
        first.score != second.score ? first.score < second.score : first.id > second.id
    }

    private mutating func siftUp(_ index: Int) {
        var child = index
        while child > 0 {
            let parent = (child - 1) / 2
            guard Self.isWorse(self.heap[child], than: self.heap[parent]) else { return }
            self.heap.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func siftDown() {
        var parent = 0
        while true {
            var worst = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < self.heap.count && Self.isWorse(self.heap[child], than: self.heap[worst]) {
                worst = child
            }
            guard worst != parent else { return }
            self.heap.swapAt(parent, worst)
            parent = worst
        }
    }
}
