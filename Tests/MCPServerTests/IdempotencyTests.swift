import JSON
import MCP
import MCPClient
import MCPServer
import SharedState
import Synchronization
import Testing

/// Counts how often it is carried out, and ends as it is told.
private struct Counter: Tool {
    static let name: ToolName = "test.count"
    static let description = "Counts."
    static let effect = Effect.write(idempotent: false)
    static let permission: Permission = "test:write"

    struct Arguments: ToolArguments {
        @Param("What is counted") var what: String
        @Param("How it ends") var ending: String = "ok"
        @Param("More") var more: [String: JSONValue] = [:]
    }

    struct Output: ToolOutput { var count: Int }

    let state: CounterState

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> Output {
        let count = self.state.add(arguments.what)
        switch arguments.ending {
        case "wait": await self.state.waitUntilOpen()
        case "hang": try await Task.sleep(for: .seconds(600))
        case "crash": throw CocoaLikeError()
        case "conflict": throw ToolError(.conflict, "Not now.")
        case "unknown": throw ToolError(.outcomeUnknown, "No answer came.")
        case "ask":
            try await context.confirm("Really?", alreadyAgreed: false)
        default: break
        }
        return Output(count: count)
    }
}

private struct CocoaLikeError: Error {}

/// The same, but repeating it does no harm.
private struct Setter: Tool {
    static let name: ToolName = "test.set"
    static let description = "Sets."
    static let effect = Effect.write(idempotent: true)
    static let permission: Permission = "test:write"
    typealias Arguments = Counter.Arguments
    typealias Output = Counter.Output

    let state: CounterState

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> Output {
        try await Counter(state: self.state).call(arguments, context)
    }
}

/// Answers with all kinds of content, or with too much.
private struct Album: Tool {
    static let name: ToolName = "test.album"
    static let description = "Makes an album."
    static let effect = Effect.write(idempotent: false)
    static let permission: Permission = "test:write"

    struct Arguments: ToolArguments {
        @Param("Size") var size: Int = 1
    }

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> CallToolResult {
        CallToolResult(
            content: [
                .text(String(repeating: "x", count: arguments.size)), .image(data: "AAAA", mimeType: "image/png"),
                .audio(data: "BBBB", mimeType: "audio/wav"),
                .resource(EmbeddedResource(uri: "a://b", mimeType: "text/plain", contents: .text("c"))),
                .resourceLink(uri: "a://c", name: "c", mimeType: nil),
                .annotated(.text("d"), Annotations(audience: [.user], priority: 0.5)),
            ],
            meta: ["made": 1]
        )
    }
}

private final class CounterState: Sendable {
    private struct State {
        var counts: [String: Int] = [:]
        var isOpen = false
        var waiting: [CheckedContinuation<Void, Never>] = []
        var began: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func count(of what: String) -> Int { self.state.withLock { $0.counts[what] ?? 0 } }

    func add(_ what: String) -> Int {
        let (count, began) = self.state.withLock { state in
            state.counts[what, default: 0] += 1
            defer { state.began = [] }
            return (state.counts[what] ?? 0, state.began)
        }
        for continuation in began { continuation.resume() }
        return count
    }

    /// Waits until something is counted.
    func waitForCall() async {
        await withCheckedContinuation { continuation in
            let isBegun = self.state.withLock { state in
                if state.counts.isEmpty { state.began.append(continuation) }
                return !state.counts.isEmpty
            }
            if isBegun { continuation.resume() }
        }
    }

    func waitUntilOpen() async {
        await withCheckedContinuation { continuation in
            let isOpen = self.state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let waiting = self.state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}

/// A store that can't be reached once it is told so.
private final class FailingStore: IdempotencyStore {
    /// The time, if it stands still; else the real one.
    let time = Mutex<ContinuousClock.Instant?>(nil)
    let isAway = Atomic(false)
    /// Says when a lease was kept.
    let kept = AsyncStream<ContinuousClock.Instant>.makeStream()
    private var inner: InMemoryIdempotencyStore { self.memory.withLock { $0 } }
    private let memory: Mutex<InMemoryIdempotencyStore>

    init() {
        self.memory = Mutex(InMemoryIdempotencyStore())
        let store = InMemoryIdempotencyStore { [weak self] in self?.time.withLock { $0 } ?? .now }
        self.memory.withLock { $0 = store }
    }

    private func check() throws(SharedStateError) {
        if self.isAway.load(ordering: .relaxed) { throw SharedStateError(.unavailable, "away") }
    }

    func begin(
        _ key: IdempotencyKey,
        fingerprint: [UInt8],
        attempt: String,
        lease: Duration,
        mayRepeat: Bool
    ) async throws(SharedStateError) -> IdempotencyState {
        try self.check()
        return try await self.inner.begin(
            key,
            fingerprint: fingerprint,
            attempt: attempt,
            lease: lease,
            mayRepeat: mayRepeat
        )
    }

    func keep(_ key: IdempotencyKey, attempt: String, lease: Duration) async throws(SharedStateError) -> Bool {
        try self.check()
        let time = self.time.withLock { $0 } ?? .now
        defer { self.kept.continuation.yield(time) }
        return try await self.inner.keep(key, attempt: attempt, lease: lease)
    }

    func finish(_ key: IdempotencyKey, attempt: String, answer: [UInt8]) async throws(SharedStateError) -> Bool {
        try self.check()
        return try await self.inner.finish(key, attempt: attempt, answer: answer)
    }

    func abandon(_ key: IdempotencyKey, attempt: String) async throws(SharedStateError) {
        try self.check()
        try await self.inner.abandon(key, attempt: attempt)
    }

    func forget(_ key: IdempotencyKey, attempt: String) async throws(SharedStateError) {
        try self.check()
        try await self.inner.forget(key, attempt: attempt)
    }
}

@Suite("Calls with an idempotency key", .timeLimit(.minutes(1)))
struct IdempotencyTests {
    private let state = CounterState()
    private let records = Records()
    private let store = FailingStore()
    private let stores: SharedStores

    init() {
        var stores = SharedStores.inMemory()
        stores.idempotency = self.store
        self.stores = stores
    }

    /// A replica on the same shared state.
    private func replica(lease: Duration = .seconds(60), timeout: Duration = .seconds(30)) -> MCPServer {
        var options = MCPServer.Options()
        options.idempotencyLease = lease
        options.defaultTimeout = timeout
        return MCPServer(name: "test", version: "1", options: options, recorder: self.records, stores: self.stores) {
            Counter(state: self.state)
            Setter(state: self.state)
            Album()
            Echo()
        }
    }

    private func call(
        _ server: MCPServer,
        _ key: String?,
        _ arguments: JSONObject = ["what": "a"],
        tool: String = "test.count",
        as principal: Principal = .local
    ) async throws(ToolError) -> ToolAnswer {
        var arguments = arguments
        if let key { arguments["idempotency_key"] = .string(key) }
        return try await server.callTool(
            ToolInvocation(tool: tool, arguments: arguments, requestID: "1", transport: "test", principal: principal)
        )
    }

    private func failure(
        _ server: MCPServer,
        _ key: String?,
        _ arguments: JSONObject = ["what": "a"],
        tool: String = "test.count"
    ) async -> ToolError? {
        do throws(ToolError) {
            _ = try await self.call(server, key, arguments, tool: tool)
            return nil
        } catch {
            return error
        }
    }

    @Test("Tools that change something take a key, and those that read don't")
    func schemas() async throws {
        let server = self.replica()
        for tool in server.tools(for: .local).arrayValue ?? [] {
            let schema = try #require(tool["inputSchema"]?["properties"])
            let reads = tool["annotations"]?["readOnlyHint"] == true
            #expect((schema["idempotency_key"] == nil) == reads, "\(tool["name"] ?? .null)")
            #expect(schema["idempotency_key"]?["description"]?.stringValue?.isEmpty != true)
        }
        #expect(await self.failure(server, "k", ["text": "a"], tool: "test.echo")?.code == .invalidArguments)
        for wrong: JSONValue in ["", .string(String(repeating: "x", count: 129)), 1, nil] {
            let error = await self.failure(server, nil, ["what": "a", "idempotency_key": wrong])
            #expect(error?.code == .invalidArguments)
            #expect(error?.mistakes.map(\.pointer.description) == ["/idempotency_key"])
        }
        #expect(self.state.count(of: "a") == 0)
    }

    @Test("The first answer is given again, on any replica, whatever the order of the arguments")
    func replay() async throws {
        let (one, other) = (self.replica(), self.replica())
        let more: JSONObject = ["what": "a", "more": ["x": 1, "y": [["p": 1, "q": 2]]]]
        let first = try await self.call(one, "k", more)
        #expect(first.structured == ["count": 1])
        #expect(first.result.meta[MetaKey.replayed] == nil)
        let again = try await self.call(other, "k", ["more": ["y": [["q": 2, "p": 1]], "x": 1], "what": "a"])
        #expect(again.structured == first.structured && again.text == first.text)
        #expect(again.result.meta[MetaKey.replayed] == true)
        #expect(self.state.count(of: "a") == 1)
        #expect(self.records.all.map(\.outcome) == ["ok", "replayed"])
        // Without a key, with another one, by somebody else, or of another tool it is another call.
        #expect(try await self.call(one, nil, more).structured == ["count": 2])
        #expect(try await self.call(one, "l", more).structured == ["count": 3])
        #expect(try await self.call(one, "k", more, as: Principal(id: "user:b")).structured == ["count": 4])
        #expect(try await self.call(one, "k", more, tool: "test.set").structured == ["count": 5])
    }

    @Test("Other arguments under the same key are refused")
    func mismatch() async throws {
        let server = self.replica()
        _ = try await self.call(server, "k")
        let error = try #require(await self.failure(server, "k", ["what": "b"]))
        #expect(error.code == .idempotencyMismatch && error.retryable == false)
        #expect(self.state.count(of: "b") == 0)
        #expect(try await self.call(server, "k").structured == ["count": 1])
    }

    @Test("Those who call at the same time wait for the one answer")
    func concurrency() async throws {
        let replicas = [self.replica(), self.replica()]
        try await withThrowingTaskGroup(of: JSONValue.self) { group in
            for number in 0..<20 {
                group.addTask {
                    try await self.call(replicas[number % 2], "k", ["what": "a", "ending": "wait"]).structured
                }
            }
            await self.state.waitForCall()
            #expect(
                await self.failure(replicas[0], "k", ["what": "b", "ending": "wait"])?.code == .idempotencyMismatch
            )
            self.state.open()
            for try await answer in group { #expect(answer == ["count": 1]) }
        }
        #expect(self.state.count(of: "a") == 1)
        #expect(self.records.all.count { $0.outcome == "ok" } == 1)
    }

    @Test("A failure that changed nothing leaves the key free")
    func harmlessFailure() async throws {
        let server = self.replica()
        #expect(await self.failure(server, "k", ["what": "a", "ending": "conflict"])?.code == .conflict)
        #expect(try await self.call(server, "k").structured == ["count": 2])
        // Mistakes in the arguments, and calls that may not be made, don't even get that far.
        #expect(await self.failure(server, "l", ["wat": "a"])?.code == .invalidArguments)
        #expect(try await self.call(server, "l").structured == ["count": 3])
    }

    @Test("What may have happened is not done again", arguments: ["unknown", "crash", "hang"])
    func unknownOutcome(ending: String) async throws {
        let server = self.replica(timeout: ending == "hang" ? .milliseconds(100) : .seconds(30))
        let arguments: JSONObject = ["what": "a", "ending": .string(ending)]
        let first = await self.failure(server, "k", arguments)
        let codes: [String: ToolError.Code] = ["unknown": .outcomeUnknown, "crash": .internal, "hang": .timeout]
        #expect(first?.code == codes[ending])
        let error = await self.failure(server, "k", arguments)
        #expect(error?.code == .outcomeUnknown || error?.code == .timeout)
        #expect(self.state.count(of: "a") == 1)
        guard ending != "hang" else { return }
        // Unless it does no harm.
        _ = await self.failure(server, "k", arguments, tool: "test.set")
        _ = await self.failure(server, "k", arguments, tool: "test.set")
        #expect(self.state.count(of: "a") == 3)
    }

    @Test("When the replica that began a call dies, the others say that nobody knows, and do nothing")
    func deadReplica() async throws {
        // What is left of it is the beginning that it noted.
        let dead = self.replica(lease: .milliseconds(50))
        let call = Task { try await self.call(dead, "k", ["what": "a", "ending": "wait"]) }
        await self.state.waitForCall()
        let other = self.replica(lease: .milliseconds(50))
        self.store.isAway.store(true, ordering: .relaxed)
        let away = await self.failure(other, "k", ["what": "a", "ending": "wait"])
        #expect(away?.code == .upstreamUnavailable && away?.retryable == true)
        self.state.open()
        // It is done although it can't be noted: its caller gets the answer.
        #expect(try await call.value.structured == ["count": 1])
        self.store.isAway.store(false, ordering: .relaxed)
        let error = await self.failure(other, "k", ["what": "a", "ending": "wait"])
        #expect(error?.code == .outcomeUnknown && error?.retryable == false)
        #expect(self.state.count(of: "a") == 1)
        #expect(try await self.call(other, "new").structured == ["count": 2])
    }

    @Test("A call that takes longer than its lease keeps it")
    func renewal() async throws {
        let (one, other) = (self.replica(lease: .milliseconds(60)), self.replica(lease: .milliseconds(60)))
        // Time goes on only when the lease was kept at the present time.
        var time = ContinuousClock.now
        self.store.time.withLock { $0 = time }
        async let first = self.call(one, "k", ["what": "a", "ending": "wait"])
        await self.state.waitForCall()
        async let second = self.call(other, "k", ["what": "a", "ending": "wait"])
        var kept = self.store.kept.stream.makeAsyncIterator()
        for _ in 0..<5 {
            while let keptAt = await kept.next(), keptAt < time {}
            time += .milliseconds(40)
            self.store.time.withLock { [time] in $0 = time }
        }
        self.state.open()
        #expect(try await first.structured == ["count": 1])
        #expect(try await second.structured == ["count": 1])
    }

    @Test("While the store is away, a call with a key is not made, and one without is")
    func away() async throws {
        let server = self.replica()
        self.store.isAway.store(true, ordering: .relaxed)
        let error = await self.failure(server, "k")
        #expect(error?.code == .upstreamUnavailable && error?.retryable == true)
        #expect(self.state.count(of: "a") == 0)
        #expect(try await self.call(server, nil).structured == ["count": 1])
        self.store.isAway.store(false, ordering: .relaxed)
        #expect(try await self.call(server, "k").structured == ["count": 2])
    }

    @Test("Content of all kinds comes back as it was; of what is too large only that it was done")
    func contents() async throws {
        let server = self.replica()
        let first = try await self.call(server, "k", [:], tool: "test.album").result
        var again = try await self.call(server, "k", [:], tool: "test.album").result
        #expect(again.content == first.content)
        #expect(again.meta.count == 2 && again.meta["made"] == 1)
        again.meta[MetaKey.replayed] = nil
        #expect(again.meta == first.meta)
        _ = try await self.call(server, "l", ["size": 70_000], tool: "test.album")
        let error = await self.failure(server, "l", ["size": 70_000], tool: "test.album")
        #expect(error?.code == .resultTooLarge && error?.message.contains("was done") == true)
    }

    @Test("A question to the user leaves the key free until the call comes with the answer")
    func questions() async throws {
        let client = InProcessClient(server: self.replica())
        let arguments: JSONObject = ["what": "a", "ending": "ask", "idempotency_key": "k"]
        // This client can't ask: the call fails, and changes nothing.
        let refused = try await client.callTool("test.count", arguments)
        #expect(refused["_meta"]?[MetaKey.error]?["code"] == "conflict")
        let again = try await client.callTool("test.count", arguments)
        #expect(again["_meta"]?[MetaKey.error]?["code"] == "conflict")
        #expect(self.state.count(of: "a") == 2)
    }

    @Test("Over MCP an answer that is given again says so")
    func overMCP() async throws {
        let client = InProcessClient(server: self.replica())
        let first = try await client.callTool("test.count", ["what": "a", "idempotency_key": "k"])
        let again = try await client.callTool("test.count", ["what": "a", "idempotency_key": "k"])
        #expect(first["structuredContent"] == ["count": 1] && again["structuredContent"] == ["count": 1])
        #expect(again["_meta"]?[MetaKey.replayed] == true)
    }
}
