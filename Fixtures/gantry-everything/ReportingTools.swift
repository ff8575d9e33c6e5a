import JSON
import MCP
import MCPServer
import SharedState

/// How many hanging calls have begun, and how many have been cancelled, on all replicas.
struct HangingCalls: Sendable {
    enum Event: String { case began, cancelled }

    let values: any KeyValueStore

    func count(_ event: Event) async throws -> Int {
        Self.count(try await self.values.value(for: Self.key(event)))
    }

    func add(_ event: Event) async throws {
        _ = try await self.values.update(Self.key(event), lifetime: .seconds(3600)) { old in
            Array(String(Self.count(old) + 1).utf8)
        }
    }

    private static func key(_ event: Event) -> String { "everything:hanging-calls:\(event.rawValue)" }

    private static func count(_ stored: [UInt8]?) -> Int {
        stored.flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0
    }
}

struct ProgressTool: FixtureTool {
    static let name: ToolName = "test_tool_with_progress"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String {
        for done in [0.0, 50, 100] {
            context.progress(done, total: 100, message: "Completed \(Int(done)) of 100")
            try await Task.sleep(for: .milliseconds(50))
        }
        return "Progress has been reported."
    }
}

struct StepsTool: FixtureTool {
    static let name: ToolName = "test_steps"

    struct Arguments: ToolArguments {
        @Param("How often to report", .range(0...10_000)) var count: Int
    }

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> String {
        for step in 0..<arguments.count {
            context.progress(Double(step + 1), total: Double(arguments.count))
        }
        return "done"
    }
}

struct LoggingTool: FixtureTool {
    static let name: ToolName = "test_tool_with_logging"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String {
        for message in ["Tool execution started", "Tool processing data", "Tool execution completed"] {
            context.log(.info, .string(message))
            try await Task.sleep(for: .milliseconds(50))
        }
        return "Messages have been logged."
    }
}

struct StatelessLoggingTool: FixtureTool {
    static let name: ToolName = "test_logging_tool"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String {
        context.log(.info, "This is logged if the client wants it.", logger: "fixtures")
        return "done"
    }
}

struct HangingTool: FixtureTool {
    static let name: ToolName = "test_hang"

    let calls: HangingCalls

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String {
        try await self.calls.add(.began)
        do {
            try await Task.sleep(for: .seconds(3600))
        } catch {
            try await self.calls.add(.cancelled)
            throw error
        }
        return "It was an hour."
    }
}

struct CancelCountTool: FixtureTool {
    static let name: ToolName = "test_cancel_count"

    struct Output: ToolOutput {
        /// How many were cancelled, of those that began.
        var count: Int
        var began: Int
    }

    let calls: HangingCalls

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> Output {
        Output(count: try await self.calls.count(.cancelled), began: try await self.calls.count(.began))
    }
}

struct ReconnectionTool: FixtureTool {
    static let name: ToolName = "test_reconnection"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String {
        context.pauseStream(retryAfter: .milliseconds(500))
        try await Task.sleep(for: .milliseconds(150))
        return "Reconnection test completed"
    }
}

struct ToolChangeTool: FixtureTool {
    static let name: ToolName = "test_trigger_tool_change"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String {
        await context.listChanged(.tools)
        return "The list of tools has changed."
    }
}

struct PromptChangeTool: FixtureTool {
    static let name: ToolName = "test_trigger_prompt_change"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String {
        await context.listChanged(.prompts)
        return "The list of prompts has changed."
    }
}

struct ResourceChangeTool: FixtureTool {
    static let name: ToolName = "test_update_resource"

    struct Arguments: ToolArguments {
        @Param("The resource that has changed") var uri: String
    }

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> String {
        await context.resourceUpdated(arguments.uri)
        return "The resource has changed."
    }
}

enum ReportingTools {
    @ServerFeatureBuilder
    static func all(_ hangingCalls: HangingCalls) -> [ServerFeature] {
        ProgressTool()
        StepsTool()
        LoggingTool()
        StatelessLoggingTool()
        HangingTool(calls: hangingCalls).timeout(.seconds(60))
        CancelCountTool(calls: hangingCalls)
        ReconnectionTool()
        ToolChangeTool()
        PromptChangeTool()
        ResourceChangeTool()
    }
}
