import Access
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import JSON
import Logging
import MCPServer
import NIOCore
import Testing

@testable import GantryServer

/// Every tool that there is, with every role, within and out of reach: what is listed and what is called agree.
@Suite("Who may call which tool", .timeLimit(.minutes(2)))
final class RBACMatrixTests: Sendable {
    private let directory = FileManager.default.temporaryDirectory.appending(path: "rbac-\(UUID().uuidString)").path
    /// What the test that runs is about.
    @TaskLocal private static var current: GantryServer.Application?
    private var application: GantryServer.Application {
        guard let current = Self.current else { preconditionFailure("The test doesn't run in withApplication.") }
        return current
    }

    /// Roles as they are built in, but for things with these names only.
    private static let policy = """
        roles:
          viewer:
            allow:
              - permissions: ["jira:read", "pipeline:read", "k8s:read", "knowledge:read", "db:read", "repo:read", "operation:read", "work:read"]
                jira_projects: [IN]
                repositories: ["in/*"]
                jobs: ["in/*"]
                document_labels: [in]
          developer:
            allow:
              - permissions: ["*:read", "jira:write", "k8s:write", "repo:write", "operation:write", "work:write", "knowledge:feedback"]
                jira_projects: [IN]
                repositories: ["in/*"]
                jobs: ["in/*"]
                document_labels: [in]
            deny: ["audit:read"]
          operator:
            allow:
              - permissions: ["*"]
                jira_projects: [IN]
                repositories: ["in/*"]
                jobs: ["in/*"]
                document_labels: [in]
            deny: ["audit:*"]
        """

    /// What each role may do, said in another way than the policy says it.
    private static func expects(_ role: String, _ permission: String, isWrite: Bool) -> Bool {
        let family = permission.prefix { $0 != ":" }
        switch role {
        case "viewer": return permission.hasSuffix(":read") && ["audit", "usage", "mcp"].contains(family) == false
        case "developer":
            if permission == "audit:read" { return false }
            if permission.hasSuffix(":read") { return true }
            if permission == "knowledge:feedback" { return true }
            return permission.hasSuffix(":write") && ["jira", "k8s", "repo", "operation", "work"].contains(family)
        case "operator": return family != "audit"
        case "auditor": return ["audit:read", "usage:read"].contains(permission)
        case "admin": return true
        default: return false
        }
    }

    private static let roles = ["viewer", "developer", "operator", "auditor", "admin"]

    /// Families whose tools reach things that a policy can limit, and a name within and out of reach for each kind.
    private static let names: [AccessTarget.Kind: (within: String, out: String)] = [
        .jiraProject: ("IN", "OUT"), .repository: ("in/a", "out/a"), .job: ("in/a", "out/a"),
        .documentLabel: ("in", "out"),
    ]

    init() throws {
        try FileManager.default.createDirectory(atPath: self.directory, withIntermediateDirectories: true)
        try Self.policy.write(toFile: "\(self.directory)/policy.yaml", atomically: true, encoding: .utf8)
    }

    deinit { try? FileManager.default.removeItem(atPath: self.directory) }

    /// A Jira in which there is nothing.
    private static var emptyJira: some ApplicationProtocol {
        let router = Router()
        @Sendable func answer(_ text: String) -> Response {
            Response(
                status: .ok,
                headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: text))
            )
        }
        router.on("/**", method: .get) { _, _ in answer("{}") }
        router.on("/**", method: .post) { _, _ in answer(#"{"issues":[],"isLast":true}"#) }
        router.on("/**", method: .put) { _, _ in Response(status: .noContent) }
        return Hummingbird.Application(
            router: router,
            logger: Logger(label: "jira") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    /// Runs a test with an application that is closed after it.
    private func withApplication(_ test: @escaping @Sendable () async throws -> Void) async throws {
        try await Self.emptyJira.test(.live) { jira in
            let application = try await self.makeApplication("http://127.0.0.1:\(try #require(jira.port))")
            do {
                try await Self.$current.withValue(application, operation: test)
            } catch {
                await application.close()
                throw error
            }
            await application.close()
        }
    }

    private func makeApplication(_ jira: String) async throws -> GantryServer.Application {
        let settings = try await Settings.load(environment: [
            "GANTRY_DATA_DIR": "\(self.directory)/data", "GANTRY_POLICY": "\(self.directory)/policy.yaml",
            "GANTRY_AUTH": "required", "JIRA_URL": jira, "JIRA_USER": "a", "JIRA_TOKEN": "b",
        ])
        return try GantryServer.Application(
            settings: settings,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    private func listed(_ principal: Principal) -> Set<String> {
        Set(self.application.server.tools(for: principal).arrayValue?.compactMap { $0["name"]?.stringValue } ?? [])
    }

    /// Whether a call gets past the policy, whatever becomes of it then.
    private func isLetIn(_ tool: String, _ arguments: JSONObject, _ principal: Principal) async -> Bool {
        do throws(ToolError) {
            _ = try await self.application.server.callTool(
                ToolInvocation(
                    tool: tool,
                    arguments: arguments,
                    requestID: "1",
                    transport: "test",
                    principal: principal
                )
            )
            return true
        } catch {
            return error.code != .forbidden
        }
    }

    private func request(_ tool: String, _ arguments: JSONObject?, _ principal: Principal) throws -> AccessRequest {
        try #require(
            try self.application.server.accessRequest(forTool: tool, arguments: arguments, principal: principal)
        )
    }

    @Test("Every tool asks for a permission that policies can name")
    func permissionsAreKnown() async throws {
        try await self.withApplication {
            for tool in self.listed(.local).sorted() {
                let permission = try self.request(tool, nil, .local).permission.rawValue
                #expect(
                    Policy.knownPermissions.contains(permission),
                    "\(tool) asks for \(permission), which is not in Policy.knownPermissions"
                )
            }
        }
    }

    @Test("Limits can be set for every tool, and for nothing else")
    func toolsAreKnown() async throws {
        try await self.withApplication {
            #expect(self.listed(.local) == Set(Settings.tools.map(\.rawValue)))
        }
    }

    @Test("A role lists a tool exactly if it may call it, with the scopes that cover it", arguments: roles)
    func roles(role: String) async throws {
        try await self.withApplication {
            let everything = self.listed(.local)
            #expect(everything.count >= 3)
            let principal = Principal(id: "user:x", roles: [role], scopes: ["*"])
            let listed = self.listed(principal)
            let without = Principal(id: "user:y", roles: [role], scopes: ["openid"])
            #expect(self.listed(without).isEmpty)
            for tool in everything.sorted() {
                let request = try self.request(tool, nil, principal)
                let isWrite = request.effect != .read
                let expected = Self.expects(role, request.permission.rawValue, isWrite: isWrite)
                #expect(listed.contains(tool) == expected, "\(role) \(tool)")
                // Without arguments nothing runs that has any: the question is whether the policy lets it in.
                if Self.samples[tool] == nil || expected == false {
                    #expect(await self.isLetIn(tool, [:], principal) == expected, "\(role) \(tool)")
                }
                #expect(await self.isLetIn(tool, [:], without) == false, "\(role) \(tool)")
            }
        }
    }

    /// Arguments for tools that name what they reach: the value takes the place of NAME.
    private static let samples: [String: (JSONObject, AccessTarget.Kind)] = [
        "jira.retrieve_backlog": (["project_key": "NAME"], .jiraProject),
        "jira.get_issue": (["issue_key": "NAME-1"], .jiraProject),
        "work.claim": (["name": "jira:NAME-1"], .jiraProject),
        "work.renew": (["name": "jira:NAME-1", "fencing_token": 1], .jiraProject),
        "work.release": (["name": "jira:NAME-1", "fencing_token": 1], .jiraProject),
        "work.handoff": (["name": "jira:NAME-1", "fencing_token": 1, "note": "a"], .jiraProject),
        "jira.create_issue": (["project_key": "NAME", "summary": "a", "issue_type": "Task"], .jiraProject),
    ]

    @Test("Within reach a call is let in, out of reach it is not", arguments: roles)
    func reach(role: String) async throws {
        try await self.withApplication {
            let principal = Principal(id: "user:x", roles: [role], scopes: ["*"])
            let listed = self.listed(principal)
            for tool in self.listed(.local).sorted() {
                let family = tool.prefix { $0 != "." }
                guard let (arguments, kind) = Self.samples[tool] else {
                    #expect(
                        ["jira", "pipeline", "repo", "work"].contains(family) == false || tool == "work.list",
                        "\(tool) needs a sample here, and targets"
                    )
                    continue
                }
                let names = try #require(Self.names[kind])
                for (name, isWithin) in [(names.within, true), (names.out, false)] {
                    let filled = JSONObject(
                        arguments.map { key, value in
                            (
                                key: key,
                                value: value.stringValue.map { .string($0.replacing("NAME", with: name)) } ?? value
                            )
                        }
                    )
                    let request = try self.request(tool, filled, principal)
                    #expect(
                        request.targets?.contains(AccessTarget(kind, name)) == true,
                        "\(tool) names what it reaches"
                    )
                    let expected = listed.contains(tool) && (isWithin || role == "admin")
                    #expect(
                        self.application.access.authorizer.decide(request).isAllowed == expected,
                        "\(role) \(tool) \(name)"
                    )
                    #expect(await self.isLetIn(tool, filled, principal) == expected, "\(role) \(tool) \(name)")
                }
            }
        }
    }

    @Test("Labels that a role is limited to reach the handler", arguments: roles)
    func labels(role: String) async throws {
        try await self.withApplication {
            let principal = Principal(id: "user:x", roles: [role], scopes: ["*"])
            let question = AccessRequest(principal: principal, permission: "knowledge:read")
            guard case .allowed(let reach) = self.application.access.authorizer.decide(question) else {
                #expect(role == "auditor")
                return
            }
            #expect(reach.names(of: .documentLabel) == (role == "admin" ? nil : ["in"]))
        }
    }
}
