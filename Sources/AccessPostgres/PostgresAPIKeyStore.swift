public import Access
public import Foundation
public import Logging
public import Postgres
import Synchronization

/// The API keys of all servers of one database.
///
/// A key that was recognised is not looked up again for ``Limits/freshness``; while the database is away, it goes on being
/// recognised for ``Limits/staleLifetime``. A key that was revoked counts no more once the first of these has passed.
///
/// The table is made when the store is first used.
public final class PostgresAPIKeyStore: APIKeyStore {
    /// How long keys are remembered.
    public struct Limits: Sendable {
        public var freshness = Duration.seconds(5)
        public var staleLifetime = Duration.seconds(300)

        public init() {}
    }

    private struct Remembered {
        var key: APIKey
        var at: ContinuousClock.Instant
    }

    private let pool: PostgresPool
    private let limits: Limits
    private let logger: Logger
    private let now: @Sendable () -> Int
    private let clock: @Sendable () -> ContinuousClock.Instant
    private let isPrepared = Atomic(false)
    /// By id; only keys that there are, so at most ``APIKeyRequest/maximumKeys`` and those of before.
    private let remembered = Mutex<[String: Remembered]>([:])

    /// - Parameters:
    ///   - pool: The connections. The store doesn't close them.
    ///   - limits: How long keys are remembered.
    ///   - logger: Told about migrations and failures.
    ///   - now: The time, in seconds since 1970.
    ///   - clock: The time by which keys are remembered.
    public init(
        pool: PostgresPool,
        limits: Limits = Limits(),
        logger: Logger,
        now: @escaping @Sendable () -> Int = { Int(Date().timeIntervalSince1970) },
        clock: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.pool = pool
        self.limits = limits
        self.logger = logger
        self.now = now
        self.clock = clock
    }

    private static let migrations = PostgresMigrations(
        table: "access_migrations",
        steps: [
            .init(
                "api_keys",
                """
                CREATE TABLE api_keys (
                    id text PRIMARY KEY,
                    name text NOT NULL,
                    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
                    roles text[] NOT NULL,
                    scopes text[],
                    created_at bigint NOT NULL,
                    expires_at bigint NOT NULL,
                    is_revoked boolean NOT NULL DEFAULT false
                )
                """
            )
        ]
    )

    /// Makes the table, or brings it up to date; the first use of the store does it too.
    ///
    /// - Returns: The names of the migrations that were carried out.
    @discardableResult
    public func prepare() async throws(KeyError) -> [String] {
        do {
            let done = try await Self.migrations.run(self.pool)
            for name in done { self.logger.info("Migrated the API keys", metadata: ["migration.name": "\(name)"]) }
            self.isPrepared.store(true, ordering: .releasing)
            return done
        } catch { throw Self.keyError(error) }
    }

    private static let columns = "id, name, sha256, roles, scopes, created_at, expires_at, is_revoked"

    private static func key(_ row: PostgresRow) throws -> APIKey {
        APIKey(
            id: try row.get(0),
            name: try row.get(1),
            digest: try row.get(2),
            roles: try row.get(3),
            scopes: try row.getIfPresent(4),
            createdAt: try row.get(5),
            expiresAt: try row.get(6),
            isRevoked: try row.get(7)
        )
    }

    public func list() async throws(KeyError) -> [APIKey] {
        try await self.transaction { connection in
            try await connection.query("SELECT \(Self.columns) FROM api_keys ORDER BY created_at DESC, id DESC")
                .map(Self.key)
        }
    }

    public func create(_ request: APIKeyRequest) async throws(KeyError) -> String {
        let now = self.now()
        let (kept, key) = APIKey.make(request, now: now)
        try await self.transaction { connection in
            // Nobody adds one between counting and adding; reading goes on.
            try await connection.query("LOCK TABLE api_keys IN SHARE ROW EXCLUSIVE MODE")
            // What has expired long ago is of no use to anybody.
            try await connection.query(
                "DELETE FROM api_keys WHERE expires_at <= $1",
                [.int(now - APIKeyRequest.maximumLifetime)]
            )
            let count: Int = try await connection.query("SELECT count(*) FROM api_keys").first?.get(0) ?? 0
            guard count < APIKeyRequest.maximumKeys else {
                throw KeyError("There are \(count) API keys; there can't be more. Revoked ones go after they expire.")
            }
            try await connection.query(
                "INSERT INTO api_keys (\(Self.columns)) VALUES ($1, $2, $3, $4, $5, $6, $7, false)",
                [
                    .text(kept.id), .text(kept.name), .bytea(kept.digest), .textArray(kept.roles),
                    .textArray(kept.scopes), .int(kept.createdAt), .int(kept.expiresAt),
                ]
            )
        }
        return key
    }

    public func revoke(_ id: String) async throws(KeyError) {
        let count = try await self.transaction { connection in
            try await connection.query(
                "UPDATE api_keys SET is_revoked = true WHERE id = $1",
                [.text(id.replacing("\0", with: ""))]
            ).affectedRows
        }
        self.remembered.withLock { $0[id] = nil }
        guard count == 1 else { throw KeyError("There is no API key \(id.prefix(64)).") }
    }

    public func recognise(_ text: String) async throws(AuthenticationError) -> APIKey? {
        guard text.hasPrefix(APIKey.prefix) else { return nil }
        guard let (id, secret) = APIKey.parse(text) else { return try self.check(nil, nil, now: self.now()) }
        let known = self.remembered.withLock { $0[id] }
        if let known, self.clock() - known.at < self.limits.freshness {
            return try self.check(known.key, secret, now: self.now())
        }
        let found: APIKey?
        do {
            found = try await self.transaction { connection in
                try await connection.query("SELECT \(Self.columns) FROM api_keys WHERE id = $1", [.text(id)])
                    .first.map(Self.key)
            }
        } catch {
            guard let known, self.clock() - known.at < self.limits.staleLifetime else {
                self.logger.error("API keys can't be looked up", metadata: ["error": "\(error)"])
                throw AuthenticationError(.unavailable, "API keys can't be checked now.")
            }
            return try self.check(known.key, secret, now: self.now())
        }
        self.remembered.withLock { remembered in
            remembered[id] = found.map { Remembered(key: $0, at: self.clock()) }
            // Keys that were removed elsewhere.
            if remembered.count > 2 * APIKeyRequest.maximumKeys { remembered.removeAll() }
        }
        return try self.check(found, secret, now: self.now())
    }

    @discardableResult
    private func transaction<Value: Sendable>(
        _ body: @Sendable (PostgresConnection) async throws -> Value
    ) async throws(KeyError) -> Value {
        if self.isPrepared.load(ordering: .acquiring) == false { try await self.prepare() }
        do {
            return try await self.pool.withTransaction(body)
        } catch { throw Self.keyError(error) }
    }

    private static func keyError(_ error: any Error) -> KeyError {
        if let error = error as? KeyError { return error }
        return KeyError("The API keys in PostgreSQL can't be used: \((error as? PostgresError)?.message ?? "\(error)")")
    }
}
