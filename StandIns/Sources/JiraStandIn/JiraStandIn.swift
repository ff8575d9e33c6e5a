import ArgumentParser
import Hummingbird

/// Runs a stand-in for Jira Cloud, REST API v3.
@main
struct JiraStandIn: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jira-stand-in",
        abstract:
            "A stand-in for Jira Cloud (REST API v3) with three projects and 320 issues, the same at every start.",
        discussion: """
            POST /__control {"status": 429, "times": 1, "headers": {"Retry-After": "1"}} makes the next answers fail;
            {"delay_ms": 500, "times": 1} makes them slow. It is for tests only: whoever reaches it may do that.
            """
    )

    @Option(help: "The port to listen on.") var port = 8089
    @Option(help: "The address to listen on.") var host = "127.0.0.1"
    @Option(help: "The user of the API token.") var user = "agent@example.com"
    @Option(help: "The API token.") var token = "stand-in-token"

    func run() async throws {
        let site = Site(base: "http://\(self.host):\(self.port)", user: self.user, token: self.token)
        let router = Router()
        router.add(middleware: Gate(site: site))
        Routes(site: site).add(to: router)
        let application = Application(
            router: router,
            configuration: .init(address: .hostname(self.host, port: self.port), serverName: nil),
            onServerRunning: { _ in print("The Jira stand-in listens on \(site.base).") }
        )
        try await application.runService()
    }
}
