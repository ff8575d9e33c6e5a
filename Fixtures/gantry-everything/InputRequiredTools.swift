import JSON
import MCP
import MCPServer

/// A form of one name.
struct NameForm: ToolArguments {
    @Param("Your name") var name: String
}

/// A form of one tick.
private let confirmation: JSONObject = [
    "type": "object", "properties": ["ok": ["type": "boolean"]], "required": ["ok"],
]

struct InputElicitation: FixtureTool {
    static let name: ToolName = "test_input_required_result_elicitation"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String {
        let answer = try await context.ask("What is your name?", for: NameForm.self, key: "user_name")
        guard let form = answer.content else { return "No name was given." }
        return "Hello, \(form.name)!"
    }
}

struct InputSampling: FixtureTool {
    static let name: ToolName = "test_input_required_result_sampling"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String {
        let request = SamplingRequest([.user("What is the capital of France?")], maxTokens: 100)
        return "The model says: \(try await context.sample(request, key: "capital_question").text)"
    }
}

struct InputRoots: FixtureTool {
    static let name: ToolName = "test_input_required_result_list_roots"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String {
        "Roots: \(try await context.roots(key: "client_roots").map(\.uri).joined(separator: ", "))"
    }
}

struct InputRequestState: FixtureTool {
    static let name: ToolName = "test_input_required_result_request_state"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String {
        _ = try await context.ask("Please confirm.", schema: confirmation, key: "confirm")
        return "state-ok"
    }
}

struct InputTamperedState: FixtureTool {
    static let name: ToolName = "test_input_required_result_tampered_state"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String {
        _ = try await context.ask("Please confirm.", schema: confirmation, key: "confirm")
        return "state-ok"
    }
}

struct InputMultiple: FixtureTool {
    static let name: ToolName = "test_input_required_result_multiple_inputs"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String {
        let answers = try await context.ask([
            ("user_name", .form(message: "What is your name?", schema: NameForm.makeShape().schema)),
            ("greeting", .sampling(SamplingRequest([.user("Write a greeting.")], maxTokens: 50))),
            ("client_roots", .roots),
        ])
        let name = answers["user_name"]?["content"]?["name"]?.stringValue ?? "stranger"
        let greeting = SamplingAnswer(answers["greeting"] ?? [:]).text
        return "\(greeting) \(name), you work on \([Root](answers["client_roots"] ?? [:]).count) roots."
    }
}

struct InputMultiRound: FixtureTool {
    static let name: ToolName = "test_input_required_result_multi_round"

    struct ColorForm: ToolArguments {
        @Param("Your favourite colour") var color: String
    }

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String {
        let name = try await context.ask("What is your name?", for: NameForm.self, key: "step1").content?.name
        let color = try await context.ask("Which colour do you like?", for: ColorForm.self, key: "step2").content?.color
        return "\(name ?? "Somebody") likes \(color ?? "no colour")."
    }
}

/// Asks only what the client can be asked.
struct InputCapabilities: FixtureTool {
    static let name: ToolName = "test_input_required_result_capabilities"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String {
        let form = InputRequest.form(message: "What is your name?", schema: NameForm.makeShape().schema)
        let sampling = InputRequest.sampling(SamplingRequest([.user("Say hello.")], maxTokens: 50))
        var questions: [(key: String, request: InputRequest)] = []
        if context.canAsk(form) { questions.append(("user_name", form)) }
        if context.canAsk(sampling) { questions.append(("greeting", sampling)) }
        return "Answers: \(try await context.ask(questions).keys.sorted().joined(separator: ", "))"
    }
}

enum InputRequiredTools {
    @ServerFeatureBuilder static var all: [ServerFeature] {
        InputElicitation()
        InputSampling()
        InputRoots()
        InputRequestState()
        InputTamperedState()
        InputMultiple()
        InputMultiRound()
        InputCapabilities()
    }
}
