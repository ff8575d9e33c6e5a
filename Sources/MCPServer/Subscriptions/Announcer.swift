import JSON
import MCP
import SharedState
import Synchronization

/// A list that clients can be told about.
public enum ListKind: String, Sendable, Hashable, CaseIterable {
    case tools, prompts, resources

    var method: String { "notifications/\(self.rawValue)/list_changed" }
}

/// Something that happened on the server, whoever caused it.
enum ServerEvent: Sendable {
    case listChanged(ListKind)
    case resourceUpdated(uri: String)
    case taskChanged(TaskRecord)
    case subscriptionsChanged(session: String, uris: [String])
    case sessionEnded(id: String)
    /// A client no longer wants a call that may run on any replica.
    case callCancelled(CallKey)

    /// What of two events one is as good as both: the later one makes the earlier one superfluous.
    var coalescingKey: String {
        switch self {
        case .listChanged(let list): "list:\(list.rawValue)"
        case .resourceUpdated(let uri): "resource:\(uri)"
        case .taskChanged(let record): "task:\(record.state.id):\(record.state.status.rawValue)"
        case .subscriptionsChanged(let session, _): "subscriptions:\(session)"
        case .sessionEnded(let id): "session:\(id)"
        case .callCancelled(let key): "call:\(key.scope):\(key.id)"
        }
    }

    var json: JSONValue {
        switch self {
        case .listChanged(let list): ["list": .string(list.rawValue)]
        case .resourceUpdated(let uri): ["resource": .string(uri)]
        case .taskChanged(let record): ["task": .object(record.json)]
        case .subscriptionsChanged(let session, let uris):
            ["session": .string(session), "subscriptions": .array(uris.map(JSONValue.string))]
        case .sessionEnded(let id): ["session": .string(id)]
        case .callCancelled(let key): ["session": .string(key.scope), "cancelled": key.id.json]
        }
    }

    init?(_ json: JSONValue) {
        if let list = json["list"]?.stringValue.flatMap(ListKind.init) {
            self = .listChanged(list)
        } else if let uri = json["resource"]?.stringValue {
            self = .resourceUpdated(uri: uri)
        } else if let record = json["task"]?.objectValue.flatMap(TaskRecord.init) {
            self = .taskChanged(record)
        } else if let session = json["session"]?.stringValue {
            if let uris = json["subscriptions"]?.arrayValue {
                self = .subscriptionsChanged(session: session, uris: uris.compactMap(\.stringValue))
            } else if let id = json["cancelled"].flatMap(RequestID.init) {
                self = .callCancelled(CallKey(scope: session, id: id))
            } else {
                self = .sessionEnded(id: session)
            }
        } else {
            return nil
        }
    }
}

/// Takes the events of the server for one open stream or connection.
protocol EventListener: Sendable {
    /// Takes an event. It must not wait.
    func take(_ event: ServerEvent)
    /// The server is being shut down.
    func serverEnds()
}

/// Tells all listeners of all replicas what has happened.
///
/// Each process listens to the bus once, for all its streams, while it has any, and for good once it has run a call that
/// clients may cancel by way of another replica.
final class Announcer: Sendable {
    private static let topic = "mcp:events"

    private struct State {
        var listeners: [UInt64: any EventListener] = [:]
        var lastID: UInt64 = 0
        var relay: Task<Void, Never>?
        var isForCalls = false
    }

    private let state = Mutex(State())
    private let bus: any EventBus
    /// Takes the events that concern the calls of this process.
    private let forCalls: @Sendable (ServerEvent) -> Void

    init(bus: any EventBus, forCalls: @escaping @Sendable (ServerEvent) -> Void = { _ in }) {
        self.bus = bus
        self.forCalls = forCalls
    }

    deinit {
        self.state.withLock { $0.relay?.cancel() }
    }

    /// How many streams listen.
    var count: Int {
        self.state.withLock { $0.listeners.count }
    }

    func announce(_ event: ServerEvent) async {
        // A bus that fails costs notifications, which clients must be able to do without.
        try? await self.bus.publish(event.json.serialized(), to: Self.topic)
    }

    /// Adds a listener, unless there are too many.
    ///
    /// - Returns: What to remove it with.
    /// - Throws: ``SharedStateError`` if the bus can't be listened to.
    func add(_ listener: any EventListener, limit: Int) async throws(SharedStateError) -> UInt64 {
        let id: UInt64? = self.state.withLock { state in
            guard state.listeners.count < limit else { return nil }
            state.lastID += 1
            state.listeners[state.lastID] = listener
            return state.lastID
        }
        guard let id else { throw SharedStateError(.full, "As many streams listen as the server allows.") }
        do throws(SharedStateError) {
            try await self.startRelay()
        } catch {
            self.remove(id)
            throw error
        }
        return id
    }

    func remove(_ id: UInt64) {
        self.state.withLock { state in
            state.listeners[id] = nil
            if state.listeners.isEmpty, state.isForCalls == false {
                state.relay?.cancel()
                state.relay = nil
            }
        }
    }

    /// Hears from now on of what concerns the calls of this process, if the bus can be listened to.
    nonisolated(nonsending) func listenForCalls() async {
        let isListening = self.state.withLock { state in
            state.isForCalls = true
            return state.relay != nil
        }
        // If it fails, the next call tries again.
        if isListening == false { try? await self.startRelay() }
    }

    /// Tells all listeners of this process that nothing more will come.
    func endAll() {
        let listeners = self.state.withLock { Array($0.listeners.values) }
        for listener in listeners {
            listener.serverEnds()
        }
    }

    private func startRelay() async throws(SharedStateError) {
        guard self.state.withLock({ $0.relay == nil }) else { return }
        let events = try await self.bus.subscribe(to: Self.topic)
        self.state.withLock { state in
            guard state.relay == nil else { return }
            state.relay = Task { [weak self] in
                for await message in events {
                    guard let self else { return }
                    guard let event = (try? JSONValue(parsing: message)).flatMap(ServerEvent.init) else { continue }
                    self.deliver(event)
                }
            }
        }
    }

    private func deliver(_ event: ServerEvent) {
        self.forCalls(event)
        let listeners = self.state.withLock { Array($0.listeners.values) }
        for listener in listeners {
            listener.take(event)
        }
    }
}
