import JSON
import Logging
import MCP
import MCPServer
import SharedState
import Synchronization

/// The server that the protocol targets talk to: one of everything.
enum FuzzServer {
    static func make(sessions: any KeyValueStore = FewValues()) -> MCPServer {
        var options = MCPServer.Options()
        // The system keeps a cancelled timer until its time has come, and a server here has a short life.
        options.defaultTimeout = .seconds(5)
        options.askTimeout = .seconds(5)
        // Lists have several pages, and streams that are left open are noticed.
        options.pageSize = 2
        options.maximumStreams = 64
        var stores = SharedStores.inMemory()
        stores.values = sessions
        // So that streams, which are kept for a while, don't look like a leak.
        var limits = InMemoryEventLog.Limits()
        limits.bytes = 1 << 20
        stores.events = InMemoryEventLog(limits: limits)
        return MCPServer(
            name: "fuzz",
            version: "1",
            options: options,
            logger: Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() },
            recorder: NoRecords(),
            stores: stores
        ) {
            Echo()
            Count()
            Route()
            Ask()
            Work().task(timeout: .seconds(5))
            AskLater().task(.required, timeout: .seconds(5))
            Greeting()
            Note()
            Page()
        }
    }
}

private struct NoRecords: CallRecorder {
    func record(_ record: CallRecord) {}
}

/// Answers with its arguments, of all kinds.
private struct Echo: Tool {
    static let name: ToolName = "echo"
    static let description = "Answers with its arguments."
    static let effect = Effect.read
    static let permission: Permission = "fuzz:read"

    enum Colour: String, ToolEnum { case red, green }

    struct Size: ToolArguments {
        @Param("Width", .range(1...9)) var width: Int = 2
        @Param("Unit") var unit: String
    }

    struct Arguments: ToolArguments {
        @Param("What to say", .length(1...20), .pattern("^[^<>]*$")) var text: String
        @Param("A colour") var colour: Colour = .green
        @Param("A factor", .range(-1.0...1.0)) var factor: Double = 0.5
        @Param("A note") var note: String?
        @Param("Sizes", .count(0...2)) var sizes: [Size] = []
    }

    struct Output: ToolOutput {
        var text: String
        var colour: Colour
        var factor: Double
        var note: String?
        var widths: [Int]
    }

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> Output {
        Output(
            text: arguments.text,
            colour: arguments.colour,
            factor: arguments.factor,
            note: arguments.note,
            widths: arguments.sizes.map(\.width)
        )
    }
}

/// Reports progress, or fails.
private struct Count: Tool {
    static let name: ToolName = "count.up"
    static let description = "Reports progress."
    static let effect = Effect.write(idempotent: false)
    static let permission: Permission = "fuzz:write"

    struct Arguments: ToolArguments {
        @Param("How far", .range(-1...9)) var to: Int = 3
    }

    struct Output: ToolOutput { var last: Int }

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> Output {
        guard arguments.to >= 0 else { throw ToolError(.notFound, "There is no such number.") }
        for step in 0..<arguments.to { context.progress(Double(step), total: Double(arguments.to), message: "step") }
        return Output(last: arguments.to)
    }
}

/// Has an argument of each kind that is repeated in a header.
private struct Route: Tool {
    static let name: ToolName = "route"
    static let description = "Has arguments that are repeated in headers."
    static let effect = Effect.read
    static let permission: Permission = "fuzz:read"

    struct Arguments: ToolArguments {
        @Param("A region", .header("Region")) var region: String?
        @Param("A number", .header("Count")) var count: Int?
        @Param("A flag", .header("Urgent")) var urgent: Bool?
    }

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> String { arguments.region ?? "none" }
}

/// What the user and the client are asked.
private struct NameForm: ToolArguments {
    @Param("Your name", .length(1...20)) var name: String
}

/// Asks the user, the client's model, and the client, in two rounds.
private struct Ask: Tool {
    static let name: ToolName = "ask"
    static let description = "Asks the user and the client."
    static let effect = Effect.read
    static let permission: Permission = "fuzz:read"

    struct Arguments: ToolArguments {
        @Param("Whether to ask for more than a name") var more: Bool = false
    }

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> String {
        let answer = try await context.ask("What is your name?", for: NameForm.self, key: "name")
        guard arguments.more else { return answer.content?.name ?? "nobody" }
        let answers = try await context.ask([
            ("greeting", .sampling(SamplingRequest([.user("Write a greeting.")], maxTokens: 9))), ("roots", .roots),
        ])
        return "\(SamplingAnswer(answers["greeting"] ?? [:]).text) \([Root](answers["roots"] ?? [:]).count)"
    }
}

/// Can run as a task.
private struct Work: Tool {
    static let name: ToolName = "work"
    static let description = "Can run as a task."
    static let effect = Effect.read
    static let permission: Permission = "fuzz:read"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String { "done" }
}

/// Asks while it runs as a task.
private struct AskLater: Tool {
    static let name: ToolName = "ask.later"
    static let description = "Asks while it runs as a task."
    static let effect = Effect.read
    static let permission: Permission = "fuzz:read"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String {
        try await context.ask("What is your name?", for: NameForm.self, key: "name").content?.name ?? "nobody"
    }
}

private struct Greeting: Prompt {
    static let name = "greeting"
    static let description = "Greets somebody, as often as is wanted."

    struct Arguments: ToolArguments {
        @Param("Whom", .completions { typed, _ in ["Ada", "Alan"].filter { $0.hasPrefix(typed) } }) var name: String
        @Param("How often", .range(1...3)) var times: Int = 1
        @Param("Whether to ask for the name") var asks: Bool = false
    }

    func get(_ arguments: Arguments, _ context: HandlerContext) async throws -> GetPromptResult {
        var name = arguments.name
        if arguments.asks {
            name = try await context.ask("What is your name?", for: NameForm.self, key: "name").content?.name ?? name
        }
        return GetPromptResult((0..<arguments.times).map { _ in .user("Greet \(name).") })
    }
}

private struct Note: Resource {
    let uri = "fuzz://note"
    let name = "A note"
    let mimeType: String? = "text/plain"

    func read(_ context: HandlerContext) async throws -> ResourceContents { .text("A note.") }
}

private struct Page: ResourceTemplate {
    static let uriTemplate = "fuzz://page/{chapter}/{+rest}"
    static let name = "A page"

    struct Arguments: ToolArguments {
        @Param("The chapter", .completions { typed, _ in ["one", "two"].filter { $0.hasPrefix(typed) } }) var chapter:
            String
        @Param("The rest") var rest: String
    }

    func read(_ arguments: Arguments, _ context: HandlerContext) async throws -> ResourceContents {
        guard arguments.rest != "none" else { throw ToolError(.notFound, "There is no such page.") }
        return .text("\(arguments.chapter) \(arguments.rest)")
    }
}

/// Keeps what was there when it was told to, and the newest few values, so that opening sessions and beginning tasks
/// again and again does not look like a leak.
final class FewValues: KeyValueStore {
    private struct State {
        var values: [String: [UInt8]] = [:]
        /// The keys of what may go, oldest first.
        var keys: [String] = []
    }

    private static let capacity = 256
    private let state = Mutex(State())

    /// Keeps what is there now.
    func keepAll() {
        self.state.withLock { $0.keys = [] }
    }

    func value(for key: String) async throws(SharedStateError) -> [UInt8]? {
        self.state.withLock { $0.values[key] }
    }

    func set(_ key: String, to value: [UInt8], lifetime: Duration) async throws(SharedStateError) {
        self.state.withLock { Self.set(key, value, &$0) }
    }

    private static func set(_ key: String, _ value: [UInt8], _ state: inout State) {
        guard state.values.updateValue(value, forKey: key) == nil else { return }
        state.keys.append(key)
        if state.keys.count > Self.capacity { state.values[state.keys.removeFirst()] = nil }
    }

    func compareAndSet(
        _ key: String,
        from expected: [UInt8]?,
        to value: [UInt8],
        lifetime: Duration
    ) async throws(SharedStateError) -> Bool {
        self.state.withLock { state in
            guard state.values[key] == expected else { return false }
            Self.set(key, value, &state)
            return true
        }
    }

    func extend(_ key: String, lifetime: Duration) async throws(SharedStateError) -> Bool {
        self.state.withLock { $0.values[key] != nil }
    }

    func remove(_ key: String) async throws(SharedStateError) -> Bool {
        self.state.withLock { state in
            state.keys.removeAll { $0 == key }
            return state.values.removeValue(forKey: key) != nil
        }
    }
}
