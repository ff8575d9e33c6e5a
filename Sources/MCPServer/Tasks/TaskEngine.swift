import JSON
import Logging
import MCP
import SharedState
import Synchronization

/// Runs tool calls as tasks: work that a client asks about later.
///
/// A task is stored before it is announced, and every change of it is stored before anybody hears of it, so any replica
/// can answer for it. It runs in the process that began it. The tasks of a process that ends are failed: by itself if it
/// can, else by whoever asks about one of them and finds that the process shows no sign of life.
///
/// Specification: the tasks extension (SEP-2663); 2025-11-25, basic/utilities/tasks.
final class TaskEngine: Sendable {
    /// How much is allowed.
    struct Limits: Sendable {
        /// Tasks of one principal that are not over yet.
        var perPrincipal: Int
        /// How long a task is kept after its creation, unless the client wants less.
        var lifetime: Duration
        /// How often clients should ask.
        var pollInterval: Duration
    }

    private struct Running {
        var principalID: String
        var task: Task<Void, Never>
    }

    private let store: any KeyValueStore
    private let bus: any EventBus
    private let announcer: Announcer
    private let pipeline: CallPipeline
    private let limits: Limits
    private let running = Mutex<[String: Running]>([:])
    /// Under which name this process shows that it is alive.
    private let runner = RandomID.make()
    private let heart = Mutex<Task<Void, Never>?>(nil)

    /// For how long a sign of life is good: longer than shared state may be away without tasks being given up.
    private static let signLifetime = Duration.seconds(90)
    private static let heartbeat = Duration.seconds(15)
    /// The longest time between two attempts to store how a task ended.
    private static let longestPause = Duration.seconds(2)

    init(stores: SharedStores, announcer: Announcer, pipeline: CallPipeline, limits: Limits) {
        self.store = stores.values
        self.bus = stores.bus
        self.announcer = announcer
        self.pipeline = pipeline
        self.limits = limits
    }

    deinit {
        self.heart.withLock { $0?.cancel() }
    }

    private static func key(_ id: String) -> String { "mcp:task:\(id)" }
    private static func runnerKey(_ runner: String) -> String { "mcp:runner:\(runner)" }
    private static func listKey(_ principalID: String) -> String { "mcp:tasks:\(principalID)" }

    // MARK: Beginning

    /// Stores a task and begins its work.
    ///
    /// - Parameters:
    ///   - invocation: The call that becomes a task.
    ///   - entry: The tool.
    ///   - exchange: How the client asked.
    ///   - answers: What the client has answered before the task began.
    ///   - lifetime: How long the client wants the task kept.
    /// - Returns: The task, stored.
    /// - Throws: ``MCPError`` if there is no room for another.
    func start(
        _ invocation: ToolInvocation,
        _ entry: ToolCatalogue.Entry,
        _ exchange: Exchange,
        answers: JSONObject,
        lifetime: Duration?
    ) async throws(MCPError) -> TaskRecord {
        let lifetime = min(lifetime ?? self.limits.lifetime, self.limits.lifetime)
        let now = Timestamp.now()
        var record = TaskRecord(
            principalID: exchange.principal.id,
            tool: invocation.tool,
            state: TaskState(
                id: RandomID.make(),
                status: .working,
                createdAt: now,
                lastUpdatedAt: now,
                ttlMilliseconds: lifetime.milliseconds,
                pollMilliseconds: self.limits.pollInterval.milliseconds
            )
        )
        record.runner = self.runner
        let count = self.running.withLock { running in
            running.values.count { $0.principalID == record.principalID }
        }
        guard count < self.limits.perPrincipal else {
            throw MCPError(
                .internalError,
                "You have \(count) tasks that are not over, and may not have more.",
                data: ["code": "rate_limited", "retryable": true]
            )
        }
        do {
            try await self.showLife()
            try await self.store.set(
                Self.key(record.state.id),
                to: JSONValue.object(record.json).serialized(),
                lifetime: lifetime
            )
            try await self.enlist(record, lifetime)
            let updates = try await self.bus.subscribe(to: Self.key(record.state.id))
            self.run(record.state.id, updates, invocation, entry, exchange, answers: answers)
            self.startHeart()
        } catch {
            throw MCPError.unavailable("The task can't be stored now; try again later.")
        }
        return record
    }

    private func run(
        _ id: String,
        _ updates: EventSubscription,
        _ invocation: ToolInvocation,
        _ entry: ToolCatalogue.Entry,
        _ exchange: Exchange,
        answers: JSONObject
    ) {
        self.running.withLock { running in
            let task = Task {
                await self.work(id, updates, invocation, entry, exchange, answers)
                self.running.withLock { $0[id] = nil }
            }
            running[id] = Running(principalID: exchange.principal.id, task: task)
        }
    }

    private func work(
        _ id: String,
        _ updates: EventSubscription,
        _ invocation: ToolInvocation,
        _ entry: ToolCatalogue.Entry,
        _ exchange: Exchange,
        _ answers: JSONObject
    ) async {
        let changes = TaskChanges()
        var invocation = invocation
        invocation.key = nil
        invocation.reporter = nil
        let codec = Codec(exchange.revision)
        invocation.interaction = nil
        invocation.makeInteraction = { call in
            Interaction(
                input: TaskInput(
                    engine: self,
                    id: id,
                    client: exchange.client,
                    codec: codec,
                    call: call,
                    changes: changes,
                    earlier: answers
                ),
                codec: codec,
                sink: NoMessages()
            )
        }
        let call = invocation
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                let outcome = await self.outcome(of: call, entry, codec)
                await self.finish(id, outcome)
            }
            group.addTask {
                // Whoever cancels or answers, on whatever replica, says so here.
                for await _ in updates {
                    if await self.isOver(id) { return }
                    changes.signal()
                }
            }
            // Either the work is done, or the task was cancelled.
            await group.next()
            group.cancelAll()
        }
    }

    /// Whether a task needs no more work.
    ///
    /// A store that is away is no reason to stop.
    private func isOver(_ id: String) async -> Bool {
        do throws(SharedStateError) {
            return try await self.stored(id)?.state.status.isTerminal ?? true
        } catch {
            return false
        }
    }

    private func outcome(
        of call: ToolInvocation,
        _ entry: ToolCatalogue.Entry,
        _ codec: Codec
    ) async -> Result<JSONObject, MCPError> {
        do throws(CallFailure) {
            let timeout = entry.task?.timeout
            return .success(codec.json(try await self.pipeline.run(call, entry, timeout: timeout)))
        } catch {
            switch error {
            case .tool(let toolError): return .success(codec.json(CallToolResult(toolError)))
            case .protocolError, .inputRequired, .becomesTask, .answered: return .failure(error.mcpError)
            }
        }
    }

    /// Stores how a task ended, as soon as the store can be reached: its work has been done.
    private func finish(_ id: String, _ outcome: Result<JSONObject, MCPError>) async {
        var pause = Duration.milliseconds(100)
        let end = ContinuousClock.now + self.limits.lifetime
        while true {
            do throws(SharedStateError) {
                try await self.storeChange(id) { Self.end(&$0, with: outcome) }
                return
            } catch {
                guard ContinuousClock.now < end, (try? await Task.sleep(for: pause)) != nil else { return }
                pause = min(pause * 2, Self.longestPause)
            }
        }
    }

    private static func end(_ record: inout TaskRecord, with outcome: Result<JSONObject, MCPError>) {
        record.state.inputRequests = [:]
        switch outcome {
        case .success(let result):
            record.state.status = .completed
            record.state.result = result
        case .failure(let error):
            record.state.status = .failed
            record.state.statusMessage = error.message
            record.state.error = error
        }
    }

    // MARK: Signs of life

    private func showLife() async throws(SharedStateError) {
        try await self.store.set(Self.runnerKey(self.runner), to: [1], lifetime: Self.signLifetime)
    }

    /// Shows signs of life for as long as tasks run.
    private func startHeart() {
        self.heart.withLock { heart in
            guard heart == nil else { return }
            heart = Task { [weak self] in
                while (try? await Task.sleep(for: Self.heartbeat)) != nil {
                    guard let self, self.isBusy else { return }
                    try? await self.showLife()
                }
            }
        }
    }

    /// Whether tasks run; if not, the heart stops.
    private var isBusy: Bool {
        self.heart.withLock { heart in
            let isBusy = self.running.withLock { $0.isEmpty == false }
            if isBusy == false { heart = nil }
            return isBusy
        }
    }

    /// Fails a task whose process shows no sign of life.
    private func checked(_ record: TaskRecord) async throws(SharedStateError) -> TaskRecord {
        guard record.state.status.isTerminal == false, let runner = record.runner, runner != self.runner,
            try await self.store.value(for: Self.runnerKey(runner)) == nil
        else { return record }
        let error = MCPError(.internalError, "The process that ran the task ended before the task was done.")
        let failed = try await self.storeChange(record.state.id) { record in
            Self.end(&record, with: .failure(error))
        }
        // It may have ended meanwhile.
        if let failed { return failed }
        return try await self.stored(record.state.id) ?? record
    }

    // MARK: Looking at and changing

    /// The task with an id, whomever it belongs to.
    func stored(_ id: String) async throws(SharedStateError) -> TaskRecord? {
        try await self.store.value(for: Self.key(id)).flatMap(TaskRecord.init(stored:))
    }

    /// The task with an id, if it belongs to the principal.
    ///
    /// - Throws: ``MCPError`` with `-32602`, the same for tasks that belong to somebody else.
    func task(_ id: String, for principal: Principal) async throws(MCPError) -> TaskRecord {
        let found: TaskRecord?
        do {
            let record = try await self.stored(id)
            found = if let record, record.principalID == principal.id { try await self.checked(record) } else { nil }
        } catch {
            throw MCPError.unavailable("Tasks can't be looked up now; try again later.")
        }
        guard let found else {
            throw MCPError(.invalidParams, "There is no such task, or no longer.")
        }
        return found
    }

    /// Changes a task that is not over, stores it, and tells everybody.
    ///
    /// - Returns: The changed task; nothing if it is over or gone.
    @discardableResult
    func change(_ id: String, _ transform: (inout TaskRecord) -> Void) async -> TaskRecord? {
        (try? await self.storeChange(id, transform)) ?? nil
    }

    /// The same, for whoever tries again when the store can't be reached.
    @discardableResult
    private func storeChange(
        _ id: String,
        _ transform: (inout TaskRecord) -> Void
    ) async throws(SharedStateError) -> TaskRecord? {
        guard let record = try await self.stored(id) else { return nil }
        // The lifetime counts from the creation; what is left of it is kept in milliseconds.
        let left = record.remainingLifetime
        let stored = try await self.store.update(Self.key(id), lifetime: left) { old in
            guard var record = old.flatMap(TaskRecord.init(stored:)), record.state.status.isTerminal == false else {
                return nil
            }
            transform(&record)
            record.state.lastUpdatedAt = Timestamp.now()
            return JSONValue.object(record.json).serialized()
        }
        guard let changed = stored.flatMap(TaskRecord.init(stored:)) else { return nil }
        try? await self.bus.publish([], to: Self.key(id))
        await self.announcer.announce(.taskChanged(changed))
        return changed
    }

    /// Ends a task, if it is not over.
    ///
    /// Its work is cancelled.
    @discardableResult
    func cancel(_ id: String) async -> TaskRecord? {
        await self.change(id) { record in
            record.state.status = .cancelled
            record.state.statusMessage = "The client cancelled the task."
            record.state.inputRequests = [:]
        }
    }

    /// Takes answers of the client.
    ///
    /// Keys that are not asked for are passed over.
    ///
    /// - Throws: ``MCPError`` with `-32602` if an answer does not fit its question.
    func answer(_ record: TaskRecord, with answers: JSONObject) async throws(MCPError) {
        let wanted = answers.filter { record.state.inputRequests[$0.key] != nil }
        for (key, answer) in wanted {
            guard let request = record.state.inputRequests[key].flatMap(InputRequest.init(json:)) else { continue }
            if let problem = request.problem(in: answer) {
                throw MCPError(.invalidParams, "The answer \(key) is not valid. \(problem)")
            }
        }
        guard wanted.isEmpty == false else { return }
        await self.change(record.state.id) { record in
            for (key, answer) in wanted where record.state.inputRequests[key] != nil {
                record.state.inputRequests[key] = nil
                record.answers[key] = answer
            }
            if record.state.inputRequests.isEmpty { record.state.status = .working }
        }
    }

    /// Waits until a task changes, or for the given time.
    func waitForChange(of id: String, within limit: Duration, unless isDone: (TaskRecord) -> Bool) async {
        guard let updates = try? await self.bus.subscribe(to: Self.key(id)) else { return }
        // It may have changed before anybody listened.
        guard let record = try? await self.stored(id), isDone(record) == false else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in updates { return } }
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }

    // MARK: Lists

    /// The ids of a principal's tasks, oldest first; those that are gone are left out.
    func tasks(of principal: Principal) async throws(MCPError) -> [TaskRecord] {
        var records: [TaskRecord] = []
        do {
            for id in Self.ids(try await self.store.value(for: Self.listKey(principal.id))) {
                if let record = try await self.stored(id) { records.append(try await self.checked(record)) }
            }
        } catch {
            throw MCPError.unavailable("Tasks can't be listed now; try again later.")
        }
        return records
    }

    private func enlist(_ record: TaskRecord, _ lifetime: Duration) async throws(SharedStateError) {
        // As many as can be running, and as many again that are over.
        let most = self.limits.perPrincipal * 2
        _ = try await self.store.update(Self.listKey(record.principalID), lifetime: self.limits.lifetime) { old in
            let ids = (Self.ids(old) + [record.state.id]).suffix(most)
            return JSONValue.array(ids.map(JSONValue.string)).serialized()
        }
    }

    private static func ids(_ stored: [UInt8]?) -> [String] {
        guard let stored, let value = try? JSONValue(parsing: stored) else { return [] }
        return value.arrayValue?.compactMap(\.stringValue) ?? []
    }

    // MARK: The end

    /// Fails all tasks of this process that are not over.
    func shutDown() async {
        let running = self.running.withLock { $0 }
        let error = MCPError(.internalError, "The server was shut down before the task was done.")
        for (id, entry) in running {
            await self.change(id) { Self.end(&$0, with: .failure(error)) }
            entry.task.cancel()
        }
        for entry in running.values {
            await entry.task.value
        }
    }
}

extension TaskRecord {
    /// How much of the lifetime is left; at least a second, so that the last change can be read.
    fileprivate var remainingLifetime: Duration {
        let age = Timestamp.seconds(since: self.state.createdAt)
        return max(.seconds(1), .milliseconds(self.state.ttlMilliseconds) - .seconds(age))
    }
}
