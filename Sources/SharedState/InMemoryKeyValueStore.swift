import Synchronization

/// Values kept in this process: right for one replica, and for tests.
///
/// It holds at most `capacity` values. Expired ones are removed when they are asked for, and by the next write: what it
/// costs grows with the logarithm of the capacity, also when the store is full.
public final class InMemoryKeyValueStore: KeyValueStore {
    private struct Entry {
        var value: [UInt8]
        var expiry: ContinuousClock.Instant
    }

    private struct State {
        var entries: [String: Entry] = [:]
        /// When to look at a key again: never later than its value expires.
        var expiries = ExpiryQueue<String>()

        mutating func keep(_ entry: Entry, as key: String) {
            let isLater = self.entries.updateValue(entry, forKey: key).map { $0.expiry <= entry.expiry } ?? false
            if isLater { return }
            self.expiries.add(key, at: entry.expiry)
            self.expiries.compact(to: self.entries.count) { [entries] in entries.lazy.map { ($0.key, $0.value.expiry) }
            }
        }

        mutating func removeExpired(at now: ContinuousClock.Instant) {
            while let key = self.expiries.next(before: now) {
                guard let expiry = self.entries[key]?.expiry else { continue }
                if expiry <= now { self.entries[key] = nil } else { self.expiries.add(key, at: expiry) }
            }
        }
    }

    private let state = Mutex(State())
    private let capacity: Int
    private let now: @Sendable () -> ContinuousClock.Instant

    /// - Parameters:
    ///   - capacity: The most values that are held at a time.
    ///   - now: The time, for tests.
    public init(
        capacity: Int = 200_000,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }
    ) {
        self.capacity = capacity
        self.now = now
    }

    /// How many values are held, expired ones included.
    public var count: Int {
        self.state.withLock { $0.entries.count }
    }

    /// How many entries the queue has, for tests.
    var queuedCount: Int {
        self.state.withLock { $0.expiries.count }
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
            try self.keep(Entry(value: value, expiry: now + lifetime), as: key, now, &state)
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
            try self.keep(Entry(value: value, expiry: now + lifetime), as: key, now, &state)
            return true
        }
    }

    private func keep(
        _ entry: Entry,
        as key: String,
        _ now: ContinuousClock.Instant,
        _ state: inout State
    ) throws(SharedStateError) {
        state.removeExpired(at: now)
        guard state.entries[key] != nil || state.entries.count < self.capacity else {
            throw SharedStateError(.full, "The in-memory store holds \(self.capacity) values already.")
        }
        state.keep(entry, as: key)
    }

    public func extend(_ key: String, lifetime: Duration) async throws(SharedStateError) -> Bool {
        let now = self.now()
        return self.state.withLock { state in
            guard let entry = state.entries[key], entry.expiry > now else { return false }
            state.keep(Entry(value: entry.value, expiry: now + lifetime), as: key)
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
