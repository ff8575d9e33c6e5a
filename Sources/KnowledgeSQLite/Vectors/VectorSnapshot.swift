import CKernels

/// All vectors of one generation of the index, in memory, rounded to 8 bits a component.
///
/// A scan over them finds what is near; the database has the exact vectors for the few that count. Each vector takes
/// its dimension and 12 bytes more: 100,000 of 384 components take 40 MB.
///
/// A value: searches go on with the one they took while the next is made, and the two share all segments that a change
/// didn't touch. Identifiers grow from row to row and from segment to segment, because the database hands them out in
/// growing order and never twice.
struct VectorSnapshot: Sendable {
    /// A contiguous part of the matrix.
    struct Segment: Sendable {
        var ids: [Int64] = []
        var scales: [Float] = []
        var codes: [Int8] = []
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
    mutating func append(id: Int64, vector: [Float]) {
        if self.segments.last.map({ $0.ids.count >= self.rowsPerSegment }) ?? true {
            self.segments.append(Segment())
        }
        let last = self.segments.count - 1
        let quantized = QuantizedVector(vector)
        self.segments[last].ids.append(id)
        self.segments[last].scales.append(quantized.scale)
        self.segments[last].codes += quantized.codes
        self.count += 1
    }

    /// Removes all vectors whose identifiers lie in a range.
    mutating func remove(ids range: ClosedRange<Int64>) {
        for index in self.segments.indices.reversed() {
            let rows = Self.rows(of: self.segments[index], in: range)
            guard !rows.isEmpty else { continue }
            self.segments[index].ids.removeSubrange(rows)
            self.segments[index].scales.removeSubrange(rows)
            self.segments[index].codes.removeSubrange(
                rows.lowerBound * self.dimension..<rows.upperBound * self.dimension
            )
            self.count -= rows.count
            self.tidy(around: index)
        }
    }

    /// Returns the rows that fit a query vector best, best first, as far as 8 bits tell.
    ///
    /// - Parameters:
    ///   - query: The vector to compare with.
    ///   - limit: The most rows to return.
    ///   - allowed: The rows among which the best are looked for; nothing for all.
    /// - Returns: The rows with their approximate dot products.
    func search(_ query: [Float], limit: Int, allowed: ChunkSet? = nil) -> [Match] {
        guard limit > 0 else { return [] }
        let query = QuantizedVector(query)
        var best = BestMatches(limit: limit)
        var sums = [Int32](repeating: 0, count: self.segments.map(\.ids.count).max() ?? 0)
        for segment in self.segments {
            for rows in Self.rows(of: segment, among: allowed) {
                segment.codes.withUnsafeBufferPointer { codes in
                    guard let start = codes.baseAddress else { return }
                    gantry_scan_i8(
                        query.codes,
                        start + rows.lowerBound * self.dimension,
                        rows.count,
                        self.dimension,
                        &sums
                    )
                }
                for row in rows {
                    let score = Float(sums[row - rows.lowerBound]) * segment.scales[row] * query.scale
                    best.offer(segment.ids[row], score: score)
                }
            }
        }
        return best.sorted()
    }

    /// The rows of a segment that may be found, as ranges.
    private static func rows(of segment: Segment, among allowed: ChunkSet?) -> [Range<Int>] {
        guard let first = segment.ids.first, let last = segment.ids.last else { return [] }
        guard let allowed else { return [0..<segment.ids.count] }
        return allowed.ranges(overlapping: first...last).map { Self.rows(of: segment, in: $0) }
    }

    private static func rows(of segment: Segment, in range: ClosedRange<Int64>) -> Range<Int> {
        let lower = Self.firstIndex(in: segment.ids, notBelow: range.lowerBound)
        return lower..<max(lower, Self.firstIndex(in: segment.ids, notBelow: range.upperBound + 1))
    }

    /// Drops a segment that has become empty, and joins one that has become small with the one before it.
    private mutating func tidy(around index: Int) {
        if self.segments[index].ids.isEmpty {
            self.segments.remove(at: index)
        } else if index > 0, self.segments[index - 1].ids.count + self.segments[index].ids.count <= self.rowsPerSegment
        {
            let removed = self.segments.remove(at: index)
            self.segments[index - 1].ids += removed.ids
            self.segments[index - 1].scales += removed.scales
            self.segments[index - 1].codes += removed.codes
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
