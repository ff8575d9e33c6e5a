import Foundation
import Logging
package import Postgres
import Testing

/// A schema of its own for one test in the database of `TEST_POSTGRES_URL`.
package struct TemporarySchema: Sendable {
    /// Connections that see the schema before all others.
    package let pool: PostgresPool
    private let name: String

    /// Runs a body with a schema that is dropped afterwards.
    package static func with(_ body: (TemporarySchema) async throws -> Void) async throws {
        let url = try #require(
            ProcessInfo.processInfo.environment["TEST_POSTGRES_URL"],
            "TEST_POSTGRES_URL is not set: run the tests with Scripts/with-services."
        )
        let name = "test_\(UUID().uuidString.lowercased().replacing("-", with: "_"))"
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let options = "options=-csearch_path%3D\(name)%2Cpublic"
        let admin = PostgresPool(try PostgresConfiguration(url: url), logger: logger)
        let pool = PostgresPool(
            try PostgresConfiguration(url: url + (url.contains("?") ? "&" : "?") + options),
            logger: logger
        )
        let outcome: Result<Void, any Error>
        do {
            try await admin.withConnection { try await $0.execute(script: "CREATE SCHEMA \(name)") }
            outcome = .success(try await body(TemporarySchema(pool: pool, name: name)))
        } catch {
            outcome = .failure(error)
        }
        await pool.close()
        // What the test found matters more than what can't be cleaned up.
        try? await admin.withConnection { try await $0.execute(script: "DROP SCHEMA \(name) CASCADE") }
        await admin.close()
        try outcome.get()
    }

    /// Removes all that was made in it.
    package func clear() async throws {
        try await self.pool.withConnection { connection in
            try await connection.execute(script: "DROP SCHEMA \(self.name) CASCADE; CREATE SCHEMA \(self.name)")
        }
    }
}
