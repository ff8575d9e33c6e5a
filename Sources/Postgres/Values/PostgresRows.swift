import Clibpq

/// The answer to a statement: its rows, and how many rows a write changed.
public struct PostgresRows: Sendable {
    let result: PostgresResult

    /// How many rows were inserted, updated, deleted, copied or selected.
    public var affectedRows: Int {
        guard let text = PQcmdTuples(self.result.pointer) else { return 0 }
        return Int(String(cString: text)) ?? 0
    }

    /// The names of the columns.
    public var columns: [String] {
        (0..<PQnfields(self.result.pointer)).map { String(cString: PQfname(self.result.pointer, $0)) }
    }
}

extension PostgresRows: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { Int(PQntuples(self.result.pointer)) }
    public subscript(position: Int) -> PostgresRow {
        precondition(position >= 0 && position < self.endIndex, "There is no row \(position).")
        return PostgresRow(result: self.result, row: Int32(position))
    }
}

/// One row of an answer.
///
/// It keeps the whole answer in memory.
public struct PostgresRow: Sendable {
    let result: PostgresResult
    let row: Int32

    /// Reads a column by its position, counted from 0.
    ///
    /// - Throws: ``PostgresError/Code/decodingFailed`` if there is no such column, it is NULL, or of another type.
    public func get<Value: PostgresDecodable>(
        _ column: Int,
        as type: Value.Type = Value.self
    ) throws(PostgresError)
        -> Value
    {
        guard let value = try self.getIfPresent(column, as: type) else {
            throw PostgresError(.decodingFailed, "Column \(self.describe(column)) of the answer is empty.")
        }
        return value
    }

    /// Reads a column by its position, counted from 0; NULL is `nil`.
    ///
    /// - Throws: ``PostgresError/Code/decodingFailed`` if there is no such column, or it is of another type.
    public func getIfPresent<Value: PostgresDecodable>(
        _ column: Int,
        as type: Value.Type = Value.self
    )
        throws(PostgresError) -> Value?
    {
        let pointer = self.result.pointer
        guard column >= 0, column < Int(PQnfields(pointer)) else {
            throw PostgresError(.decodingFailed, "The answer has no column \(column).")
        }
        let column32 = Int32(column)
        guard PQgetisnull(pointer, self.row, column32) == 0 else { return nil }
        let bytes = UnsafeRawBufferPointer(
            start: PQgetvalue(pointer, self.row, column32),
            count: Int(PQgetlength(pointer, self.row, column32))
        )
        let oid = PQftype(pointer, column32)
        guard PQfformat(pointer, column32) == 1, let value = Value(postgres: bytes, type: oid) else {
            throw PostgresError(
                .decodingFailed,
                "Column \(self.describe(column)) of the answer, of the type \(oid), can't be read as \(Value.self)."
            )
        }
        return value
    }

    /// Reads a column by its name.
    ///
    /// - Throws: ``PostgresError/Code/decodingFailed`` if there is no such column, it is NULL, or of another type.
    public func get<Value: PostgresDecodable>(
        _ name: String,
        as type: Value.Type = Value.self
    ) throws(PostgresError)
        -> Value
    {
        try self.get(self.column(name), as: type)
    }

    /// Reads a column by its name; NULL is `nil`.
    ///
    /// - Throws: ``PostgresError/Code/decodingFailed`` if there is no such column, or it is of another type.
    public func getIfPresent<Value: PostgresDecodable>(
        _ name: String,
        as type: Value.Type = Value.self
    )
        throws(PostgresError) -> Value?
    {
        try self.getIfPresent(self.column(name), as: type)
    }

    private func column(_ name: String) throws(PostgresError) -> Int {
        for column in 0..<PQnfields(self.result.pointer)
        where String(cString: PQfname(self.result.pointer, column)) == name {
            return Int(column)
        }
        throw PostgresError(.decodingFailed, "The answer has no column \(name).")
    }

    private func describe(_ column: Int) -> String { String(cString: PQfname(self.result.pointer, Int32(column))) }
}

/// Owns a result of libpq, and frees it once nobody has it any more.
final class PostgresResult: Sendable {
    // A result may be passed between threads (PostgreSQL documentation, section 32.21).
    nonisolated(unsafe) let pointer: OpaquePointer  // Safe: libpq does not change a result that it has handed out.

    init(_ pointer: OpaquePointer) { self.pointer = pointer }

    deinit { PQclear(self.pointer) }

    /// What the server reported, if the statement failed.
    var error: PostgresServerError? {
        switch PQresultStatus(self.pointer) {
        case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE: break
        default: return nil
        }
        func field(_ name: Unicode.Scalar) -> String? {
            PQresultErrorField(self.pointer, Int32(name.value)).map { String(cString: $0) }
        }
        // An error of libpq itself, such as a connection that ended, has no fields.
        return PostgresServerError(
            severity: field("V") ?? "FATAL",
            sqlState: field("C") ?? "08006",
            message: field("M") ?? String(cString: PQresultErrorMessage(self.pointer)),
            detail: field("D"),
            hint: field("H"),
            constraint: field("n")
        )
    }
}
