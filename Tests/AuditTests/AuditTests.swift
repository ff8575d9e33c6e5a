import Foundation
import GRDB
import JSON
import Logging
import MCP
import MCPClient
import MCPServer
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import Audit
@testable import AuditPostgres
@testable import AuditSQLite

private struct Note: Tool {
    static let name: ToolName = "test.note"
    static let description = "Writes a note."
    static let effect = Effect.write(idempotent: false)
    static let permission: Permission = "test:write"

    struct Arguments: ToolArguments {
        @Param("What to note") var text: String
        @Param("A password") var password: String = ""
    }

    let ran: Counter

    func targets(_ arguments: Arguments) -> [AccessTarget] { [AccessTarget(.jiraProject, "ENG")] }

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> String {
        self.ran.count.withLock { $0 += 1 }
        return "noted"
    }
}

private struct Look: Tool {
    static let name: ToolName = "test.look"
    static let description = "Looks."
    static let effect = Effect.read
    static let permission: Permission = "test:read"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String { "seen" }
}

private final class Counter: Sendable {
    let count = Mutex(0)
}

/// A store in front of another that can be away.
private final class FlakyStore: AuditStore {
    let store: any AuditStore
    let isAway = Mutex(false)

    init(_ store: any AuditStore) { self.store = store }

    private func check() throws(AuditError) {
        if self.isAway.withLock({ $0 }) { throw AuditError(.unavailable, "away") }
    }
    func begin(_ record: AuditRecord) async throws(AuditError) {
        try self.check()
        try await self.store.begin(record)
    }
    func append(_ records: [AuditRecord]) async throws(AuditError) {
        try self.check()
        try await self.store.append(records)
    }
    func unfinished(before: Int) async throws(AuditError) -> [AuditRecord] {
        try await self.store.unfinished(before: before)
    }
    func entries(matching filter: AuditFilter, limit: Int) async throws(AuditError) -> [AuditEntry] {
        try await self.store.entries(matching: filter, limit: limit)
    }
    func span() async throws(AuditError) -> AuditSpan { try await self.store.span() }
    func entries(after sequence: Int, limit: Int) async throws(AuditError) -> [AuditEntry] {
        try await self.store.entries(after: sequence, limit: limit)
    }
    func prune(before: Int) async throws(AuditError) -> Int { try await self.store.prune(before: before) }
}

/// Where audit records are kept, each with the same promises.
enum AuditPlace: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case sqlite, postgreSQL

    var testDescription: String { self.rawValue }
}

/// An empty audit log, and a way around its store.
struct AuditBench: Sendable {
    static let chain = AuditChain(key: [UInt8](repeating: 7, count: 32))

    let store: any AuditStore
    /// Opens what the store has made once more, with a key.
    let open: @Sendable (AuditChain) throws -> any AuditStore
    /// Changes the tables behind the store's back.
    let alter: @Sendable (String) async throws -> Void

    var chain: AuditChain { Self.chain }

    static func with(_ place: AuditPlace, _ body: (AuditBench) async throws -> Void) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        switch place {
        case .sqlite:
            let name = "audit-\(UUID().uuidString).sqlite"
            let path = FileManager.default.temporaryDirectory.appending(path: name).path
            defer { for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) } }
            try await body(
                AuditBench(
                    store: try SQLiteAuditStore(path: path, chain: Self.chain),
                    open: { try SQLiteAuditStore(path: path, chain: $0) },
                    alter: { sql in try await DatabaseQueue(path: path).write { try $0.execute(sql: sql) } }
                )
            )
        case .postgreSQL:
            try await TemporarySchema.with { schema in
                let pool = schema.pool
                try await body(
                    AuditBench(
                        store: PostgresAuditStore(pool: pool, chain: Self.chain, logger: logger),
                        open: { PostgresAuditStore(pool: pool, chain: $0, logger: logger) },
                        alter: { sql in
                            let own = sql.replacing("zeroblob(32)", with: "decode(repeat('00', 32), 'hex')")
                                .replacing("timestamp + 1 ", with: "timestamp + interval '1 millisecond' ")
                            try await pool.withConnection { try await $0.execute(script: own) }
                        }
                    )
                )
            }
        }
    }

    func record(_ number: Int, time: Int = 1000, user: String = "user:ada") -> AuditRecord {
        AuditRecord(
            id: "call-\(number)",
            timestamp: time,
            user: user,
            roles: "viewer",
            tool: number.isMultiple(of: 2) ? "even.tool" : "odd.tool",
            permission: "jira:read",
            effect: "read",
            targets: "jira_projects ENG,jira_projects OPS",
            arguments: "{\"number\":\(number)}",
            argumentsDigest: "00",
            outcome: number.isMultiple(of: 3) ? "forbidden" : "ok",
            message: number.isMultiple(of: 3) ? "No." : nil,
            upstreamStatus: nil,
            durationMilliseconds: 5,
            traceID: nil,
            requestID: "r\(number)",
            transport: "http",
            replica: "here"
        )
    }

    func fill(_ count: Int) async throws {
        for start in stride(from: 1, through: count, by: 7) {
            try await self.store.append((start..<min(start + 7, count + 1)).map { self.record($0, time: $0 * 1000) })
        }
    }
}

@Suite("The audit log", .timeLimit(.minutes(2)))
struct AuditTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    @Test("An untouched log is right, and knows the heads that were noted", arguments: AuditPlace.allCases)
    func right(place: AuditPlace) async throws {
        try await AuditBench.with(place) { bench in
            #expect(try await bench.store.verify(bench.chain).problem == nil)
            try await bench.fill(10)
            let early = try await bench.store.verify(bench.chain)
            #expect(early.problem == nil && early.count == 10)
            try await bench.fill(25)
            let later = try await bench.store.verify(bench.chain, notedHead: early.head)
            #expect(later.problem == nil && later.count == 25)
            #expect(
                try await bench.store.verify(bench.chain, notedHead: "9:00").problem?.contains("older copy") == true
            )
        }
    }

    @Test(
        "Every change and every gap is found",
        arguments: AuditPlace.allCases,
        [
            "UPDATE tool_audit_log SET user_id = 'user:eve' WHERE sequence = 5",
            "UPDATE tool_audit_log SET roles = '' WHERE sequence = 5",
            "UPDATE tool_audit_log SET id = 'x' WHERE sequence = 5",
            "UPDATE tool_audit_log SET timestamp = timestamp + 1 WHERE sequence = 1",
            "UPDATE tool_audit_log SET tool_name = 'x' WHERE sequence = 20",
            "UPDATE tool_audit_log SET permission = 'x' WHERE sequence = 5",
            "UPDATE tool_audit_log SET effect = 'write' WHERE sequence = 5",
            "UPDATE tool_audit_log SET targets = '' WHERE sequence = 5",
            "UPDATE tool_audit_log SET params = '{}' WHERE sequence = 5",
            "UPDATE tool_audit_log SET params_sha256 = 'x' WHERE sequence = 5",
            "UPDATE tool_audit_log SET status = 'ok' WHERE sequence = 6",
            "UPDATE tool_audit_log SET result = NULL WHERE sequence = 6",
            "UPDATE tool_audit_log SET upstream_status = 200 WHERE sequence = 6",
            "UPDATE tool_audit_log SET duration_ms = 1 WHERE sequence = 6",
            "UPDATE tool_audit_log SET trace_id = 'x' WHERE sequence = 6",
            "UPDATE tool_audit_log SET request_id = 'x' WHERE sequence = 6",
            "UPDATE tool_audit_log SET transport = 'x' WHERE sequence = 6",
            "UPDATE tool_audit_log SET replica = 'x' WHERE sequence = 6",
            "UPDATE tool_audit_log SET link = zeroblob(32) WHERE sequence = 20",
            "DELETE FROM tool_audit_log WHERE sequence = 1", "DELETE FROM tool_audit_log WHERE sequence = 10",
            "DELETE FROM tool_audit_log WHERE sequence = 20", "DELETE FROM tool_audit_log WHERE sequence > 12",
            "DELETE FROM tool_audit_log", "DELETE FROM tool_audit_span",
            "UPDATE tool_audit_span SET last = 12, last_link = (SELECT link FROM tool_audit_log WHERE sequence = 12)",
            "UPDATE tool_audit_span SET first = 3, first_link = (SELECT link FROM tool_audit_log WHERE sequence = 3)",
            """
            UPDATE tool_audit_log SET sequence = -1 WHERE sequence = 4;
            UPDATE tool_audit_log SET sequence = 4 WHERE sequence = 5; UPDATE tool_audit_log SET sequence = 5 WHERE sequence = -1
            """,
            """
            INSERT INTO tool_audit_log SELECT 21, 'new', timestamp, user_id, roles, tool_name, permission, effect, targets,
            params, params_sha256, status, result, upstream_status, duration_ms, trace_id, request_id, transport, replica,
            link FROM tool_audit_log WHERE sequence = 20
            """,
        ]
    )
    func tampering(place: AuditPlace, sql: String) async throws {
        try await AuditBench.with(place) { bench in
            try await bench.fill(20)
            try await bench.alter(sql)
            #expect(try await bench.store.verify(bench.chain).problem != nil)
        }
    }

    // Computed with another library, so that logs which exist stay right.
    @Test("A link is the MAC of the link before, the number and the record as JSON")
    func link() async throws {
        try await AuditBench.with(.sqlite) { bench in
            let chain = AuditChain(key: [UInt8](repeating: 7, count: 32))
            let link = chain.link(bench.record(1), sequence: 1, after: AuditChain.origin)
            #expect(Hexadecimal.encode(link) == "63902485e5559b66ba4dfce8c7cec55c5cf995707505b93db9598fe6400f6a46")
        }
    }

    @Test("A chain that was made anew without the key is found", arguments: AuditPlace.allCases)
    func otherKey(place: AuditPlace) async throws {
        try await AuditBench.with(place) { bench in
            try await bench.fill(5)
            let other = AuditChain(key: [UInt8](repeating: 8, count: 32))
            #expect(try await bench.open(other).verify(other).problem != nil)
        }
    }

    @Test("Several servers append to one chain at the same time", arguments: AuditPlace.allCases)
    func replicas(place: AuditPlace) async throws {
        try await AuditBench.with(place) { bench in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for replica in 0..<4 {
                    let store = try bench.open(bench.chain)
                    group.addTask {
                        for batch in 0..<10 {
                            let first = replica * 1000 + batch * 10
                            try await store.append((first..<first + 5).map { bench.record($0) })
                            try await store.begin(bench.record(first + 900))
                        }
                    }
                }
                try await group.waitForAll()
            }
            let found = try await bench.store.verify(bench.chain)
            #expect(found.problem == nil && found.count == 200)
            #expect(try await bench.store.unfinished(before: .max).count == 40)
        }
    }

    @Test("A server with another key can't append", arguments: AuditPlace.allCases)
    func wrongKey(place: AuditPlace) async throws {
        try await AuditBench.with(place) { bench in
            try await bench.fill(3)
            let other = try bench.open(AuditChain(key: [UInt8](repeating: 9, count: 32)))
            let error = await #expect(throws: AuditError.self) { try await other.append([bench.record(9)]) }
            #expect(error?.code == .broken)
            #expect(try await bench.store.verify(bench.chain).count == 3)
        }
    }

    @Test("Texts of every kind come back as they were", arguments: AuditPlace.allCases)
    func texts(place: AuditPlace) async throws {
        try await AuditBench.with(place) { bench in
            var record = bench.record(1)
            record.requestID = "a\u{0}b\"\\\n\u{1F680}ü"
            record.arguments = #"{"b":"\u0000\n","a":{"x":[1.50,null]}}"#
            record.message = "'; DROP TABLE tool_audit_log; --"
            record.traceID = "0af7651916cd43dd8448eb211c80319c"
            record.upstreamStatus = 503
            record.timestamp = 1_785_000_000_123
            try await bench.store.append([record])
            let kept = try #require(try await bench.store.entries(after: 0, limit: 1).first?.record)
            #expect(kept.requestID.replacing("\u{FFFD}", with: "\u{0}") == record.requestID)
            #expect(kept.arguments == record.arguments)
            #expect(kept.message == record.message && kept.traceID == record.traceID)
            #expect(kept.upstreamStatus == 503 && kept.timestamp == record.timestamp)
            #expect(try await bench.store.verify(bench.chain).problem == nil)
            var filter = AuditFilter()
            filter.user = "a\u{0}b"
            #expect(try await bench.store.entries(matching: filter, limit: 1).isEmpty)
        }
    }

    @Test("Retention takes records off the beginning, and the rest stays right", arguments: AuditPlace.allCases)
    func retention(place: AuditPlace) async throws {
        try await AuditBench.with(place) { bench in
            try await bench.fill(20)
            #expect(try await bench.store.prune(before: 8000) == 7)
            let found = try await bench.store.verify(bench.chain)
            #expect(found.problem == nil && found.count == 13)
            #expect(try await bench.store.prune(before: 8000) == 0)
            try await bench.alter("DELETE FROM tool_audit_log WHERE sequence = 8")
            #expect(try await bench.store.verify(bench.chain).problem != nil)
        }
    }

    @Test("Retention can remove everything, and the chain goes on", arguments: AuditPlace.allCases)
    func everything(place: AuditPlace) async throws {
        try await AuditBench.with(place) { bench in
            try await bench.fill(5)
            #expect(try await bench.store.prune(before: 100_000) == 5)
            try await bench.store.append([bench.record(6)])
            let found = try await bench.store.verify(bench.chain)
            #expect(found.problem == nil && found.count == 1)
        }
    }

    @Test("Adding again what is there adds nothing", arguments: AuditPlace.allCases)
    func idempotent(place: AuditPlace) async throws {
        try await AuditBench.with(place) { bench in
            try await bench.fill(5)
            try await bench.fill(6)
            #expect(try await bench.store.verify(bench.chain).count == 6)
        }
    }

    @Test("Filters narrow, and pages follow one another", arguments: AuditPlace.allCases)
    func filters(place: AuditPlace) async throws {
        try await AuditBench.with(place) { bench in
            try await bench.fill(20)
            var filter = AuditFilter()
            filter.tool = "even.tool"
            filter.outcome = "forbidden"
            #expect(try await bench.store.entries(matching: filter, limit: 50).map(\.sequence) == [18, 12, 6])
            filter.before = 12
            #expect(try await bench.store.entries(matching: filter, limit: 50).map(\.sequence) == [6])
            var others = AuditFilter()
            others.target = "jira_projects OPS"
            others.since = 3000
            others.until = 5000
            #expect(try await bench.store.entries(matching: others, limit: 50).map(\.sequence) == [4, 3])
            others.target = "jira_projects OP"
            #expect(try await bench.store.entries(matching: others, limit: 50).isEmpty)
            others.target = nil
            others.user = "x' OR '1'='1"
            #expect(try await bench.store.entries(matching: others, limit: 50).isEmpty)
            #expect(try await bench.store.entries(matching: AuditFilter(), limit: 3).map(\.sequence) == [20, 19, 18])
        }
    }

    // MARK: Through the front door

    private func server(_ log: AuditLog, _ ran: Counter) -> MCPServer {
        MCPServer(name: "test", version: "1", logger: self.logger, recorder: log) {
            Note(ran: ran)
            Look()
        }
    }

    private func log(_ store: any AuditStore) -> AuditLog {
        AuditLog(store: store, replica: "here", retentionDays: nil, logger: self.logger)
    }

    @Test("One record for each call, with who, what about, and no secrets", arguments: AuditPlace.allCases)
    func calls(place: AuditPlace) async throws {
        try await AuditBench.with(place) { bench in
            let log = self.log(bench.store)
            let principal = Principal(id: "user:ada", roles: ["viewer", "team"])
            let client = InProcessClient(server: self.server(log, Counter()), principal: principal)
            _ = try await client.callTool("test.note", ["text": "hello", "password": "hunter2"])
            _ = try await client.callTool("test.look")
            _ = try await client.callTool("test.note", ["txt": "hello"])
            await log.flush()
            let entries = try await bench.store.entries(after: 0, limit: 10)
            #expect(entries.map(\.record.outcome) == ["ok", "ok", "invalid_arguments"])
            let first = try #require(entries.first).record
            #expect(first.user == "user:ada")
            #expect(first.roles == "viewer team")
            #expect(first.targets == "jira_projects ENG")
            #expect(first.permission == "test:write")
            #expect(first.arguments == #"{"text":"hello","password":"[redacted]"}"#)
            #expect(first.argumentsDigest.count == 64)
            #expect(try await bench.store.unfinished(before: .max).isEmpty)
            #expect(try await bench.store.verify(bench.chain).problem == nil)
        }
    }

    @Test(
        "While the store is away nothing is changed and reading goes on; what was read is recorded later",
        arguments: AuditPlace.allCases
    )
    func away(place: AuditPlace) async throws {
        try await AuditBench.with(place) { bench in
            let flaky = FlakyStore(bench.store)
            let log = self.log(flaky)
            let ran = Counter()
            let client = InProcessClient(server: self.server(log, ran))
            flaky.isAway.withLock { $0 = true }
            let refused = try await client.callTool("test.note", ["text": "hello"])
            #expect(refused["_meta"]?[MetaKey.error]?["code"] == "upstream_unavailable")
            #expect(refused["content"]?[0]?["text"]?.stringValue?.contains("audit log") == true)
            #expect(ran.count.withLock { $0 } == 0)
            #expect(try await client.callTool("test.look")["isError"] == nil)
            await log.flush()
            #expect(try await bench.store.entries(after: 0, limit: 10).isEmpty)
            flaky.isAway.withLock { $0 = false }
            await log.flush()
            #expect(
                try await bench.store.entries(after: 0, limit: 10).map(\.record.outcome) == [
                    "upstream_unavailable", "ok",
                ]
            )
            _ = try await client.callTool("test.note", ["text": "hello"])
            #expect(ran.count.withLock { $0 } == 1)
        }
    }

    @Test("More records than there is room for are counted, and the count is recorded", arguments: AuditPlace.allCases)
    func lost(place: AuditPlace) async throws {
        try await AuditBench.with(place) { bench in
            let flaky = FlakyStore(bench.store)
            let log = self.log(flaky)
            let client = InProcessClient(server: self.server(log, Counter()))
            _ = try await client.callTool("test.look")
            await log.flush()
            flaky.isAway.withLock { $0 = true }
            for _ in 0..<(AuditLog.maximumWaiting + 3) { _ = try await client.callTool("test.look") }
            flaky.isAway.withLock { $0 = false }
            await log.flush()
            let last = try #require(try await bench.store.entries(matching: AuditFilter(), limit: 1).first).record
            #expect(
                try await bench.store.span().end == 1 + AuditLog.maximumWaiting + 1 || last.tool == AuditLog.lostTool
            )
            var filter = AuditFilter()
            filter.tool = AuditLog.lostTool
            let losses = try await bench.store.entries(matching: filter, limit: 10)
            #expect(losses.map(\.record.arguments) == [#"{"count":3}"#])
            #expect(try await bench.store.verify(bench.chain).problem == nil)
        }
    }

    @Test(
        "A call whose process died while it ran is recorded as one whose outcome nobody knows",
        arguments: AuditPlace.allCases
    )
    func died(place: AuditPlace) async throws {
        try await AuditBench.with(place) { bench in
            try await bench.store.begin(bench.record(1, time: 0))
            try await bench.store.begin(bench.record(2, time: Int(Date().timeIntervalSince1970 * 1000)))
            await self.log(bench.store).recover()
            let entries = try await bench.store.entries(after: 0, limit: 10)
            #expect(entries.map(\.record.id) == ["call-1"])
            #expect(entries.map(\.record.outcome) == ["outcome_unknown"])
            // Should it be over after all, it has its record.
            try await bench.store.append([bench.record(1)])
            #expect(try await bench.store.span().end == 1)
        }
    }

    @Test(
        "Secrets are taken out of arguments",
        arguments: [
            (#"{"password":"x"}"#, #"{"password":"[redacted]"}"#),
            (#"{"a":{"Api-Key":["x"]}}"#, #"{"a":{"Api-Key":"[redacted]"}}"#),
            (#"{"text":"use gantry_0123456789abcdef_AAAA now"}"#, #"{"text":"use [redacted] now"}"#),
            (#"{"text":"Bearer eyJhbGciOiJub25lIn0.e30.x"}"#, #"{"text":"Bearer [redacted]"}"#),
            (#"{"url":"postgresql://u:p@db/x"}"#, #"{"url":"[redacted]"}"#),
            (#"{"url":"https://example.com/a@b:c"}"#, #"{"url":"https://example.com/a@b:c"}"#),
            (#"{"text":"-----BEGIN RSA PRIVATE KEY-----\nAAA"}"#, #"{"text":"[redacted]"}"#),
            (#"{"max_tokens":7,"token":null}"#, #"{"max_tokens":7,"token":null}"#),
            (#"{"list":["ghp_0123456789abcdef","fine"]}"#, #"{"list":["[redacted]","fine"]}"#),
            (#"{"fencing_token":1764208320000000}"#, #"{"fencing_token":1764208320000000}"#),
            (#"{"fencing_token":"ghp_0123456789abcdef"}"#, #"{"fencing_token":"[redacted]"}"#),
            (#"{"refresh-token-é":7}"#, #"{"refresh-token-é":"[redacted]"}"#),
            // Whatever separates words: no-break space, ideographic space, en space; and what looks like a part of one.
            (
                #"{"text":"é\u00a0ghp_0123456789abcdef\u3000AKIA0123456789\u2002ü"}"#,
                #"{"text":"é\#u{a0}[redacted]\#u{3000}[redacted]\#u{2002}ü"}"#
            ),
            (#"{"text":"a=ghp_0123456789ab&b=(xoxb-0123456789)"}"#, #"{"text":"a=[redacted]&b=([redacted])"}"#),
            (
                #"{"text":"水ghp_0123456789abcdef, ⟨sk-⟩ ghp_short"}"#,
                #"{"text":"水ghp_0123456789abcdef, ⟨sk-⟩ ghp_short"}"#
            ),
        ]
    )
    func redaction(given: String, kept: String) throws {
        let value = try #require(try JSONValue(parsing: given).objectValue)
        #expect(Redaction.redacted(value).text == kept)
    }

    @Test("A long text of nothing but secrets loses all of them")
    func manySecrets() {
        let text = String(repeating: "ghp_0123456789 ", count: 200_000)
        let clean = Redaction.clean(.string(text)).stringValue
        #expect(clean == String(repeating: "[redacted] ", count: 200_000))
    }

    @Test("Long arguments are cut, and their digest is of all of it")
    func cut() {
        let text = String(repeating: "a", count: 5000)
        let one = Redaction.redacted(["text": .string(text)])
        #expect(one.text.utf8.count < 1200 && one.text.contains("5000 bytes"))
        #expect(one.digest != Redaction.redacted(["text": .string(text + "b")]).digest)
        let many = JSONValue.array((0..<100).map { _ in .string(text) })
        #expect(Redaction.redacted(["list": many]).text.contains("cut"))
    }
}
