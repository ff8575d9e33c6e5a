public import Logging
import Synchronization

/// The keys that an issuer publishes (JWKS).
///
/// They are kept, and fetched again when they are old or a token names one that isn't there: at most one fetch at a time,
/// and no two within ``Limits/floor``, whatever tokens come. While the issuer can't be reached, the keys that were there
/// last go on being used, for ``Limits/staleLifetime``.
public final class RemoteKeySource: KeySource {
    /// How long things are kept.
    public struct Limits: Sendable {
        /// The least time between two fetches.
        public var floor = Duration.seconds(30)
        /// How long keys are used without looking for new ones.
        public var freshness = Duration.seconds(600)
        /// How long keys are used if no new ones can be had.
        public var staleLifetime = Duration.seconds(86_400)

        public init() {}
    }

    private struct State {
        var keys: KeySet?
        var generation = 0
        var fetchedAt: ContinuousClock.Instant?
        var attemptedAt: ContinuousClock.Instant?
        var fetch: Task<Void, Never>?
        var isClosed = false
    }

    private enum Plan {
        case use(KeySet)
        case wait(Task<Void, Never>)
        case giveUp
    }

    private let state = Mutex(State())
    private let limits: Limits
    private let logger: Logger
    private let now: @Sendable () -> ContinuousClock.Instant
    private let download: @Sendable () async throws -> [UInt8]

    /// - Parameters:
    ///   - limits: How long things are kept.
    ///   - logger: Where it is logged that keys changed or can't be had.
    ///   - now: The time.
    ///   - download: Gets the document, within a time and a size of its own.
    public init(
        limits: Limits = Limits(),
        logger: Logger,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        download: @escaping @Sendable () async throws -> [UInt8]
    ) {
        self.limits = limits
        self.logger = logger
        self.now = now
        self.download = download
    }

    public var generation: Int { self.state.withLock { $0.generation } }

    public func keys(for id: String?) async throws(AuthenticationError) -> KeySet {
        switch self.plan(for: id) {
        case .use(let keys): return keys
        case .wait(let fetch): await fetch.value
        case .giveUp: break
        }
        guard let keys = self.state.withLock({ self.usableKeys($0) }) else {
            throw AuthenticationError(.unavailable, "The keys of the issuer can't be had now; try again later.")
        }
        return keys
    }

    /// Fetches no more.
    public func close() {
        self.state.withLock { state in
            state.isClosed = true
            state.fetch?.cancel()
        }
    }

    private func usableKeys(_ state: State) -> KeySet? {
        guard let keys = state.keys, let fetchedAt = state.fetchedAt,
            self.now() - fetchedAt < self.limits.staleLifetime
        else { return nil }
        return keys
    }

    private func plan(for id: String?) -> Plan {
        self.state.withLock { state in
            let now = self.now()
            let keys = self.usableKeys(state)
            let suitable = keys.flatMap { $0.mayHave(id) ? $0 : nil }
            if let suitable, let fetchedAt = state.fetchedAt, now - fetchedAt < self.limits.freshness {
                return .use(suitable)
            }
            if state.fetch == nil, state.isClosed == false,
                state.attemptedAt.map({ now - $0 >= self.limits.floor }) ?? true
            {
                state.attemptedAt = now
                // The source owns the task: close() cancels it.
                state.fetch = Task { await self.fetch() }
            }
            // Nobody waits for new keys who can do with the old ones.
            if let suitable { return .use(suitable) }
            if let fetch = state.fetch { return .wait(fetch) }
            return keys.map(Plan.use) ?? .giveUp
        }
    }

    private func fetch() async {
        do {
            let keys = try KeySet(jwks: try await self.download())
            self.state.withLock { state in
                state.fetchedAt = self.now()
                state.keys = keys
                state.generation += 1
                state.fetch = nil
            }
            self.logger.info("issuer keys fetched", metadata: ["access.keys": "\(keys.keys.count)"])
        } catch {
            self.state.withLock { $0.fetch = nil }
            self.logger.warning("issuer keys not fetched", metadata: ["error": "\(error)"])
        }
    }
}
