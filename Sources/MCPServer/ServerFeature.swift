/// Something that a server offers: a tool, a resource, a family of resources, or a prompt.
public struct ServerFeature: Sendable {
    enum Kind: Sendable {
        case tool(ConfiguredTool)
        case resource(any Resource)
        case template(RegisteredTemplate)
        case prompt(RegisteredPrompt)
    }

    let kind: Kind
}

/// Lists what a server offers.
@resultBuilder
public enum ServerFeatureBuilder {
    public static func buildExpression(_ tool: some Tool) -> [ServerFeature] {
        [ServerFeature(kind: .tool(ConfiguredTool(tool)))]
    }
    public static func buildExpression(_ tool: ConfiguredTool) -> [ServerFeature] { [ServerFeature(kind: .tool(tool))] }
    public static func buildExpression(_ tools: [ConfiguredTool]) -> [ServerFeature] {
        tools.map { ServerFeature(kind: .tool($0)) }
    }
    public static func buildExpression(_ features: [ServerFeature]) -> [ServerFeature] { features }
    public static func buildExpression(_ resource: some Resource) -> [ServerFeature] {
        [ServerFeature(kind: .resource(resource))]
    }
    public static func buildExpression(_ resources: [any Resource]) -> [ServerFeature] {
        resources.map { ServerFeature(kind: .resource($0)) }
    }
    public static func buildExpression(_ template: some ResourceTemplate) -> [ServerFeature] {
        [ServerFeature(kind: .template(RegisteredTemplate(template)))]
    }
    public static func buildExpression(_ prompt: some Prompt) -> [ServerFeature] {
        [ServerFeature(kind: .prompt(RegisteredPrompt(prompt)))]
    }
    public static func buildBlock(_ features: [ServerFeature]...) -> [ServerFeature] { features.flatMap(\.self) }
    public static func buildOptional(_ features: [ServerFeature]?) -> [ServerFeature] { features ?? [] }
    public static func buildEither(first features: [ServerFeature]) -> [ServerFeature] { features }
    public static func buildEither(second features: [ServerFeature]) -> [ServerFeature] { features }
    public static func buildArray(_ features: [[ServerFeature]]) -> [ServerFeature] { features.flatMap(\.self) }
}

/// Everything that a server offers at one moment.
final class ServerCatalogue: Sendable {
    let tools: ToolCatalogue
    let resources: ResourceCatalogue
    let prompts: PromptCatalogue

    init(_ features: [ServerFeature], naming: ToolNaming) {
        var tools: [ConfiguredTool] = []
        var resources: [any Resource] = []
        var templates: [RegisteredTemplate] = []
        var prompts: [RegisteredPrompt] = []
        for feature in features {
            switch feature.kind {
            case .tool(let tool): tools.append(tool)
            case .resource(let resource): resources.append(resource)
            case .template(let template): templates.append(template)
            case .prompt(let prompt): prompts.append(prompt)
            }
        }
        self.tools = ToolCatalogue(tools, naming: naming)
        self.resources = ResourceCatalogue(resources, templates)
        self.prompts = PromptCatalogue(prompts)
    }
}
