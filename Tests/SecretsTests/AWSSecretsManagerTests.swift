import Foundation
import Synchronization
import Testing
import Upstream

@testable import Secrets

@Suite("AWS Secrets Manager")
struct AWSSecretsManagerTests {
    private static let environment = ["AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "key"]

    private func manager(
        _ upstream: ScriptedUpstream,
        environment: [String: String] = environment,
        pauses: Pauses = Pauses(),
        now: @escaping @Sendable () -> Date = { Date(timeIntervalSince1970: 1_800_000_000) }
    ) throws -> AWSSecretsManager {
        AWSSecretsManager(
            configuration: try .init(region: "eu-central-1"),
            environment: environment,
            upstream: upstream,
            now: now,
            sleep: { pauses.add($0) },
            jitter: { 1 }
        )
    }

    final class Pauses: Sendable {
        private let list = Mutex<[Duration]>([])
        func add(_ pause: Duration) { self.list.withLock { $0.append(pause) } }
        var all: [Duration] { self.list.withLock { $0 } }
    }

    @Test("A secret is asked for by name, signed, at the region's own address")
    func get() async throws {
        let upstream = ScriptedUpstream { _, _ in UpstreamResponse(200, #"{"SecretString":"{\"token\":\"t\"}"}"#) }
        #expect(try await self.manager(upstream).text(of: "prod/jira") == #"{"token":"t"}"#)
        let request = try #require(upstream.requests.first)
        #expect(request.url == "https://secretsmanager.eu-central-1.amazonaws.com/")
        #expect(request.text == #"{"SecretId":"prod/jira"}"#)
        #expect(request.header("X-Amz-Target") == "secretsmanager.GetSecretValue")
        #expect(request.header("Authorization")?.contains("/eu-central-1/secretsmanager/aws4_request") == true)
        #expect(request.header("Host") == nil)
    }

    @Test("Binary secrets are texts, or refused")
    func binary() async throws {
        let text = ScriptedUpstream { _, _ in UpstreamResponse(200, #"{"SecretBinary":"aGVsbG8="}"#) }
        #expect(try await self.manager(text).text(of: "x") == "hello")
        let bytes = ScriptedUpstream { _, _ in UpstreamResponse(200, #"{"SecretBinary":"//8="}"#) }
        await #expect(throws: SecretError.self) { try await self.manager(bytes).text(of: "x") }
    }

    @Test(
        "What AWS refuses has a code of its own",
        arguments: [
            (400, #"{"__type":"ResourceNotFoundException"}"#, SecretError.Code.notFound),
            (400, #"{"__type":"AccessDeniedException","Message":"arn:aws:iam::1:role/x"}"#, .denied),
            (400, #"{"__type":"com.amazonaws.secretsmanager#UnrecognizedClientException"}"#, .denied),
            (403, #"{"__type":"InvalidSignatureException"}"#, .denied), (403, "<html>", .denied),
            (400, #"{"__type":"DecryptionFailure"}"#, .denied),
            (400, #"{"__type":"InvalidRequestException"}"#, .invalidReference),
        ] as [(Int, String, SecretError.Code)]
    )
    func refusals(status: Int, body: String, code: SecretError.Code) async throws {
        let pauses = Pauses()
        let upstream = ScriptedUpstream { _, _ in UpstreamResponse(status, body) }
        let error = await #expect(throws: SecretError.self) {
            try await self.manager(upstream, pauses: pauses).text(of: "x")
        }
        #expect(error?.code == code)
        #expect(error?.message.contains("arn:") == false)
        #expect(upstream.requests.count == 1 && pauses.all.isEmpty)
    }

    @Test(
        "What may work later is tried again with growing pauses, and not for ever",
        arguments: [
            (400, #"{"__type":"ThrottlingException"}"#, SecretError.Code.throttled), (429, "", .throttled),
            (500, #"{"__type":"InternalServiceError"}"#, .unavailable), (503, "", .unavailable),
        ] as [(Int, String, SecretError.Code)]
    )
    func retries(status: Int, body: String, code: SecretError.Code) async throws {
        let pauses = Pauses()
        let upstream = ScriptedUpstream { _, _ in UpstreamResponse(status, body) }
        let error = await #expect(throws: SecretError.self) {
            try await self.manager(upstream, pauses: pauses).text(of: "x")
        }
        #expect(error?.code == code)
        #expect(upstream.requests.count == 4)
        #expect(pauses.all == [.milliseconds(200), .milliseconds(400), .milliseconds(800)])
        let better = ScriptedUpstream { _, number in
            number < 3 ? UpstreamResponse(status, body) : UpstreamResponse(200, #"{"SecretString":"s"}"#)
        }
        #expect(try await self.manager(better).text(of: "x") == "s")
    }

    @Test("Credentials that have ended are fetched anew, once")
    func ended() async throws {
        let environment = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/creds"]
        let upstream = ScriptedUpstream { request, number in
            if request.url.hasSuffix("/creds") {
                return UpstreamResponse(200, #"{"AccessKeyId":"A\#(number)","SecretAccessKey":"s","Token":"t"}"#)
            }
            return request.header("Authorization")?.contains("Credential=A1/") == true
                ? UpstreamResponse(400, #"{"__type":"ExpiredTokenException"}"#)
                : UpstreamResponse(200, #"{"SecretString":"s"}"#)
        }
        #expect(try await self.manager(upstream, environment: environment).text(of: "x") == "s")
        let never = ScriptedUpstream { request, _ in
            request.url.hasSuffix("/creds")
                ? UpstreamResponse(200, #"{"AccessKeyId":"A","SecretAccessKey":"s"}"#)
                : UpstreamResponse(400, #"{"__type":"ExpiredTokenException"}"#)
        }
        let error = await #expect(throws: SecretError.self) {
            try await self.manager(never, environment: environment).text(of: "x")
        }
        #expect(error?.code == .denied)
        #expect(never.requests.count == 4)
    }

    @Test(
        "Secrets don't travel unencrypted",
        arguments: [
            ("http://secrets.example", false), ("https://secrets.example", true), ("http://127.0.0.1:5000", true),
            ("http://localhost:5000", true), ("http://[::1]:5000", true), ("http://127.0.0.1.example", false),
            ("ftp://x", false), ("https://user:p@x", false), ("x", false), ("http://169.254.169.254", false),
        ]
    )
    func endpoints(address: String, isAccepted: Bool) {
        #expect(((try? AWSSecretsManager.Configuration(region: "eu-west-1", endpoint: address)) != nil) == isAccepted)
        #expect((try? AWSSecretsManager.Configuration(region: "eu-west-1/", endpoint: nil)) == nil)
    }
}

@Suite("Credentials for AWS")
struct AWSCredentialChainTests {
    private static let now = Date(timeIntervalSince1970: 1_800_000_000)
    private static let later = "2027-01-15T12:00:00Z"

    private func chain(
        _ environment: [String: String],
        _ upstream: ScriptedUpstream,
        now: @escaping @Sendable () -> Date = { Self.now }
    ) -> AWSCredentialChain {
        AWSCredentialChain(
            environment: environment,
            region: "eu-west-1",
            securityTokenService: "https://sts.example",
            upstream: upstream,
            now: now
        )
    }

    private let silent = ScriptedUpstream { _, _ in throw UpstreamError(.connectionFailed, "no") }

    @Test("From the environment, before all others")
    func environment() async throws {
        let variables = [
            "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x",
        ]
        let found = try await self.chain(variables, self.silent).credentials()
        #expect(found == AWSCredentials(accessKey: "a", secretKey: "s", sessionToken: "t"))
        #expect(self.silent.requests.isEmpty)
        let error = await #expect(throws: SecretError.self) {
            try await self.chain(["AWS_ACCESS_KEY_ID": "a"], self.silent).credentials()
        }
        #expect(error?.code == .misconfigured)
    }

    @Test("From a web identity: the token is read from its file and exchanged, not signed")
    func webIdentity() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "identity-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("header.body+/=\n".utf8).write(to: file)
        let upstream = ScriptedUpstream { _, _ in
            UpstreamResponse(
                200,
                """
                <AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
                <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIA</AccessKeyId>
                <SecretAccessKey>sec/ret+</SecretAccessKey><SessionToken>tok==</SessionToken>
                <Expiration>2027-01-15T12:00:00.000Z</Expiration></Credentials>
                </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>
                """
            )
        }
        let variables = ["AWS_WEB_IDENTITY_TOKEN_FILE": file.path, "AWS_ROLE_ARN": "arn:aws:iam::1:role/gantry"]
        let found = try await self.chain(variables, upstream).credentials()
        #expect(found.accessKey == "ASIA" && found.secretKey == "sec/ret+" && found.sessionToken == "tok==")
        #expect(found.expiry == Date(timeIntervalSince1970: 1_800_014_400))
        let request = try #require(upstream.requests.first)
        #expect(request.url == "https://sts.example")
        #expect(request.header("Authorization") == nil)
        #expect(
            request.text
                == "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fgantry"
                + "&RoleSessionName=gantry&WebIdentityToken=header.body%2B%2F%3D"
        )
        let refusing = ScriptedUpstream { _, _ in
            UpstreamResponse(403, "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>")
        }
        let error = await #expect(throws: SecretError.self) { try await self.chain(variables, refusing).credentials() }
        #expect(error?.code == .denied && error?.message.contains("AccessDenied") == true)
        let half = await #expect(throws: SecretError.self) {
            try await self.chain(["AWS_WEB_IDENTITY_TOKEN_FILE": file.path], upstream).credentials()
        }
        #expect(half?.code == .misconfigured)
    }

    @Test("From the container's endpoint, with its token; only from addresses that nobody else can answer at")
    func container() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "pod-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("pod-token".utf8).write(to: file)
        let upstream = ScriptedUpstream { _, _ in
            UpstreamResponse(
                200,
                #"{"AccessKeyId":"a","SecretAccessKey":"s","Token":"t","Expiration":"\#(Self.later)"}"#
            )
        }
        _ = try await self.chain(["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/x"], upstream).credentials()
        #expect(upstream.requests.last?.url == "http://169.254.170.2/v2/x")
        let pod = [
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": file.path,
        ]
        #expect(try await self.chain(pod, upstream).credentials().sessionToken == "t")
        #expect(upstream.requests.last?.header("Authorization") == "pod-token")
        let count = upstream.requests.count
        let error = await #expect(throws: SecretError.self) {
            try await self.chain(["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://evil.example/"], upstream).credentials()
        }
        #expect(error?.code == .misconfigured && upstream.requests.count == count)
    }

    @Test("From the machine's metadata, with a session of their second version")
    func machine() async throws {
        let upstream = ScriptedUpstream { request, _ in
            switch request.url {
            case "http://169.254.169.254/latest/api/token":
                return request.method == "PUT" && request.header("X-aws-ec2-metadata-token-ttl-seconds") == "21600"
                    ? UpstreamResponse(200, "session") : UpstreamResponse(400, "")
            case "http://169.254.169.254/latest/meta-data/iam/security-credentials/":
                return UpstreamResponse(request.header("X-aws-ec2-metadata-token") == "session" ? 200 : 401, "role\n")
            case "http://169.254.169.254/latest/meta-data/iam/security-credentials/role":
                return UpstreamResponse(
                    request.header("X-aws-ec2-metadata-token") == "session" ? 200 : 401,
                    #"{"Code":"Success","AccessKeyId":"a","SecretAccessKey":"s","Token":"t","Expiration":"\#(Self.later)"}"#
                )
            default: return UpstreamResponse(404, "")
            }
        }
        #expect(try await self.chain([:], upstream).credentials().accessKey == "a")
        let off = await #expect(throws: SecretError.self) {
            try await self.chain(["AWS_EC2_METADATA_DISABLED": "true"], upstream).credentials()
        }
        #expect(off?.code == .misconfigured)
        let none = await #expect(throws: SecretError.self) { try await self.chain([:], self.silent).credentials() }
        #expect(none?.message.contains("There are no credentials for AWS") == true)
    }

    @Test("They are fetched once for all that ask, kept, and renewed before they end")
    func renewal() async throws {
        let time = Mutex(Self.now)
        let upstream = ScriptedUpstream { _, number in
            let end = Self.now.addingTimeInterval(Double(number) * 3600)
            return UpstreamResponse(
                200,
                #"{"AccessKeyId":"a\#(number)","SecretAccessKey":"s","Expiration":"\#(end.ISO8601Format())"}"#
            )
        }
        let variables = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x"]
        let chain = self.chain(variables, upstream, now: { time.withLock { $0 } })
        let keys = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<20 { group.addTask { try await chain.credentials().accessKey } }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(keys == ["a1"] && upstream.requests.count == 1)
        time.withLock { $0 += 3600 - 301 }
        #expect(try await chain.credentials().accessKey == "a1")
        time.withLock { $0 += 2 }
        #expect(try await chain.credentials().accessKey == "a2")
    }
}
