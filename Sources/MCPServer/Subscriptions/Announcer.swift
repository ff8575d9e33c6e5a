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

    /// What of two events one is as good as both: the later one makes the earlier one superfluous.
    var coalescingKey: String {
        switch self {
        case .listChanged(let list): "list:\(list.rawValue)"
        case .resourceUpdated(let uri): "resource:\(uri)"
        case .taskChanged(let record): "task:\(record.state.id):\(record.state.status.rawValue)"
        case .subscriptionsChanged(let session, _): "subscriptions:\(session)"
        case .sessionEnded(let id): "session:\(id)"
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
/// Each process listens to the bus once, for all its streams, while it has any.
final class Announcer: Sendable {
    private static let topic = "mcp:events"

    private struct State {
        var listeners: [UInt64: any EventListener] = [:]
        var lastID: UInt64 = 0
        var relay: Task<Void, Never>?
    }

    private let state = Mutex(State())
    private let bus: any EventBus

    init(bus: any EventBus) {
        self.bus = bus
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
            if state.listeners.isEmpty {
                state.relay?.cancel()
                state.relay = nil
            }
        }
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
        let listeners = self.state.withLock { Array($0.listeners.values) }
        for listener in listeners {
            listener.take(event)
        }
    }
}
