import JSON
import MCP
import MCPServer

/// A picture of one pixel, and a sound of no samples.
enum Samples {
    static let png =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    static let wav = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA="
}

/// A tool that is here to be called by tests.
protocol FixtureTool: Tool {}

extension FixtureTool {
    static var description: String { "A fixture for tests; the conformance suite says what it has to do." }
    static var effect: Effect { .read }
    static var permission: Permission { "test:read" }
}

/// The first tool of the list can be called without arguments.
struct SimpleText: FixtureTool {
    static let name: ToolName = "test_simple_text"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String {
        "This is a simple text response for testing."
    }
}

struct ImageContent: FixtureTool {
    static let name: ToolName = "test_image_content"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> CallToolResult {
        CallToolResult(content: [.image(data: Samples.png, mimeType: "image/png")])
    }
}

struct AudioContent: FixtureTool {
    static let name: ToolName = "test_audio_content"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> CallToolResult {
        CallToolResult(content: [.audio(data: Samples.wav, mimeType: "audio/wav")])
    }
}

struct EmbeddedResourceContent: FixtureTool {
    static let name: ToolName = "test_embedded_resource"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> CallToolResult {
        let resource = EmbeddedResource(
            uri: "test://embedded-resource",
            mimeType: "text/plain",
            contents: .text("This is an embedded resource content.")
        )
        return CallToolResult(content: [.resource(resource)])
    }
}

struct MixedContent: FixtureTool {
    static let name: ToolName = "test_multiple_content_types"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> CallToolResult {
        let json: JSONValue = ["test": "data", "value": 123]
        let resource = EmbeddedResource(
            uri: "test://mixed-content-resource",
            mimeType: "application/json",
            contents: .text(json.serializedString())
        )
        return CallToolResult(content: [
            .text("Multiple content types test:"),
            .image(data: Samples.png, mimeType: "image/png"),
            .resource(resource),
        ])
    }
}

struct ErrorHandling: FixtureTool {
    static let name: ToolName = "test_error_handling"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String {
        throw ToolError(.conflict, "This tool intentionally returns an error for testing")
    }
}

/// Answers with what it is given, and nothing around it.
struct Echo: FixtureTool {
    static let name: ToolName = "echo"

    struct Arguments: ToolArguments {
        @Param("What to answer") var text: String
    }

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> String { arguments.text }
}

/// Has a schema that no Swift type says; clients see it as it is.
struct SchemaTool: FixtureTool {
    static let name: ToolName = "json_schema_2020_12_tool"

    struct Arguments: ToolArguments {
        var members: JSONObject = [:]

        init() {}
        init(members: JSONObject) { self.members = members }
        init(from decoder: any Decoder) throws { self.init() }

        static let schema: JSONObject = [
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "$defs": [
                "address": [
                    "$anchor": "addressDef", "type": "object",
                    "properties": ["street": ["type": "string"], "city": ["type": "string"]],
                ]
            ],
            "properties": [
                "name": ["type": "string"],
                "address": ["$ref": "#/$defs/address"],
                "contactMethod": ["type": "string", "enum": ["phone", "email"]],
                "phone": ["type": "string"],
                "email": ["type": "string"],
            ],
            "allOf": [["anyOf": [["required": ["phone"]], ["required": ["email"]]]]],
            "if": ["properties": ["contactMethod": ["const": "phone"]], "required": ["contactMethod"]],
            "then": ["required": ["phone"]],
            "else": ["required": ["email"]],
            "additionalProperties": false,
        ]

        static func makeShape() -> ValueShape<Self> {
            .validating(Self.schema) { Self(members: $0) }
        }
    }

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> String {
        "Got \(arguments.members.count) members."
    }
}

struct HeaderTool: FixtureTool {
    static let name: ToolName = "test_x_mcp_header"

    struct Arguments: ToolArguments {
        @Param("A region", .header("Region")) var region: String?
        @Param("A number", .header("Count")) var count: Int?
        @Param("A flag", .header("Urgent")) var urgent: Bool?
    }

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> String {
        "Region: \(arguments.region ?? "none")"
    }
}

enum ContentTools {
    @ServerFeatureBuilder static var all: [ServerFeature] {
        ImageContent()
        AudioContent()
        EmbeddedResourceContent()
        MixedContent()
        ErrorHandling()
        Echo()
        SchemaTool()
        HeaderTool()
    }
}
