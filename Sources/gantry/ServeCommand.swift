import ArgumentParser
import GantryServer

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve MCP and REST over HTTP.",
        discussion: """
            The protocol is at /mcp; /health, /livez and /readyz tell how the server is; /rag/upload, /rag/query and \
            /tools/NAME are the same things over REST. SIGTERM and Ctrl-C let running calls finish first.
            """
    )

    @OptionGroup var options: SettingsOptions

    @Option(help: ArgumentHelp("The address to listen on (GANTRY_HOST).", valueName: "address"))
    var host: String?

    @Option(help: ArgumentHelp("The port to listen on; 0 takes a free one (GANTRY_PORT).", valueName: "port"))
    var port: String?

    @Flag(help: "Offer only tools that change nothing (GANTRY_READ_ONLY).")
    var readOnly = false

    @Flag(help: "Let other machines call without authentication (GANTRY_INSECURE).")
    var insecure = false

    func run() async throws {
        try await self.options.withApplication([
            .host: self.host,
            .port: self.port,
            .readOnly: self.readOnly ? "true" : nil,
            .insecure: self.insecure ? "true" : nil,
        ]) { application in
            try await application.serve()
        }
    }
}
