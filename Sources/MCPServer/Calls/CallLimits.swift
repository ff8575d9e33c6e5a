/// How often may be called.
public struct RateLimit: Sendable, Hashable {
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

/// How much may be called: tools, prompts and resources, over all replicas that share their state.
public struct CallLimits: Sendable, Hashable {
    /// The limits of one principal, of one tool, or of everything.
    public struct Limit: Sendable, Hashable {
        /// How often.
        public var rate: RateLimit?
        /// How many calls may run at the same time.
        public var concurrent: Int?
        /// How many calls in any 24 hours.
        public var perDay: Int?

        public init(rate: RateLimit? = nil, concurrent: Int? = nil, perDay: Int? = nil) {
            precondition((concurrent ?? 1) >= 1 && (perDay ?? 1) >= 1, "A limit lets something through.")
            self.rate = rate
            self.concurrent = concurrent
            self.perDay = perDay
        }
    }

    /// What each principal may do.
    public var principal = Limit()
    /// What all principals together may do with a tool, by its name with dots.
    public var tools: [String: Limit] = [:]
    /// What all principals together may do.
    public var total = Limit()

    public init() {}
}
