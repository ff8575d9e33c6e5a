/// Everything that outlives a request and is shared by all replicas.
public struct SharedStores: Sendable {
    /// Sessions, tasks, leases.
    public var values: any KeyValueStore
    /// What clients may ask to have repeated.
    public var events: any EventLog
    /// What replicas tell each other.
    public var bus: any EventBus

    public init(values: any KeyValueStore, events: any EventLog, bus: any EventBus) {
        self.values = values
        self.events = events
        self.bus = bus
    }

    /// Stores for one process, bounded.
    public static func inMemory() -> Self {
        Self(values: InMemoryKeyValueStore(), events: InMemoryEventLog(), bus: InMemoryEventBus())
    }
}
