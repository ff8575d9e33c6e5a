import JSON
import MCP
import MCPServer

struct Greet: FixtureTool {
    static let name: ToolName = "greet"

    struct Arguments: ToolArguments {
        @Param("Whom to greet") var name: String
    }

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> String { "Hello, \(arguments.name)!" }
}

struct SlowCompute: FixtureTool {
    static let name: ToolName = "slow_compute"

    struct Arguments: ToolArguments {
        @Param("How long it takes", .range(0...600)) var seconds: Double = 1
        @Param("What to call it") var label: String = ""
    }

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> String {
        try await Task.sleep(for: .seconds(arguments.seconds))
        return "Computed \(arguments.label) in \(arguments.seconds) s."
    }
}

struct FailingJob: FixtureTool {
    static let name: ToolName = "failing_job"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String {
        try await Task.sleep(for: .seconds(1))
        throw ToolError(.upstreamError, "The job failed, as it should.")
    }
}

struct ProtocolErrorJob: FixtureTool {
    static let name: ToolName = "protocol_error_job"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String {
        try await Task.sleep(for: .milliseconds(200))
        throw MCPError(.internalError, "The job ended with a protocol error, as it should.")
    }
}

struct ConfirmDelete: FixtureTool {
    static let name: ToolName = "confirm_delete"

    struct Arguments: ToolArguments {
        @Param("Which file") var filename: String
    }

    struct Confirmation: ToolArguments {
        @Param("Whether to delete it") var confirm: Bool
    }

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> String {
        let answer = try await context.ask("Delete \(arguments.filename)?", for: Confirmation.self, key: "confirm")
        return answer.content?.confirm == true ? "Deleted \(arguments.filename)." : "Kept \(arguments.filename)."
    }
}

struct MultiInput: FixtureTool {
    static let name: ToolName = "multi_input"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String {
        let schema = NameForm.makeShape().schema
        let answers = try await context.ask([
            ("first", .form(message: "The first name?", schema: schema)),
            ("second", .form(message: "The second name?", schema: schema)),
        ])
        let names = ["first", "second"].map { answers[$0]?["content"]?["name"]?.stringValue ?? "nobody" }
        return "Got \(names.joined(separator: " and "))."
    }
}

/// Asks before it becomes a task.
struct ToolWithTask: FixtureTool {
    static let name: ToolName = "test_tool_with_task"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String {
        let answer = try await context.ask("What is your name?", for: NameForm.self, key: "user_name")
        try context.startTask()
        try await Task.sleep(for: .milliseconds(100))
        return "Hello, \(answer.content?.name ?? "stranger"), from a task!"
    }
}

enum TaskTools {
    @ServerFeatureBuilder static var all: [ServerFeature] {
        Greet()
        SlowCompute().task()
        FailingJob().task(.required)
        ProtocolErrorJob().task()
        ConfirmDelete().task()
        MultiInput().task()
        ToolWithTask().task(.required, startsByItself: true)
    }
}
