import Synchronization

/// A bus for one process.
public final class InMemoryEventBus: EventBus {
    private struct State {
        var topics: [String: [UInt64: AsyncStream<[UInt8]>.Continuation]] = [:]
        var lastID: UInt64 = 0
    }

    private let state = Mutex(State())

    public init() {}

    /// How many subscriptions there are.
    public var count: Int {
        self.state.withLock { $0.topics.values.reduce(0) { $0 + $1.count } }
    }

    public func publish(_ message: [UInt8], to topic: String) async throws(SharedStateError) {
        let subscribers = self.state.withLock { $0.topics[topic].map { Array($0.values) } ?? [] }
        for subscriber in subscribers {
            subscriber.yield(message)
        }
    }

    public func subscribe(to topic: String) async throws(SharedStateError) -> EventSubscription {
        let (messages, continuation) = AsyncStream<[UInt8]>.makeStream(
            bufferingPolicy: .bufferingNewest(EventSubscription.maximumWaiting)
        )
        let id = self.state.withLock { state in
            state.lastID += 1
            state.topics[topic, default: [:]][state.lastID] = continuation
            return state.lastID
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { state in
                state.topics[topic]?[id] = nil
                if state.topics[topic]?.isEmpty == true { state.topics[topic] = nil }
            }
        }
        return EventSubscription(messages)
    }
}
