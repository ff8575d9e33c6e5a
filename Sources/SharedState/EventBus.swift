/// Carries short messages to all replicas that listen at that moment.
///
/// Whoever is not listening misses them: what must not be lost is in a ``KeyValueStore`` or an ``EventLog``, and the bus
/// only says that there is something to look at.
public protocol EventBus: Sendable {
    /// Sends a message to all who listen to a topic.
    func publish(_ message: [UInt8], to topic: String) async throws(SharedStateError)

    /// Listens to a topic from now on, until the subscription is let go.
    func subscribe(to topic: String) async throws(SharedStateError) -> EventSubscription
}

/// The messages of a topic, as they come.
///
/// At most ``maximumWaiting`` wait to be read; then the oldest are dropped.
public struct EventSubscription: AsyncSequence, Sendable {
    public static let maximumWaiting = 4096

    private let messages: AsyncStream<[UInt8]>

    public init(_ messages: AsyncStream<[UInt8]>) {
        self.messages = messages
    }

    public func makeAsyncIterator() -> AsyncStream<[UInt8]>.Iterator {
        self.messages.makeAsyncIterator()
    }
}
