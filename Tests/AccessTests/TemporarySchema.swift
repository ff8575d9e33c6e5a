import Foundation
import Logging
import Postgres
import Testing

/// A schema of its own for one test in the database of `TEST_POSTGRES_URL`.
enum TemporarySchema {
    /// Runs a body with connections to a schema that is dropped afterwards.
    static func with(_ body: (PostgresPool) async throws -> Void) async throws {
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
            outcome = .success(try await body(pool))
        } catch { outcome = .failure(error) }
        await pool.close()
        try? await admin.withConnection { try await $0.execute(script: "DROP SCHEMA \(name) CASCADE") }
        await admin.close()
        try outcome.get()
    }
}
