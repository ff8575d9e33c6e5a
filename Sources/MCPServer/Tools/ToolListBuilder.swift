/// A tool with what the application says about how it runs.
public struct ConfiguredTool: Sendable {
    let make: @Sendable (ToolNaming) -> RegisteredTool
    var timeout: Duration?

    init<T: Tool>(_ tool: T) {
        self.make = { RegisteredTool(tool, naming: $0) }
    }
}

extension Tool {
    /// Ends a call of this tool after the given time, rather than after the server's default.
    public func timeout(_ timeout: Duration) -> ConfiguredTool {
        var configured = ConfiguredTool(self)
        configured.timeout = timeout
        return configured
    }
}

/// Lists the tools of a server.
@resultBuilder
public enum ToolListBuilder {
    public static func buildExpression(_ tool: some Tool) -> [ConfiguredTool] { [ConfiguredTool(tool)] }
    public static func buildExpression(_ tool: ConfiguredTool) -> [ConfiguredTool] { [tool] }
    public static func buildExpression(_ tools: [ConfiguredTool]) -> [ConfiguredTool] { tools }
    public static func buildBlock(_ tools: [ConfiguredTool]...) -> [ConfiguredTool] { tools.flatMap(\.self) }
    public static func buildOptional(_ tools: [ConfiguredTool]?) -> [ConfiguredTool] { tools ?? [] }
    public static func buildEither(first tools: [ConfiguredTool]) -> [ConfiguredTool] { tools }
    public static func buildEither(second tools: [ConfiguredTool]) -> [ConfiguredTool] { tools }
    public static func buildArray(_ tools: [[ConfiguredTool]]) -> [ConfiguredTool] { tools.flatMap(\.self) }
}
