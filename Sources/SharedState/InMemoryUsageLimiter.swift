import Synchronization

/// Counts what is used in this process.
///
/// It counts at most `capacity` uses at a time. Those that have nothing to remember are forgotten to make room; if there is
/// none all the same, what is new is refused.
public final class InMemoryUsageLimiter: UsageLimiter {
    /// How much of one use is used; changed in place, since every call looks it up.
    private final class Counter {
        let limit: UsageLimit
        /// When a bucket was filled last, or when a window began.
        private var time: ContinuousClock.Instant
        /// What is left in a bucket.
        private var tokens = 0.0
        /// What was used in a window, and in the one before.
        private var current = 0
        private var previous = 0
        /// Who holds places, and until when.
        private var holders: [String: ContinuousClock.Instant] = [:]

        init(_ limit: UsageLimit, _ now: ContinuousClock.Instant) {
            self.limit = limit
            self.time = now
            if case .rate(let burst, _) = limit { self.tokens = Double(burst) }
        }

        /// Looks whether there is room for one more use.
        ///
        /// - Returns: How long to wait; nothing if there is.
        func wait(_ now: ContinuousClock.Instant) -> Duration? {
            switch self.limit {
            case .rate(let burst, let perSecond):
                self.tokens = min(Double(burst), self.tokens + (now - self.time) / .seconds(1) * perSecond)
                self.time = now
                return self.tokens >= 1 - InMemoryUsageLimiter.tolerance ? nil : .seconds((1 - self.tokens) / perSecond)
            case .quota(let most, let length):
                if now - self.time >= length {
                    let windows = Int((now - self.time) / length)
                    self.time += length * windows
                    (self.current, self.previous) = (0, windows == 1 ? self.current : 0)
                }
                return self.wait(most, elapsed: (now - self.time) / length).map { length * $0 }
            case .concurrency(let most):
                if self.holders.count >= most { self.holders = self.holders.filter { $0.value > now } }
                return self.holders.count < most ? nil : UsageLimit.placeRetry
            }
        }

        /// How many windows to wait until one more use fits into the stretch that ends then.
        private func wait(_ most: Int, elapsed: Double) -> Double? {
            let used = Double(self.previous) * (1 - elapsed) + Double(self.current)
            if used + 1 <= Double(most) + InMemoryUsageLimiter.tolerance { return nil }
            // Until the next window, and until enough of this one has left the stretch.
            if self.current + 1 > most { return 1 - elapsed + 1 - Double(most - 1) / Double(self.current) }
            return 1 - Double(most - 1 - self.current) / Double(self.previous) - elapsed
        }

        /// Takes one use, for which there is room.
        func take(_ holder: String, until end: ContinuousClock.Instant) {
            switch self.limit {
            case .rate: self.tokens -= 1
            case .quota: self.current += 1
            case .concurrency: self.holders[holder] = end
            }
        }

        func giveBack(_ holder: String) { self.holders[holder] = nil }

        /// Whether it has anything to remember.
        func isUsed(_ now: ContinuousClock.Instant) -> Bool {
            switch self.limit {
            case .rate(let burst, let perSecond):
                self.tokens + (now - self.time) / .seconds(1) * perSecond < Double(burst)
            case .quota(_, let length): now < self.time + length * 2
            case .concurrency: self.holders.values.contains { $0 > now }
            }
        }
    }

    private struct State {
        /// By the name of what is used: one counter for each of its limits.
        var counters: [String: [Counter]] = [:]
        var count = 0
        /// At how many is looked which may be forgotten.
        var sweepAt = 1024
        /// When that was done last.
        var sweptAt: ContinuousClock.Instant?

        /// The counters of uses; those that aren't there yet are made.
        mutating func counters(of uses: [LimitedUse], _ now: ContinuousClock.Instant) -> [Counter] {
            var found: [Counter] = []
            found.reserveCapacity(uses.count)
            var named: [Counter] = []
            for (index, use) in uses.enumerated() {
                // Uses of one name follow each other, and share one look.
                if index == 0 || uses[index - 1].name != use.name { named = self.counters[use.name] ?? [] }
                if let counter = named.first(where: { $0.limit == use.limit }) {
                    found.append(counter)
                } else {
                    let counter = Counter(use.limit, now)
                    named.append(counter)
                    self.counters[use.name] = named
                    self.count += 1
                    found.append(counter)
                }
            }
            return found
        }
    }

    private static let sweepInterval = Duration.seconds(1)
    /// Whoever waited as long as he was told is not sent back for what was lost in rounding.
    private static let tolerance = 1e-5

    private let state = Mutex(State())
    private let capacity: Int
    private let now: @Sendable () -> ContinuousClock.Instant

    /// - Parameters:
    ///   - capacity: The most uses that are counted at a time.
    ///   - now: The time, for tests.
    public init(
        capacity: Int = 100_000,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }
    ) {
        self.capacity = capacity
        self.now = now
    }

    /// How many uses are counted.
    public var count: Int { self.state.withLock { $0.count } }

    public func take(
        _ uses: [LimitedUse],
        holder: String,
        lifetime: Duration
    ) async throws(SharedStateError) -> LimitRefusal? {
        let now = self.now()
        return self.state.withLock { state in
            if state.count + uses.count > state.sweepAt { self.sweep(&state, now) }
            guard state.count + uses.count <= self.capacity else {
                return LimitRefusal(index: 0, retryAfter: Self.sweepInterval)
            }
            let counters = state.counters(of: uses, now)
            for (index, counter) in counters.enumerated() {
                if let wait = counter.wait(now) { return LimitRefusal(index: index, retryAfter: wait) }
            }
            // All of them may be taken.
            for counter in counters { counter.take(holder, until: now + lifetime) }
            return nil
        }
    }

    public func giveBack(_ uses: [LimitedUse], holder: String) {
        self.state.withLock { state in
            for use in uses {
                guard case .concurrency = use.limit else { continue }
                state.counters[use.name]?.first { $0.limit == use.limit }?.giveBack(holder)
            }
        }
    }

    /// Forgets what has nothing to remember, unless that was done a moment ago: it looks at all there is.
    private func sweep(_ state: inout State, _ now: ContinuousClock.Instant) {
        if let last = state.sweptAt, now < last + Self.sweepInterval { return }
        state.sweptAt = now
        state.counters = state.counters.compactMapValues { counters in
            let used = counters.filter { $0.isUsed(now) }
            return used.isEmpty ? nil : used
        }
        state.count = state.counters.values.reduce(0) { $0 + $1.count }
        state.sweepAt = min(self.capacity, max(1024, state.count * 2))
    }
}
