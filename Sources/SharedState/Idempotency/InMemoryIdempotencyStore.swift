import Synchronization

/// Remembers operations in one process.
public final class InMemoryIdempotencyStore: IdempotencyStore {
    private struct Record {
        var owner: String
        var fingerprint: [UInt8]
        var attempt: String
        /// Until when the attempt goes on.
        var lease: ContinuousClock.Instant
        var answer: [UInt8]?
        var expiry: ContinuousClock.Instant
    }

    private struct State {
        var records: [IdempotencyKey: Record] = [:]
        /// When to look at a key again, which may have been forgotten since.
        var expiries = ExpiryQueue<IdempotencyKey>()
        var counts: [String: Int] = [:]
        var bytes = 0

        mutating func remove(_ key: IdempotencyKey) {
            guard let record = self.records.removeValue(forKey: key) else { return }
            self.bytes -= record.answer?.count ?? 0
            let count = (self.counts[record.owner] ?? 1) - 1
            self.counts[record.owner] = count == 0 ? nil : count
        }
    }

    private let state = Mutex(State())
    private let limits: IdempotencyLimits
    private let now: @Sendable () -> ContinuousClock.Instant

    /// - Parameters:
    ///   - limits: How many operations are remembered.
    ///   - now: The time, for tests.
    public init(
        limits: IdempotencyLimits = IdempotencyLimits(),
        now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }
    ) {
        self.limits = limits
        self.now = now
    }

    public func begin(
        _ key: IdempotencyKey,
        fingerprint: [UInt8],
        attempt: String,
        lease: Duration,
        mayRepeat: Bool
    ) async throws(SharedStateError) -> IdempotencyState {
        let now = self.now()
        return try self.state.withLock { state throws(SharedStateError) in
            Self.forgetExpired(at: now, &state)
            if let record = state.records[key] {
                guard record.fingerprint == fingerprint else { return .otherRequest }
                if let answer = record.answer { return .finished(answer) }
                if record.lease > now { return .running }
                guard mayRepeat else { return .abandoned }
                state.records[key]?.attempt = attempt
                state.records[key]?.lease = now + lease
                return .begun
            }
            let count = state.counts[key.owner] ?? 0
            guard count < self.limits.perOwner else { throw IdempotencyLimits.tooMany(count) }
            guard state.records.count < self.limits.total, state.bytes < self.limits.bytes else {
                throw IdempotencyLimits.tooMany(state.records.count)
            }
            let expiry = now + self.limits.lifetime
            state.records[key] = Record(
                owner: key.owner,
                fingerprint: fingerprint,
                attempt: attempt,
                lease: now + lease,
                expiry: expiry
            )
            state.counts[key.owner] = count + 1
            state.expiries.add(key, at: expiry)
            state.expiries.compact(to: state.records.count) { [records = state.records] in
                records.lazy.map { ($0.key, $0.value.expiry) }
            }
            return .begun
        }
    }

    public func keep(_ key: IdempotencyKey, attempt: String, lease: Duration) async throws(SharedStateError) -> Bool {
        let now = self.now()
        return self.state.withLock { state in
            guard state.records[key]?.attempt == attempt else { return false }
            state.records[key]?.lease = now + lease
            return true
        }
    }

    public func finish(_ key: IdempotencyKey, attempt: String, answer: [UInt8]) async throws(SharedStateError) -> Bool {
        self.state.withLock { state in
            guard let record = state.records[key], record.attempt == attempt, record.answer == nil else { return false }
            state.records[key]?.answer = answer
            state.bytes += answer.count
            return true
        }
    }

    public func abandon(_ key: IdempotencyKey, attempt: String) async throws(SharedStateError) {
        let now = self.now()
        self.state.withLock { state in
            if state.records[key]?.attempt == attempt { state.records[key]?.lease = now }
        }
    }

    public func forget(_ key: IdempotencyKey, attempt: String) async throws(SharedStateError) {
        self.state.withLock { state in
            guard let record = state.records[key], record.attempt == attempt, record.answer == nil else { return }
            state.remove(key)
        }
    }

    private static func forgetExpired(at now: ContinuousClock.Instant, _ state: inout State) {
        while let key = state.expiries.next(before: now) {
            // It may have been begun anew since.
            if let record = state.records[key], record.expiry <= now { state.remove(key) }
        }
    }
}
