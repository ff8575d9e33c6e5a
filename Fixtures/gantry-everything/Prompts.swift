import JSON
import MCP
import MCPServer

struct SimplePrompt: Prompt {
    static let name = "test_simple_prompt"
    static let description = "A prompt without arguments."

    func get(_ arguments: NoArguments, _ context: HandlerContext) async throws -> GetPromptResult {
        [.user("This is a simple prompt for testing.")]
    }
}

struct PromptWithArguments: Prompt {
    static let name = "test_prompt_with_arguments"
    static let description = "A prompt with two arguments."

    struct Arguments: ToolArguments {
        @Param(
            "The first argument",
            .completions { typed, _ in ["test", "test-1", "test-2", "paris"].filter { $0.hasPrefix(typed) } }
        ) var arg1: String
        @Param(
            "The second argument",
            .completions { typed, others in
                ["a", "b"].map { "\(others["arg1"] ?? "")\($0)" }.filter { $0.hasPrefix(typed) }
            }
        ) var arg2: String
    }

    func get(_ arguments: Arguments, _ context: HandlerContext) async throws -> GetPromptResult {
        [.user("Prompt with arguments: arg1='\(arguments.arg1)', arg2='\(arguments.arg2)'")]
    }
}

struct PromptWithResource: Prompt {
    static let name = "test_prompt_with_embedded_resource"
    static let description = "A prompt with a resource in it."

    struct Arguments: ToolArguments {
        @Param("Which resource", .name("resourceUri")) var resourceURI: String
    }

    func get(_ arguments: Arguments, _ context: HandlerContext) async throws -> GetPromptResult {
        let resource = EmbeddedResource(
            uri: arguments.resourceURI,
            mimeType: "text/plain",
            contents: .text("Embedded resource content for testing.")
        )
        return [.user(.resource(resource)), .user("Please process the embedded resource above.")]
    }
}

struct PromptWithImage: Prompt {
    static let name = "test_prompt_with_image"
    static let description = "A prompt with a picture in it."

    func get(_ arguments: NoArguments, _ context: HandlerContext) async throws -> GetPromptResult {
        [.user(.image(data: Samples.png, mimeType: "image/png")), .user("Please analyze the image above.")]
    }
}

struct PromptWithInput: Prompt {
    static let name = "test_input_required_result_prompt"
    static let description = "A prompt that asks for its context."

    struct ContextForm: ToolArguments {
        @Param("What it is about") var context: String
    }

    func get(_ arguments: NoArguments, _ context: HandlerContext) async throws -> GetPromptResult {
        let answer = try await context.ask("What is it about?", for: ContextForm.self, key: "user_context")
        return [.user("Context: \(answer.content?.context ?? "none")")]
    }
}

enum PromptFixtures {
    @ServerFeatureBuilder static var all: [ServerFeature] {
        SimplePrompt()
        PromptWithArguments()
        PromptWithResource()
        PromptWithImage()
        PromptWithInput()
    }
}
