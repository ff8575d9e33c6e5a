public import SharedState

/// Values in Redis, shared by all replicas.
public struct RedisKeyValueStore: KeyValueStore {
    private let client: RedisClient

    /// Creates a store on a client.
    public init(client: RedisClient) { self.client = client }

    private static let compareAndSet = RedisScript(
        """
        local current = redis.call('GET', KEYS[1])
        if ARGV[1] == '0' then
            if current then return 0 end
        elseif current ~= ARGV[2] then
            return 0
        end
        redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
        return 1
        """
    )

    private func name(_ key: String) -> String { self.client.name("value", key) }

    public func value(for key: String) async throws(SharedStateError) -> [UInt8]? {
        try await self.client.send(RedisCommand("GET", [UInt8](redis: self.name(key)))).bytes
    }

    public func set(_ key: String, to value: [UInt8], lifetime: Duration) async throws(SharedStateError) {
        _ = try await self.client.send(
            RedisCommand("SET", [UInt8](redis: self.name(key)), value, [UInt8](redis: "PX"), lifetime.redisMilliseconds)
        )
    }

    public func compareAndSet(
        _ key: String,
        from expected: [UInt8]?,
        to value: [UInt8],
        lifetime: Duration
    ) async throws(SharedStateError) -> Bool {
        let answer = try await self.client.run(
            Self.compareAndSet,
            keys: [self.name(key)],
            [UInt8](redis: expected == nil ? 0 : 1),
            expected ?? [],
            value,
            lifetime.redisMilliseconds
        )
        return answer.integer == 1
    }

    public func extend(_ key: String, lifetime: Duration) async throws(SharedStateError) -> Bool {
        let command = RedisCommand("PEXPIRE", [UInt8](redis: self.name(key)), lifetime.redisMilliseconds)
        return try await self.client.send(command).integer == 1
    }

    public func remove(_ key: String) async throws(SharedStateError) -> Bool {
        try await self.client.send(RedisCommand("DEL", [UInt8](redis: self.name(key)))).integer == 1
    }
}

extension Duration {
    /// Whole milliseconds as Redis reads them; at least one, since 0 is refused.
    var redisMilliseconds: [UInt8] {
        [UInt8](redis: max(1, self.components.seconds * 1000 + self.components.attoseconds / 1_000_000_000_000_000))
    }
}
