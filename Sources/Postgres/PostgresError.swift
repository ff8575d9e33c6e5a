/// An error thrown by a connection to PostgreSQL or by the pool.
///
/// The message names no values and no secrets, so it can be shown to a caller. What the server or libpq said is in
/// ``cause``, for the log.
public struct PostgresError: Error, Sendable {
    /// The kind of failure, for callers that want to react to it.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The name of the code, for logs and metrics: one of a fixed set.
        public let description: String
        private init(_ description: String) { self.description = description }

        /// The configuration can't be used: the URL is not one, for example.
        public static let invalidConfiguration = Self("invalid_configuration")
        /// No connection could be opened: nobody listens, the name is unknown, or the server is starting up.
        public static let connectionFailed = Self("connection_failed")
        /// The server refused the user, the password or the database.
        public static let authenticationFailed = Self("authentication_failed")
        /// The connection ended before the answer came.
        ///
        /// Whether a write was carried out is unknown, unless it was part of a transaction, which is rolled back.
        public static let connectionLost = Self("connection_lost")
        /// The connection ended while a transaction was being committed, so whether it was is unknown.
        public static let outcomeUnknown = Self("outcome_unknown")
        /// All connections are in use, and none became free in time or too many callers wait already.
        public static let poolExhausted = Self("pool_exhausted")
        /// The pool or the connection has been closed by its owner.
        public static let closed = Self("closed")
        /// The server said nothing until the deadline; the connection is given up.
        public static let timeout = Self("timeout")
        /// The server stopped the statement after its `statement_timeout`.
        public static let statementTimeout = Self("statement_timeout")
        /// A lock was not granted in time (`lock_timeout`, `NOWAIT`).
        public static let lockNotAvailable = Self("lock_not_available")
        /// The task was cancelled, and the statement with it.
        public static let cancelled = Self("cancelled")
        /// A row with the same key exists.
        public static let uniqueViolation = Self("unique_violation")
        /// A row breaks a foreign key, a check, an exclusion, or is null where it must not be.
        public static let constraintViolation = Self("constraint_violation")
        /// The transaction conflicts with another one; running it again may succeed.
        public static let serializationFailure = Self("serialization_failure")
        /// Transactions waited for each other, and this one was ended; running it again may succeed.
        public static let deadlock = Self("deadlock")
        /// The user may not do this.
        public static let insufficientPrivilege = Self("insufficient_privilege")
        /// A table, column, function or type doesn't exist.
        public static let undefinedObject = Self("undefined_object")
        /// The statement is not valid SQL, or makes no sense.
        public static let invalidStatement = Self("invalid_statement")
        /// A value doesn't fit: out of range, wrong format, wrong number of dimensions.
        public static let invalidValue = Self("invalid_value")
        /// The server is out of disk, memory or connections.
        public static let insufficientResources = Self("insufficient_resources")
        /// The server accepts no writes: a standby, or a transaction that is read only.
        public static let readOnly = Self("read_only")
        /// A column can't be read as the type that was asked for, or doesn't exist.
        public static let decodingFailed = Self("decoding_failed")
        /// The connection was used in a way it can't be: by two tasks at once, for example.
        public static let misuse = Self("misuse")
        /// A newer version of this program made the tables.
        public static let newerSchema = Self("newer_schema")
        /// Anything else that the server reports.
        public static let server = Self("server")
    }

    /// The kind of failure.
    public var code: Code
    /// What happened, in words that can be shown to a caller.
    public var message: String
    /// The five characters that PostgreSQL gives an error (PostgreSQL documentation, Appendix A), if it comes from there.
    public var sqlState: String?
    /// What the server or libpq said, for the log: it may name tables and values, but never the password.
    public var cause: (any Error)?

    /// Creates an error.
    public init(_ code: Code, _ message: String, sqlState: String? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.sqlState = sqlState
        self.cause = cause
    }

    /// Whether the same work may succeed when it is tried again, on another connection.
    ///
    /// For a transaction this is safe: what failed was rolled back. ``Code/outcomeUnknown`` is not among them.
    public var isRetryable: Bool {
        switch self.code {
        case .connectionFailed, .connectionLost, .poolExhausted, .timeout, .statementTimeout, .lockNotAvailable,
            .serializationFailure, .deadlock, .insufficientResources:
            true
        default: false
        }
    }
}

extension PostgresError: CustomStringConvertible {
    public var description: String {
        let state = self.sqlState.map { " (SQLSTATE \($0))" } ?? ""
        let cause = self.cause.map { ": \($0)" } ?? ""
        return "\(self.code)\(state): \(self.message)\(cause)"
    }
}

/// What the server reported, field by field (PostgreSQL documentation, section 53.8).
public struct PostgresServerError: Error, Sendable, CustomStringConvertible {
    /// `ERROR`, `FATAL` or `PANIC`.
    public var severity: String
    /// The five characters that tell the kind of error.
    public var sqlState: String
    /// What happened.
    ///
    /// It may name tables and columns.
    public var message: String
    /// More about it.
    ///
    /// It may hold values of rows.
    public var detail: String?
    /// What might help.
    public var hint: String?
    /// The constraint that was broken.
    public var constraint: String?

    public var description: String {
        ["\(self.severity) \(self.sqlState): \(self.message)", self.detail, self.hint].compactMap(\.self)
            .joined(separator: " – ")
    }
}

/// What libpq reported about a connection.
struct PostgresClientError: Error, CustomStringConvertible {
    var description: String
}

extension PostgresError {
    /// Makes an error from what the server reported about a statement.
    init(_ error: PostgresServerError) {
        let (code, message) = Self.classify(error.sqlState)
        self.init(code, message, sqlState: error.sqlState, cause: error)
    }

    /// The code and the words for an SQLSTATE.
    static func classify(_ sqlState: String) -> (Code, String) {
        switch sqlState {
        case "23505": (.uniqueViolation, "An entry with the same key exists.")
        case "40001": (.serializationFailure, "The change conflicts with another one that was made at the same time.")
        case "40P01": (.deadlock, "The change and another one waited for each other.")
        case "57014": (.statementTimeout, "The database stopped the statement because it took too long.")
        case "55P03": (.lockNotAvailable, "The database could not lock a row or a table in time.")
        case "42501": (.insufficientPrivilege, "The user of the database may not do this.")
        case "42P01", "42703", "42883", "42704", "3F000", "3D000":
            (.undefinedObject, "A table, column, function or type is missing in the database.")
        case "25006": (.readOnly, "The database accepts no writes.")
        case "57P01", "57P02", "57P03", "57P05", "25P03":
            (.connectionLost, "The database closed the connection.")
        default:
            switch sqlState.prefix(2) {
            case "08": (.connectionLost, "The connection to the database was lost.")
            case "22": (.invalidValue, "A value does not fit in the database.")
            case "23": (.constraintViolation, "The entry breaks a rule of the database.")
            case "28": (.authenticationFailed, "The database refused the user or the password.")
            case "42": (.invalidStatement, "The database could not make sense of the statement.")
            case "53": (.insufficientResources, "The database is out of disk, memory or connections.")
            default: (.server, "The database reported an error.")
            }
        }
    }
}
