public import Logging
import NIOCore
import NIOPosix
public import SharedState

/// A client of Redis with one connection that all share.
///
/// The connection is opened when it is first needed. After it was lost, or could not be opened, it is tried again by itself
/// from time to time, and whatever is sent meanwhile fails at once: a server that is down, or hangs, costs nobody time. What
/// is sent to a channel while there is no connection is lost. Whoever makes a client ends it with ``shutdown()``.
public final class RedisClient: Sendable {
    /// Where Redis is.
    public let configuration: RedisConfiguration
    private let eventLoop: any EventLoop
    private let core: NIOLoopBoundBox<RedisCore>

    /// Creates a client; nothing is sent yet.
    ///
    /// - Parameters:
    ///   - configuration: Where Redis is.
    ///   - logger: Where it is logged that there is no connection.
    public init(configuration: RedisConfiguration, logger: Logger) {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.any()
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.core = .makeBoxSendingValue(RedisCore(configuration, eventLoop, logger), eventLoop: eventLoop)
    }

    /// Asks the server whether it is there.
    ///
    /// - Throws: ``SharedState/SharedStateError`` with the code `unavailable` if it isn't.
    public func ping() async throws(SharedStateError) {
        _ = try await self.send(RedisCommand("PING"))
    }

    /// Closes the connection; whoever listens gets nothing more.
    public func shutdown() async {
        let core = self.core
        // It can't fail: the closure doesn't throw.
        try? await self.eventLoop.submit { core.value.shutdown() }.get()
    }

    /// Sends a command.
    ///
    /// - Returns: The answer, which is no error.
    /// - Throws: ``SharedState/SharedStateError`` if there is no answer in time, or if it is an error.
    func send(_ command: RedisCommand) async throws(SharedStateError) -> RESPValue {
        let answer = try await self.answer(to: command)
        if case .error(let text) = answer { throw SharedStateError(redis: text) }
        return answer
    }

    /// Sends a command whose answer nobody waits for.
    func sendAndForget(_ command: RedisCommand) {
        let core = self.core
        self.eventLoop.execute { _ = core.value.send(command) }
    }

    /// Runs a script, whose text is sent only if the server doesn't know it.
    func run(_ script: RedisScript, keys: [String], _ arguments: [UInt8]...) async throws(SharedStateError) -> RESPValue
    {
        try await self.run(script, keys: keys, arguments)
    }

    func run(
        _ script: RedisScript,
        keys: [String],
        _ arguments: [[UInt8]]
    ) async throws(SharedStateError) -> RESPValue {
        let answer = try await self.answer(to: script.command(byDigest: true, keys: keys, arguments))
        guard case .error(let text) = answer else { return answer }
        guard text.hasPrefix("NOSCRIPT") else { throw SharedStateError(redis: text) }
        return try await self.send(script.command(byDigest: false, keys: keys, arguments))
    }

    private func answer(to command: RedisCommand) async throws(SharedStateError) -> RESPValue {
        let core = self.core
        do {
            return try await self.eventLoop.flatSubmit { core.value.send(command) }.get()
        } catch {
            throw (error as? SharedStateError) ?? .connectionLost
        }
    }

    /// Listens to a channel, until the stream is let go.
    ///
    /// - Returns: The messages from now on; of those that nobody reads, the newest are kept.
    func listen(to channel: String) async throws(SharedStateError) -> AsyncStream<[UInt8]> {
        let (messages, continuation) = AsyncStream<[UInt8]>.makeStream(
            bufferingPolicy: .bufferingNewest(EventSubscription.maximumWaiting)
        )
        let core = self.core
        let id: UInt64
        do {
            id = try await self.eventLoop.flatSubmit { core.value.listen(to: channel, continuation) }.get()
        } catch {
            throw (error as? SharedStateError) ?? .connectionLost
        }
        continuation.onTermination = { [eventLoop] _ in
            eventLoop.execute { core.value.stopListening(id, to: channel) }
        }
        return messages
    }

    /// The name of a key or a channel in Redis.
    func name(_ parts: String...) -> String {
        self.configuration.prefix + parts.joined(separator: ":")
    }
}
