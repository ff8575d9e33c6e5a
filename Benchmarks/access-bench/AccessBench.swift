import Access
import Audit
import Foundation
import JSON
import Logging
import MCPServer

/// What it costs to know who calls, whether they may, and to record it: CPU time, which holds on a busy machine, too.
///
/// ```sh
/// swift build -c release --product access-bench && .build/release/access-bench
/// ```
@main
struct AccessBench {
    private struct Echo: Tool {
        static let name: ToolName = "test.echo"
        static let description = "Answers with its text."
        static let effect = Effect.read
        static let permission: Permission = "knowledge:read"

        struct Arguments: ToolArguments {
            @Param("The text") var text: String
        }

        func call(_ arguments: Arguments, _ context: ToolContext) async throws -> String { arguments.text }
    }

    private struct Silent: CallRecorder {
        func record(_ record: CallRecord) {}
    }

    static func main() async throws {
        let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        let directory = FileManager.default.temporaryDirectory.appending(path: "access-bench-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let issuer = try DevelopmentIssuer(directory: directory)
        let audience = "http://127.0.0.1:8000/mcp"
        let expectations = TokenVerifier.Expectations(issuer: DevelopmentIssuer.issuer, audiences: [audience])
        let keys = FixedKeySource(try KeySet(pem: issuer.publicKey))
        let request = DevelopmentIssuer.Request(
            subject: "ada",
            roles: ["developer"],
            scopes: ["*"],
            audience: audience,
            lifetime: 3600
        )
        let token = try issuer.token(request)

        let count = 20_000
        let verifier = TokenVerifier(expectations: expectations, keys: keys)
        let anew = try await self.time(count) { _ = try await verifier.verifyAnew(token) }
        print("ES256, verified anew: \(self.shown(anew)), \(Int(1e6 / anew)) per second and core")
        let known = try await self.time(count) { _ = try await verifier.verify(token) }
        print("the same token again: \(self.shown(known))")

        let policy = try PolicySource(path: nil, logger: logger)
        let authenticator = Authenticator(tokens: verifier, apiKeys: nil, policy: policy)
        let store = InMemoryAuditStore(chain: AuditChain(key: [UInt8](repeating: 1, count: 32)))
        let log = AuditLog(store: store, replica: "bench", retentionDays: nil, logger: logger)
        let bare = MCPServer(name: "bench", version: "1", logger: logger, recorder: Silent()) { Echo() }
        let guarded = MCPServer(
            name: "bench",
            version: "1",
            logger: logger,
            authorizer: PolicyAuthorizer(source: policy, readOnly: false),
            recorder: log
        ) { Echo() }
        let authorization = ["Bearer \(token)"]
        for round in 1...3 {
            let without = try await self.time(count) {
                _ = try await bare.callTool(self.invocation(.local))
            }
            let with = try await self.time(count) {
                let principal = try await authenticator.principal(authorization: authorization, hasTokenInQuery: false)
                _ = try await guarded.callTool(self.invocation(principal))
            } and: {
                await log.flush()
            }
            print(
                "round \(round), an echo call inside of the server: bare \(self.shown(without)), with token, policy and audit \(self.shown(with))"
            )
        }
    }

    private static func invocation(_ principal: Principal) -> ToolInvocation {
        ToolInvocation(
            tool: "test.echo",
            arguments: ["text": "hello"],
            requestID: "1",
            transport: "bench",
            principal: principal
        )
    }

    private static func shown(_ microseconds: Double) -> String { String(format: "%.2f us", microseconds) }

    /// CPU time of the process for one operation, in microseconds.
    private nonisolated(nonsending) static func time(
        _ count: Int,
        _ operation: () async throws -> Void,
        and finish: () async -> Void = {}
    ) async throws -> Double {
        for _ in 0..<(count / 10) { try await operation() }
        await finish()
        let start = self.cpuTime()
        for index in 0..<count {
            try await operation()
            if index % 500 == 499 { await finish() }
        }
        await finish()
        return (self.cpuTime() - start) / Double(count) * 1e6
    }

    private static func cpuTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
