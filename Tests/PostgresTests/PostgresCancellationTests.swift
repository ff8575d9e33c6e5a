import Foundation
import Testing

@testable import Postgres

@Suite("Cancelling, deadlines and transactions", .timeLimit(.minutes(2)))
struct PostgresCancellationTests {
    @Test("Cancelling the task cancels the statement in the server, and the connection stays usable")
    func cancel() async throws {
        try await TestServer.withConnection { connection in
            for round in 0..<3 {
                let marker = "cancel \(round) \(UUID())"
                let task = Task { try await connection.query("SELECT pg_sleep(60), '\(marker)'") }
                try await TestServer.waitUntilRunning(marker)
                task.cancel()
                #expect(await code { _ = try await task.value } == .cancelled)
                #expect(try await connection.single("SELECT 1", as: Int.self) == 1)
            }
        }
    }

    @Test("A request to cancel never hits the next statement")
    func lateCancel() async throws {
        try await TestServer.withConnection { connection in
            for round in 0..<100 {
                // The statement ends at about the time that it is cancelled.
                let task = Task { try await connection.query("SELECT pg_sleep(0.001 * $1)", [.int(round % 4)]) }
                try await Task.sleep(for: .microseconds(500 * (round % 5)))
                task.cancel()
                _ = await task.result
                #expect(try await connection.single("SELECT $1", [.int(round)], as: Int.self) == round)
            }
        }
    }

    @Test("A task that is cancelled already sends nothing")
    func cancelledBefore() async throws {
        try await TestServer.withConnection { connection in
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await connection.query("SELECT pg_sleep(60)")
            }
            #expect(await code { _ = try await task.value } == .cancelled)
            #expect(connection.isOpen)
        }
    }

    @Test("Opening a connection can be cancelled")
    func cancelConnect() async throws {
        let silent = try SilentServer()
        defer { silent.close() }
        let configuration = try PostgresConfiguration(url: "postgresql://u:p@127.0.0.1:\(silent.port)/d")
        let task = Task { try await PostgresConnection.connect(configuration) }
        task.cancel()
        #expect(await code { _ = try await task.value } == .cancelled)
    }

    @Test("The server ends a statement that takes too long, and the connection stays usable")
    func statementTimeout() async throws {
        var configuration = try TestServer.configuration()
        configuration.statementTimeout = .milliseconds(100)
        configuration.answerTimeout = .seconds(30)
        try await TestServer.withConnection(configuration) { connection in
            #expect(await code { try await connection.query("SELECT pg_sleep(60)") } == .statementTimeout)
            try await connection.withStatementTimeout(.seconds(60)) {
                try await connection.query("SELECT pg_sleep(0.2)")
            }
            #expect(await code { try await connection.query("SELECT pg_sleep(60)") } == .statementTimeout)
            try await connection.withTransaction { transaction in
                try await transaction.withStatementTimeout(nil) { try await transaction.query("SELECT pg_sleep(0.2)") }
            }
            #expect(await code { try await connection.query("SELECT pg_sleep(60)") } == .statementTimeout)
        }
    }

    @Test("The caller's own deadline ends the call, and the statement in the server")
    func callTimeout() async throws {
        let marker = "deadline \(UUID())"
        try await TestServer.withConnection { connection in
            #expect(
                await code {
                    try await connection.query("SELECT pg_sleep(60), '\(marker)'", timeout: .milliseconds(100))
                }
                    == .timeout
            )
            #expect(!connection.isOpen)
            #expect(await code { try await connection.query("SELECT 1") } == .timeout)
        }
        try await TestServer.withConnection { observer in
            while try await observer.query(
                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE $1 AND pid <> pg_backend_pid()",
                [.text("%\(marker)%")]
            )[0].get(0, as: Int.self) > 0 {}
        }
    }

    @Test("A connection that the server ends is noticed, also while nothing is asked of it")
    func terminated() async throws {
        try await TestServer.withConnection { connection in
            try await TestServer.withConnection { other in
                let pid = try await other.query("SELECT pg_backend_pid()")[0].get(0, as: Int.self)
                try await connection.query("SELECT pg_terminate_backend($1::int4)", [.int(pid)])
                while other.isOpen { await Task.yield() }
                #expect(await code { try await other.query("SELECT 1") } == .connectionLost)

                let third = try await PostgresConnection.connect(TestServer.configuration())
                let thirdPID = try await third.query("SELECT pg_backend_pid()")[0].get(0, as: Int.self)
                let marker = "terminate \(UUID())"
                let task = Task { try await third.query("SELECT pg_sleep(60), '\(marker)'") }
                try await TestServer.waitUntilRunning(marker)
                try await connection.query("SELECT pg_terminate_backend($1::int4)", [.int(thirdPID)])
                #expect(await code { _ = try await task.value } == .connectionLost)
                #expect(!third.isOpen)
            }
        }
    }

    @Test("Closing a connection ends the statement that runs on it")
    func close() async throws {
        let connection = try await PostgresConnection.connect(TestServer.configuration())
        let marker = "close \(UUID())"
        let task = Task { try await connection.query("SELECT pg_sleep(60), '\(marker)'") }
        try await TestServer.waitUntilRunning(marker)
        await connection.close()
        await connection.close()
        #expect(await code { _ = try await task.value } == .closed)
        #expect(await code { try await connection.query("SELECT 1") } == .closed)
    }

    // MARK: Transactions

    struct Stop: Error {}

    @Test("A transaction is committed if its closure returns, and rolled back if it throws")
    func transactions() async throws {
        try await TestServer.withConnection { connection in
            try await connection.execute(script: "CREATE TEMP TABLE n (i int PRIMARY KEY)")
            try await connection.withTransaction { try await $0.query("INSERT INTO n VALUES (1)") }
            await #expect(throws: Stop.self) {
                try await connection.withTransaction {
                    try await $0.query("INSERT INTO n VALUES (2)")
                    throw Stop()
                }
            }
            #expect(
                await code {
                    try await connection.withTransaction {
                        try await $0.query("INSERT INTO n VALUES (3)")
                        try await $0.query("INSERT INTO n VALUES (1)")
                    }
                } == .uniqueViolation
            )
            #expect(try await connection.single("SELECT array_agg(i) FROM n", as: [Int].self) == [1])
        }
    }

    @Test("An error that the closure swallows still fails the transaction")
    func swallowedError() async throws {
        try await TestServer.withConnection { connection in
            try await connection.execute(script: "CREATE TEMP TABLE n (i int PRIMARY KEY)")
            #expect(
                await code {
                    try await connection.withTransaction {
                        try await $0.query("INSERT INTO n VALUES (1)")
                        _ = try? await $0.query("INSERT INTO n VALUES (1)")
                    }
                } == .uniqueViolation
            )
            #expect(try await connection.single("SELECT count(*) FROM n", as: Int.self) == 0)
        }
    }

    @Test("A transaction that is cancelled is rolled back")
    func cancelledTransaction() async throws {
        try await TestServer.withConnection { connection in
            try await connection.execute(script: "CREATE TEMP TABLE n (i int)")
            let marker = "transaction \(UUID())"
            let task = Task {
                try await connection.withTransaction {
                    try await $0.query("INSERT INTO n VALUES (1)")
                    try await $0.query("SELECT pg_sleep(60), '\(marker)'")
                }
            }
            try await TestServer.waitUntilRunning(marker)
            task.cancel()
            #expect(await code { _ = try await task.value } == .cancelled)
            #expect(try await connection.single("SELECT count(*) FROM n", as: Int.self) == 0)
        }
    }

    @Test("A conflict between transactions is told as such, and a read-only one refuses writes")
    func serialization() async throws {
        let table = "serialization_\(UUID().uuidString.prefix(8).lowercased())"
        try await TestServer.withConnection { first in
            try await first.execute(script: "CREATE TABLE \(table) (i int); INSERT INTO \(table) VALUES (0)")
            try await TestServer.withConnection { second in
                #expect(
                    await code {
                        try await first.withTransaction(isolation: .repeatableRead) {
                            try await $0.query("SELECT * FROM \(table)")
                            try await second.query("UPDATE \(table) SET i = i + 1")
                            try await $0.query("UPDATE \(table) SET i = i + 1")
                        }
                    } == .serializationFailure
                )
            }
            #expect(
                await code {
                    try await first.withTransaction(isReadOnly: true) {
                        _ = try await $0.query("UPDATE \(table) SET i = 5")
                    }
                } == .readOnly
            )
            try await first.execute(script: "DROP TABLE \(table)")
        }
    }

    @Test("Transactions that wait for each other: one is ended, and told so")
    func deadlock() async throws {
        let table = "deadlock_\(UUID().uuidString.prefix(8).lowercased())"
        try await TestServer.withConnection { first in
            try await first.execute(
                script: "CREATE TABLE \(table) (i int PRIMARY KEY); INSERT INTO \(table) VALUES (1), (2)"
            )
            try await TestServer.withConnection { second in
                // Each holds its first row before either asks for the other's.
                let (firstHolds, firstSignal) = AsyncStream.makeStream(of: Void.self)
                let (secondHolds, secondSignal) = AsyncStream.makeStream(of: Void.self)
                let codes = await withTaskGroup(of: PostgresError.Code?.self) { group in
                    for (connection, order, signal, other) in [
                        (first, [1, 2], firstSignal, secondHolds), (second, [2, 1], secondSignal, firstHolds),
                    ] {
                        group.addTask {
                            await code {
                                try await connection.withTransaction {
                                    try await $0.query("UPDATE \(table) SET i = i WHERE i = $1", [.int(order[0])])
                                    signal.finish()
                                    for await _ in other {}
                                    try await $0.query("UPDATE \(table) SET i = i WHERE i = $1", [.int(order[1])])
                                }
                            }
                        }
                    }
                    return await group.reduce(into: []) { $0.append($1) }
                }
                #expect(codes.count { $0 == .deadlock } == 1)
                #expect(codes.count { $0 == nil } == 1)
            }
            try await first.execute(script: "DROP TABLE \(table)")
        }
    }

    @Test("If the connection ends during the commit, the outcome is unknown")
    func outcomeUnknown() async throws {
        let table = "outcome_\(UUID().uuidString.prefix(8).lowercased())"
        try await TestServer.withConnection { observer in
            // A deferred constraint trigger keeps the commit busy for as long as it is needed.
            try await observer.execute(
                script: """
                    CREATE TABLE \(table) (i int);
                    CREATE FUNCTION \(table)_sleep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NULL; END $$;
                    CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON \(table) DEFERRABLE INITIALLY DEFERRED
                        FOR EACH ROW EXECUTE FUNCTION \(table)_sleep();
                    """
            )
            try await TestServer.withConnection { connection in
                let pid = try await connection.query("SELECT pg_backend_pid()")[0].get(0, as: Int.self)
                let task = Task {
                    try await connection.withTransaction { try await $0.query("INSERT INTO \(table) VALUES (1)") }
                }
                while try await observer.query(
                    "SELECT query FROM pg_stat_activity WHERE pid = $1::int4",
                    [.int(pid)]
                )[0].get(0, as: String.self) != "COMMIT" {}
                try await observer.query("SELECT pg_terminate_backend($1::int4)", [.int(pid)])
                #expect(await code { _ = try await task.value } == .outcomeUnknown)
            }
            try await observer.execute(script: "DROP TABLE \(table); DROP FUNCTION \(table)_sleep")
        }
    }

    // MARK: COPY

    @Test("COPY loads rows of every type, more than fit into a buffer")
    func copy() async throws {
        try await TestServer.withConnection { connection in
            try await connection.execute(script: "CREATE TEMP TABLE c (i int, t text, h halfvec(3), j jsonb)")
            let count = try await connection.copy("COPY c FROM STDIN (FORMAT binary)") { writer in
                for number in 0..<50_000 {
                    let text = number % 2 == 0 ? nil : String(repeating: "x", count: 100)
                    let vector: [Float] = [1, 2, Float(number % 100)]
                    let json = "{\"n\": \(number)}"
                    try await writer.write([.int4(Int32(number)), .text(text), .halfvec(vector), .jsonb(json)])
                }
            }
            #expect(count == 50_000)
            let rows = try await connection.query("SELECT count(*), count(t), sum(i), max((j->>'n')::int) FROM c")
            #expect(try rows[0].get(0, as: Int.self) == 50_000)
            #expect(try rows[0].get(1, as: Int.self) == 25_000)
            #expect(try rows[0].get(2, as: Int.self) == 50_000 * 49_999 / 2)
            #expect(try rows[0].get(3, as: Int.self) == 49_999)
        }
    }

    @Test("A COPY that fails, at either end, keeps no row, and the connection stays usable")
    func failedCopy() async throws {
        try await TestServer.withConnection { connection in
            try await connection.execute(script: "CREATE TEMP TABLE c (i int CHECK (i < 5000))")
            #expect(
                await code {
                    try await connection.copy(
                        "COPY c FROM STDIN (FORMAT binary)",
                        rows: (0..<100_000).map { [.int4($0)] }
                    )
                } == .constraintViolation
            )
            await #expect(throws: Stop.self) {
                try await connection.copy("COPY c FROM STDIN (FORMAT binary)") { writer in
                    for number in 0..<10 { try await writer.write([.int4(Int32(number))]) }
                    throw Stop()
                }
            }
            let task = Task {
                try await connection.copy("COPY c FROM STDIN (FORMAT binary)") { writer in
                    withUnsafeCurrentTask { $0?.cancel() }
                    for number in 0..<4000 { try await writer.write([.int4(Int32(number))]) }
                }
            }
            #expect(await code { _ = try await task.value } == .cancelled)
            #expect(await code { try await connection.copy("SELECT 1") { _ in } } == .misuse)
            #expect(try await connection.single("SELECT count(*) FROM c", as: Int.self) == 0)
        }
    }
}
