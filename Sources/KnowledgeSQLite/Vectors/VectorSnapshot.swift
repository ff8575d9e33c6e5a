import CKernels

/// All vectors of one generation of the index, in memory, for exact search.
///
/// A value: searches go on with the one they took while the next is made, and the two share all segments that a change
/// didn't touch. Identifiers grow from row to row and from segment to segment, because the database hands them out in
/// growing order and never twice.
struct VectorSnapshot: Sendable {
    /// A contiguous part of the matrix.
    struct Segment: Sendable {
        var ids: [Int64] = []
        var values: [Float] = []
    }

    /// A row and how well it fits.
    struct Match: Sendable, Hashable {
        var id: Int64
        var score: Float
    }

    let dimension: Int
    let rowsPerSegment: Int
    private(set) var segments: [Segment] = []
    private(set) var count = 0

    init(dimension: Int, rowsPerSegment: Int = 2048) {
        self.dimension = dimension
        self.rowsPerSegment = rowsPerSegment
    }

    /// Adds a vector whose identifier is higher than all others.
    mutating func append(id: Int64, vector: UnsafeRawBufferPointer) {
        if self.segments.last.map({ $0.ids.count >= self.rowsPerSegment }) ?? true {
            self.segments.append(Segment())
        }
        let last = self.segments.count - 1
        self.segments[last].ids.append(id)
        for component in 0..<self.dimension {
            let bits = vector.loadUnaligned(fromByteOffset: component * 4, as: UInt32.self)
            self.segments[last].values.append(Float(bitPattern: UInt32(littleEndian: bits)))
        }
        self.count += 1
    }

    /// Removes all vectors whose identifiers lie in a range.
    mutating func remove(ids range: ClosedRange<Int64>) {
        for index in self.segments.indices.reversed() {
            let ids = self.segments[index].ids
            guard let first = ids.first, let last = ids.last, range.overlaps(first...last) else { continue }
            let lower = Self.firstIndex(in: ids, notBelow: range.lowerBound)
            let upper = Self.firstIndex(in: ids, notBelow: range.upperBound + 1)
            guard lower < upper else { continue }
            self.segments[index].ids.removeSubrange(lower..<upper)
            self.segments[index].values.removeSubrange(lower * self.dimension..<upper * self.dimension)
            self.count -= upper - lower
            self.tidy(around: index)
        }
    }

    /// Returns the best rows for a query vector, best first, and the scores of the rows that are asked for.
    ///
    /// - Parameters:
    ///   - query: The vector to compare with.
    ///   - limit: The most rows to return.
    ///   - allowed: The rows among which the best are looked for; nothing for all.
    ///   - wanted: The rows to score besides.
    /// - Returns: The best rows, and the scores of those of the wanted rows that exist.
    func search(
        _ query: [Float],
        limit: Int,
        allowed: ChunkSet? = nil,
        alsoScoring wanted: [Int64]
    ) -> (best: [Match], scores: [Int64: Float]) {
        var best = BestMatches(limit: limit)
        var scores: [Int64: Float] = [:]
        let wanted = wanted.sorted()
        var nextWanted = 0
        var buffer = [Float](repeating: 0, count: self.segments.map(\.ids.count).max() ?? 0)
        for segment in self.segments {
            for rows in Self.rows(of: segment, among: allowed) {
                segment.values.withUnsafeBufferPointer { values in
                    guard let start = values.baseAddress else { return }
                    gantry_scan_f32(
                        query,
                        start + rows.lowerBound * self.dimension,
                        rows.count,
                        self.dimension,
                        &buffer
                    )
                }
                for row in rows { best.offer(segment.ids[row], score: buffer[row - rows.lowerBound]) }
            }
            guard let last = segment.ids.last else { continue }
            while nextWanted < wanted.count, wanted[nextWanted] <= last {
                let row = Self.firstIndex(in: segment.ids, notBelow: wanted[nextWanted])
                if segment.ids[row] == wanted[nextWanted] {
                    let values = segment.values[row * self.dimension..<(row + 1) * self.dimension]
                    scores[wanted[nextWanted]] = values.withUnsafeBufferPointer {
                        $0.baseAddress.map { gantry_dot_f32(query, $0, self.dimension) }
                    }
                }
                nextWanted += 1
            }
        }
        return (best.sorted(), scores)
    }

    /// The rows of a segment that may be found, as ranges.
    private static func rows(of segment: Segment, among allowed: ChunkSet?) -> [Range<Int>] {
        guard let first = segment.ids.first, let last = segment.ids.last else { return [] }
        guard let allowed else { return [0..<segment.ids.count] }
        return allowed.ranges(overlapping: first...last).map { range in
            Self.firstIndex(
                in: segment.ids,
                notBelow: range.lowerBound
            )..<Self.firstIndex(
                in: segment.ids,
                notBelow: range.upperBound + 1
            )
        }
    }

    /// Drops a segment that has become empty, and joins one that has become small with the one before it.
    private mutating func tidy(around index: Int) {
        if self.segments[index].ids.isEmpty {
            self.segments.remove(at: index)
        } else if index > 0, self.segments[index - 1].ids.count + self.segments[index].ids.count <= self.rowsPerSegment
        {
            let removed = self.segments.remove(at: index)
            self.segments[index - 1].ids += removed.ids
            self.segments[index - 1].values += removed.values
        }
    }

    private static func firstIndex(in ids: [Int64], notBelow id: Int64) -> Int {
        var low = 0
        var high = ids.count
        while low < high {
            let middle = (low + high) / 2
            if ids[middle] < id { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
