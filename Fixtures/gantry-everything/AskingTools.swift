import JSON
import MCP
import MCPServer

/// What a user did, with what was filled in.
private func described(_ answer: ElicitationAnswer<JSONObject>) -> String {
    switch answer {
    case .accepted(let content): "User response: accept, \(JSONValue.object(content).serializedString())"
    case .declined: "User response: decline"
    case .cancelled: "User response: cancel"
    }
}

struct SamplingTool: FixtureTool {
    static let name: ToolName = "test_sampling"

    struct Arguments: ToolArguments {
        @Param("What to ask the model") var prompt: String
    }

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> String {
        let answer = try await context.sample(SamplingRequest([.user(arguments.prompt)], maxTokens: 100))
        return "LLM response: \(answer.text)"
    }
}

struct SamplingWithToolsTool: FixtureTool {
    static let name: ToolName = "test_sampling_with_tools"

    struct Arguments: ToolArguments {
        @Param("What to ask the model") var prompt: String
    }

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> String {
        let weather: JSONObject = [
            "name": "get_weather", "description": "Tells the weather of a city.",
            "inputSchema": ["type": "object", "properties": ["city": ["type": "string"]], "required": ["city"]],
        ]
        var request = SamplingRequest([.user(arguments.prompt)], maxTokens: 100)
        request.tools = [weather]
        request.toolChoice = ["mode": "auto"]
        let answer = try await context.sample(request)
        let calls = answer.content.filter { $0["type"] == "tool_use" }.compactMap { $0["name"]?.stringValue }
        return "LLM response: \(answer.text)\(calls.map { " [calls \($0)]" }.joined())"
    }
}

struct ElicitationTool: FixtureTool {
    static let name: ToolName = "test_elicitation"

    struct Arguments: ToolArguments {
        @Param("What to ask the user") var message: String
    }

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> String {
        let schema: JSONObject = [
            "type": "object",
            "properties": [
                "username": ["type": "string", "description": "User's response"],
                "email": ["type": "string", "description": "User's email address"],
            ],
            "required": ["username", "email"],
        ]
        return described(try await context.ask(arguments.message, schema: schema))
    }
}

struct ElicitationDefaultsTool: FixtureTool {
    static let name: ToolName = "test_elicitation_sep1034_defaults"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String {
        let schema: JSONObject = [
            "type": "object",
            "properties": [
                "name": ["type": "string", "default": "John Doe"],
                "age": ["type": "integer", "default": 30],
                "score": ["type": "number", "default": 95.5],
                "status": ["type": "string", "enum": ["active", "inactive", "pending"], "default": "active"],
                "verified": ["type": "boolean", "default": true],
            ],
            "required": [],
        ]
        return described(try await context.ask("Please check these values.", schema: schema))
    }
}

struct ElicitationEnumsTool: FixtureTool {
    static let name: ToolName = "test_elicitation_sep1330_enums"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String {
        let words: JSONValue = ["option1", "option2", "option3"]
        let titled: JSONValue = [
            ["const": "value1", "title": "First Option"], ["const": "value2", "title": "Second Option"],
            ["const": "value3", "title": "Third Option"],
        ]
        let schema: JSONObject = [
            "type": "object",
            "properties": [
                "untitledSingle": ["type": "string", "enum": words],
                "titledSingle": ["type": "string", "oneOf": titled],
                "legacyEnum": [
                    "type": "string", "enum": ["opt1", "opt2", "opt3"],
                    "enumNames": ["Option One", "Option Two", "Option Three"],
                ],
                "untitledMulti": ["type": "array", "items": ["type": "string", "enum": words]],
                "titledMulti": ["type": "array", "items": ["anyOf": titled]],
            ],
            "required": [],
        ]
        return described(try await context.ask("Please choose.", schema: schema))
    }
}

struct URLElicitationTool: FixtureTool {
    static let name: ToolName = "test_url_elicitation"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String {
        switch try await context.ask("Please sign in.", toVisit: "https://example.com/authorize") {
        case .accepted: "User response: accept"
        case .declined: "User response: decline"
        case .cancelled: "User response: cancel"
        }
    }
}

/// Needs a capability that it does not use before it has checked for it.
struct MissingCapabilityTool: FixtureTool {
    static let name: ToolName = "test_missing_capability"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String {
        let question = SamplingRequest([.user("Are you there?")], maxTokens: 10)
        guard context.canAsk(.sampling(question)) else { throw MCPError.missingCapability(["sampling": [:]]) }
        return "The client can sample."
    }
}

struct StreamingElicitationTool: FixtureTool {
    static let name: ToolName = "test_streaming_elicitation"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String {
        context.progress(1, total: 2)
        let schema: JSONObject = [
            "type": "object", "properties": ["ok": ["type": "boolean"]], "required": ["ok"],
        ]
        return described(try await context.ask("Shall we go on?", schema: schema))
    }
}

enum AskingTools {
    @ServerFeatureBuilder static var all: [ServerFeature] {
        SamplingTool()
        SamplingWithToolsTool()
        ElicitationTool()
        ElicitationDefaultsTool()
        ElicitationEnumsTool()
        URLElicitationTool()
        MissingCapabilityTool()
        StreamingElicitationTool()
    }
}
