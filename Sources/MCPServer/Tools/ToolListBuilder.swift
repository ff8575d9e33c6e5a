public import MCP

/// A tool with what the application says about how it runs.
public struct ConfiguredTool: Sendable {
    /// How a tool runs as a task.
    public struct TaskOptions: Sendable {
        /// Which clients get a task.
        public var support = TaskSupport.optional
        /// How long the task may run.
        public var timeout = Duration.seconds(600)
        /// Whether the tool decides by itself, with ``ToolContext/startTask()``, so that it can ask questions first.
        public var startsByItself = false

        public init() {}
    }

    let make: @Sendable (ToolNaming, TaskSupport) -> RegisteredTool
    var timeout: Duration?
    var task: TaskOptions?

    /// A tool as it is.
    public init(_ tool: some Tool) {
        self.make = { RegisteredTool(tool, naming: $0, taskSupport: $1) }
    }

    /// Ends a call of this tool after the given time, rather than after the server's default.
    public func timeout(_ timeout: Duration) -> Self {
        var configured = self
        configured.timeout = timeout
        return configured
    }

    /// Lets a call of this tool run as a task, for work that takes longer than anybody waits.
    public func task(
        _ support: TaskSupport = .optional,
        timeout: Duration = .seconds(600),
        startsByItself: Bool = false
    ) -> Self {
        var configured = self
        var options = TaskOptions()
        options.support = support
        options.timeout = timeout
        options.startsByItself = startsByItself
        configured.task = options
        return configured
    }
}

extension Tool {
    /// Ends a call of this tool after the given time, rather than after the server's default.
    public func timeout(_ timeout: Duration) -> ConfiguredTool {
        ConfiguredTool(self).timeout(timeout)
    }

    /// Lets a call of this tool run as a task, for work that takes longer than anybody waits.
    ///
    /// - Parameters:
    ///   - support: Whether clients without tasks can call it too.
    ///   - timeout: How long the task may run.
    ///   - startsByItself: Whether the tool decides with ``ToolContext/startTask()``, so that it can ask questions first.
    /// - Returns: The tool, configured.
    public func task(
        _ support: TaskSupport = .optional,
        timeout: Duration = .seconds(600),
        startsByItself: Bool = false
    ) -> ConfiguredTool {
        ConfiguredTool(self).task(support, timeout: timeout, startsByItself: startsByItself)
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
