import Synchronization

/// How often one principal may call.
public struct RateLimit: Sendable {
    /// How many calls may come at once.
    public var burst: Int
    /// How many calls a second are allowed in the long run.
    public var perSecond: Double

    public init(burst: Int, perSecond: Double) {
        precondition(burst >= 1 && perSecond > 0, "A rate limit lets something through.")
        self.burst = burst
        self.perSecond = perSecond
    }
}

/// A bucket of tokens for each principal, in this process.
final class RateLimiter: Sendable {
    private struct Bucket {
        var tokens: Double
        var filled: ContinuousClock.Instant
    }

    /// Principals beyond this share no bucket with anybody; full buckets are forgotten to make room.
    private static let maximumBuckets = 10_000

    private let buckets = Mutex<[String: Bucket]>([:])
    private let limit: RateLimit
    private let now: @Sendable () -> ContinuousClock.Instant

    init(_ limit: RateLimit, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.limit = limit
        self.now = now
    }

    /// Takes a token.
    ///
    /// - Returns: Nothing if there was one, else how long to wait for the next.
    func take(for principal: Principal) -> Duration? {
        let now = self.now()
        return self.buckets.withLock { buckets in
            if buckets[principal.id] == nil, buckets.count >= Self.maximumBuckets {
                buckets = buckets.filter { self.tokens(in: $0.value, now) < Double(self.limit.burst) }
                // Still full of principals who are at their limits: whoever comes new has to wait, too.
                guard buckets.count < Self.maximumBuckets else { return .seconds(1) }
            }
            var bucket = buckets[principal.id] ?? Bucket(tokens: Double(self.limit.burst), filled: now)
            bucket.tokens = self.tokens(in: bucket, now)
            bucket.filled = now
            let wait: Duration?
            if bucket.tokens >= 1 {
                bucket.tokens -= 1
                wait = nil
            } else {
                wait = .seconds((1 - bucket.tokens) / self.limit.perSecond)
            }
            buckets[principal.id] = bucket
            return wait
        }
    }

    private func tokens(in bucket: Bucket, _ now: ContinuousClock.Instant) -> Double {
        let elapsed = (now - bucket.filled) / .seconds(1)
        return min(Double(self.limit.burst), bucket.tokens + elapsed * self.limit.perSecond)
    }
}
