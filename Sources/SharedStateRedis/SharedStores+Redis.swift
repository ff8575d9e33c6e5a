public import SharedState

extension SharedStores {
    /// Stores for any number of replicas, all on one client.
    public static func redis(_ client: RedisClient) -> Self {
        Self(
            values: RedisKeyValueStore(client: client),
            events: RedisEventLog(client: client),
            bus: RedisEventBus(client: client),
            leases: RedisLeaseStore(client: client),
            idempotency: RedisIdempotencyStore(client: client),
            limits: RedisUsageLimiter(client: client)
        )
    }
}
