public import Knowledge
public import Logging
public import Postgres
import Synchronization

/// A knowledge store in PostgreSQL with pgvector, which many servers may share.
///
/// The tables are in the first schema of the connection's `search_path`. They are made, and brought up to date, when the
/// store is first used.
public final class PostgresKnowledgeStore: KnowledgeStore {
    /// How the database is searched.
    public struct Limits: Sendable {
        /// How many neighbours the vector index keeps in sight (`hnsw.ef_search`); more if more candidates are asked for.
        ///
        /// Twice the candidates of a query: with as many as candidates a search sometimes ends among the wrong neighbours
        /// (docs/performance.md has what each width finds and costs).
        public var searchWidth = 200

        /// The number of chunks up to which a filtered search compares all of them, exactly, instead of using the index.
        ///
        /// A filter that keeps 2 % of a million chunks stays below it: by the index, such a search found .94 of the nearest.
        public var maximumExactChunks = 25_000

        /// How many occurrences of a query's words lead to candidates, the rarest words first.
        ///
        /// Commoner words then only count for the candidates that the others gave. One word is always looked up whole.
        public var maximumPostings = 50_000

        /// How often a write is tried again when another one came in between.
        public var maximumAttempts = 5

        /// Creates the defaults.
        public init() {}
    }

    /// The oldest version of pgvector that finds enough rows behind a filter (iterative scans).
    static let minimumVersion = [0, 8, 0]
    /// Versions before this one can damage an index when rows are removed.
    static let recommendedVersion = [0, 8, 4]

    let pool: PostgresPool
    let limits: Limits
    let logger: Logger
    private let isPrepared = Atomic(false)

    /// Creates a store.
    ///
    /// Nothing is connected before it is used.
    ///
    /// - Parameters:
    ///   - pool: The connections. The store doesn't close them.
    ///   - limits: How the database is searched.
    ///   - logger: Told about migrations, and about a pgvector that should be newer.
    public init(pool: PostgresPool, limits: Limits = Limits(), logger: Logger) {
        self.pool = pool
        self.limits = limits
        self.logger = logger
    }

    /// Brings the schema up to date, and makes sure that pgvector is new enough and that its index is used.
    ///
    /// The first use of the store does it too.
    ///
    /// - Returns: The names of the migrations that were carried out.
    /// - Throws: ``KnowledgeError/Code/newerSchema`` if a newer version of this program made the tables,
    ///   ``KnowledgeError/Code/storeFailed`` if the database can't be reached or lacks something.
    @discardableResult
    public func prepare() async throws(KnowledgeError) -> [String] {
        let done = try await self.attempt { [logger] pool in
            let done = try await KnowledgeSchema.migrations.run(pool)
            for name in done { logger.info("Migrated the knowledge base", metadata: ["migration.name": "\(name)"]) }
            try await pool.withConnection { connection in
                try await Self.checkVersion(connection, logger)
                try await Self.checkIndex(connection, logger)
            }
            return done
        }
        self.isPrepared.store(true, ordering: .releasing)
        return done
    }

    private static func checkVersion(_ connection: PostgresConnection, _ logger: Logger) async throws {
        let rows = try await connection.query("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
        let text: String = try rows.first?.get(0) ?? "none"
        let version = text.split(separator: ".").map { Int($0) ?? 0 }
        guard !version.lexicographicallyPrecedes(Self.minimumVersion) else {
            throw KnowledgeError(
                .storeFailed,
                "The database has pgvector \(text); 0.8.0 or later is needed. Update it, then run ALTER EXTENSION vector UPDATE."
            )
        }
        if version.lexicographicallyPrecedes(Self.recommendedVersion) {
            logger.warning(
                "pgvector before 0.8.4 can damage an index when rows are removed; update it",
                metadata: ["pgvector.version": "\(text)"]
            )
        }
    }

    /// An index that doesn't fit the query would never be used, and nobody would notice but by the time it takes.
    private static func checkIndex(_ connection: PostgresConnection, _ logger: Logger) async throws {
        guard let model = try await IndexState.fetch(connection).model else { return }
        let column = try VectorColumn(dimension: model.dimension)
        let plan = try await connection.withTransaction(isReadOnly: true) { connection in
            try await connection.execute(script: "SET LOCAL enable_seqscan = off")
            return try await connection.query(
                "EXPLAIN SELECT id FROM document_embeddings ORDER BY \(column.distance(to: "$1")) LIMIT 10",
                [.halfvec([Float](repeating: 1, count: model.dimension))]
            )
            .map { try $0.get(0, as: String.self) }
        }
        if !plan.contains(where: { $0.contains(VectorColumn.indexName) }) {
            logger.error(
                "The vector index isn't used; searches read all vectors. Run gantry reindex",
                metadata: ["postgres.plan": "\(plan.joined(separator: " "))"]
            )
        }
    }

    // MARK: Transactions

    /// Reads in one snapshot.
    func read<Value: Sendable>(
        _ body: @Sendable (PostgresConnection) async throws -> Value
    ) async throws(KnowledgeError) -> Value {
        try await self.prepareOnce()
        return try await self.attempt { pool in
            try await pool.withTransaction(isolation: .repeatableRead, isReadOnly: true, body)
        }
    }

    /// Writes in one transaction, again if another one came in between.
    func write<Value: Sendable>(
        _ body: @Sendable (PostgresConnection) async throws -> Value
    ) async throws(KnowledgeError) -> Value {
        try await self.prepareOnce()
        return try await self.attempt { pool in try await pool.withTransaction(body) }
    }

    func prepareOnce() async throws(KnowledgeError) {
        if !self.isPrepared.load(ordering: .acquiring) { try await self.prepare() }
    }

    private func attempt<Value: Sendable>(
        _ body: (PostgresPool) async throws -> Value
    ) async throws(KnowledgeError) -> Value {
        var attempt = 1
        while true {
            do {
                return try await body(self.pool)
            } catch let error as PostgresError where Self.conflicts.contains(error.code) || error.sqlState == "0A000" {
                // What failed was rolled back as a whole.
                guard attempt < self.limits.maximumAttempts else { throw KnowledgeError(postgres: error) }
                attempt += 1
            } catch {
                throw KnowledgeError(postgres: error)
            }
        }
    }

    private static let conflicts: Set<PostgresError.Code> = [.serializationFailure, .deadlock]
}

extension KnowledgeError {
    /// Tells callers what failed without what the database said, which goes to the log.
    init(postgres error: any Error) {
        switch error {
        case let error as KnowledgeError: self = error
        case is CancellationError: self.init(.cancelled, "The task was cancelled.")
        case let error as PostgresError where error.code == .cancelled: self.init(.cancelled, "The task was cancelled.")
        case let error as PostgresError where ["22021", "22P05"].contains(error.sqlState):
            self.init(
                .invalidText,
                "The text holds a character that PostgreSQL can't keep, such as U+0000.",
                cause: error
            )
        case let error as PostgresError where error.code == .newerSchema:
            self.init(
                .newerSchema,
                "The knowledge base was made by a newer version of this program; use that version.",
                cause: error
            )
        case let error as PostgresError where error.isRetryable || error.code == .closed:
            self.init(.storeFailed, "The database of the knowledge base can't be reached now. Try again.", cause: error)
        case let error as PostgresError where error.code == .outcomeUnknown:
            self.init(
                .storeFailed,
                "The database was lost during a change, which may have been made or not.",
                cause: error
            )
        case let error as PostgresError where error.code == .insufficientPrivilege:
            self.init(
                .storeFailed,
                "The database user may not do what the knowledge base needs: own its tables, and create the extension "
                    + "vector or find it there.",
                cause: error
            )
        default: self.init(.storeFailed, "The knowledge base can't be read or written.", cause: error)
        }
    }
}
