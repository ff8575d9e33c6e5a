import Access
import ArgumentParser
import GantryServer
import JSON
import MCPServer

struct PolicyExplain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say whether somebody may call a tool, and by which rule.",
        discussion: """
            Exits with 1 if the call would be refused.

            Example: gantry policy explain --as alice --claims '{"groups": ["team-a"]}' --scope jira:read \
            jira.retrieve_backlog '{"project_key": "ENG"}'
            """
    )

    @OptionGroup var options: SettingsOptions

    @Option(name: .customLong("as"), help: ArgumentHelp("Who: the sub of a token, or local.", valueName: "user"))
    var user: String

    @Option(help: ArgumentHelp("What else the token says, as a JSON object.", valueName: "json"))
    var claims: String = "{}"

    @Option(
        help: ArgumentHelp("A role that the token gives by its claim roles; may come several times.", valueName: "role")
    )
    var role: [String] = []

    @Option(
        help: ArgumentHelp(
            "A scope of the token; may come several times. Scopes are left out of it without.",
            valueName: "scope"
        )
    )
    var scope: [String] = []

    @Argument(help: "The name of the tool; see “gantry tools”.")
    var tool: String

    @Argument(help: "The arguments of the call as a JSON object; without, whether there is anything to call it for.")
    var arguments: String?

    func run() async throws {
        var claims = try Self.object(self.claims, "--claims")
        if self.role.isEmpty == false { claims["roles"] = .array(self.role.map(JSONValue.string)) }
        let arguments = try self.arguments.map { try Self.object($0, "The arguments") }
        try await self.options.withApplication(quietly: true) { application in
            let authorizer = application.access.authorizer
            let principal =
                self.user == Principal.local.id
                ? Principal.local
                : authorizer.principal(named: self.user, claims: claims, scopes: self.scope.isEmpty ? nil : self.scope)
            let request: AccessRequest?
            do throws(ToolError) {
                request = try application.server.accessRequest(
                    forTool: self.tool,
                    arguments: arguments,
                    principal: principal
                )
            } catch {
                Output.line(JSONValue.object(error.json).serializedString(pretty: true))
                throw ExitCode(ExitStatus.failed)
            }
            guard let request else { throw CommandFailure(message: "There is no tool \(self.tool.prefix(64)).") }
            Output.line(authorizer.explain(request).joined(separator: "\n"))
            guard authorizer.decide(request).isAllowed else { throw ExitCode(ExitStatus.failed) }
        }
    }

    private static func object(_ text: String, _ name: String) throws -> JSONObject {
        guard let object = (try? JSONValue(parsing: text))?.objectValue else {
            throw ValidationError("\(name) must be a JSON object.")
        }
        return object
    }
}
