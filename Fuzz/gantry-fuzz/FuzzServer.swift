import Logging
import MCPServer
import SharedState
import Synchronization

/// The server that the protocol targets talk to.
enum FuzzServer {
    static func make(sessions: any KeyValueStore = FewValues()) -> MCPServer {
        var options = MCPServer.Options()
        // The system keeps a cancelled timer until its time has come, and a server here has a short life.
        options.defaultTimeout = .seconds(5)
        var stores = SharedStores.inMemory()
        stores.values = sessions
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

/// Keeps the first value and the newest few, so that opening sessions again and again does not look like a leak.
final class FewValues: KeyValueStore {
    private static let capacity = 64
    private let entries = Mutex<[(key: String, value: [UInt8])]>([])

    func value(for key: String) async throws(SharedStateError) -> [UInt8]? {
        self.entries.withLock { entries in entries.first { $0.key == key }?.value }
    }

    func set(_ key: String, to value: [UInt8], lifetime: Duration) async throws(SharedStateError) {
        self.entries.withLock { entries in
            entries.removeAll { $0.key == key }
            if entries.count >= Self.capacity { entries.remove(at: 1) }
            entries.append((key, value))
        }
    }

    func compareAndSet(
        _ key: String,
        from expected: [UInt8]?,
        to value: [UInt8],
        lifetime: Duration
    ) async throws(SharedStateError) -> Bool {
        guard try await self.value(for: key) == expected else { return false }
        try await self.set(key, to: value, lifetime: lifetime)
        return true
    }

    func extend(_ key: String, lifetime: Duration) async throws(SharedStateError) -> Bool {
        self.entries.withLock { entries in entries.contains { $0.key == key } }
    }

    func remove(_ key: String) async throws(SharedStateError) -> Bool {
        self.entries.withLock { entries in
            guard let index = entries.firstIndex(where: { $0.key == key }) else { return false }
            entries.remove(at: index)
            return true
        }
    }
}
