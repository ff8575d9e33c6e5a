import Foundation
import Logging
import Synchronization
import Testing

@testable import Postgres

/// What happens to callers while a server of their own is restarted, killed and frozen under load.
@Suite("A server that fails under load", .serialized, .timeLimit(.minutes(5)))
struct PostgresChaosTests {
    /// A server that the test may do anything to.
    struct Server {
        let directory = "\(NSTemporaryDirectory())/gantry-chaos-\(UUID().uuidString.prefix(8))"
        private static let script = URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Scripts/postgres").path

        /// Runs `Scripts/postgres`, on a thread of its own.
        @discardableResult
        func run(_ action: String) async throws -> String {
            let directory = self.directory
            return try await withCheckedThrowingContinuation { continuation in
                Thread.detachNewThread {
                    continuation.resume(
                        with: Result {
                            let process = Process()
                            process.executableURL = URL(filePath: Self.script)
                            process.arguments = [action, directory]
                            let output = Pipe()
                            process.standardOutput = output
                            try process.run()
                            let text = try output.fileHandleForReading.readToEnd() ?? Data()
                            process.waitUntilExit()
                            guard process.terminationStatus == 0 else { throw ScriptFailure(action: action) }
                            return String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
                        }
                    )
                }
            }
        }
    }

    struct ScriptFailure: Error { var action: String }

    /// What all callers saw, while they go on.
    final class Log: Sendable {
        let tally = Mutex(Tally())
        var seen: Tally { self.tally.withLock { $0 } }
    }

    /// What the callers saw.
    struct Tally: Sendable {
        var successes = 0
        var errors: [PostgresError.Code: Int] = [:]
        var others: [String] = []
        var longest: Duration = .zero
    }

    /// Calls of every kind, again and again, until the closure returns.
    private func underLoad(
        _ pool: PostgresPool,
        _ log: Log,
        _ body: () async throws -> Void
    ) async throws {
        let callers = (0..<16).map { number in
            Task {
                while !Task.isCancelled {
                    let start = ContinuousClock.now
                    var failure: (any Error)?
                    do {
                        switch number % 4 {
                        case 0:
                            try await pool.query("SELECT $1 FROM pg_sleep(0.002)", [.int(number)])
                        case 1:
                            try await pool.withTransaction { connection in
                                try await connection.query(
                                    "UPDATE counter SET value = value + 1 WHERE id = $1",
                                    [.int(number)]
                                )
                                try await connection.query("SELECT pg_sleep(0.001)")
                            }
                        case 2: try await pool.query("SELECT sum(i) FROM generate_series(1, 2000) AS i")
                        default:
                            try await pool.withConnection { connection in
                                try await connection.copy(
                                    "COPY sink FROM STDIN (FORMAT binary)",
                                    rows: [[.int8(1)], [.int8(2)]]
                                )
                            }
                        }
                    } catch { failure = error }
                    let duration = start.duration(to: .now)
                    let outcome = failure
                    let isEnd = Task.isCancelled
                    log.tally.withLock { tally in
                        switch outcome {
                        case nil: tally.successes += 1
                        case let error as PostgresError where isEnd && error.code == .cancelled: break
                        case let error as PostgresError: tally.errors[error.code, default: 0] += 1
                        case let error?: tally.others.append("\(error)")
                        }
                        tally.longest = max(tally.longest, duration)
                    }
                    // A server that refuses at once would be asked as fast as the machine can.
                    if outcome != nil { try? await Task.sleep(for: .milliseconds(5)) }
                }
            }
        }
        let result: Result<Void, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        for caller in callers { caller.cancel() }
        for caller in callers { await caller.value }
        try result.get()
    }

    /// Waits until so many more calls have succeeded.
    private func waitForSuccesses(_ count: Int, _ log: Log) async throws {
        let target = log.seen.successes + count
        while log.seen.successes < target { try await Task.sleep(for: .milliseconds(10)) }
    }

    @Test("Restarted, killed and frozen: errors are typed, service returns by itself, no connection is lost track of")
    func chaos() async throws {
        let server = Server()
        var configuration = try PostgresConfiguration(url: try await server.run("start"))
        configuration.connectTimeout = .seconds(1)
        configuration.applicationName = "chaos"
        let outcome: Result<Void, any Error>
        do {
            try await self.withPool(configuration) { pool in
                try await pool.withConnection { connection in
                    try await connection.execute(
                        script: """
                            CREATE TABLE counter (id bigint PRIMARY KEY, value bigint NOT NULL);
                            INSERT INTO counter SELECT i, 0 FROM generate_series(0, 15) AS i;
                            CREATE TABLE sink (i bigint);
                            """
                    )
                }
            }
            // A server that is restarted may be slow on a busy machine, but no statement waits without end. One that is
            // frozen answers none.
            let gone: Set<PostgresError.Code> = [.connectionLost, .connectionFailed, .outcomeUnknown, .poolExhausted]
            configuration.statementTimeout = .seconds(60)
            try await self.withPool(configuration) { try await self.attack(server, $0, "restart", gone) }
            try await self.withPool(configuration) { try await self.attack(server, $0, "kill", gone) }
            configuration.statementTimeout = .seconds(1)
            try await self.withPool(configuration) { pool in
                // The server's own limit may strike first, when it goes on.
                try await self.attack(server, pool, "freeze", gone.union([.timeout, .statementTimeout]))
            }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        try await server.run("kill")
        try FileManager.default.removeItem(atPath: server.directory)
        try outcome.get()
    }

    private func withPool(
        _ configuration: PostgresConfiguration,
        _ body: (PostgresPool) async throws -> Void
    ) async throws {
        var limits = PostgresPoolConfiguration()
        limits.size = 6
        limits.maxOverflow = 2
        limits.acquireTimeout = .seconds(2)
        let pool = PostgresPool(
            configuration,
            limits: limits,
            logger: Logger(label: "chaos") { _ in SwiftLogNoOpLogHandler() }
        )
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body(pool)) } catch { outcome = .failure(error) }
        await pool.close()
        #expect(pool.statistics.open == 0 && pool.statistics.opened == pool.statistics.closed)
        try outcome.get()
    }

    /// Lets callers work while something happens to the server; `codes` are what they may be told.
    private func attack(
        _ server: Server,
        _ pool: PostgresPool,
        _ action: String,
        _ codes: Set<PostgresError.Code>
    ) async throws {
        let log = Log()
        try await self.underLoad(pool, log) {
            try await self.waitForSuccesses(50, log)
            try await server.run(action)
            switch action {
            case "kill": try await server.run("resume")
            case "freeze":
                // Until every caller has been told that nothing comes.
                while log.seen.errors.values.reduce(0, +) < 16 {
                    try await Task.sleep(for: .milliseconds(20))
                }
                try await server.run("thaw")
            default: break
            }
            try await self.waitForSuccesses(200, log)
        }
        let seen = log.seen
        #expect(seen.others.isEmpty, "\(action): errors that are not typed: \(seen.others)")
        #expect(Set(seen.errors.keys).isSubset(of: codes), "\(action): \(seen.errors)")
        let statistics = pool.statistics
        #expect(statistics.inUse == 0 && statistics.waiting == 0, "\(action): \(statistics)")
        // What the pool gave up, the server gives up too, and the two agree on what is left.
        var counted = -1
        while counted != pool.statistics.open {
            let rows = try await pool.query(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'chaos' AND backend_type = 'client backend'"
            )
            counted = try rows[0].get(0)
        }
        print(
            "chaos: \(action): \(seen.successes) calls succeeded, errors \(seen.errors), longest call \(seen.longest)"
        )
    }
}
