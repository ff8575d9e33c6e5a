/// Writes the rows of a `COPY … FROM STDIN (FORMAT binary)`.
///
/// Rows are gathered until there are 64 KiB, and then sent; the writer waits while the server can't keep up, so it needs
/// no more memory however many rows there are.
public struct PostgresCopyWriter {
    private let connection: PostgresConnection
    private let deadline: ContinuousClock.Instant
    private var buffer: [UInt8]
    private static let chunk = 64 * 1024

    /// The signature, no flags, no header extension (PostgreSQL documentation, page COPY, section Binary Format).
    private static let header: [UInt8] = Array("PGCOPY\n".utf8) + [0xff, 0x0d, 0x0a, 0] + [0, 0, 0, 0] + [0, 0, 0, 0]

    init(connection: PostgresConnection, deadline: ContinuousClock.Instant) {
        self.connection = connection
        self.deadline = deadline
        self.buffer = Self.header
        self.buffer.reserveCapacity(Self.chunk + 4096)
    }

    /// Writes one row: a value for each column, of exactly the column's type.
    ///
    /// - Throws: A ``PostgresError`` if the connection ends, the deadline passes or the task is cancelled.
    public mutating func write(_ row: [PostgresParameter]) async throws(PostgresError) {
        self.append(UInt16(clamping: row.count))
        for value in row {
            if let bytes = value.bytes {
                self.append(UInt32(clamping: bytes.count))
                self.buffer += bytes
            } else {
                // -1 is the length of NULL.
                self.append(UInt32.max)
            }
        }
        if self.buffer.count >= Self.chunk { try await self.flush() }
    }

    /// Writes the trailer, and sends what is left.
    mutating func finish() async throws(PostgresError) {
        self.append(UInt16.max)
        try await self.flush()
    }

    private mutating func flush() async throws(PostgresError) {
        guard !Task.isCancelled else { throw PostgresError(.cancelled, "The copy was cancelled.") }
        try await self.connection.sendCopy(self.buffer, deadline: self.deadline)
        self.buffer.removeAll(keepingCapacity: true)
    }

    private mutating func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { self.buffer += $0 }
    }
}
