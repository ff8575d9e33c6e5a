import ArgumentParser
import GantryServer
import JSON
import MCPServer

struct ToolsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tools",
        abstract: "List the tools.",
        discussion: "With --json, as clients get them from tools/list."
    )

    @OptionGroup var options: SettingsOptions

    @Flag(help: "Print definitions with schemas as JSON.")
    var json = false

    func run() async throws {
        try await self.options.withApplication(quietly: true) { application in
            let tools = application.server.tools(for: .local)
            if self.json {
                Output.line(tools.serializedString(pretty: true))
                return
            }
            for tool in tools.arrayValue ?? [] {
                let summary = (tool["description"]?.stringValue ?? "").prefix { $0 != "\n" }
                Output.line("\(tool["name"]?.stringValue ?? "")\n    \(summary)")
            }
        }
    }
}
