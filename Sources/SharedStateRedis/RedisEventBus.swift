public import SharedState

/// A bus between all replicas, by the channels of Redis.
public struct RedisEventBus: EventBus {
    private let client: RedisClient

    /// Creates a bus on a client.
    public init(client: RedisClient) { self.client = client }

    public func publish(_ message: [UInt8], to topic: String) async throws(SharedStateError) {
        _ = try await self.client.send(
            RedisCommand("PUBLISH", [UInt8](redis: self.client.name("topic", topic)), message)
        )
    }

    public func subscribe(to topic: String) async throws(SharedStateError) -> EventSubscription {
        EventSubscription(try await self.client.listen(to: self.client.name("topic", topic)))
    }
}
