import Foundation
import Logging
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import Access
@testable import AccessPostgres

/// Where API keys are kept, each with the same promises.
enum KeyPlace: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case file, postgreSQL

    var testDescription: String { self.rawValue }
}

/// An empty place for keys, and a clock that is set.
private struct KeyBench: Sendable {
    final class Time: Sendable {
        let now = Mutex(1_800_000_000)
        func pass(_ seconds: Int) { self.now.withLock { $0 += seconds } }
    }

    let time = Time()
    /// Opens the place as another process would.
    let open: @Sendable (Time) -> any APIKeyStore

    static func with(_ place: KeyPlace, _ body: (KeyBench) async throws -> Void) async throws {
        switch place {
        case .file:
            let directory = FileManager.default.temporaryDirectory.appending(path: "keys-\(UUID().uuidString)").path
            defer { try? FileManager.default.removeItem(atPath: directory) }
            try await body(KeyBench { time in APIKeyFile(directory: directory, now: { time.now.withLock { $0 } }) })
        case .postgreSQL:
            try await TemporarySchema.with { schema in
                let pool = schema.pool
                let start = ContinuousClock.now
                try await body(
                    KeyBench { time in
                        PostgresAPIKeyStore(
                            pool: pool,
                            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                            now: { time.now.withLock { $0 } },
                            clock: { start + .seconds(time.now.withLock { $0 } - 1_800_000_000) }
                        )
                    }
                )
            }
        }
    }

    private init(open: @escaping @Sendable (Time) -> any APIKeyStore) { self.open = open }
}

@Suite("Places for API keys", .timeLimit(.minutes(1)))
struct APIKeyStoreTests {
    @Test("A key is recognised until it expires or is revoked, by any process", arguments: KeyPlace.allCases)
    func life(place: KeyPlace) async throws {
        try await KeyBench.with(place) { bench in
            let (store, other) = (bench.open(bench.time), bench.open(bench.time))
            let first = try await store.create(
                .init(name: "ci", roles: ["viewer"], scopes: ["jira:read"], lifetime: 100)
            )
            let second = try await other.create(.init(name: "bot", roles: ["operator"], scopes: nil, lifetime: 1000))
            let found = try #require(try await store.recognise(first))
            #expect(found.roles == ["viewer"] && found.scopes == ["jira:read"] && found.name == "ci")
            #expect(try await store.recognise(second)?.scopes == nil)
            bench.time.pass(100)
            await #expect(throws: AuthenticationError.self) { try await store.recognise(first) }
            let listed = try await store.list()
            #expect(Set(listed.map(\.name)) == ["ci", "bot"])
            let id = try #require(listed.first { $0.name == "bot" }?.id)
            #expect(try await store.recognise(second) != nil)
            try await other.revoke(id)
            // What another process revoked counts no more after a moment.
            bench.time.pass(6)
            await #expect(throws: AuthenticationError.self) { try await store.recognise(second) }
            await #expect(throws: KeyError.self) { try await other.revoke("nobody") }
            #expect(try await store.list().first { $0.id == id }?.isRevoked == true)
        }
    }

    @Test("What only looks like a key is refused, and what doesn't is none", arguments: KeyPlace.allCases)
    func wrong(place: KeyPlace) async throws {
        try await KeyBench.with(place) { bench in
            let store = bench.open(bench.time)
            let key = try await store.create(.init(name: "ci", roles: ["viewer"], scopes: nil, lifetime: 100))
            #expect(try await store.recognise(key) != nil)
            let changed = String(key.dropLast()) + (key.hasSuffix("A") ? "E" : "A")
            for text in [
                "gantry_", "gantry_x", key + "A", String(key.dropLast()), changed, key.replacing("_", with: "-"),
            ] {
                if text.hasPrefix(APIKey.prefix) {
                    await #expect(throws: AuthenticationError.self) { try await store.recognise(text) }
                } else {
                    #expect(try await store.recognise(text) == nil)
                }
            }
            #expect(try await store.recognise("eyJhbGciOiJub25lIn0.e30.") == nil)
        }
    }

    @Test("No key is valid for longer than 400 days", arguments: KeyPlace.allCases)
    func lifetime(place: KeyPlace) async throws {
        try await KeyBench.with(place) { bench in
            let store = bench.open(bench.time)
            _ = try await store.create(.init(name: "ci", roles: [], scopes: nil, lifetime: .max))
            #expect(try await store.list().map(\.expiresAt) == [1_800_000_000 + 400 * 86_400])
        }
    }

    @Test("While PostgreSQL is away, a key that was known goes on being recognised for a while")
    func away() async throws {
        try await TemporarySchema.with { schema in
            let pool = schema.pool
            let time = Mutex(ContinuousClock.now)
            let own = PostgresPool(pool.configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let store = PostgresAPIKeyStore(
                pool: own,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                clock: { time.withLock { $0 } }
            )
            let key = try await store.create(.init(name: "ci", roles: ["viewer"], scopes: nil, lifetime: 1000))
            let other = try await store.create(.init(name: "new", roles: ["viewer"], scopes: nil, lifetime: 1000))
            #expect(try await store.recognise(key) != nil)
            await own.close()
            time.withLock { $0 += .seconds(60) }
            #expect(try await store.recognise(key)?.name == "ci")
            let unknown = await #expect(throws: AuthenticationError.self) { try await store.recognise(other) }
            #expect(unknown?.code == .unavailable)
            time.withLock { $0 += .seconds(300) }
            let late = await #expect(throws: AuthenticationError.self) { try await store.recognise(key) }
            #expect(late?.code == .unavailable)
        }
    }
}
