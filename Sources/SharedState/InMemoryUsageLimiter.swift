import Synchronization

/// Counts what is used in this process.
///
/// It counts at most `capacity` uses at a time. Those that have nothing to remember are forgotten to make room; if there is
/// none all the same, what is new is refused.
public final class InMemoryUsageLimiter: UsageLimiter {
    private enum Count {
        case bucket(tokens: Double, filled: ContinuousClock.Instant)
        case window(start: ContinuousClock.Instant, current: Int, previous: Int)
        case places([String: ContinuousClock.Instant])
    }

    private struct State {
        var counts: [LimitedUse: Count] = [:]
        /// At how many uses is looked which may be forgotten.
        var sweepAt = 1024
    }

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
    public var count: Int { self.state.withLock { $0.counts.count } }

    public func take(
        _ uses: [LimitedUse],
        holder: String,
        lifetime: Duration
    ) async throws(SharedStateError) -> LimitRefusal? {
        let now = self.now()
        return self.state.withLock { state in
            if state.counts.count + uses.count > state.sweepAt { self.sweep(&state, now) }
            guard state.counts.count + uses.count <= self.capacity else {
                return LimitRefusal(index: 0, retryAfter: .seconds(1))
            }
            var taken: [Count] = []
            for (index, use) in uses.enumerated() {
                switch Self.take(use.limit, from: state.counts[use], holder, now, lifetime) {
                case .success(let count): taken.append(count)
                case .failure(let wait): return LimitRefusal(index: index, retryAfter: wait.time)
                }
            }
            for (use, count) in zip(uses, taken) { state.counts[use] = count }
            return nil
        }
    }

    public func giveBack(_ uses: [LimitedUse], holder: String) {
        self.state.withLock { state in
            for use in uses {
                guard case .places(var holders) = state.counts[use] else { continue }
                holders[holder] = nil
                state.counts[use] = holders.isEmpty ? nil : .places(holders)
            }
        }
    }

    /// Whoever waited as long as he was told is not sent back for what was lost in rounding.
    private static let tolerance = 1e-5

    /// How long to wait.
    private struct Wait: Error {
        var time: Duration
    }

    /// The count after one more use.
    private static func take(
        _ limit: UsageLimit,
        from count: Count?,
        _ holder: String,
        _ now: ContinuousClock.Instant,
        _ lifetime: Duration
    ) -> Result<Count, Wait> {
        switch limit {
        case .rate(let burst, let perSecond):
            var tokens = Double(burst)
            if case .bucket(let left, let filled) = count {
                tokens = min(tokens, left + (now - filled) / .seconds(1) * perSecond)
            }
            guard tokens >= 1 - Self.tolerance else { return .failure(Wait(time: .seconds((1 - tokens) / perSecond))) }
            return .success(.bucket(tokens: tokens - 1, filled: now))
        case .quota(let most, let length):
            var (start, current, previous) = (now, 0, 0)
            if case .window(let oldStart, let oldCurrent, let oldPrevious) = count {
                let windows = Int((now - oldStart) / length)
                start = oldStart + length * windows
                (current, previous) =
                    windows == 0 ? (oldCurrent, oldPrevious) : (0, windows == 1 ? oldCurrent : 0)
            }
            let elapsed = (now - start) / length
            guard Double(previous) * (1 - elapsed) + Double(current) + 1 <= Double(most) + Self.tolerance else {
                let windows =
                    current + 1 > most
                    // Until the next window, and until enough of this one has left the stretch.
                    ? 1 - elapsed + 1 - Double(most - 1) / Double(current)
                    : 1 - Double(most - 1 - current) / Double(previous) - elapsed
                return .failure(Wait(time: length * windows))
            }
            return .success(.window(start: start, current: current + 1, previous: previous))
        case .concurrency(let most):
            var holders: [String: ContinuousClock.Instant] = [:]
            if case .places(let old) = count { holders = old }
            if holders.count >= most { holders = holders.filter { $0.value > now } }
            guard holders.count < most else { return .failure(Wait(time: UsageLimit.placeRetry)) }
            holders[holder] = now + lifetime
            return .success(.places(holders))
        }
    }

    /// Forgets what has nothing to remember.
    private func sweep(_ state: inout State, _ now: ContinuousClock.Instant) {
        state.counts = state.counts.filter { use, count in
            switch (use.limit, count) {
            case (.rate(let burst, let perSecond), .bucket(let tokens, let filled)):
                tokens + (now - filled) / .seconds(1) * perSecond < Double(burst)
            case (.quota(_, let length), .window(let start, _, _)): now < start + length * 2
            case (_, .places(let holders)): holders.values.contains { $0 > now }
            default: false
            }
        }
        state.sweepAt = min(self.capacity, max(1024, state.counts.count * 2))
    }
}
