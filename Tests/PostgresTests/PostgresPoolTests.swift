import Foundation
import Synchronization
import Testing

@testable import Postgres

@Suite("The pool of connections", .timeLimit(.minutes(2)))
struct PostgresPoolTests {
    private static func limits(
        size: Int,
        overflow: Int = 0,
        _ change: (inout PostgresPoolConfiguration) -> Void = { _ in }
    ) -> PostgresPoolConfiguration {
        var limits = PostgresPoolConfiguration()
        limits.size = size
        limits.maxOverflow = overflow
        change(&limits)
        return limits
    }

    @Test("Connections are used again, the one that was used last first")
    func reuse() async throws {
        try await TestServer.withPool { pool in
            var pids: Set<Int> = []
            for _ in 0..<10 { pids.insert(try await pool.query("SELECT pg_backend_pid()")[0].get(0, as: Int.self)) }
            #expect(pids.count == 1)
            #expect(pool.statistics.opened == 1)
            #expect(pool.statistics.idle == 1)
        }
    }

    @Test("Many callers share few connections, and all are served")
    func sharing() async throws {
        let limits = Self.limits(size: 3, overflow: 2) { $0.acquireTimeout = .seconds(60) }
        try await TestServer.withPool(limits: limits) { pool in
            let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<300 {
                    group.addTask {
                        try await pool.query("SELECT $1 FROM pg_sleep(0.001)", [.int(number)])[0].get(0, as: Int.self)
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(sum == 300 * 299 / 2)
            let statistics = pool.statistics
            #expect(statistics.opened <= 5)
            // What is more than the size is closed when nobody needs it.
            #expect(statistics.open <= 3)
            #expect(statistics.waiting == 0 && statistics.exhausted == 0)
        }
    }

    @Test("Whoever waits too long, or is one too many, gets an error that says so")
    func exhaustion() async throws {
        let limits = Self.limits(size: 1) {
            $0.acquireTimeout = .seconds(3)
            $0.maxWaiters = 1
        }
        try await TestServer.withPool(limits: limits) { pool in
            try await pool.withConnection { _ in
                async let first = code { try await pool.query("SELECT 1") }
                while pool.statistics.waiting == 0 { await Task.yield() }
                #expect(await code { try await pool.query("SELECT 1") } == .poolExhausted)
                #expect(await first == .poolExhausted)
                #expect(pool.statistics.exhausted == 2)
                #expect(pool.statistics.waiting == 0)
            }
            try await pool.query("SELECT 1")
        }
    }

    @Test("A caller that is cancelled while it waits stops waiting")
    func cancelledWait() async throws {
        try await TestServer.withPool(limits: Self.limits(size: 1)) { pool in
            try await pool.withConnection { _ in
                let task = Task { try await pool.query("SELECT 1") }
                while pool.statistics.waiting == 0 { await Task.yield() }
                task.cancel()
                #expect(await code { _ = try await task.value } == .cancelled)
                #expect(pool.statistics.waiting == 0)
            }
            try await pool.query("SELECT 1")
            #expect(pool.statistics.opened == 1)
        }
    }

    @Test("A transaction that was left open is rolled back before the next caller gets the connection")
    func openTransaction() async throws {
        try await TestServer.withPool(limits: Self.limits(size: 1)) { pool in
            try await pool.withConnection { connection in
                try await connection.execute(script: "BEGIN; CREATE TEMP TABLE left_open (i int)")
            }
            #expect(await code { try await pool.query("SELECT * FROM left_open") } == .undefinedObject)
            #expect(pool.statistics.opened == 1)
        }
    }

    @Test("A connection that is too old is replaced")
    func recycle() async throws {
        let limits = Self.limits(size: 1) { $0.recycle = .zero }
        try await TestServer.withPool(limits: limits) { pool in
            for _ in 0..<3 { try await pool.query("SELECT 1") }
            #expect(pool.statistics.opened == 3)
            #expect(pool.statistics.open == 0)
        }
    }

    @Test("A connection that the server ended while it was idle is replaced, and the caller notices nothing")
    func terminatedWhileIdle() async throws {
        try await TestServer.withPool { pool in
            let pid = try await pool.query("SELECT pg_backend_pid()")[0].get(0, as: Int.self)
            try await TestServer.withConnection { other in
                try await other.query("SELECT pg_terminate_backend($1::int4)", [.int(pid)])
            }
            while pool.statistics.open > 0 { await Task.yield() }
            try await pool.query("SELECT 1")
            #expect(pool.statistics.opened == 2)
        }
    }

    @Test("A connection that was idle for long is checked before it is used")
    func check() async throws {
        let limits = Self.limits(size: 1) { $0.checkAfter = .zero }
        try await TestServer.withPool(limits: limits) { pool in
            for _ in 0..<3 { try await pool.query("SELECT 1") }
            #expect(pool.statistics.opened == 1)
        }
    }

    @Test("Each connection is prepared once, and one that can't be is not kept")
    func prepare() async throws {
        let count = Mutex(0)
        try await TestServer.withPool(prepare: { connection in
            try await connection.execute(script: "SET application_name = 'prepared'")
            count.withLock { $0 += 1 }
        }) { pool in
            for _ in 0..<3 {
                let rows = try await pool.query("SHOW application_name")
                #expect(try rows[0].get(0, as: String.self) == "prepared")
            }
            #expect(count.withLock { $0 } == 1)
        }
        try await TestServer.withPool(prepare: { try await $0.execute(script: "SELECT * FROM there_is_none") }) {
            pool in
            #expect(await code { try await pool.query("SELECT 1") } == .undefinedObject)
            #expect(pool.statistics.open == 0)
        }
    }

    @Test("When nobody listens, every caller is told, and none leaves a trace")
    func unreachable() async throws {
        let configuration = try PostgresConfiguration(url: "postgresql://u:p@127.0.0.1:1/d")
        // Callers come one after the other, and other tests keep the processors busy.
        let limits = Self.limits(size: 2) { $0.acquireTimeout = .seconds(60) }
        try await TestServer.withPool(configuration, limits: limits) { pool in
            await withTaskGroup(of: PostgresError.Code?.self) { group in
                for _ in 0..<20 { group.addTask { await code { try await pool.query("SELECT 1") } } }
                for await result in group { #expect(result == .connectionFailed) }
            }
            #expect(pool.statistics.open == 0)
        }
    }

    @Test("After the pool was closed nobody gets a connection, and those who waited are told")
    func close() async throws {
        try await TestServer.withPool(limits: Self.limits(size: 1)) { pool in
            let closing = try await pool.withConnection { connection in
                async let waiting = code { try await pool.query("SELECT 1") }
                while pool.statistics.waiting == 0 { await Task.yield() }
                let closing = Task { await pool.close() }
                #expect(await waiting == .closed)
                // The one in use goes on until it is given back.
                try await connection.query("SELECT 1")
                #expect(await code { try await pool.query("SELECT 1") } == .closed)
                return closing
            }
            await closing.value
        }
    }

    @Test("Connections are given back whatever happens: errors, cancellation, transactions, at random")
    func noLeaks() async throws {
        struct Stop: Error {}
        let name = "leaks \(UUID())"
        var configuration = try TestServer.configuration()
        configuration.applicationName = name
        try await TestServer.withPool(configuration, limits: Self.limits(size: 4, overflow: 2)) { pool in
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<400 {
                    group.addTask {
                        let task = Task {
                            switch number % 5 {
                            case 0: try await pool.query("SELECT pg_sleep(0.002)")
                            case 1: try await pool.query("SELECT 1 / 0")
                            case 2:
                                try await pool.withTransaction { connection in
                                    try await connection.query("SELECT pg_sleep(0.001)")
                                    throw Stop()
                                }
                            case 3: try await pool.withConnection { try await $0.execute(script: "BEGIN") }
                            default: try await pool.withTransaction { _ = try await $0.query("SELECT 1") }
                            }
                        }
                        if number % 3 == 0 {
                            try? await Task.sleep(for: .microseconds(number * 10))
                            task.cancel()
                        }
                        _ = await task.result
                    }
                }
            }
            #expect(pool.statistics.inUse == 0)
            #expect(pool.statistics.open <= 4)
            let open = pool.statistics.open
            try await TestServer.withConnection { observer in
                let counted = try await observer.query(
                    "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1",
                    [.text(name)]
                )
                #expect(try counted[0].get(0, as: Int.self) == open)
            }
        }
    }
}
