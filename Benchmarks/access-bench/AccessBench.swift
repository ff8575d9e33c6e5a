import Access
import Audit
import Crypto
import CryptoExtras
import Foundation
import HTTPTypes
import Hummingbird
import JSON
import Logging
import MCP
import MCPHTTP
import MCPServer

/// What it costs to know who calls, whether they may, and to record it: CPU time, which holds on a busy machine, too.
///
/// `Scripts/bench-access` runs it. Without arguments it measures inside of the process; `serve bare PORT` and
/// `serve guarded PORT` are servers with one echo tool, and print what their clients have to send as `Authorization`.
@main
struct AccessBench {
    private struct Echo: Tool {
        static let name: ToolName = "echo"
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

    private static let audience = "http://127.0.0.1:8000/mcp"
    private static let issuer = "https://issuer.example"

    /// One key pair, and what signs with it.
    private struct Signer {
        var algorithm: String
        var publicKey: String
        var sign: ([UInt8]) throws -> [UInt8]

        func token() throws -> String {
            let now = Int(Date().timeIntervalSince1970)
            let header: JSONObject = ["alg": .string(self.algorithm), "typ": "at+jwt"]
            let claims: JSONObject = [
                "iss": .string(AccessBench.issuer), "sub": "ada", "aud": .string(AccessBench.audience),
                "iat": .integer(now), "exp": .integer(now + 3600), "roles": ["developer"], "scope": "*",
            ]
            let input = [header, claims].map { Base64.encode(JSONValue.object($0).serialized(), .url) }
                .joined(separator: ".")
            return "\(input).\(Base64.encode(try self.sign(Array(input.utf8)), .url))"
        }

        static func all() throws -> [Signer] {
            let rsa = try _RSA.Signing.PrivateKey(keySize: .bits2048)
            let ec = P256.Signing.PrivateKey()
            let ed = Curve25519.Signing.PrivateKey()
            // RFC 8410, section 4: the same twelve bytes before every key.
            let prefix: [UInt8] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00]
            let edPEM = Data(prefix + ed.publicKey.rawRepresentation).base64EncodedString()
            return [
                Signer(algorithm: "RS256", publicKey: rsa.publicKey.pemRepresentation) {
                    Array(try rsa.signature(for: SHA256.hash(data: $0), padding: .insecurePKCS1v1_5).rawRepresentation)
                },
                Signer(algorithm: "ES256", publicKey: ec.publicKey.pemRepresentation) {
                    Array(try ec.signature(for: $0).rawRepresentation)
                },
                Signer(
                    algorithm: "EdDSA",
                    publicKey: "-----BEGIN PUBLIC KEY-----\n\(edPEM)\n-----END PUBLIC KEY-----\n"
                ) { Array(try ed.signature(for: $0)) },
            ]
        }

        func verifier() throws -> TokenVerifier {
            TokenVerifier(
                expectations: .init(issuer: AccessBench.issuer, audiences: [AccessBench.audience]),
                keys: FixedKeySource(try KeySet(pem: self.publicKey))
            )
        }
    }

    /// A server as Gantry has it, in memory, and one without anything around the tool.
    private struct Parts {
        let authenticator: Authenticator
        let log: AuditLog
        let guarded: MCPServer
        let bare: MCPServer

        init(_ verifier: TokenVerifier, _ logger: Logger) throws {
            let policy = try PolicySource(path: nil, logger: logger)
            let store = InMemoryAuditStore(chain: AuditChain(key: [UInt8](repeating: 1, count: 32)))
            self.authenticator = Authenticator(tokens: verifier, apiKeys: nil, policy: policy)
            self.log = AuditLog(store: store, replica: "bench", retentionDays: nil, logger: logger)
            var options = MCPServer.Options()
            options.limits.principal = .init(
                rate: .init(burst: 1_000_000_000, perSecond: 1_000_000_000),
                concurrent: 1000,
                perDay: 1_000_000_000
            )
            self.guarded = MCPServer(
                name: "bench",
                version: "1",
                options: options,
                logger: logger,
                authorizer: PolicyAuthorizer(source: policy, readOnly: false),
                recorder: self.log
            ) { Echo() }
            self.bare = MCPServer(name: "bench", version: "1", logger: logger, recorder: Silent()) { Echo() }
        }
    }

    static func main() async throws {
        let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        let arguments = CommandLine.arguments.dropFirst()
        if arguments.first == "serve" {
            guard arguments.count == 3, let kind = arguments.dropFirst().first,
                let port = arguments.last.flatMap({ Int($0) })
            else { fatalError("usage: access-bench serve bare|guarded PORT") }
            try await self.serve(isGuarded: kind == "guarded", port, logger)
        } else {
            try await self.measure(logger)
        }
    }

    private static func serve(isGuarded: Bool, _ port: Int, _ logger: Logger) async throws {
        guard let signer = try Signer.all().dropFirst().first else { return }
        let parts = try Parts(try signer.verifier(), logger)
        guard isGuarded else {
            self.say("")
            return try await MCPHTTPServer(server: parts.bare, port: port, logger: logger).run()
        }
        self.say("Bearer \(try signer.token())")
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await parts.log.run() }
            group.addTask {
                try await MCPHTTPServer(server: parts.guarded, port: port, logger: logger) { request in
                    try await parts.authenticator.principal(
                        authorization: request.headers[values: .authorization],
                        hasTokenInQuery: request.hasTokenInAddress
                    )
                } authorize: { call, principal, _ in
                    precondition(parts.guarded.missingScopes(for: call, principal: principal).isEmpty)
                }.run()
            }
            try? await group.next()
            group.cancelAll()
        }
    }

    private static func say(_ line: String) {
        FileHandle.standardOutput.write(Data("\(line)\n".utf8))
    }

    private static func measure(_ logger: Logger) async throws {
        let count = 20_000
        for signer in try Signer.all() {
            let verifier = try signer.verifier()
            let token = try signer.token()
            let anew = try await self.time(count) { _ = try await verifier.verifyAnew(token) }
            let known = try await self.time(count) { _ = try await verifier.verify(token) }
            print(
                "\(signer.algorithm): verified anew \(self.shown(anew)), \(Int(1e6 / anew)) per second and core; the same token again \(self.shown(known))"
            )
        }
        guard let signer = try Signer.all().dropFirst().first else { return }
        let parts = try Parts(try signer.verifier(), logger)
        let authorization = ["Bearer \(try signer.token())"]
        for round in 1...3 {
            let without = try await self.time(count) {
                _ = try await parts.bare.callTool(self.invocation(.local))
            }
            let principal = try await parts.authenticator.principal(
                authorization: authorization,
                hasTokenInQuery: false
            )
            let token = try await self.time(count) {
                _ = try await parts.authenticator.principal(authorization: authorization, hasTokenInQuery: false)
            }
            let with = try await self.time(count) {
                _ = try await parts.guarded.callTool(self.invocation(principal))
            } and: {
                await parts.log.flush()
            }
            print(
                "round \(round), an echo call inside of the server: bare \(self.shown(without)), with policy, limit and audit \(self.shown(with)), and the token \(self.shown(token))"
            )
        }
    }

    private static func invocation(_ principal: Principal) -> ToolInvocation {
        ToolInvocation(
            tool: "echo",
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
