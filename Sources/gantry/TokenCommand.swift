import Access
import ArgumentParser
import Foundation
import GantryServer

struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Make tokens for development and API keys for machines.",
        discussion: """
            Without options, prints a token for this server, signed with a key pair that is kept in the data directory. \
            A server accepts it with GANTRY_AUTH=required and no issuer of its own.

            With --api-key, prints a key for a machine: once, since only its hash is kept, in the data directory or in the \
            database (DATABASE_URL). Send either as \
            Authorization: Bearer TOKEN. Who has a token may do what its roles allow, as far as its scopes go.
            """
    )

    @OptionGroup var options: SettingsOptions

    @Flag(help: "Make an API key.")
    var apiKey = false

    @Flag(help: "List the API keys.")
    var list = false

    @Option(help: ArgumentHelp("Make an API key useless.", valueName: "id"))
    var revoke: String?

    @Option(help: ArgumentHelp("Whom a token is for, or what an API key is for.", valueName: "name"))
    var name: String = "developer"

    @Option(help: ArgumentHelp("A role; may come several times.", valueName: "role"))
    var role: [String] = []

    @Option(
        help: ArgumentHelp(
            "A scope, such as jira:read; may come several times. Everything without.",
            valueName: "scope"
        )
    )
    var scope: [String] = []

    @Option(
        help: ArgumentHelp("How long it is valid, in hours: 8 for a token, 2160 for an API key.", valueName: "hours")
    )
    var hours: Int?

    @Option(help: ArgumentHelp("The audience of a token; this server's own without.", valueName: "address"))
    var audience: String?

    func validate() throws {
        guard [self.apiKey, self.list, self.revoke != nil].count(where: { $0 }) <= 1 else {
            throw ValidationError("--api-key, --list and --revoke don't go together.")
        }
        let most = (self.apiKey ? APIKeyRequest.maximumLifetime : DevelopmentIssuer.maximumLifetime) / 3600
        if let hours, (1...most).contains(hours) == false {
            throw ValidationError("--hours is a number from 1 to \(most).")
        }
        for scope in self.scope where PermissionPattern(scope) == nil {
            throw ValidationError("--scope \(scope) is not written like jira:read, jira:*, *:read or *.")
        }
        guard (1...128).contains(self.name.utf8.count) else { throw ValidationError("--name has 1 to 128 bytes.") }
    }

    func run() async throws {
        let settings = try await self.options.settings()
        do {
            guard self.list || self.revoke != nil || self.apiKey else {
                return try self.printToken(settings, AccessControl.directory(settings), try self.roles(settings))
            }
            try await AccessControl.withAPIKeys(settings) { keys in try await self.run(settings, keys) }
        } catch let error as KeyError {
            throw CommandFailure(message: error.description)
        }
    }

    private func run(_ settings: Settings, _ keys: any APIKeyStore) async throws(KeyError) {
        if self.list {
            try await self.printList(keys)
        } else if let revoke {
            try await keys.revoke(revoke)
            Output.error("revoked \(revoke)")
        } else {
            let roles = try self.roles(settings)
            let key = try await keys.create(
                APIKeyRequest(
                    name: self.name,
                    roles: roles,
                    scopes: self.scope.isEmpty ? nil : self.scope,
                    lifetime: (self.hours ?? 2160) * 3600
                )
            )
            Output.line(key)
            Output.error("this is the only time that the key is shown; roles: \(roles.joined(separator: ", "))")
        }
    }

    /// The roles asked for, or the least.
    private func roles(_ settings: Settings) throws(KeyError) -> [String] {
        let policy: Policy
        do {
            policy = try settings.policyFile.map { path throws(PolicyError) in try Policy(file: path) } ?? .builtIn
        } catch {
            throw KeyError(error.description)
        }
        for role in self.role where policy.roles[role] == nil {
            throw KeyError("There is no role \(role); there are \(policy.roles.keys.sorted().joined(separator: ", ")).")
        }
        return self.role.isEmpty ? ["viewer"] : self.role
    }

    private func printToken(_ settings: Settings, _ directory: String, _ roles: [String]) throws(KeyError) {
        let issuer = try DevelopmentIssuer(directory: directory)
        let hours = self.hours ?? 8
        do {
            let token = try issuer.token(
                DevelopmentIssuer.Request(
                    subject: self.name,
                    roles: roles,
                    scopes: self.scope.isEmpty ? ["*"] : self.scope,
                    audience: self.audience ?? "\(settings.publicURL)/mcp",
                    lifetime: hours * 3600
                )
            )
            Output.line(token)
        } catch {
            throw KeyError("The token can't be signed: \(error)")
        }
        Output.error("valid for \(hours) h; roles: \(roles.joined(separator: ", "))")
        if settings.isAuthenticationRequired == false {
            Output.error("no server asks for it yet: start one with GANTRY_AUTH=required")
        } else if settings.issuer != nil {
            Output.error("this server takes tokens of its issuer (JWT_ISSUER) only, not this one")
        }
    }

    private func printList(_ keys: any APIKeyStore) async throws(KeyError) {
        let now = Int(Date().timeIntervalSince1970)
        for key in try await keys.list() {
            let state = key.isRevoked ? "revoked" : key.expiresAt <= now ? "expired" : "valid"
            let until = Date(timeIntervalSince1970: Double(key.expiresAt)).ISO8601Format()
            let scopes = key.scopes.map { "scopes \($0.joined(separator: " "))" } ?? "all scopes"
            Output.line(
                "\(key.id)  \(state) until \(until)  \(key.roles.joined(separator: ", "))  \(scopes)  \(key.name)"
            )
        }
    }
}
