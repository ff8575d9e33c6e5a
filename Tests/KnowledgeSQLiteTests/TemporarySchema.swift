import Foundation
import KnowledgePostgres
import Logging
import Postgres
import Testing

/// A schema of its own for one test in the database of `TEST_POSTGRES_URL`.
struct TemporarySchema {
    static let url = ProcessInfo.processInfo.environment["TEST_POSTGRES_URL"]

    let pool: PostgresPool
    private let name: String
    private let admin: PostgresPool

    /// Runs a body with a schema that is dropped afterwards.
    static func with(_ body: (TemporarySchema) async throws -> Void) async throws {
        let url = try #require(Self.url)
        let name = "test_\(UUID().uuidString.lowercased().replacing("-", with: "_"))"
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let options = "options=-csearch_path%3D\(name)%2Cpublic"
        let schema = TemporarySchema(
            pool: PostgresPool(
                try PostgresConfiguration(url: url + (url.contains("?") ? "&" : "?") + options),
                logger: logger
            ),
            name: name,
            admin: PostgresPool(try PostgresConfiguration(url: url), logger: logger)
        )
        do {
            try await schema.admin.withConnection { try await $0.execute(script: "CREATE SCHEMA \(name)") }
            try await body(schema)
        } catch {
            await schema.drop()
            throw error
        }
        await schema.drop()
    }

    private func drop() async {
        await self.pool.close()
        try? await self.admin.withConnection { try await $0.execute(script: "DROP SCHEMA \(self.name) CASCADE") }
        await self.admin.close()
    }

    func open(_ limits: PostgresKnowledgeStore.Limits = .init()) -> PostgresKnowledgeStore {
        PostgresKnowledgeStore(
            pool: self.pool,
            limits: limits,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    /// Removes all that a store has made.
    func clear() async throws {
        try await self.pool.withConnection { connection in
            try await connection.execute(script: "DROP SCHEMA \(self.name) CASCADE; CREATE SCHEMA \(self.name)")
        }
    }
}
