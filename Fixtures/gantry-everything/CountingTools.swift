import MCPServer
import SharedState

/// How often something has been done, on all replicas.
private func count(_ stored: [UInt8]?) -> Int {
    stored.flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0
}

private func key(_ name: String) -> String { "everything:done:\(name)" }

/// Changes something that must not be changed twice, and takes a moment for it.
struct CountedWrite: FixtureTool {
    static let name: ToolName = "test_counted_write"
    static let effect: Effect = .write(idempotent: false)
    static let permission: Permission = "test:write"

    let values: any KeyValueStore

    struct Arguments: ToolArguments {
        @Param("What is done") var name: String
    }

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> String {
        try await Task.sleep(for: .milliseconds(10))
        _ = try await self.values.update(key(arguments.name), lifetime: .seconds(3600)) { old in
            Array(String(count(old) + 1).utf8)
        }
        try await Task.sleep(for: .milliseconds(10))
        return "\(arguments.name) is done."
    }
}

/// Tells how often something has been done.
struct WriteCount: FixtureTool {
    static let name: ToolName = "test_write_count"

    let values: any KeyValueStore

    struct Arguments: ToolArguments {
        @Param("What may have been done") var name: String
    }

    struct Output: ToolOutput { var count: Int }

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> Output {
        Output(count: count(try await self.values.value(for: key(arguments.name))))
    }
}
