import SharedState
import Synchronization
import Testing

@Suite("Limits in memory")
struct InMemoryUsageLimiterTests {
    private final class Clock: Sendable {
        private let time = Mutex(ContinuousClock.now)
        var now: ContinuousClock.Instant { self.time.withLock { $0 } }
        func advance(by duration: Duration) { self.time.withLock { $0 += duration } }
    }

    private let clock = Clock()

    private func limiter(capacity: Int = 100_000) -> InMemoryUsageLimiter {
        InMemoryUsageLimiter(capacity: capacity, now: { [clock] in clock.now })
    }

    private func take(_ limiter: InMemoryUsageLimiter, _ use: LimitedUse) async throws -> Duration? {
        try await limiter.take([use], holder: "h", lifetime: .seconds(60))?.retryAfter
    }

    /// Whether a use is refused for so many seconds, but for rounding.
    private func isToWait(_ seconds: Double, _ limiter: InMemoryUsageLimiter, _ use: LimitedUse) async throws -> Bool {
        guard let wait = try await self.take(limiter, use) else { return false }
        return abs(wait / .seconds(1) - seconds) < 0.001
    }

    @Test("A bucket lets through what was promised, and tells exactly when to come back")
    func bucket() async throws {
        let limiter = self.limiter()
        let use = LimitedUse("u", .rate(burst: 2, perSecond: 2))
        #expect(try await self.take(limiter, use) == nil)
        #expect(try await self.take(limiter, use) == nil)
        #expect(try await self.take(limiter, use) == .milliseconds(500))
        self.clock.advance(by: .milliseconds(499))
        #expect(try await self.take(limiter, use) != nil)
        self.clock.advance(by: .milliseconds(2))
        #expect(try await self.take(limiter, use) == nil)
        self.clock.advance(by: .seconds(3600))
        for _ in 0..<2 { #expect(try await self.take(limiter, use) == nil) }
        #expect(try await self.take(limiter, use) != nil)
    }

    @Test("A quota slides: the window before counts in proportion")
    func quota() async throws {
        let limiter = self.limiter()
        let use = LimitedUse("u", .quota(10, per: .seconds(100)))
        for _ in 0..<10 { #expect(try await self.take(limiter, use) == nil) }
        // Ten are in this window: the eleventh fits when one tenth of the next has passed.
        #expect(try await self.isToWait(110, limiter, use))
        self.clock.advance(by: .seconds(105))
        #expect(try await self.isToWait(5, limiter, use))
        self.clock.advance(by: .seconds(45))
        // Half of the ten have left.
        for _ in 0..<5 { #expect(try await self.take(limiter, use) == nil) }
        #expect(try await self.isToWait(10, limiter, use))
        self.clock.advance(by: .seconds(200))
        for _ in 0..<10 { #expect(try await self.take(limiter, use) == nil) }
    }

    @Test("What has nothing to remember is forgotten, and no more is counted than there is room for")
    func bounds() async throws {
        let limiter = self.limiter(capacity: 2000)
        for number in 0..<2000 {
            #expect(try await self.take(limiter, LimitedUse("\(number)", .rate(burst: 1, perSecond: 1))) == nil)
        }
        let late = LimitedUse("late", .rate(burst: 1, perSecond: 1))
        #expect(try await self.take(limiter, late) == .seconds(1))
        self.clock.advance(by: .seconds(2))
        #expect(try await self.take(limiter, late) == nil)
        #expect(limiter.count < 2000)
        let place = LimitedUse("place", .concurrency(1))
        #expect(try await self.take(limiter, place) == nil)
        limiter.giveBack([place], holder: "h")
        #expect(limiter.count < 2000)
    }
}
