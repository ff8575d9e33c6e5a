import Foundation
import Logging
import Testing

@testable import Postgres

/// The server that tests share.
///
/// `Scripts/with-services` starts it; without one, tests fail and say so.
enum TestServer {
    static func configuration(_ change: (String) -> String = { $0 }) throws -> PostgresConfiguration {
        let url = try #require(
            ProcessInfo.processInfo.environment["TEST_POSTGRES_URL"],
            "TEST_POSTGRES_URL is not set: run the tests with Scripts/with-services."
        )
        var configuration = try PostgresConfiguration(url: change(url))
        // Other tests keep the processors busy; those about time set their own.
        configuration.connectTimeout = .seconds(60)
        return configuration
    }

    /// Runs a closure with a connection of its own.
    static func withConnection(
        _ configuration: PostgresConfiguration? = nil,
        _ body: (PostgresConnection) async throws -> Void
    ) async throws {
        let connection = try await PostgresConnection.connect(configuration ?? self.configuration())
        do {
            try await body(connection)
        } catch {
            await connection.close()
            throw error
        }
        await connection.close()
    }

    /// Waits until the server runs a statement that has a text in it.
    static func waitUntilRunning(_ text: String) async throws {
        try await self.withConnection { observer in
            while try await observer.query(
                "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE $1 AND pid <> pg_backend_pid()",
                [.text("%\(text)%")]
            )[0].get(0, as: Int.self) == 0 {}
        }
    }

    /// Runs a closure with a pool of its own, and checks at the end that no connection was lost track of.
    static func withPool(
        _ configuration: PostgresConfiguration? = nil,
        limits: PostgresPoolConfiguration = PostgresPoolConfiguration(),
        prepare: @escaping @Sendable (PostgresConnection) async throws -> Void = { _ in },
        _ body: (PostgresPool) async throws -> Void
    ) async throws {
        let pool = PostgresPool(
            try configuration ?? self.configuration(),
            limits: limits,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            prepare: prepare
        )
        do {
            try await body(pool)
        } catch {
            await pool.close()
            throw error
        }
        #expect(pool.statistics.inUse == 0, "connections that were not given back")
        await pool.close()
        #expect(pool.statistics.open == 0)
        #expect(pool.statistics.opened == pool.statistics.closed)
    }
}

/// The code of the error that a closure throws, if it is one of ours.
func code(_ body: () async throws -> Void) async -> PostgresError.Code? {
    do {
        try await body()
        return nil
    } catch let error as PostgresError {
        return error.code
    } catch {
        Issue.record("\(error) is not a PostgresError")
        return nil
    }
}

extension PostgresConnection {
    /// Runs a statement, and reads one column of its first row.
    nonisolated func single<Value: PostgresDecodable>(
        _ sql: String,
        _ parameters: [PostgresParameter] = [],
        column: Int = 0,
        as type: Value.Type
    ) async throws -> Value {
        let rows = try await self.query(sql, parameters)
        return try #require(rows.first).get(column)
    }
}
