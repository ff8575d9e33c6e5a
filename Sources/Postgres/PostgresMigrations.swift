/// The numbered steps that bring some tables to the present schema.
///
/// They only go forward, each in a transaction of its own, under a lock, so that servers which start together don't
/// disturb one another.
public struct PostgresMigrations: Sendable {
    /// A step, by its place in the list.
    public struct Step: Sendable {
        public var name: String
        public var run: @Sendable (PostgresConnection) async throws -> Void

        /// - Parameters:
        ///   - name: What the step is called in the table of steps.
        ///   - run: Carries it out, in a transaction.
        public init(_ name: String, _ run: @escaping @Sendable (PostgresConnection) async throws -> Void) {
            self.name = name
            self.run = run
        }

        /// - Parameters:
        ///   - name: What the step is called in the table of steps.
        ///   - script: The statements that carry it out.
        public init(_ name: String, _ script: String) {
            self.init(name) { try await $0.execute(script: script) }
        }
    }

    /// How long each statement of a step may take, and the wait for another server that migrates.
    private static let statementTimeout = Duration.seconds(600)

    private let table: String
    private let steps: [Step]

    /// What the steps are called, in order.
    public var names: [String] { self.steps.map(\.name) }

    /// - Parameters:
    ///   - table: The table that holds which steps were carried out: a plain name.
    ///   - steps: The steps in order.
    public init(table: String, steps: [Step]) {
        self.table = table
        self.steps = steps
    }

    /// Carries out the steps that are missing.
    ///
    /// - Returns: The names of the steps that were carried out.
    /// - Throws: ``PostgresError/Code/newerSchema`` if a newer version of this program has been here, and the errors of the
    ///   database and of the steps.
    public func run(_ pool: PostgresPool) async throws -> [String] {
        try await pool.withConnection { connection in
            try await connection.withStatementTimeout(Self.statementTimeout) {
                var done: [String] = []
                while let name = try await self.runNext(connection) { done.append(name) }
                return done
            }
        }
    }

    private nonisolated(nonsending) func runNext(_ connection: PostgresConnection) async throws -> String? {
        let table = quotePostgresIdentifier(self.table)
        return try await connection.withTransaction { connection in
            // Ends with the transaction. The number is any that nothing else uses.
            try await connection.query(
                "SELECT pg_advisory_xact_lock(hashtext($1 || current_schema()))",
                [.text("gantry.\(self.table) ")]
            )
            try await connection.execute(
                script: """
                    CREATE TABLE IF NOT EXISTS \(table) (
                        number integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())
                    """
            )
            let rows = try await connection.query("SELECT coalesce(max(number), 0) FROM \(table)")
            let current: Int = try rows.first?.get(0) ?? 0
            guard current <= self.steps.count else {
                throw PostgresError(
                    .newerSchema,
                    "The tables were made by a newer version of this program (\(self.table)); use that version."
                )
            }
            guard current < self.steps.count else { return nil }
            let next = self.steps[current]
            try await next.run(connection)
            try await connection.query(
                "INSERT INTO \(table) (number, name) VALUES ($1, $2)",
                [.int(current + 1), .text(next.name)]
            )
            return next.name
        }
    }
}
