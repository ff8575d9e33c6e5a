import GRDB
import Knowledge

/// The numbers of the chunks that a filter lets through, as ranges, because those of one document are consecutive.
struct ChunkSet: Sendable {
    /// In ascending order and without overlap.
    private(set) var ranges: [ClosedRange<Int64>] = []

    /// Reads them in the transaction of the search, so that both see the same documents.
    init(of filter: DocumentFilter, in database: Database) throws {
        try filter.withCondition(in: database) { condition in
            let rows = try Row.fetchCursor(
                database,
                sql: Self.statement(condition.sql),
                arguments: condition.arguments
            )
            while let row = try rows.next() {
                let first: Int64 = row[0]
                let count: Int64 = row[1]
                self.ranges.append(first...first + count - 1)
            }
        }
    }

    /// All that it reads is in the index `documents_filter`.
    static func statement(_ condition: String) -> String {
        """
        SELECT d.first_chunk, d.chunk_count FROM documents d
        WHERE d.first_chunk IS NOT NULL AND \(condition) ORDER BY d.first_chunk
        """
    }

    init(_ ranges: [ClosedRange<Int64>]) { self.ranges = ranges }

    func contains(_ id: Int64) -> Bool {
        let index = self.firstIndex(endingAtOrAfter: id)
        return index < self.ranges.count && self.ranges[index].contains(id)
    }

    /// Returns the ranges that overlap with another one.
    func ranges(overlapping range: ClosedRange<Int64>) -> ArraySlice<ClosedRange<Int64>> {
        let first = self.firstIndex(endingAtOrAfter: range.lowerBound)
        return self.ranges[first...].prefix { $0.lowerBound <= range.upperBound }
    }

    private func firstIndex(endingAtOrAfter id: Int64) -> Int {
        var low = 0
        var high = self.ranges.count
        while low < high {
            let middle = (low + high) / 2
            if self.ranges[middle].upperBound < id { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
