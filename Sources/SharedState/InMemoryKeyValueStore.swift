import Synchronization

/// Values kept in this process: right for one replica, and for tests.
///
/// It holds at most `capacity` values. Expired ones are removed when they are asked for, and all of them whenever the
/// store has grown by half since it was last swept, so that a sweep costs each write a constant share.
public final class InMemoryKeyValueStore: KeyValueStore {
    private struct Entry {
        var value: [UInt8]
        var expiry: ContinuousClock.Instant
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var sweepAt = 64
    }

    private let state = Mutex(State())
    private let capacity: Int
    private let now: @Sendable () -> ContinuousClock.Instant

    /// - Parameters:
    ///   - capacity: The most values that are held at a time.
    ///   - now: The time, for tests.
    public init(
        capacity: Int = 100_000,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }
    ) {
        self.capacity = capacity
        self.now = now
    }

    /// How many values are held, expired ones included.
    public var count: Int {
        self.state.withLock { $0.entries.count }
    }

    public func value(for key: String) async throws(SharedStateError) -> [UInt8]? {
        let now = self.now()
        return self.state.withLock { state in
            guard let entry = state.entries[key] else { return nil }
            if entry.expiry <= now {
                state.entries[key] = nil
                return nil
            }
            return entry.value
        }
    }

    public func set(_ key: String, to value: [UInt8], lifetime: Duration) async throws(SharedStateError) {
        let now = self.now()
        try self.state.withLock { state throws(SharedStateError) in
            try self.store(value, for: key, now, lifetime, &state)
        }
    }

    public func compareAndSet(
        _ key: String,
        from expected: [UInt8]?,
        to value: [UInt8],
        lifetime: Duration
    ) async throws(SharedStateError) -> Bool {
        let now = self.now()
        return try self.state.withLock { state throws(SharedStateError) in
            let current = state.entries[key].flatMap { $0.expiry > now ? $0.value : nil }
            guard current == expected else { return false }
            try self.store(value, for: key, now, lifetime, &state)
            return true
        }
    }

    private func store(
        _ value: [UInt8],
        for key: String,
        _ now: ContinuousClock.Instant,
        _ lifetime: Duration,
        _ state: inout State
    ) throws(SharedStateError) {
        if state.entries.count >= min(state.sweepAt, self.capacity) {
            state.entries = state.entries.filter { $0.value.expiry > now }
            state.sweepAt = max(64, state.entries.count + state.entries.count / 2)
        }
        guard state.entries[key] != nil || state.entries.count < self.capacity else {
            throw SharedStateError(.full, "The in-memory store holds \(self.capacity) values already.")
        }
        state.entries[key] = Entry(value: value, expiry: now + lifetime)
    }

    public func extend(_ key: String, lifetime: Duration) async throws(SharedStateError) -> Bool {
        let now = self.now()
        return self.state.withLock { state in
            guard let entry = state.entries[key], entry.expiry > now else { return false }
            state.entries[key]?.expiry = now + lifetime
            return true
        }
    }

    public func remove(_ key: String) async throws(SharedStateError) -> Bool {
        let now = self.now()
        return self.state.withLock { state in
            guard let entry = state.entries.removeValue(forKey: key) else { return false }
            return entry.expiry > now
        }
    }
}
