import JSON
public import SharedState

/// Tells all replicas what happened to the documents of the index.
///
/// A message that gets lost costs nobody a right answer: caches are keyed by the generation of the store.
public struct IndexEvents: Sendable {
    /// Who made a change.
    public enum Origin: Sendable, Hashable {
        case thisProcess
        /// A replica that tells clients itself.
        case anotherServer
        /// A command, which has no clients.
        case anotherProgram
    }

    private static let topic = "knowledge:events"

    private let bus: any EventBus
    private let server: String?

    /// Creates the events of one process.
    ///
    /// - Parameters:
    ///   - bus: What carries the events to all replicas.
    ///   - server: What tells this server from others, or nothing if this process is none.
    public init(bus: any EventBus, server: String?) {
        self.bus = bus
        self.server = server
    }

    /// Tells everybody.
    ///
    /// Call it after the change is committed.
    public func publish(_ event: IndexEvent) async {
        var message = event.json.objectValue ?? [:]
        message["server"] = self.server.map(JSONValue.string) ?? .null
        // A bus that fails costs notifications, which clients must be able to do without.
        try? await self.bus.publish(JSONValue.object(message).serialized(), to: Self.topic)
    }

    /// The events of all replicas from now on, and who made the changes.
    ///
    /// - Throws: `SharedStateError` if the bus can't be listened to.
    public func subscribe() async throws(SharedStateError) -> some AsyncSequence<(IndexEvent, Origin), Never> {
        let own = self.server
        return try await self.bus.subscribe(to: Self.topic).compactMap { message -> (IndexEvent, Origin)? in
            guard let json = try? JSONValue(parsing: message), let event = IndexEvent(json) else { return nil }
            guard let server = json["server"]?.stringValue else { return (event, .anotherProgram) }
            return (event, server == own ? .thisProcess : .anotherServer)
        }
    }
}
