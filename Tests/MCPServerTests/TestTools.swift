import JSON
import MCPServer

/// Answers with what it is given.
struct Echo: Tool {
    static let name: ToolName = "test.echo"
    static let description = "Answers with its arguments."
    static let effect = Effect.read
    static let permission: Permission = "test:read"

    enum Colour: String, ToolEnum { case red, green }

    struct Size: ToolArguments {
        @Param("Width", .range(1...9)) var width: Int = 2
        @Param("Unit") var unit: String
    }

    struct Arguments: ToolArguments {
        @Param("What to say", .length(1...5)) var text: String
        @Param("How often", .range(1...10)) var howOften: Int = 3
        @Param("Colour") var colour: Colour = .green
        @Param("A note") var note: String?
        @Param("Sizes", .count(0...2)) var sizes: [Size] = []
        @Param("Even numbers only", .check { $0.isMultiple(of: 2) ? nil : "Expected an even number." }) var even: Int =
            0
    }

    struct Output: ToolOutput {
        struct Line: Codable { var number: Int, isLast: Bool }

        var text: String
        var note: String?
        var colour: Colour
        var widths: [Int]
        var lines: [Line]
        var counts: [String: Int]
        static let descriptions = ["text": "What was said"]
    }

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> Output {
        Output(
            text: arguments.text,
            note: arguments.note,
            colour: arguments.colour,
            widths: arguments.sizes.map(\.width),
            lines: [.init(number: arguments.howOften, isLast: true)],
            counts: ["even": arguments.even]
        )
    }
}

struct Done: ToolOutput { var done: Bool }

/// Reports progress: forwards, once backwards, and forwards again.
struct Steps: Tool {
    static let name: ToolName = "test.steps"
    static let description = "Reports progress."
    static let effect = Effect.read
    static let permission: Permission = "test:read"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> Done {
        for step in [1.0, 2, 1, 3] {
            context.progress(step, total: 3, message: "step")
        }
        return Done(done: true)
    }
}

/// Waits until it is told to go on, whether or not it is cancelled.
struct Stubborn: Tool {
    static let name: ToolName = "test.stubborn"
    static let description = "Does not heed cancellation."
    static let effect = Effect.write(idempotent: false)
    static let permission: Permission = "test:write"

    let began: AsyncStream<Void>.Continuation
    let gate: AsyncStream<Void>

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> Done {
        self.began.yield()
        await Task { for await _ in self.gate { break } }.value
        return Done(done: true)
    }
}

/// Fails in the way that it is told.
struct Failing: Tool {
    static let name: ToolName = "test.failing"
    static let description = "Fails."
    static let effect = Effect.destructive
    static let permission: Permission = "test:write"

    struct Arguments: ToolArguments {
        @Param("Whether the failure is one that the tool foresaw") var foreseen: Bool
    }
    struct Secret: Error { var password = "hunter2" }

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> Done {
        if arguments.foreseen {
            throw ToolError(.notFound, "There is no such thing.", retryAfter: .milliseconds(1500), cause: Secret())
        }
        throw Secret()
    }
}
