/// Where audit records are kept: in order, linked, and only ever added to.
public protocol AuditStore: Sendable {
    /// Notes, durably, that a call is about to change something.
    func begin(_ record: AuditRecord) async throws(AuditError)

    /// Adds records at the end of the chain, and removes the notes of calls that are over with them.
    ///
    /// Records whose id is there already are left out: adding again what may have been added is safe.
    func append(_ records: [AuditRecord]) async throws(AuditError)

    /// The notes of calls that never were over, made before a time (milliseconds since 1970).
    func unfinished(before: Int) async throws(AuditError) -> [AuditRecord]

    /// Records, the newest first.
    func entries(matching filter: AuditFilter, limit: Int) async throws(AuditError) -> [AuditEntry]

    /// Where the chain begins and ends, once the seal is found to be right.
    ///
    /// - Throws: ``AuditError`` with `broken` if it isn't.
    func span() async throws(AuditError) -> AuditSpan

    /// Records in the order of the chain.
    func entries(after sequence: Int, limit: Int) async throws(AuditError) -> [AuditEntry]

    /// Removes the records before a time (milliseconds since 1970), from the beginning of the chain.
    ///
    /// - Returns: How many.
    func prune(before: Int) async throws(AuditError) -> Int
}

/// Which records are asked for: all conditions have to hold.
public struct AuditFilter: Sendable, Hashable {
    public var user: String?
    public var tool: String?
    public var outcome: String?
    /// What the calls were about, such as `jira_projects ENG`: one of the targets.
    public var target: String?
    /// In milliseconds since 1970.
    public var since: Int?
    /// In milliseconds since 1970; not this one any more.
    public var until: Int?
    /// Only records with smaller numbers: where the page before ended.
    public var before: Int?

    public init() {}
}

/// Why the audit log can't be written or read.
public struct AuditError: Error, Sendable {
    /// The kind of failure.
    public struct Code: Sendable, Hashable {
        private enum Value { case unavailable, broken }
        private let value: Value

        /// The store can't be used now.
        public static var unavailable: Self { Self(value: .unavailable) }
        /// What is there is not what was written.
        public static var broken: Self { Self(value: .broken) }
    }

    public var code: Code
    public var message: String
    public var cause: (any Error)?

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}
