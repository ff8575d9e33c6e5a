public import HummingbirdCore
public import Logging
public import NIOCore
import Synchronization

/// Notices that the client has closed its connection, while a request is worked on or a stream is open.
///
/// Specification: 2026-07-28, basic/patterns/cancellation: closing the stream cancels the request.
final class ConnectionWatch: Sendable {
    /// The connection that the current task serves, if the server watches its connections.
    @TaskLocal static var current: ConnectionWatch?

    private struct State {
        var isClosed = false
        var observers: [UInt64: @Sendable () -> Void] = [:]
        var lastID: UInt64 = 0
    }

    private let state = Mutex(State())

    /// Calls a function once the client has closed its connection, at once if it has already.
    ///
    /// - Returns: What to stop it with.
    func onClose(_ observer: @escaping @Sendable () -> Void) -> UInt64 {
        let (id, isClosed) = self.state.withLock { state in
            state.lastID += 1
            if state.isClosed == false { state.observers[state.lastID] = observer }
            return (state.lastID, state.isClosed)
        }
        if isClosed { observer() }
        return id
    }

    func remove(_ id: UInt64) {
        self.state.withLock { $0.observers[id] = nil }
    }

    /// Runs an operation that is cancelled when the client closes its connection.
    static func cancelling<T: Sendable>(_ operation: @escaping @Sendable () async throws -> T) async throws -> T {
        guard let watch = self.current else { return try await operation() }
        return try await withThrowingTaskGroup(of: T?.self) { group in
            let (closed, continuation) = AsyncStream<Void>.makeStream()
            let id = watch.onClose { continuation.finish() }
            defer { watch.remove(id) }
            group.addTask { try await operation() }
            group.addTask {
                for await _ in closed {}
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let value = first else { throw CancellationError() }
            return value
        }
    }

    fileprivate func close() {
        let observers = self.state.withLock { state in
            state.isClosed = true
            defer { state.observers = [:] }
            return state.observers.values
        }
        for observer in observers { observer() }
    }
}

/// Tells the watch of a connection when the client has closed its end.
private final class CloseHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    private let watch: ConnectionWatch
    private let direct: DirectCallHandler?

    init(_ watch: ConnectionWatch, _ direct: DirectCallHandler?) {
        self.watch = watch
        self.direct = direct
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent { self.clientHasGone() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.clientHasGone()
        context.fireChannelInactive()
    }

    private func clientHasGone() {
        self.watch.close()
        self.direct?.clientHasGone()
    }
}

/// HTTP/1.1 connections whose end is noticed at once.
public struct WatchedHTTP1Channel: ServerChildChannel {
    /// A connection and its watch.
    public struct Value: ServerChildChannelValue {
        fileprivate let connection: HTTP1Channel.Value
        fileprivate let watch: ConnectionWatch

        public var channel: any Channel { self.connection.channel }
    }

    private let http: HTTP1Channel
    private let makeDirectHandler: (@Sendable () -> DirectCallHandler)?

    init(_ http: HTTP1Channel, _ makeDirectHandler: (@Sendable () -> DirectCallHandler)?) {
        self.http = http
        self.makeDirectHandler = makeDirectHandler
    }

    public func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        self.http.setup(channel: channel, logger: logger).flatMapThrowing { connection in
            let watch = ConnectionWatch()
            let direct = self.makeDirectHandler?()
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(CloseHandler(watch, direct), position: .first)
            if let direct {
                // What closes idle connections has to know of direct answers too.
                let state = try pipeline.handler(type: HTTPConnectionStateHandler.self)
                try pipeline.addHandler(direct, position: .after(state))
            }
            return Value(connection: connection, watch: watch)
        }
    }

    public func handle(value: Value, logger: Logger) async {
        await ConnectionWatch.$current.withValue(value.watch) {
            await self.http.handle(value: value.connection, logger: logger)
        }
    }
}

extension HTTPServerBuilder {
    /// HTTP/1.1, with which ``MCPEndpoint`` notices at once that a client has closed its connection.
    ///
    /// With another builder it notices when it next writes to the connection, after the keep-alive interval at the latest.
    ///
    /// - Parameters:
    ///   - configuration: What can be set about HTTP/1.1.
    ///   - endpoint: An endpoint whose calls are answered without passing through the web framework, so that they cost about
    ///     half. Middleware does not see them.
    ///   - route: Where the endpoint is, and what its answers carry.
    /// - Returns: What makes the server.
    public static func mcp(
        _ configuration: HTTP1Channel.Configuration = .init(),
        answering endpoint: MCPEndpoint? = nil,
        at route: DirectRoute = DirectRoute()
    ) -> HTTPServerBuilder {
        var makeDirectHandler: (@Sendable () -> DirectCallHandler)?
        if let endpoint { makeDirectHandler = { DirectCallHandler(endpoint, route) } }
        return HTTPServerBuilder { [makeDirectHandler] responder in
            WatchedHTTP1Channel(
                HTTP1Channel(responder: responder, configuration: configuration),
                makeDirectHandler
            )
        }
    }
}
