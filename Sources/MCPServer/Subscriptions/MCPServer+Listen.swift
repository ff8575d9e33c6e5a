import JSON
import MCP
import SharedState
import Synchronization

extension MCPServer {
    /// Sends what the client asked to hear of, until it has enough or the server ends.
    ///
    /// Specification: 2026-07-28, basic/patterns/subscriptions.
    func listen(
        _ request: JSONRPCRequest,
        _ exchange: Exchange,
        _ catalogue: ServerCatalogue
    ) async throws(MCPError) -> Answer? {
        let filter = try await self.filter(of: request, exchange, catalogue)
        let listener = StreamListener(filter: filter, id: request.id, revision: exchange.revision, sink: exchange.sink)
        let meta: JSONObject = [MetaKey.subscriptionID: request.id.json]
        let key = exchange.scope.map { CallKey(scope: $0, id: request.id) }
        do {
            try await self.streams.run(key: key, timeout: .seconds(86_400)) { _ in
                let id = try await self.announcer.add(listener, limit: self.options.maximumStreams)
                defer { self.announcer.remove(id) }
                listener.begin(
                    JSONRPCNotification(
                        method: "notifications/subscriptions/acknowledged",
                        params: ["_meta": .object(meta), "notifications": .object(filter.json)]
                    )
                )
                await Self.untilCancelled()
            }
        } catch CallInterruption.shutdown, CallInterruption.deadline {
            // A graceful end; the client may listen anew.
        } catch CallInterruption.cancelled {
            return nil
        } catch CallInterruption.duplicateID {
            throw Self.duplicateID
        } catch CallInterruption.overloaded {
            throw MCPError(
                .internalError,
                "As many streams are open as the server allows; try again later.",
                data: ["code": "overloaded", "retryable": true]
            )
        } catch {
            throw MCPError.unavailable("The server can't listen now; try again later.")
        }
        listener.end()
        return Answer(["_meta": .object(meta)])
    }

    static var duplicateID: MCPError {
        MCPError(.invalidRequest, "A request with the same id is still running; give every request an id of its own.")
    }

    private static func untilCancelled() async {
        let (never, continuation) = AsyncStream<Never>.makeStream()
        for await _ in never {}
        continuation.finish()
    }

    private func filter(
        of request: JSONRPCRequest,
        _ exchange: Exchange,
        _ catalogue: ServerCatalogue
    ) async throws(MCPError) -> StreamFilter {
        guard let wanted = request.params["notifications"]?.objectValue else {
            throw MCPError(.invalidParams, "subscriptions/listen wants notifications, an object.")
        }
        var filter = StreamFilter()
        for list in ListKind.allCases {
            switch wanted["\(list.rawValue)ListChanged"] {
            case nil, .bool(false)?: break
            case .bool(true)?: if catalogue.offers(list) { filter.lists.insert(list) }
            default: throw MCPError(.invalidParams, "\(list.rawValue)ListChanged is true or false.")
            }
        }
        let uris = try self.strings(in: wanted, "resourceSubscriptions")
        if catalogue.resources.isEmpty == false {
            filter.resources = await self.audible(uris, request, exchange, catalogue)
        }
        let tasks = try self.strings(in: wanted, "taskIds")
        if tasks.isEmpty == false, exchange.client.tasks == false {
            throw .missingCapability(["extensions": [ClientCapabilities.tasksExtension: [:]]])
        }
        for id in tasks where (try? await self.tasks.task(id, for: exchange.principal)) != nil {
            filter.tasks.insert(id)
        }
        return filter
    }

    /// Those of some addresses whose changes the sender may hear of.
    func audible(
        _ uris: [String],
        _ request: JSONRPCRequest,
        _ exchange: Exchange,
        _ catalogue: ServerCatalogue
    ) async -> Set<String> {
        let matches = uris.compactMap { uri in
            catalogue.resources.match(uri).flatMap { self.mayRead($0.permission, exchange) ? (uri, $0) : nil }
        }
        let decided = Set(matches.filter { $0.1.mayHear == nil }.map(\.0))
        let asked = matches.compactMap { uri, match in match.mayHear.map { (uri, match.permission, $0) } }
        guard asked.isEmpty == false else { return decided }
        let meta = exchange.meta ?? RequestMeta(params: request.params)
        let invocation = self.invocation(request.method, [:], request, exchange, meta)
        let audible = try? await self.pipeline.handle(invocation, self.options.defaultTimeout, .everything) { context in
            var audible: Set<String> = []
            for (uri, permission, mayHear) in asked {
                let context = context.reaching(self.reach(of: permission, exchange.principal))
                // What can't be found out may not be heard, and one that isn't there doesn't make the client deaf to others.
                if (try? await mayHear(context)) == true { audible.insert(uri) }
                try Task.checkCancellation()
            }
            return audible
        }
        return decided.union(audible ?? [])
    }

    private func strings(in wanted: JSONObject, _ name: String) throws(MCPError) -> [String] {
        guard let value = wanted[name] else { return [] }
        guard let elements = value.arrayValue, elements.count <= self.options.maximumSubscriptions,
            elements.allSatisfy({ $0.stringValue != nil })
        else {
            throw MCPError(
                .invalidParams,
                "\(name) is an array of at most \(self.options.maximumSubscriptions) strings."
            )
        }
        return elements.compactMap(\.stringValue)
    }
}

extension ServerCatalogue {
    func offers(_ list: ListKind) -> Bool {
        switch list {
        case .tools: true
        case .prompts: self.prompts.prompts.isEmpty == false
        case .resources: self.resources.isEmpty == false
        }
    }
}

/// What one stream wants to hear of.
struct StreamFilter: Sendable {
    var lists: Set<ListKind> = []
    var resources: Set<String> = []
    var tasks: Set<String> = []

    /// As the acknowledgement shows it.
    var json: JSONObject {
        var object: JSONObject = [:]
        for list in ListKind.allCases where self.lists.contains(list) { object["\(list.rawValue)ListChanged"] = true }
        if self.resources.isEmpty == false {
            object["resourceSubscriptions"] = .array(self.resources.sorted().map(JSONValue.string))
        }
        if self.tasks.isEmpty == false { object["taskIds"] = .array(self.tasks.sorted().map(JSONValue.string)) }
        return object
    }
}

/// Sends the events that one `subscriptions/listen` asked for.
private final class StreamListener: EventListener {
    private enum State { case waiting, open, ended }

    private let filter: StreamFilter
    private let id: RequestID
    private let codec: Codec
    private let sink: any MessageSink
    private let state = Mutex(State.waiting)

    init(filter: StreamFilter, id: RequestID, revision: ProtocolRevision, sink: any MessageSink) {
        self.filter = filter
        self.id = id
        self.codec = Codec(revision)
        self.sink = sink
    }

    /// Sends the acknowledgement, before which nothing may be sent.
    func begin(_ acknowledgement: JSONRPCNotification) {
        self.state.withLock { state in
            self.sink.send(acknowledgement)
            state = .open
        }
    }

    /// Nothing is sent after the answer.
    func end() {
        self.state.withLock { $0 = .ended }
    }

    /// The stream ends with its answer.
    func serverEnds() {}

    func take(_ event: ServerEvent) {
        guard var notification = self.notification(for: event) else { return }
        notification.params["_meta"] = [MetaKey.subscriptionID: self.id.json]
        self.state.withLock { state in
            guard state == .open else { return }
            self.sink.send(notification, replacing: event.coalescingKey)
        }
    }

    private func notification(for event: ServerEvent) -> JSONRPCNotification? {
        switch event {
        case .listChanged(let list):
            return self.filter.lists.contains(list) ? JSONRPCNotification(method: list.method) : nil
        case .resourceUpdated(let uri):
            guard self.filter.resources.contains(uri) else { return nil }
            return JSONRPCNotification(method: "notifications/resources/updated", params: ["uri": .string(uri)])
        case .taskChanged(let record):
            guard self.filter.tasks.contains(record.state.id) else { return nil }
            return JSONRPCNotification(
                method: "notifications/tasks",
                params: self.codec.json(record.state, isDetailed: true)
            )
        case .sessionEnded, .subscriptionsChanged, .callCancelled:
            return nil
        }
    }
}
