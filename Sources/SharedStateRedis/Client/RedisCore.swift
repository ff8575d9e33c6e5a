import Logging
import NIOCore
import SharedState

/// The state of a client, on its event loop: the connection, and who listens to which channel.
final class RedisCore {
    private enum Phase {
        /// There is no connection, and none is tried before a time.
        case idle(until: NIODeadline, error: SharedStateError)
        case connecting(EventLoopFuture<NIOLoopBound<RedisConnection>>)
        case connected(RedisConnection)
        case closed
    }

    private struct Topic {
        var listeners: [UInt64: AsyncStream<[UInt8]>.Continuation] = [:]
        /// Completed when the server has confirmed the subscription.
        var confirmation: EventLoopPromise<Void>?
        var isConfirmed = false
    }

    /// How long no connection is tried after one has failed: twice as long each time, up to a second.
    private static let firstPause = TimeAmount.milliseconds(20)
    private static let longestPause = TimeAmount.seconds(1)
    /// The most channels that can be listened to.
    private static let maximumTopics = 100_000

    private let configuration: RedisConfiguration
    private let eventLoop: any EventLoop
    private let logger: Logger
    private var phase = Phase.idle(until: .uptimeNanoseconds(0), error: .connectionLost)
    private var pause = RedisCore.firstPause
    /// Why there is no connection since the last one was lost, or could not be opened.
    private var failure: SharedStateError?
    private var reconnection: Scheduled<Void>?
    private var topics: [String: Topic] = [:]
    private var lastListener: UInt64 = 0

    init(_ configuration: RedisConfiguration, _ eventLoop: any EventLoop, _ logger: Logger) {
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.logger = logger
    }

    // MARK: The connection

    func send(_ command: RedisCommand) -> EventLoopFuture<RESPValue> {
        if case .connected(let connection) = self.phase { return connection.send(command, on: self.eventLoop) }
        // Nobody waits for a server that may be down, or hang, for long.
        if let failure { return self.eventLoop.makeFailedFuture(failure) }
        let eventLoop = self.eventLoop
        return self.connect().flatMap { $0.value.send(command, on: eventLoop) }
    }

    /// The connection, as soon as it is there.
    private func connect() -> EventLoopFuture<NIOLoopBound<RedisConnection>> {
        switch self.phase {
        case .connected(let connection):
            return self.eventLoop.makeSucceededFuture(NIOLoopBound(connection, eventLoop: self.eventLoop))
        case .connecting(let future): return future
        case .closed:
            return self.eventLoop.makeFailedFuture(SharedStateError(.unavailable, "The client of Redis was shut down."))
        case .idle(let time, let error):
            if time > .now() { return self.eventLoop.makeFailedFuture(error) }
        }
        let core = NIOLoopBound(self, eventLoop: self.eventLoop)
        let future = RedisConnection.connect(
            self.configuration,
            on: self.eventLoop,
            onPush: { core.value.receive($0) },
            onClose: { core.value.connectionClosed($0) }
        )
        self.phase = .connecting(future)
        future.whenComplete { core.value.connectionOpened($0) }
        return future
    }

    private func connectionOpened(_ result: Result<NIOLoopBound<RedisConnection>, any Error>) {
        guard case .connecting = self.phase else {
            if case .success(let connection) = result { connection.value.close(.connectionLost) }
            return
        }
        switch result {
        case .success(let connection):
            self.phase = .connected(connection.value)
            if self.failure != nil { self.logger.notice("connected to Redis again") }
            self.failure = nil
            self.pause = Self.firstPause
            for name in self.topics.keys { self.subscribe(name, on: connection.value) }
        case .failure(let error):
            self.failed((error as? SharedStateError) ?? .connectionLost)
        }
    }

    private func connectionClosed(_ connection: RedisConnection) {
        // One that never was in use tells by its future.
        guard case .connected(let current) = self.phase, current === connection else { return }
        self.failed(.connectionLost)
    }

    private func failed(_ error: SharedStateError) {
        // Not once a second for as long as it lasts.
        let isNew = self.failure?.message != error.message
        self.logger.log(
            level: isNew ? .warning : .debug,
            "no connection to Redis",
            metadata: ["error": "\(error.message)"]
        )
        // Replicas don't all come back at the same moment.
        let pause = TimeAmount.nanoseconds(self.pause.nanoseconds * .random(in: 75...125) / 100)
        self.phase = .idle(until: .now() + pause, error: error)
        self.failure = error
        self.pause = min(.nanoseconds(self.pause.nanoseconds * 2), Self.longestPause)
        for name in self.topics.keys {
            self.topics[name]?.isConfirmed = false
            self.topics[name]?.confirmation?.fail(error)
            self.topics[name]?.confirmation = nil
        }
        self.reconnect(in: pause)
    }

    private func reconnect(in pause: TimeAmount) {
        guard self.reconnection == nil else { return }
        let core = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.reconnection = self.eventLoop.scheduleTask(in: pause) {
            core.value.reconnection = nil
            // A failure is followed by another try: see `failed`.
            _ = core.value.connect()
        }
    }

    func shutdown() {
        let phase = self.phase
        self.phase = .closed
        self.failure = SharedStateError(.unavailable, "The client of Redis was shut down.")
        self.reconnection?.cancel()
        self.reconnection = nil
        let topics = self.topics
        self.topics = [:]
        for topic in topics.values {
            topic.confirmation?.fail(SharedStateError.connectionLost)
            for listener in topic.listeners.values { listener.finish() }
        }
        if case .connected(let connection) = phase { connection.close(.connectionLost) }
    }

    // MARK: Channels

    /// Listens to a channel.
    ///
    /// - Returns: The number of the listener, once the server has confirmed that messages will come.
    func listen(to name: String, _ listener: AsyncStream<[UInt8]>.Continuation) -> EventLoopFuture<UInt64> {
        guard self.topics[name] != nil || self.topics.count < Self.maximumTopics else {
            return self.eventLoop.makeFailedFuture(SharedStateError(.full, "There are too many subscriptions."))
        }
        self.lastListener += 1
        let id = self.lastListener
        var topic = self.topics[name] ?? Topic()
        topic.listeners[id] = listener
        let isNew = topic.confirmation == nil && !topic.isConfirmed
        if isNew { topic.confirmation = self.eventLoop.makePromise() }
        let confirmed = topic.confirmation?.futureResult ?? self.eventLoop.makeSucceededVoidFuture()
        self.topics[name] = topic
        let core = NIOLoopBound(self, eventLoop: self.eventLoop)
        if isNew {
            if case .connected(let connection) = self.phase {
                self.subscribe(name, on: connection)
            } else {
                // Once there is a connection, all channels are subscribed to.
                self.connect().whenFailure { error in
                    core.value.topics[name]?.confirmation?.fail(error)
                    core.value.topics[name]?.confirmation = nil
                }
            }
        }
        confirmed.whenFailure { _ in core.value.stopListening(id, to: name) }
        return confirmed.map { id }
    }

    func stopListening(_ id: UInt64, to name: String) {
        guard self.topics[name]?.listeners.removeValue(forKey: id) != nil, self.topics[name]?.listeners.isEmpty == true
        else { return }
        self.topics[name]?.confirmation?.fail(SharedStateError.connectionLost)
        self.topics[name] = nil
        if case .connected(let connection) = self.phase {
            connection.sendWithoutAnswer(RedisCommand("UNSUBSCRIBE", [UInt8](redis: name)))
        }
    }

    /// SUBSCRIBE is answered by a push, and by nothing else.
    private func subscribe(_ name: String, on connection: RedisConnection) {
        connection.sendWithoutAnswer(RedisCommand("SUBSCRIBE", [UInt8](redis: name)))
    }

    private func receive(_ push: [RESPValue]) {
        guard push.count >= 3, let kind = push[0].text, let name = push[1].text else { return }
        switch kind {
        case "message":
            guard let listeners = self.topics[name]?.listeners, let message = push[2].bytes else { return }
            for listener in listeners.values { listener.yield(message) }
        case "subscribe":
            guard let topic = self.topics[name] else { return }
            self.topics[name]?.isConfirmed = true
            self.topics[name]?.confirmation = nil
            topic.confirmation?.succeed()
        default: break
        }
    }
}
