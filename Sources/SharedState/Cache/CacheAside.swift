import FoundationEssentials
import Synchronization

/// Keeps copies of what is slow to find out, for all replicas.
///
/// A value is loaded once for all who ask at the same time in one process. While it is fresh it is taken from the store;
/// when it is somewhat too old it is still given, and loaded anew beside, by one replica. How long values are fresh
/// differs by a random amount, so that what was loaded together doesn't expire together. A whole group of values is made
/// useless at once by giving the group another generation; no keys are searched. When the store can't be reached, values
/// are loaded as if nothing were kept.
public final class CacheAside: Sendable {
    /// How long and how much is kept.
    public struct Policy: Sendable {
        /// How long a value is fresh.
        public var lifetime: Duration
        /// How much longer it is given while it is loaded anew.
        public var staleLifetime: Duration
        /// By how much of it the lifetime differs at most, up or down.
        public var jitter = 0.1
        /// The largest value that is kept, in bytes.
        public var maximumBytes = 64 << 10

        /// - Parameters:
        ///   - lifetime: How long a value is fresh.
        ///   - staleLifetime: How much longer it is given while it is loaded anew; as long again without.
        public init(lifetime: Duration, staleLifetime: Duration? = nil) {
            self.lifetime = lifetime
            self.staleLifetime = staleLifetime ?? lifetime
        }
    }

    /// Finds out a value; nothing if there is none, which is not kept.
    ///
    /// It has a deadline of its own.
    public typealias Load = @Sendable () async throws -> [UInt8]?

    /// How many values are loaded at a time for several askers; more are loaded by each asker.
    private static let maximumFlights = 1000
    /// How long a replica that loads a stale value anew keeps others from doing the same.
    private static let refreshTime = Duration.seconds(30)
    /// How long the store is left alone after it could not be reached.
    private static let pause = Duration.seconds(1)

    private struct State {
        var flights: [String: Flight] = [:]
        var pausedUntil: ContinuousClock.Instant?
    }

    private let name: String
    private let store: any KeyValueStore
    private let policy: Policy
    private let now: @Sendable () -> Int
    private let random: @Sendable () -> Double
    private let state = Mutex(State())

    /// - Parameters:
    ///   - name: What the keys in the store begin with.
    ///   - store: Where values are kept.
    ///   - policy: How long.
    ///   - now: The time in milliseconds since 1970, for tests.
    ///   - random: A number from -1 to 1, for tests.
    public init(
        _ name: String,
        store: any KeyValueStore,
        policy: Policy,
        now: (@Sendable () -> Int)? = nil,
        random: (@Sendable () -> Double)? = nil
    ) {
        self.name = name
        self.store = store
        self.policy = policy
        self.now = now ?? { Int(Date.now.timeIntervalSince1970 * 1000) }
        self.random = random ?? { .random(in: -1...1) }
    }

    deinit {
        for flight in self.state.withLock({ Array($0.flights.values) }) { flight.cancel() }
    }

    /// A value, from the store or else loaded.
    ///
    /// - Parameters:
    ///   - key: Which.
    ///   - group: What it is made useless with.
    ///   - load: Finds it out.
    /// - Returns: The value; nothing if `load` found none.
    /// - Throws: What `load` throws.
    public func value(for key: String, in group: String = "", load: @escaping Load) async throws -> [UInt8]? {
        let key = "cache:\(self.name):\(group):\(key)"
        guard let entry = await self.read(key, group).entry else {
            return try await self.flight(for: key, group, load).wait()
        }
        if entry.freshUntil <= self.now(), await self.mayRefresh(key) {
            // Whoever asked does not wait for it, and is not told of failures: the value is good for a while.
            _ = self.flight(for: key, group, load)
        }
        return entry.value
    }

    /// Makes all values of a group useless, on all replicas.
    ///
    /// - Throws: ``SharedStateError`` if the store can't be reached; values stay until they expire then.
    public func invalidate(_ group: String) async throws(SharedStateError) {
        var generator = SystemRandomNumberGenerator()
        let generation = generator.next() as UInt64
        // Kept for longer than any value from before it.
        let lifetime = (self.policy.lifetime + self.policy.staleLifetime) * 2
        try await self.store.set(self.generationKey(group), to: Entry.bytes(of: generation), lifetime: lifetime)
    }

    private func generationKey(_ group: String) -> String { "cache:\(self.name):generation:\(group)" }

    // MARK: The store

    /// A value in the store: generation and time, 8 bytes each, and the value itself.
    private struct Entry {
        var generation: UInt64
        /// Milliseconds since 1970.
        var freshUntil: Int
        var value: [UInt8]

        init(generation: UInt64, freshUntil: Int, value: [UInt8]) {
            self.generation = generation
            self.freshUntil = freshUntil
            self.value = value
        }

        init?(_ bytes: [UInt8]) {
            guard bytes.count >= 16 else { return nil }
            self.generation = Self.number(bytes[0..<8])
            self.freshUntil = Int(truncatingIfNeeded: Self.number(bytes[8..<16]))
            self.value = Array(bytes[16...])
        }

        var bytes: [UInt8] {
            Self.bytes(of: self.generation) + Self.bytes(of: UInt64(truncatingIfNeeded: self.freshUntil)) + self.value
        }

        static func bytes(of number: UInt64) -> [UInt8] {
            (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * UInt64($0))) }
        }

        static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
    }

    /// What the store knows; no generation if it can't be reached.
    private func read(_ key: String, _ group: String) async -> (entry: Entry?, generation: UInt64?) {
        guard self.isStoreInUse else { return (nil, nil) }
        do throws(SharedStateError) {
            let generationBytes = try await self.store.value(for: self.generationKey(group))
            let generation = generationBytes.map { Entry.number($0[...]) } ?? 0
            let entry = try await self.store.value(for: key).flatMap { Entry($0) }
            return (entry?.generation == generation ? entry : nil, generation)
        } catch {
            self.pauseStore()
            return (nil, nil)
        }
    }

    private var isStoreInUse: Bool {
        self.state.withLock { $0.pausedUntil.map { $0 <= .now } ?? true }
    }

    private func pauseStore() {
        self.state.withLock { $0.pausedUntil = .now + Self.pause }
    }

    /// Whether no other replica is loading a stale value anew.
    private func mayRefresh(_ key: String) async -> Bool {
        (try? await self.store.compareAndSet("\(key):refresh", from: nil, to: [1], lifetime: Self.refreshTime)) ?? false
    }

    private func store(_ value: [UInt8], _ key: String, _ generation: UInt64) async {
        guard value.count <= self.policy.maximumBytes else { return }
        let lifetime = self.policy.lifetime * (1 + self.policy.jitter * self.random())
        let entry = Entry(
            // As it was before it was loaded: what was made useless meanwhile stays so.
            generation: generation,
            freshUntil: self.now() + Int(lifetime / .milliseconds(1)),
            value: value
        )
        do throws(SharedStateError) {
            try await self.store.set(key, to: entry.bytes, lifetime: lifetime + self.policy.staleLifetime)
            _ = try await self.store.remove("\(key):refresh")
        } catch {
            self.pauseStore()
        }
    }

    // MARK: Loading

    /// The load of a key that is on its way, or a new one.
    private func flight(for key: String, _ group: String, _ load: @escaping Load) -> Flight {
        let flight = self.state.withLock { state in
            if let flight = state.flights[key], flight.join() { return flight }
            let flight = Flight()
            if state.flights.count < Self.maximumFlights { state.flights[key] = flight }
            return flight
        }
        flight.start { [weak self] in
            defer { self?.remove(flight, key) }
            // Somebody may have loaded it since the store was asked.
            let found = await self?.read(key, group)
            if let self, let entry = found?.entry, entry.freshUntil > self.now() { return entry.value }
            let value = try await load()
            if let value, let generation = found?.generation { await self?.store(value, key, generation) }
            return value
        }
        return flight
    }

    private func remove(_ flight: Flight, _ key: String) {
        self.state.withLock { state in
            if state.flights[key] === flight { state.flights[key] = nil }
        }
    }
}

/// One load, and those who wait for it.
///
/// It is cancelled when none is left.
private final class Flight: Sendable {
    private struct State {
        var task: Task<Void, Never>?
        var result: Result<[UInt8]?, any Error>?
        var isBegun = false
        /// How many want the value.
        var interest = 1
        var lastWaiter: UInt64 = 0
        var waiting: [UInt64: CheckedContinuation<[UInt8]?, any Error>] = [:]
    }

    private let state = Mutex(State())

    /// Takes an interest, unless the load is over or was given up.
    func join() -> Bool {
        self.state.withLock { state in
            guard state.result == nil, state.interest > 0 else { return false }
            state.interest += 1
            return true
        }
    }

    /// Begins, once.
    func start(_ load: @escaping @Sendable () async throws -> [UInt8]?) {
        self.state.withLock { state in
            guard state.isBegun == false else { return }
            state.isBegun = true
            // It belongs to the flight: whoever asked first may be cancelled while others wait.
            state.task = Task {
                let result: Result<[UInt8]?, any Error>
                do { result = .success(try await load()) } catch { result = .failure(error) }
                let waiting = self.state.withLock { state in
                    state.result = result
                    state.task = nil
                    defer { state.waiting = [:] }
                    return state.waiting.values
                }
                for continuation in waiting { continuation.resume(with: result) }
            }
        }
    }

    func cancel() { self.state.withLock { $0.task }?.cancel() }

    /// Waits for the value; whoever waits has taken an interest before.
    func wait() async throws -> [UInt8]? {
        let id = self.state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result: Result<[UInt8]?, any Error>? = self.state.withLock { state in
                    if let result = state.result { return result }
                    if Task.isCancelled { return .failure(CancellationError()) }
                    state.waiting[id] = continuation
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            let (continuation, task) = self.state.withLock { state in
                state.interest -= 1
                return (state.waiting.removeValue(forKey: id), state.interest == 0 ? state.task : nil)
            }
            continuation?.resume(throwing: CancellationError())
            task?.cancel()
        }
    }
}
