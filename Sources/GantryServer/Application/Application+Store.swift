import AccessPostgres
import AuditPostgres
import Foundation
import Knowledge
import KnowledgePostgres
import KnowledgeSQLite
import Logging
import Postgres

extension Application {
    /// The connections to PostgreSQL, or nothing without `DATABASE_URL`.
    ///
    /// None is opened before something is asked.
    static func database(_ settings: Settings, logger: Logger) throws(StartError) -> PostgresPool? {
        guard let database = settings.database else { return nil }
        let configuration: PostgresConfiguration
        do {
            configuration = try PostgresConfiguration(url: database.url)
        } catch {
            throw StartError("DATABASE_URL: \(error.message)")
        }
        var limits = PostgresPoolConfiguration()
        limits.size = database.poolSize
        limits.maxOverflow = database.maximumOverflow
        limits.recycle = .seconds(database.recycleSeconds)
        return PostgresPool(configuration, limits: limits, logger: logger)
    }

    /// The knowledge store, and beside it the queue of files that wait to be ingested: in PostgreSQL if there is one, else in
    /// a file in the data directory, which is made if there is none.
    static func store(
        _ settings: Settings,
        database: PostgresPool?,
        logger: Logger
    ) throws(StartError) -> (any KnowledgeStore & KnowledgeRecords, any IngestQueue) {
        do {
            // Others on this machine have no business in it: it holds documents.
            try FileManager.default.createDirectory(
                atPath: settings.dataDirectory,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw StartError(
                "GANTRY_DATA_DIR: “\(settings.dataDirectory)” can't be made: \(error.localizedDescription)"
            )
        }
        if let database {
            let store = PostgresKnowledgeStore(pool: database, logger: logger)
            return (store, PostgresIngestQueue(store: store))
        }
        do {
            let store = try SQLiteKnowledgeStore(path: "\(settings.dataDirectory)/knowledge.sqlite")
            return (store, SQLiteIngestQueue(store: store))
        } catch {
            throw StartError("The knowledge store in “\(settings.dataDirectory)” can't be used: \(error.message)")
        }
    }

    /// Brings the tables of the database up to date.
    ///
    /// - Returns: The names of the migrations that were carried out.
    /// - Throws: The error of the store whose tables can't be made. Without a database, opening the files has done it.
    public func migrate() async throws -> [String] {
        guard let database else { return [] }
        var done = try await PostgresKnowledgeStore(pool: database, logger: self.logger).prepare()
        done += try await PostgresAuditStore(pool: database, chain: self.auditChain, logger: self.logger).prepare()
        done += try await PostgresAPIKeyStore(pool: database, logger: self.logger).prepare()
        return done
    }

    /// Gives a body an empty knowledge store, and removes it afterwards: a schema of its own in the database if there is
    /// one, else a file in a temporary directory.
    func withEmptyStore<Result>(
        _ body: (any KnowledgeStore) async throws(KnowledgeError) -> Result
    ) async throws(KnowledgeError) -> Result {
        let name = "gantry_eval_\(UUID().uuidString.lowercased().replacing("-", with: "_"))"
        guard let database else {
            let directory = FileManager.default.temporaryDirectory.appending(path: name)
            defer { try? FileManager.default.removeItem(at: directory) }
            do {
                try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            } catch {
                throw KnowledgeError(.storeFailed, "A temporary directory can't be made.", cause: error)
            }
            return try await body(SQLiteKnowledgeStore(path: directory.appending(path: "knowledge.sqlite").path))
        }
        let pool = PostgresPool(database.configuration, limits: database.limits, logger: self.logger) { connection in
            try await connection.execute(script: "SET search_path = \(name), public")
        }
        do {
            try await database.withConnection { try await $0.execute(script: "CREATE SCHEMA \(name)") }
        } catch {
            throw KnowledgeError(.storeFailed, "A schema can't be made in the database.", cause: error)
        }
        let result: Swift.Result<Result, KnowledgeError>
        do {
            result = .success(try await body(PostgresKnowledgeStore(pool: pool, logger: self.logger)))
        } catch {
            result = .failure(error)
        }
        await pool.close()
        do {
            try await database.withConnection { try await $0.execute(script: "DROP SCHEMA \(name) CASCADE") }
        } catch {
            self.logger.warning("schema not dropped", metadata: ["schema": "\(name)", "error": "\(error)"])
        }
        return try result.get()
    }
}
