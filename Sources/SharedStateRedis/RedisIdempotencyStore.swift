public import SharedState

/// Remembers operations in Redis, for all replicas.
///
/// An operation is a hash, and a sorted set knows the operations of each owner by the time at which they expire. Redis must
/// not evict keys (`maxmemory-policy noeviction`): what is forgotten too early is done twice.
public struct RedisIdempotencyStore: IdempotencyStore {
    private let client: RedisClient
    private let limits: IdempotencyLimits

    /// Creates a store on a client; of the limits, those for one process don't matter.
    public init(client: RedisClient, limits: IdempotencyLimits = IdempotencyLimits()) {
        self.client = client
        self.limits = limits
    }

    private static let begin = RedisScript(
        withClock: """
            local fingerprint, attempt, lease = ARGV[1], ARGV[2], number(now + tonumber(ARGV[3]))
            local h = redis.call('HMGET', KEYS[1], 'fingerprint', 'lease', 'answer')
            if h[1] then
                if h[1] ~= fingerprint then return {'other'} end
                if h[3] then return {'finished', h[3]} end
                if tonumber(h[2]) > now then return {'running'} end
                if ARGV[4] ~= '1' then return {'abandoned'} end
                redis.call('HSET', KEYS[1], 'attempt', attempt, 'lease', lease)
                return {'begun'}
            end
            redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
            local count = redis.call('ZCARD', KEYS[2])
            if count >= tonumber(ARGV[5]) then return {'full', count} end
            redis.call('HSET', KEYS[1], 'fingerprint', fingerprint, 'attempt', attempt, 'lease', lease)
            redis.call('PEXPIRE', KEYS[1], ARGV[6])
            redis.call('ZADD', KEYS[2], number(now + tonumber(ARGV[6])), ARGV[7])
            redis.call('PEXPIRE', KEYS[2], ARGV[6])
            return {'begun'}
            """
    )

    private static let keep = RedisScript(
        withClock: """
            if redis.call('HGET', KEYS[1], 'attempt') ~= ARGV[1] then return 0 end
            redis.call('HSET', KEYS[1], 'lease', number(now + tonumber(ARGV[2])))
            return 1
            """
    )

    private static let finish = RedisScript(
        """
        if redis.call('HGET', KEYS[1], 'attempt') ~= ARGV[1] then return 0 end
        return redis.call('HSETNX', KEYS[1], 'answer', ARGV[2])
        """
    )

    private static let forget = RedisScript(
        """
        local h = redis.call('HMGET', KEYS[1], 'attempt', 'answer')
        if h[1] ~= ARGV[1] or h[2] then return 0 end
        redis.call('DEL', KEYS[1])
        redis.call('ZREM', KEYS[2], ARGV[2])
        return 1
        """
    )

    /// Braces keep the keys of an owner on one node of a cluster.
    private func keys(_ key: IdempotencyKey) -> [String] {
        [self.client.name("once", "{\(key.owner)}", key.name), self.client.name("once", "{\(key.owner)}")]
    }

    public func begin(
        _ key: IdempotencyKey,
        fingerprint: [UInt8],
        attempt: String,
        lease: Duration,
        mayRepeat: Bool
    ) async throws(SharedStateError) -> IdempotencyState {
        let answer = try await self.client.run(
            Self.begin,
            keys: self.keys(key),
            fingerprint,
            [UInt8](redis: attempt),
            lease.redisMilliseconds,
            [UInt8](redis: mayRepeat ? 1 : 0),
            [UInt8](redis: self.limits.perOwner),
            self.limits.lifetime.redisMilliseconds,
            [UInt8](redis: key.name)
        )
        let parts = answer.array ?? []
        switch parts.first?.text {
        case "begun": return .begun
        case "running": return .running
        case "abandoned": return .abandoned
        case "other": return .otherRequest
        case "finished" where parts.count == 2: return .finished(parts[1].bytes ?? [])
        case "full" where parts.count == 2: throw IdempotencyLimits.tooMany(Int(parts[1].integer ?? 0))
        default: throw SharedStateError.strangeAnswer
        }
    }

    public func keep(_ key: IdempotencyKey, attempt: String, lease: Duration) async throws(SharedStateError) -> Bool {
        try await self.client.run(
            Self.keep,
            keys: Array(self.keys(key).prefix(1)),
            [UInt8](redis: attempt),
            lease.redisMilliseconds
        ).integer == 1
    }

    public func finish(_ key: IdempotencyKey, attempt: String, answer: [UInt8]) async throws(SharedStateError) -> Bool {
        try await self.client.run(
            Self.finish,
            keys: Array(self.keys(key).prefix(1)),
            [UInt8](redis: attempt),
            answer
        ).integer == 1
    }

    public func abandon(_ key: IdempotencyKey, attempt: String) async throws(SharedStateError) {
        _ = try await self.client.run(
            Self.keep,
            keys: Array(self.keys(key).prefix(1)),
            [UInt8](redis: attempt),
            [UInt8](redis: 0)
        )
    }

    public func forget(_ key: IdempotencyKey, attempt: String) async throws(SharedStateError) {
        _ = try await self.client.run(
            Self.forget,
            keys: self.keys(key),
            [UInt8](redis: attempt),
            [UInt8](redis: key.name)
        )
    }
}
