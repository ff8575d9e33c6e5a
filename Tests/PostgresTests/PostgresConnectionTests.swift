import Foundation
import Testing

@testable import Postgres

@Suite("A connection to PostgreSQL", .timeLimit(.minutes(2)))
struct PostgresConnectionTests {
    @Test("Values of every type come back as they were sent")
    func values() async throws {
        try await TestServer.withConnection { connection in
            let date = Date(timeIntervalSince1970: 1_700_000_000.123456)
            let rows = try await connection.query(
                """
                SELECT $1 AS t, $2 AS i8, $3 AS i4, $4 AS i2, $5 AS f8, $6 AS f4, $7 AS b, $8 AS bytes, $9 AS j, $10 AS d,
                       $11 AS ta, $12 AS i8a, $13 AS f8a, $14::vector AS v, $15::halfvec AS h, $16 AS missing, $17 AS i4a
                """,
                [
                    .text("häßlich 🦫 '\"\\"), .int8(.min), .int4(-7), .int2(-3), .float8(1 / 3), .float4(0.1),
                    .bool(true),
                    .bytea([0, 255, 10]), .jsonb(#"{"a": [1, null]}"#), .timestamptz(date),
                    .textArray(["", "a,b", "{}\"\\"]),
                    .int8Array([1, -2]), .float8Array([]), .vector([1, -0.5, 3.25]), .halfvec([1, -0.5, 65504]),
                    .text(nil), .int4Array([5, 6]),
                ]
            )
            let row = try #require(rows.first)
            #expect(try row.get("t", as: String.self) == "häßlich 🦫 '\"\\")
            #expect(try row.get("i8", as: Int64.self) == .min)
            #expect(try row.get("i4", as: Int.self) == -7)
            #expect(try row.get("i2", as: Int.self) == -3)
            #expect(try row.get("f8", as: Double.self) == 1 / 3)
            #expect(try row.get("f4", as: Float.self) == 0.1)
            #expect(try row.get("b", as: Bool.self))
            #expect(try row.get("bytes", as: [UInt8].self) == [0, 255, 10])
            #expect(try row.get("j", as: String.self) == #"{"a": [1, null]}"#)
            #expect(abs(try row.get("d", as: Date.self).timeIntervalSince(date)) < 1e-6)
            #expect(try row.get("ta", as: [String].self) == ["", "a,b", "{}\"\\"])
            #expect(try row.get("i8a", as: [Int].self) == [1, -2])
            #expect(try row.get("f8a", as: [Double].self) == [])
            #expect(try row.get("v", as: [Float].self) == [1, -0.5, 3.25])
            #expect(try row.get("h", as: [Float].self) == [1, -0.5, 65504])
            #expect(try row.getIfPresent("missing", as: String.self) == nil)
            #expect(try row.get("i4a", as: [Int].self) == [5, 6])
        }
    }

    @Test("A column that is missing, empty or of another type is an error that names it")
    func decodingErrors() async throws {
        try await TestServer.withConnection { connection in
            let row = try #require(try await connection.query("SELECT 1::int4 AS one, NULL::text AS nothing").first)
            #expect(await code { _ = try row.get("one", as: String.self) } == .decodingFailed)
            #expect(await code { _ = try row.get("nothing", as: String.self) } == .decodingFailed)
            #expect(await code { _ = try row.get("two", as: Int.self) } == .decodingFailed)
            #expect(await code { _ = try row.get(2, as: Int.self) } == .decodingFailed)
            #expect(await code { _ = try row.get(-1, as: Int.self) } == .decodingFailed)
        }
    }

    @Test("Values are no part of the statement")
    func injection() async throws {
        try await TestServer.withConnection { connection in
            let text = "'; DROP TABLE pg_class; --"
            let rows = try await connection.query("SELECT $1 || ''", [.text(text)])
            #expect(try rows[0].get(0, as: String.self) == text)
        }
    }

    @Test(
        "What the server reports is told apart",
        arguments: [
            ("SELEC 1", PostgresError.Code.invalidStatement), ("SELECT * FROM there_is_none", .undefinedObject),
            ("SELECT 1 / 0", .invalidValue), ("SELECT 'x'::int", .invalidValue),
            ("CREATE ROLE another", .insufficientPrivilege),
            ("SELECT pg_read_file('/etc/passwd')", .insufficientPrivilege),
        ]
    )
    func errors(_ sql: String, _ expected: PostgresError.Code) async throws {
        try await TestServer.withConnection { connection in
            #expect(await code { try await connection.query(sql) } == expected)
            // The connection stays usable.
            try await connection.query("SELECT 1")
        }
    }

    @Test("Errors carry the server's words for the log, and none of the values in the message")
    func errorDetails() async throws {
        try await TestServer.withConnection { connection in
            try await connection.execute(script: "CREATE TEMP TABLE t (name text PRIMARY KEY)")
            try await connection.query("INSERT INTO t VALUES ($1)", [.text("s3cret")])
            do {
                try await connection.query("INSERT INTO t VALUES ($1)", [.text("s3cret")])
                Issue.record("the second row was taken")
            } catch let error as PostgresError {
                #expect(error.code == .uniqueViolation)
                #expect(error.sqlState == "23505")
                #expect(!error.message.contains("s3cret"))
                let cause = try #require(error.cause as? PostgresServerError)
                #expect(cause.constraint == "t_pkey")
                #expect(cause.severity == "ERROR")
            }
        }
    }

    @Test("A large answer and a large value arrive whole")
    func large() async throws {
        try await TestServer.withConnection { connection in
            let rows = try await connection.query(
                "SELECT i, repeat('x', 1000) AS t FROM generate_series(1, 20000) AS i"
            )
            #expect(rows.count == 20000)
            #expect(try rows[19999].get("i", as: Int.self) == 20000)
            #expect(try rows.allSatisfy { try $0.get("t", as: String.self).utf8.count == 1000 })
            let text = String(repeating: "ä", count: 10_000_000)
            #expect(try await connection.single("SELECT $1", [.text(text)], as: String.self) == text)
        }
    }

    @Test("No more statements stay prepared than the limit says, and all of them work")
    func statementCache() async throws {
        var configuration = try TestServer.configuration()
        configuration.preparedStatementLimit = 3
        try await TestServer.withConnection(configuration) { connection in
            for round in 0..<2 {
                for number in 0..<10 {
                    let rows = try await connection.query("SELECT \(number) + $1", [.int(round)])
                    #expect(try rows[0].get(0, as: Int.self) == number + round)
                }
            }
            let count = try await connection.query("SELECT count(*) FROM pg_prepared_statements")
            #expect(try count[0].get(0, as: Int.self) == 3)
        }
    }

    @Test("The same statement with values of other types is another statement")
    func statementTypes() async throws {
        try await TestServer.withConnection { connection in
            let number = try await connection.query("SELECT pg_typeof($1)::text", [.int(1)])
            #expect(try number[0].get(0, as: String.self) == "bigint")
            let text = try await connection.query("SELECT pg_typeof($1)::text", [.text("")])
            #expect(try text[0].get(0, as: String.self) == "text")
        }
    }

    @Test("A statement goes on working after its table was changed, or after it was discarded")
    func staleStatements() async throws {
        try await TestServer.withConnection { connection in
            try await connection.execute(script: "CREATE TEMP TABLE s (a int); INSERT INTO s VALUES (1)")
            #expect(try await connection.single("SELECT * FROM s", as: Int.self) == 1)
            try await connection.execute(script: "ALTER TABLE s ADD COLUMN b text DEFAULT 'x'")
            #expect(try await connection.single("SELECT * FROM s", column: 1, as: String.self) == "x")
            try await connection.execute(script: "DEALLOCATE ALL")
            #expect(try await connection.single("SELECT * FROM s", column: 1, as: String.self) == "x")
        }
    }

    @Test("A second statement at the same time is refused, and doesn't disturb the first")
    func oneAtATime() async throws {
        try await TestServer.withConnection { connection in
            let marker = "one at a time \(UUID())"
            let first = Task { try await connection.query("SELECT pg_sleep(60), '\(marker)'") }
            try await TestServer.waitUntilRunning(marker)
            #expect(await code { try await connection.query("SELECT 2") } == .misuse)
            first.cancel()
            #expect(await code { _ = try await first.value } == .cancelled)
        }
    }

    @Test("TLS, as the URL asks for it")
    func tls() async throws {
        let configuration = try TestServer.configuration { $0.replacing("sslmode=disable", with: "sslmode=require") }
        try await TestServer.withConnection(configuration) { connection in
            let rows = try await connection.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
            #expect(try rows[0].get(0, as: Bool.self))
            let large = try await connection.query("SELECT $1", [.text(String(repeating: "x", count: 1_000_000))])
            #expect(try large[0].get(0, as: String.self).utf8.count == 1_000_000)
        }
    }

    @Test("A name is looked up, also among several hosts")
    func hostNames() async throws {
        for host in ["localhost", "localhost,127.0.0.1"] {
            let configuration = try TestServer.configuration {
                let port = URLComponents(string: $0)!.port!
                return $0.replacing(
                    "127.0.0.1:\(port)",
                    with: host.split(separator: ",").map { "\($0):\(port)" }.joined(separator: ",")
                )
            }
            try await TestServer.withConnection(configuration) { connection in try await connection.ping() }
        }
    }

    @Test("The wrong password, a closed port and an unknown host are told apart, and the password is nowhere")
    func connectionErrors() async throws {
        func attempt(_ change: (String) -> String) async throws -> PostgresError.Code {
            let configuration = try TestServer.configuration(change)
            #expect(!"\(configuration)".contains("test"))
            var dumped = ""
            dump(configuration, to: &dumped)
            #expect(!dumped.contains("wr0ng") && !dumped.contains("gantry-test"))
            do {
                let connection = try await PostgresConnection.connect(configuration)
                await connection.close()
            } catch {
                #expect(!"\(error) \(error.message)".contains("wr0ng"))
                return error.code
            }
            return .misuse
        }
        #expect(try await attempt({ $0.replacing("gantry-test", with: "wr0ng") }) == .authenticationFailed)
        #expect(try await attempt({ $0.replacing(/127.0.0.1:\d+/, with: "127.0.0.1:1") }) == .connectionFailed)
        #expect(try await attempt({ $0.replacing("127.0.0.1", with: "no-such-host.invalid") }) == .connectionFailed)
    }

    @Test(
        "What is no URL is refused, without repeating it",
        arguments: [
            "", "host=localhost", "http://a:wr0ng@b/c", "postgresql://u:wr0ng%zz@host/db",
            "postgresql://u:wr0ng@h:x y/d?nonsense=1",
        ]
    )
    func invalidURL(_ url: String) throws {
        let error = #expect(throws: PostgresError.self) { try PostgresConfiguration(url: url) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error.map { "\($0)" }?.contains("wr0ng") == false)
    }

    @Test("A server that accepts and then says nothing is given up at the deadline")
    func silentServer() async throws {
        let silent = try SilentServer()
        defer { silent.close() }
        var configuration = try PostgresConfiguration(url: "postgresql://u:p@127.0.0.1:\(silent.port)/d")
        configuration.connectTimeout = .milliseconds(200)
        let given = configuration
        #expect(await code { _ = try await PostgresConnection.connect(given) } == .connectionFailed)
    }

    @Test("Text and names with quotes")
    func quoting() {
        #expect(quotePostgresIdentifier("a\"b") == "\"a\"\"b\"")
        #expect(quotePostgresIdentifier("") == "\"\"")
    }

    @Test("Notifications arrive, also while nothing else happens")
    func notifications() async throws {
        try await TestServer.withConnection { listener in
            var stream = try await listener.listen(to: "Gantry test").makeAsyncIterator()
            try await TestServer.withConnection { sender in
                for number in 0..<3 {
                    try await sender.query("SELECT pg_notify('Gantry test', $1)", [.text("\(number)")])
                }
            }
            for number in 0..<3 {
                #expect(await stream.next() == PostgresNotification(channel: "Gantry test", payload: "\(number)"))
            }
        }
    }

    @Test("Half-precision numbers are rounded as the processor would")
    func halves() {
        #expect(halfBits(0) == 0)
        #expect(halfBits(-0.0) == 0x8000)
        #expect(halfBits(1) == 0x3c00)
        #expect(halfBits(65504) == 0x7bff)
        #expect(halfBits(65520) == 0x7c00)
        #expect(halfBits(-.infinity) == 0xfc00)
        #expect(halfBits(.nan) & 0x7c00 == 0x7c00 && halfBits(.nan) & 0x3ff != 0)
        // Every half-precision number survives the way there and back.
        for bits in UInt16.min...UInt16.max {
            let value = floatFromHalf(bits)
            if value.isNaN { continue }
            #expect(halfBits(value) == bits)
            #if arch(arm64) || os(Linux)
            #expect(Float(Float16(bitPattern: bits)) == value)
            #endif
        }
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let value = Float(bitPattern: UInt32.random(in: 0...(.max), using: &generator))
            if value.isNaN { continue }
            #expect(halfBits(value) == Float16(value).bitPattern, "\(value)")
        }
    }
}

/// Accepts connections in the kernel, and never answers.
struct SilentServer {
    let descriptor: Int32
    let port: Int

    init() throws {
        self.descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = self.descriptor
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 5) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        try #require(bound)
        self.port = Int(UInt16(bigEndian: address.sin_port))
    }

    func close() { Foundation.close(self.descriptor) }
}
