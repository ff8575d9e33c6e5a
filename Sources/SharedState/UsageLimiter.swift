/// How much of something may be used.
public enum UsageLimit: Sendable, Hashable {
    /// A bucket of tokens: so many at once, and so many a second in the long run.
    case rate(burst: Int, perSecond: Double)
    /// So many in any stretch of time of the given length.
    ///
    /// Uses are counted in windows of that length; those of the window before count in proportion to how much of it the
    /// stretch still covers.
    case quota(Int, per: Duration)
    /// So many at the same time.
    case concurrency(Int)
}

/// What is used, and how much of it may be.
public struct LimitedUse: Sendable, Hashable {
    /// What is counted, such as the calls of one principal.
    public var name: String
    public var limit: UsageLimit

    public init(_ name: String, _ limit: UsageLimit) {
        self.name = name
        self.limit = limit
    }
}

/// Why something may not be used now.
public struct LimitRefusal: Sendable, Hashable {
    /// Which of the uses asked for is too much.
    public var index: Int
    /// When it is worth asking again.
    public var retryAfter: Duration

    public init(index: Int, retryAfter: Duration) {
        self.index = index
        self.retryAfter = retryAfter
    }
}

/// Counts what is used, over all replicas.
public protocol UsageLimiter: Sendable {
    /// Takes one of each use, or none of any.
    ///
    /// - Parameters:
    ///   - uses: What is used, at most 16 at a time; each has a name of its own for each kind of limit.
    ///   - holder: Who uses it; unique.
    ///   - lifetime: How long a place of ``UsageLimit/concurrency(_:)`` is held at most, if it is not given back.
    /// - Returns: Nothing if all were taken, else the first that is too much.
    /// - Throws: ``SharedStateError`` if nobody can tell.
    func take(
        _ uses: [LimitedUse],
        holder: String,
        lifetime: Duration
    ) async throws(SharedStateError) -> LimitRefusal?

    /// Gives back the places that a holder has taken.
    ///
    /// It does not wait, and may fail: then the places are free at the end of their lifetime.
    func giveBack(_ uses: [LimitedUse], holder: String)
}

extension UsageLimit {
    /// How soon it is worth asking again for a place.
    ///
    /// Nobody knows when one is given back.
    package static let placeRetry = Duration.milliseconds(250)
}
