/// Everything that outlives a request and is shared by all replicas.
public struct SharedStores: Sendable {
    /// Sessions and tasks.
    public var values: any KeyValueStore
    /// What clients may ask to have repeated.
    public var events: any EventLog
    /// What replicas tell each other.
    public var bus: any EventBus
    /// Who works on what.
    public var leases: any LeaseStore
    /// What must be done once only.
    public var idempotency: any IdempotencyStore
    /// How much is used of what is limited.
    public var limits: any UsageLimiter

    public init(
        values: any KeyValueStore,
        events: any EventLog,
        bus: any EventBus,
        leases: any LeaseStore,
        idempotency: any IdempotencyStore,
        limits: any UsageLimiter
    ) {
        self.values = values
        self.events = events
        self.bus = bus
        self.leases = leases
        self.idempotency = idempotency
        self.limits = limits
    }

    /// Stores for one process, bounded.
    public static func inMemory() -> Self {
        Self(
            values: InMemoryKeyValueStore(),
            events: InMemoryEventLog(),
            bus: InMemoryEventBus(),
            leases: InMemoryLeaseStore(),
            idempotency: InMemoryIdempotencyStore(),
            limits: InMemoryUsageLimiter()
        )
    }
}
