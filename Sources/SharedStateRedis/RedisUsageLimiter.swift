public import SharedState

/// Counts what is used in Redis, for all replicas, by the clock of Redis.
public struct RedisUsageLimiter: UsageLimiter {
    private let client: RedisClient

    /// Creates a limiter on a client.
    public init(client: RedisClient) { self.client = client }

    /// Takes one of each use or none of any.
    ///
    /// Arguments: the holder, its lifetime in milliseconds, then kind, most and a number for each key: for a rate tokens
    /// in a millisecond, for a quota the length of its window in milliseconds. All numbers are as in
    /// ``InMemoryUsageLimiter``.
    private static let take = RedisScript(
        """
        local time = redis.call('TIME')
        local now = time[1] * 1000 + time[2] / 1000
        local plan = {}
        for i = 1, #KEYS do
            local kind, most, number = ARGV[3 * i], tonumber(ARGV[3 * i + 1]), tonumber(ARGV[3 * i + 2])
            if kind == 'rate' then
                local old = redis.call('HMGET', KEYS[i], 'tokens', 'filled')
                local tokens = most
                if old[1] then
                    tokens = math.min(most, tonumber(old[1]) + math.max(0, now - tonumber(old[2])) * number)
                end
                if tokens < 1 - 1e-5 then return {i, math.ceil((1 - tokens) / number)} end
                plan[i] = tokens - 1
            elseif kind == 'quota' then
                local start = math.floor(now / number) * number
                local old = redis.call('HMGET', KEYS[i], 'start', 'current', 'previous')
                local current, previous = 0, 0
                if old[1] and tonumber(old[1]) == start then
                    current, previous = tonumber(old[2]), tonumber(old[3])
                elseif old[1] and tonumber(old[1]) == start - number then
                    previous = tonumber(old[2])
                end
                local elapsed = (now - start) / number
                if previous * (1 - elapsed) + current + 1 > most + 1e-5 then
                    local windows
                    if current + 1 > most then
                        windows = 1 - elapsed + 1 - (most - 1) / current
                    else
                        windows = 1 - (most - 1 - current) / previous - elapsed
                    end
                    return {i, math.ceil(windows * number)}
                end
                plan[i] = {start, current + 1, previous}
            else
                redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now)
                if redis.call('ZCARD', KEYS[i]) >= most then return {i, -1} end
            end
        end
        for i = 1, #KEYS do
            local kind, most, number = ARGV[3 * i], tonumber(ARGV[3 * i + 1]), tonumber(ARGV[3 * i + 2])
            if kind == 'rate' then
                redis.call('HSET', KEYS[i], 'tokens', string.format('%.9f', plan[i]), 'filled', string.format('%.3f', now))
                redis.call('PEXPIRE', KEYS[i], math.ceil(most / number) + 1000)
            elseif kind == 'quota' then
                redis.call('HSET', KEYS[i], 'start', string.format('%.0f', plan[i][1]), 'current', plan[i][2],
                    'previous', plan[i][3])
                redis.call('PEXPIRE', KEYS[i], 2 * number)
            else
                redis.call('ZADD', KEYS[i], string.format('%.3f', now + ARGV[2]), ARGV[1])
                redis.call('PEXPIRE', KEYS[i], math.max(redis.call('PTTL', KEYS[i]), tonumber(ARGV[2])))
            end
        end
        return 0
        """
    )

    /// Braces keep the keys on one node of a cluster: they are used by one script.
    private func key(_ use: LimitedUse) -> String {
        let kind =
            switch use.limit {
            case .rate: "rate"
            case .quota: "quota"
            case .concurrency: "places"
            }
        return self.client.name("limit", "{limits}", kind, use.name)
    }

    public func take(
        _ uses: [LimitedUse],
        holder: String,
        lifetime: Duration
    ) async throws(SharedStateError) -> LimitRefusal? {
        var arguments = [[UInt8](redis: holder), lifetime.redisMilliseconds]
        for use in uses {
            switch use.limit {
            case .rate(let burst, let perSecond):
                arguments += [[UInt8](redis: "rate"), [UInt8](redis: burst), [UInt8](redis: "\(perSecond / 1000)")]
            case .quota(let most, let length):
                arguments += [[UInt8](redis: "quota"), [UInt8](redis: most), length.redisMilliseconds]
            case .concurrency(let most):
                arguments += [[UInt8](redis: "places"), [UInt8](redis: most), [UInt8](redis: 0)]
            }
        }
        let answer = try await self.client.run(Self.take, keys: uses.map(self.key), arguments)
        guard let refusal = answer.array else { return nil }
        guard refusal.count == 2, let index = refusal[0].integer, (1...Int64(uses.count)).contains(index),
            let wait = refusal[1].integer
        else { throw SharedStateError.strangeAnswer }
        return LimitRefusal(
            index: Int(index) - 1,
            retryAfter: wait < 0 ? UsageLimit.placeRetry : .milliseconds(max(1, wait))
        )
    }

    public func giveBack(_ uses: [LimitedUse], holder: String) {
        for use in uses {
            guard case .concurrency = use.limit else { continue }
            self.client.sendAndForget(RedisCommand("ZREM", [UInt8](redis: self.key(use)), [UInt8](redis: holder)))
        }
    }
}
