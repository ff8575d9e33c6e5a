/// When a request is sent again: after answers that say "later", and after failures of the connection, with growing and
/// random pauses, and never past the deadline of the call.
public struct RetryPolicy: Sendable {
    /// How often a request is sent in all.
    public var maximumTries = 4
    /// The answers that say "later".
    public var statuses: Set<Int> = [429, 502, 503, 504]
    public var firstPause = Duration.seconds(2)
    public var longestPause = Duration.seconds(30)
    /// A factor from 0.7 to 1.3, so that many clients don't come back at once.
    public var jitter: @Sendable () -> Double = { .random(in: 0.7...1.3) }
    public var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    public var now: @Sendable () -> ContinuousClock.Instant = { .now }

    public init() {}

    /// Sends a request that may be sent again without doing anything twice.
    ///
    /// - Returns: The first answer whose status isn't one of ``statuses``, or the last one.
    /// - Throws: What the upstream throws the last time.
    public func send(_ request: UpstreamRequest, over upstream: any HTTPUpstream) async throws -> UpstreamResponse {
        var pause = self.firstPause
        for attempt in 1... {
            let failure: any Error
            do {
                let response = try await upstream.send(request)
                guard self.statuses.contains(response.status), attempt < self.maximumTries else {
                    return response
                }
                // A server that says when to come back is believed; if that is too late, its answer is the last one.
                let wait = response.retryAfter ?? pause * self.jitter()
                guard self.now() + wait < request.deadline else { return response }
                try await self.sleep(wait)
                pause = min(pause * 2, self.longestPause)
                continue
            } catch let error as UpstreamError where error.code == .connectionFailed {
                failure = error
            }
            let wait = pause * self.jitter()
            guard attempt < self.maximumTries, self.now() + wait < request.deadline else { throw failure }
            try await self.sleep(wait)
            pause = min(pause * 2, self.longestPause)
        }
        preconditionFailure("The loop ends by returning or throwing.")
    }
}

extension UpstreamResponse {
    /// How long to wait, if the server says so in whole seconds.
    public var retryAfter: Duration? {
        self.header("Retry-After").flatMap { Int($0) }.map { .seconds(max(0, min($0, 86_400))) }
    }
}
