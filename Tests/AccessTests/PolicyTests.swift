import Foundation
import JSON
import Logging
import MCPServer
import Synchronization
import Testing

@testable import Access

@Suite("Policies")
struct PolicyTests {
    static let text = """
        roles:
          team:
            inherits: [viewer]
            allow:
              - permissions: [jira:write, "pipeline:*"]
                jira_projects: [ENG, "OPS*"]
                jobs: ["acme/*/deploy.yml"]
              - permissions: knowledge:write
                document_labels: [public, engineering]
            deny:
              - permissions: ["jira:*"]
                jira_projects: [OPSECRET]
          nobody:
            deny: ["*"]
        claims:
          - claim: groups
            values: ["team-*"]
            roles: [team]
          - claim: realm_access.roles
          - claim: sub
            values: [root]
            roles: [admin]
        """

    private func decide(
        _ permission: Permission,
        _ targets: [AccessTarget]? = nil,
        roles: [String] = ["team"],
        scopes: [String]? = nil,
        effect: Effect = .read,
        readOnly: Bool = false
    ) throws -> AccessDecision {
        let snapshot = PolicySource.Snapshot(try Policy(yaml: Self.text))
        let request = AccessRequest(
            principal: Principal(id: "user:x", roles: roles, scopes: scopes),
            permission: permission,
            effect: effect,
            targets: targets
        )
        return snapshot.decide(request, readOnly: readOnly)
    }

    @Test("Roles inherit, rules have limits, and deny is over allow")
    func rules() throws {
        #expect(try self.decide("jira:read", [AccessTarget(.jiraProject, "HR")]).isAllowed)
        #expect(try self.decide("jira:read", [AccessTarget(.jiraProject, "OPSECRET")]).isAllowed == false)
        #expect(try self.decide("jira:write").isAllowed)
        #expect(try self.decide("jira:write", [AccessTarget(.jiraProject, "ENG")]).isAllowed)
        #expect(try self.decide("jira:write", [AccessTarget(.jiraProject, "OPS2")]).isAllowed)
        #expect(try self.decide("jira:write", [AccessTarget(.jiraProject, "HR")]).isAllowed == false)
        #expect(
            try self.decide("jira:write", [AccessTarget(.jiraProject, "ENG"), AccessTarget(.jiraProject, "HR")])
                .isAllowed == false
        )
        #expect(try self.decide("jira:write", [.all(.jiraProject)]).isAllowed == false)
        #expect(try self.decide("pipeline:trigger", [AccessTarget(.job, "acme/a/deploy.yml")]).isAllowed)
        #expect(try self.decide("pipeline:trigger", [AccessTarget(.job, "acme/a/test.yml")]).isAllowed == false)
        #expect(try self.decide("audit:read").isAllowed == false)
        #expect(try self.decide("jira:read", roles: ["team", "nobody"]).isAllowed == false)
        #expect(try self.decide("jira:read", roles: ["no such role"]).isAllowed == false)
        #expect(try self.decide("jira:read", roles: []).isAllowed == false)
    }

    @Test("Labels are exact names, for stores to filter by")
    func labels() throws {
        guard case .allowed(let reach) = try self.decide("knowledge:write") else { throw Refused() }
        #expect(reach.names(of: .documentLabel) == ["public", "engineering"])
        guard case .allowed(let all) = try self.decide("knowledge:read") else { throw Refused() }
        #expect(all.names(of: .documentLabel) == nil)
    }

    private struct Refused: Error {}

    @Test("A token's scopes limit what its roles allow, and say what is missing")
    func scopes() throws {
        #expect(try self.decide("jira:read", scopes: ["jira:*"]).isAllowed)
        #expect(try self.decide("jira:read", scopes: ["*:read"]).isAllowed)
        guard case .insufficientScope(let missing) = try self.decide("jira:read", scopes: ["openid"]) else {
            throw Refused()
        }
        #expect(missing == ["jira:read"])
        // Better scopes would not help.
        guard case .forbidden = try self.decide("audit:read", scopes: []) else { throw Refused() }
    }

    @Test("Read-only is an upper bound for every role")
    func readOnly() throws {
        #expect(try self.decide("jira:read", roles: ["admin"], readOnly: true).isAllowed)
        for effect in [Effect.write(idempotent: true), .destructive] {
            #expect(try self.decide("jira:write", roles: ["admin"], effect: effect).isAllowed)
            #expect(try self.decide("jira:write", roles: ["admin"], effect: effect, readOnly: true).isAllowed == false)
        }
    }

    @Test(
        "Claims give roles; what says nothing gives none",
        arguments: [
            (#"{"groups": ["team-a", "other"]}"#, ["team"]), (#"{"groups": "team-b"}"#, ["team"]),
            (#"{"realm_access": {"roles": ["admin", "unknown"]}}"#, ["admin"]), (#"{"sub": "root"}"#, ["admin"]),
            (#"{"groups": ["TEAM-a"]}"#, []), (#"{"groups": {"team-a": true}}"#, []), (#"{"roles": ["admin"]}"#, []),
            ("{}", []),
        ]
    )
    func claims(claims: String, roles: [String]) throws {
        let policy = try Policy(yaml: Self.text)
        #expect(policy.roles(for: try #require(try JSONValue(parsing: claims).objectValue)) == roles)
    }

    @Test("Without a file, the claim roles names them, and who has none may read")
    func builtIn() {
        #expect(Policy.builtIn.roles(for: ["roles": ["operator", "x"]]) == ["operator"])
        #expect(Policy.builtIn.roles(for: [:]) == ["viewer"])
    }

    @Test(
        "A mistake is named with its line and key",
        arguments: [
            ("rolls: {}", "line 1, the policy.rolls"), ("roles: []", "roles: This is a mapping"),
            ("roles:\n  a:\n    allow: [jira:raed]", "line 3, roles.a.allow: There is no permission jira:raed"),
            ("roles:\n  a:\n    allow: [Jira]", "line 3, roles.a.allow: A permission is written"),
            ("roles:\n  a:\n    allow:\n      - jira_projects: [A]", "roles.a.allow: The rule needs permissions"),
            (
                "roles:\n  a:\n    allow:\n      - permissions: [\"*\"]\n        projects: [A]",
                "line 5, roles.a.allow.projects"
            ),
            ("roles:\n  a:\n    allow:\n      - permissions: [\"*\"]\n        jobs: []", "line 5, roles.a.allow.jobs"),
            (
                "roles:\n  a:\n    deny:\n      - permissions: [\"*\"]\n        document_labels: [x]",
                "Labels can't be denied"
            ),
            (
                "roles:\n  a:\n    allow:\n      - permissions: [\"*\"]\n        document_labels: [\"x*\"]",
                "whole names"
            ),
            ("roles:\n  a:\n    inherits: [b]", "There is no role b"),
            ("roles:\n  a:\n    inherits: [b]\n  b:\n    inherits: [a]", "inherits from itself"),
            ("claims:\n  - values: [a]", "line 2, claims: Each entry names a claim"),
            ("claims:\n  - claim: groups\n    roles: [nobody]", "There is no role nobody"),
            ("default_roles: [nobody]", "line 1, default_roles: There is no role nobody"),
            ("scopes: maybe", "line 1, scopes: It is required or ignored"),
            ("roles:\n  \"a b\": {}", "The name of a role"), ("", "The file is empty"), ("a: [", "This is not YAML"),
            ("roles: {}\nroles: {}", "This is not YAML"),
        ]
    )
    func mistakes(text: String, message: String) {
        let error = #expect(throws: PolicyError.self) { try Policy(yaml: text) }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test("A changed file counts from the next question on; a wrong one leaves the policy as it was")
    func reload() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "policy-\(UUID().uuidString).yaml").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        final class Time: Sendable { let now = Mutex(ContinuousClock.now) }
        let time = Time()
        try "default_roles: [viewer]".write(toFile: path, atomically: true, encoding: .utf8)
        let source = try PolicySource(path: path, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }) {
            time.now.withLock { $0 }
        }
        #expect(source.current().policy.defaultRoles == ["viewer"])
        try "default_roles: [operator, viewer]".write(toFile: path, atomically: true, encoding: .utf8)
        time.now.withLock { $0 += .seconds(1) }
        #expect(source.current().policy.defaultRoles == ["operator", "viewer"])
        try "default_roles: [nobody at all]".write(toFile: path, atomically: true, encoding: .utf8)
        time.now.withLock { $0 += .seconds(1) }
        #expect(source.current().policy.defaultRoles == ["operator", "viewer"])
        #expect(source.problem?.contains("nobody at all") == true)
        try FileManager.default.removeItem(atPath: path)
        time.now.withLock { $0 += .seconds(1) }
        #expect(source.current().policy.defaultRoles == ["operator", "viewer"])
        try "default_roles: []".write(toFile: path, atomically: true, encoding: .utf8)
        source.reload()
        #expect(source.current().policy.defaultRoles == [])
        #expect(source.problem == nil)
    }

    @Test(
        "Names with wildcards",
        arguments: [
            ("*", "", true), ("*", "a/b", true), ("a*c", "abc", true), ("a*c", "abcd", false),
            ("a*b*c", "aXbYbZc", true),
            ("?", "é", true), ("??", "é", false), ("a?c", "abc", true), ("", "", true), ("", "a", false),
            ("ENG", "eng", false),
            ("*-prod", "a-prod", true), ("a**b", "ab", true), ("*a", "aaaaaaaaaaab", false),
        ]
    )
    func patterns(pattern: String, name: String, fits: Bool) {
        #expect(NamePattern(pattern).matches(name) == fits)
    }

    @Test(
        "Permissions with wildcards",
        arguments: [
            ("*", "jira:read", true), ("jira:*", "jira:read", true), ("*:read", "jira:read", true),
            ("jira:read", "jira:write", false), ("*:read", "jira:readall", false), ("jira:*", "jirax:read", false),
        ]
    )
    func permissions(pattern: String, permission: String, fits: Bool) throws {
        #expect(try #require(PermissionPattern(pattern)).matches(Permission(stringLiteral: permission)) == fits)
    }

    @Test(
        "What is no permission is none",
        arguments: ["", "jira", "jira:", ":read", "jira:read:x", "Jira:read", "j*:read"]
    )
    func noPermissions(text: String) {
        #expect(PermissionPattern(text) == nil)
    }

    @Test("An explanation names the rules and the verdict")
    func explanation() throws {
        let snapshot = PolicySource.Snapshot(try Policy(yaml: Self.text))
        let lines = snapshot.explain(
            AccessRequest(
                principal: Principal(id: "user:ada", roles: ["team"], scopes: ["jira:read"]),
                permission: "jira:write",
                effect: .write(idempotent: false),
                tool: "jira.create_issue",
                targets: [AccessTarget(.jiraProject, "OPSECRET")]
            ),
            readOnly: false
        )
        let text = lines.joined(separator: "\n")
        for part in [
            "the tool jira.create_issue", "Roles: team.", "Inherited: viewer.", "(line 5)", "(line 11)", "out of reach",
            "does not cover jira:write", "Refused.",
        ] { #expect(text.contains(part), "\(part) in \(text)") }
    }
}

@Suite("The metadata of the protected resource")
struct ProtectedResourceTests {
    let resource = ProtectedResource(
        identifier: "https://Gantry.Example/mcp/",
        issuers: ["https://issuer.example"],
        scopes: ["jira:read", "jira:write"]
    )

    @Test("It says where tokens come from and what they can be issued for")
    func metadata() {
        #expect(
            self.resource.metadata == [
                "resource": "https://gantry.example/mcp", "authorization_servers": ["https://issuer.example"],
                "scopes_supported": ["jira:read", "jira:write"], "bearer_methods_supported": ["header"],
                "resource_name": "Gantry",
            ]
        )
        #expect(self.resource.metadataURL == "https://gantry.example/.well-known/oauth-protected-resource/mcp")
    }

    @Test("Challenges say what is wrong, in characters that a header can hold")
    func challenges() {
        let metadata = #"resource_metadata="https://gantry.example/.well-known/oauth-protected-resource/mcp""#
        #expect(
            self.resource.challenge(AuthenticationError(.missing, "x")) == #"Bearer \#(metadata), scope="jira:read""#
        )
        #expect(
            self.resource.challenge(AuthenticationError(.invalidToken, "a \"b\"\nc\\")).hasSuffix(
                #"error="invalid_token", error_description="a bc""#
            )
        )
        #expect(
            self.resource.challenge(missing: ["a:read", "b:write"]).hasPrefix(
                #"Bearer error="insufficient_scope", scope="a:read b:write", \#(metadata)"#
            )
        )
    }
}
