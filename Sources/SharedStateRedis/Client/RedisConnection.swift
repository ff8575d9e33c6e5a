import DequeModule
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import SharedState

/// One connection.
///
/// Everything in it happens on its event loop.
/// Commands are sent as they come, without waiting for the answers of those before; the server answers in order. If an
/// answer is overdue, the connection is given up, with all that wait on it.
final class RedisConnection: ChannelInboundHandler {
    typealias InboundIn = RESPValue
    typealias OutboundOut = ByteBuffer

    /// The most commands that wait for their answers.
    static let maximumWaiting = 10_000

    private struct Waiting {
        var promise: EventLoopPromise<RESPValue>
        var deadline: NIODeadline
    }

    private let timeout: TimeAmount
    private let onPush: ([RESPValue]) -> Void
    private let onClose: (RedisConnection) -> Void
    private var channel: (any Channel)?
    private var waiting = Deque<Waiting>()
    private var timer: Scheduled<Void>?
    private var isFlushing = false
    private var failure: SharedStateError?

    init(
        timeout: TimeAmount,
        onPush: @escaping ([RESPValue]) -> Void,
        onClose: @escaping (RedisConnection) -> Void
    ) {
        self.timeout = timeout
        self.onPush = onPush
        self.onClose = onClose
    }

    /// Sends a command.
    ///
    /// - Returns: The answer, which may be an error of the server; it fails with a `SharedStateError` if none comes.
    func send(_ command: RedisCommand, on eventLoop: any EventLoop) -> EventLoopFuture<RESPValue> {
        guard let channel = self.channel, self.failure == nil else {
            return eventLoop.makeFailedFuture(self.failure ?? .connectionLost)
        }
        guard self.waiting.count < Self.maximumWaiting else {
            return eventLoop.makeFailedFuture(
                SharedStateError(.unavailable, "\(Self.maximumWaiting) commands wait for Redis already.")
            )
        }
        let promise = eventLoop.makePromise(of: RESPValue.self)
        self.waiting.append(Waiting(promise: promise, deadline: .now() + self.timeout))
        self.write(command, on: channel)
        if self.timer == nil { self.startTimer(on: channel.eventLoop) }
        return promise.futureResult
    }

    /// Sends a command that is answered by a push only.
    func sendWithoutAnswer(_ command: RedisCommand) {
        guard let channel = self.channel else { return }
        self.write(command, on: channel)
    }

    /// Commands of one turn of the event loop go out together.
    private func write(_ command: RedisCommand, on channel: any Channel) {
        var buffer = channel.allocator.buffer(capacity: command.arguments.reduce(16) { $0 + $1.count + 16 })
        command.write(to: &buffer)
        channel.write(buffer, promise: nil)
        guard !self.isFlushing else { return }
        self.isFlushing = true
        let bound = NIOLoopBound(self, eventLoop: channel.eventLoop)
        channel.eventLoop.execute {
            bound.value.isFlushing = false
            bound.value.channel?.flush()
        }
    }

    /// Waits until the oldest answer is overdue.
    private func startTimer(on eventLoop: any EventLoop) {
        guard let oldest = self.waiting.first else { return }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        self.timer = eventLoop.scheduleTask(deadline: oldest.deadline) {
            let connection = bound.value
            connection.timer = nil
            if let oldest = connection.waiting.first, oldest.deadline <= .now() {
                connection.close(SharedStateError(.unavailable, "Redis did not answer in time."))
            } else {
                connection.startTimer(on: eventLoop)
            }
        }
    }

    /// Ends the connection, and everything that waits on it.
    func close(_ error: SharedStateError) {
        guard self.failure == nil else { return }
        self.failure = error
        self.timer?.cancel()
        self.timer = nil
        let waiting = self.waiting
        self.waiting = []
        for item in waiting { item.promise.fail(error) }
        self.channel?.close(promise: nil)
        self.channel = nil
        self.onClose(self)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.channel = context.channel }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.unwrapInboundIn(data) {
        case .push(let values): self.onPush(values)
        case let value: self.waiting.popFirst()?.promise.succeed(value)
        }
    }

    func channelInactive(context: ChannelHandlerContext) { self.close(.connectionLost) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError:
            self.close(
                SharedStateError(
                    .unavailable,
                    "The certificate of Redis is not trusted, or there is no TLS; check REDIS_URL and REDIS_CA_FILE."
                )
            )
        default: self.close(.connectionLost)
        }
    }
}

extension RedisConnection {
    /// Opens a connection and introduces itself.
    ///
    /// - Returns: The connection; the future fails with a `SharedStateError` that doesn't contain the password.
    static func connect(
        _ configuration: RedisConfiguration,
        on eventLoop: any EventLoop,
        onPush: @escaping ([RESPValue]) -> Void,
        onClose: @escaping (RedisConnection) -> Void
    ) -> EventLoopFuture<NIOLoopBound<RedisConnection>> {
        let connection = RedisConnection(
            timeout: TimeAmount(configuration.commandTimeout),
            onPush: onPush,
            onClose: onClose
        )
        let bound = NIOLoopBound(connection, eventLoop: eventLoop)
        return ClientBootstrap(group: eventLoop)
            .connectTimeout(TimeAmount(configuration.connectTimeout))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if configuration.usesTLS {
                        var tls = TLSConfiguration.makeClientConfiguration()
                        if let file = configuration.certificateAuthorities { tls.trustRoots = .file(file) }
                        let context = try NIOSSLContext(configuration: tls)
                        // A name is checked against the certificate; addresses can't be sent as a name.
                        let name = configuration.host.contains(where: \.isLetter) ? configuration.host : nil
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: context, serverHostname: name)
                        )
                    }
                    try channel.pipeline.syncOperations.addHandlers(
                        ByteToMessageHandler(RESPDecoder(), maximumBufferSize: RESPDecoder.maximumBulk + 1024),
                        bound.value
                    )
                }
            }
            .connect(host: configuration.host, port: configuration.port)
            .flatMapErrorThrowing { error in
                throw SharedStateError(
                    .unavailable,
                    "Redis can't be reached at \(configuration.host):\(configuration.port)."
                )
            }
            .flatMap { _ in bound.value.introduce(configuration, on: eventLoop) }
            .map { bound }
            .flatMapErrorThrowing { error in
                let error = (error as? SharedStateError) ?? .connectionLost
                bound.value.close(error)
                throw error
            }
    }

    private func introduce(_ configuration: RedisConfiguration, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        var hello = [[UInt8](redis: "HELLO"), [UInt8](redis: "3")]
        if let password = configuration.password {
            hello += [[UInt8](redis: "AUTH"), [UInt8](redis: configuration.user), [UInt8](redis: password)]
        }
        hello += [[UInt8](redis: "SETNAME"), [UInt8](redis: "gantry")]
        let hasGreeted = self.send(RedisCommand(hello), on: eventLoop)
        let select = RedisCommand("SELECT", [UInt8](redis: configuration.database))
        let hasSelected = self.send(select, on: eventLoop)
        return hasGreeted.and(hasSelected).flatMapThrowing { greeting, selection in
            for answer in [greeting, selection] {
                if case .error(let text) = answer { throw SharedStateError(redis: text) }
            }
        }
    }
}

extension SharedStateError {
    static var connectionLost: Self { Self(.unavailable, "The connection to Redis was lost.") }

    /// Redis answered what none of our commands and scripts answers.
    static var strangeAnswer: Self {
        Self(.unavailable, "Redis answered something else than was asked; let no other program write keys of Gantry.")
    }

    /// What an error of the server means.
    init(redis text: String) {
        switch text.prefix(while: { $0 != " " }) {
        case "OOM": self.init(.full, "Redis has no memory left.")
        case "WRONGPASS", "NOAUTH", "NOPERM":
            self.init(.unavailable, "Redis refuses the user, the password, or what they may do; check REDIS_URL.")
        default: self.init(.unavailable, "Redis answered: \(text.prefix(200))")
        }
    }
}
