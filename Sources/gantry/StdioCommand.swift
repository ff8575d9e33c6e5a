import ArgumentParser
import GantryServer

struct StdioCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stdio",
        abstract: "Serve MCP to one client over standard input and output.",
        discussion: "For clients that start their servers themselves. The log goes to standard error."
    )

    @OptionGroup var options: SettingsOptions

    @Flag(help: "Offer only tools that change nothing (GANTRY_READ_ONLY).")
    var readOnly = false

    func run() async throws {
        try await self.options.withApplication([.readOnly: self.readOnly ? "true" : nil]) { application in
            try await application.serveStdio()
        }
    }
}
