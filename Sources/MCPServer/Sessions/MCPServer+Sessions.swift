import JSON
import MCP
public import SharedState
import Synchronization

extension MCPServer {
    /// The stored session with an id, for the principal who opened it, kept for another while.
    ///
    /// - Throws: `SharedStateError` if the store can't be asked.
    public func session(_ id: String, for principal: Principal) async throws(SharedStateError) -> ClientSession? {
        try await self.sessions.session(id, for: principal)
    }

    /// Ends a session: its calls are cancelled and its streams closed.
    public func close(_ session: ClientSession) async throws(SharedStateError) {
        try await self.sessions.close(session.id)
        self.registry.cancelAll(in: session.id)
        self.streams.cancelAll(in: session.id)
        await self.announcer.announce(.sessionEnded(id: session.id))
    }

    /// Sends the events of the server that concern a session, for as long as the operation runs.
    ///
    /// - Parameters:
    ///   - session: The session.
    ///   - sink: Where they go.
    ///   - onEnd: Called when the session is closed.
    ///   - operation: What goes on meanwhile.
    /// - Returns: What the operation returns.
    /// - Throws: What the operation throws, or `SharedStateError` if the server can't listen for events.
    public func sendingEvents<T: Sendable>(
        of session: ClientSession,
        to sink: any MessageSink,
        onEnd: @escaping @Sendable () -> Void = {},
        _ operation: () async throws -> T
    ) async throws -> T {
        let id = try await self.addListener(for: session, to: sink, onEnd: onEnd)
        defer { self.announcer.remove(id) }
        return try await operation()
    }

    /// Adds what sends the events of the server that concern a session, until it is removed from the announcer.
    ///
    /// What the client has subscribed to is read after the listener hears of changes to it, so that none is missed.
    func addListener(
        for session: ClientSession,
        to sink: any MessageSink,
        onEnd: @escaping @Sendable () -> Void = {}
    ) async throws(SharedStateError) -> UInt64 {
        let listener = SessionListener(session: session, sink: sink, onEnd: onEnd)
        let id = try await self.announcer.add(listener, limit: self.options.maximumStreams)
        do throws(SharedStateError) {
            if let uris = try await self.sessions.subscriptions(of: session.id) { listener.begin(with: uris) }
        } catch {
            self.announcer.remove(id)
            throw error
        }
        return id
    }

    // MARK: What a client sets for its session

    /// Specification: 2025-11-25, server/utilities/logging.
    func setLogLevel(_ request: JSONRPCRequest, _ exchange: Exchange) async throws(MCPError) -> Answer {
        guard let level = request.params["level"]?.stringValue.flatMap(LoggingLevel.init) else {
            throw Self.unknownLevel
        }
        try await self.change(exchange) { $0.logLevel = level }
        return Answer()
    }

    /// Specification: 2025-11-25, server/resources, "Subscriptions".
    func subscribe(
        _ request: JSONRPCRequest,
        _ exchange: Exchange,
        _ catalogue: ServerCatalogue
    ) async throws(MCPError) -> Answer {
        let uri = try Self.uri(of: request)
        guard await self.audible([uri], request, exchange, catalogue).contains(uri) else {
            throw Self.noResource(uri, exchange.revision)
        }
        let most = self.options.maximumSubscriptions
        let session = try await self.change(exchange) { session in
            if session.subscriptions.contains(uri) == false, session.subscriptions.count < most {
                session.subscriptions.append(uri)
            }
        }
        guard session.subscriptions.contains(uri) else {
            throw MCPError(.invalidParams, "A session may subscribe to \(most) resources; unsubscribe from some first.")
        }
        await self.announcer.announce(.subscriptionsChanged(session: session.id, uris: session.subscriptions))
        return Answer()
    }

    func unsubscribe(_ request: JSONRPCRequest, _ exchange: Exchange) async throws(MCPError) -> Answer {
        let uri = try Self.uri(of: request)
        let session = try await self.change(exchange) { $0.subscriptions.removeAll { $0 == uri } }
        await self.announcer.announce(.subscriptionsChanged(session: session.id, uris: session.subscriptions))
        return Answer()
    }

    @discardableResult
    private func change(
        _ exchange: Exchange,
        _ transform: (inout ClientSession) -> Void
    ) async throws(MCPError) -> ClientSession {
        guard let id = exchange.session?.id else {
            throw MCPError(.invalidRequest, "This needs a session; send initialize first.")
        }
        do {
            if let session = try await self.sessions.update(id, transform) { return session }
        } catch {
            throw MCPError.unavailable("The session can't be changed now; try again later.")
        }
        throw MCPError(.invalidRequest, "The session is over; send initialize again.")
    }
}

/// Sends the events that concern a legacy session.
private final class SessionListener: EventListener {
    private let sessionID: String
    private let principalID: String
    private let revision: ProtocolRevision
    private let sink: any MessageSink
    private let onEnd: @Sendable () -> Void
    private let subscriptions = Mutex<Set<String>?>(nil)

    init(session: ClientSession, sink: any MessageSink, onEnd: @escaping @Sendable () -> Void) {
        self.sessionID = session.id
        self.principalID = session.principalID
        self.revision = session.revision
        self.sink = sink
        self.onEnd = onEnd
    }

    /// Sets what the client has subscribed to, unless it has changed that since the listener was added.
    func begin(with uris: [String]) {
        self.subscriptions.withLock { if $0 == nil { $0 = Set(uris) } }
    }

    func serverEnds() { self.onEnd() }

    func take(_ event: ServerEvent) {
        switch event {
        case .listChanged(let list):
            self.sink.send(JSONRPCNotification(method: list.method), replacing: event.coalescingKey)
        case .resourceUpdated(let uri):
            guard self.subscriptions.withLock({ $0?.contains(uri) == true }) else { return }
            let notification = JSONRPCNotification(
                method: "notifications/resources/updated",
                params: ["uri": .string(uri)]
            )
            self.sink.send(notification, replacing: event.coalescingKey)
        case .taskChanged(let record):
            guard self.revision.supports(.coreTasks), record.principalID == self.principalID else { return }
            let params = Codec(self.revision).json(record.state, isDetailed: false)
            self.sink.send(
                JSONRPCNotification(method: "notifications/tasks/status", params: params),
                replacing: event.coalescingKey
            )
        case .subscriptionsChanged(let session, let uris):
            guard session == self.sessionID else { return }
            self.subscriptions.withLock { $0 = Set(uris) }
        case .sessionEnded(let id):
            if id == self.sessionID { self.onEnd() }
        case .callCancelled: break
        }
    }
}
