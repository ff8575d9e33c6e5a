public import Foundation
import JSON
public import Upstream

/// Secrets of AWS Secrets Manager.
///
/// Specification: GetSecretValue in the Secrets Manager API reference; common errors there.
public struct AWSSecretsManager: Sendable {
    /// Where to ask, and for how long.
    public struct Configuration: Sendable {
        /// Such as `eu-central-1`.
        public var region: String
        /// The address of Secrets Manager; its own for the region without.
        public var endpoint: String?
        /// The address of the security token service; its own for the region without.
        public var securityTokenService: String?
        /// How often a request is sent in all, when the answer is that it may work later.
        public var maximumTries = 4
        /// The pause after the first try; it doubles each time.
        public var firstPause = Duration.milliseconds(200)
        /// How long one try may take.
        public var timeout = Duration.seconds(5)

        /// - Throws: ``SecretError`` with `misconfigured` if secrets would travel unencrypted, or the region is none.
        public init(
            region: String,
            endpoint: String? = nil,
            securityTokenService: String? = nil
        ) throws(SecretError) {
            let isRegion =
                (1...64).contains(region.utf8.count)
                && region.utf8.allSatisfy {
                    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "-")
                }
            guard isRegion else {
                throw SecretError(.misconfigured, "AWS_REGION is the name of a region, such as eu-central-1.")
            }
            for address in [endpoint, securityTokenService].compactMap({ $0 }) where AWSAddress.isSafe(address) == false
            {
                throw SecretError(
                    .misconfigured,
                    "AWS_ENDPOINT_URL: secrets travel over https, or on this machine only."
                )
            }
            self.region = region
            self.endpoint = endpoint
            self.securityTokenService = securityTokenService
        }

        /// Regions of China have a domain of their own.
        private var domain: String { self.region.hasPrefix("cn-") ? "amazonaws.com.cn" : "amazonaws.com" }
        var secretsManager: String { self.endpoint ?? "https://secretsmanager.\(self.region).\(self.domain)" }
        var tokenService: String { self.securityTokenService ?? "https://sts.\(self.region).\(self.domain)" }
    }

    /// A secret has 64 KiB at most; as JSON it may be six times as long.
    private static let maximumBodyBytes = 512 << 10
    private static let throttles: Set<String> = [
        "ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded",
        "LimitExceededException",
        "SlowDown",
    ]
    private static let denials: Set<String> = [
        "AccessDeniedException", "AccessDenied", "UnrecognizedClientException", "InvalidClientTokenId",
        "InvalidSignatureException", "SignatureDoesNotMatch", "MissingAuthenticationToken",
        "IncompleteSignature", "OptInRequired", "NotAuthorized",
    ]
    /// The credentials have ended, though they should not have by their own saying.
    private static let endings: Set<String> = ["ExpiredTokenException", "ExpiredToken", "RequestExpired"]

    private let configuration: Configuration
    private let signer: AWSSigner
    private let chain: AWSCredentialChain
    private let upstream: any HTTPUpstream
    private let now: @Sendable () -> Date
    private let sleep: @Sendable (Duration) async throws -> Void
    private let jitter: @Sendable () -> Double

    /// - Parameters:
    ///   - configuration: Where to ask.
    ///   - environment: Where credentials are looked for.
    ///   - upstream: What sends requests; it must not follow redirects.
    ///   - now: The time.
    ///   - sleep: Waits between two tries.
    ///   - jitter: A factor from 0.5 to 1 for the pauses, so that many processes don't come back at once.
    public init(
        configuration: Configuration,
        environment: [String: String],
        upstream: any HTTPUpstream,
        now: @escaping @Sendable () -> Date = { Date() },
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
        jitter: @escaping @Sendable () -> Double = { .random(in: 0.5...1) }
    ) {
        self.configuration = configuration
        self.signer = AWSSigner(region: configuration.region, service: "secretsmanager")
        self.chain = AWSCredentialChain(
            environment: environment,
            region: configuration.region,
            securityTokenService: configuration.tokenService,
            upstream: upstream,
            now: now
        )
        self.upstream = upstream
        self.now = now
        self.sleep = sleep
        self.jitter = jitter
    }

    /// The whole text of a secret, in its current version.
    ///
    /// - Parameter name: Its name or ARN.
    /// - Returns: The text: JSON if the secret has fields.
    /// - Throws: ``SecretError``; what may work later was tried ``Configuration/maximumTries`` times.
    public func text(of name: String) async throws(SecretError) -> String {
        var pause = self.configuration.firstPause
        var mayRenew = true
        var attempt = 1
        while true {
            let credentials = try await self.chain.credentials()
            do throws(SecretError) {
                return try await self.fetch(name, credentials)
            } catch {
                if error.code == .denied, error.cause is EndedCredentials, mayRenew {
                    mayRenew = false
                    await self.chain.discard(credentials)
                    continue
                }
                guard error.isPassing, attempt < self.configuration.maximumTries else { throw error }
                do { try await self.sleep(pause * self.jitter()) } catch let stopped {
                    throw SecretError(.unavailable, error.message, cause: stopped)
                }
                attempt += 1
                pause *= 2
            }
        }
    }

    private struct EndedCredentials: Error {}

    private func fetch(_ name: String, _ credentials: AWSCredentials) async throws(SecretError) -> String {
        let address = self.configuration.secretsManager
        guard let host = AWSAddress.host(address) else {
            throw SecretError(.misconfigured, "AWS_ENDPOINT_URL is no address.")
        }
        let body = JSONValue.object(["SecretId": .string(name)]).serialized()
        let headers = self.signer.headers(
            for: AWSSigner.Request(
                method: "POST",
                host: host,
                headers: [
                    ("Content-Type", "application/x-amz-json-1.1"), ("X-Amz-Target", "secretsmanager.GetSecretValue"),
                ],
                body: body
            ),
            credentials,
            at: self.now()
        )
        let response: UpstreamResponse
        do {
            response = try await self.upstream.send(
                UpstreamRequest(
                    method: "POST",
                    url: address.hasSuffix("/") ? address : "\(address)/",
                    headers: headers,
                    body: body,
                    deadline: .now + self.configuration.timeout,
                    maximumBodyBytes: Self.maximumBodyBytes
                )
            )
        } catch {
            throw SecretError(.unavailable, "AWS Secrets Manager can't be reached at \(host).", cause: error)
        }
        guard response.status == 200 else { throw Self.error(response, name) }
        return try Self.text(in: response, name)
    }

    private static func text(in response: UpstreamResponse, _ name: String) throws(SecretError) -> String {
        let json = response.json
        if let text = json?["SecretString"]?.stringValue { return text }
        guard let data = json?["SecretBinary"]?.stringValue.flatMap({ Data(base64Encoded: $0) }),
            let text = String(validating: data, as: UTF8.self)
        else { throw SecretError(.invalidValue, "AWS Secrets Manager: the secret \(name) is no text.") }
        return text
    }

    /// What a refusal means, by its code.
    ///
    /// Its text is left out: it may name accounts and roles.
    private static func error(_ response: UpstreamResponse, _ name: String) -> SecretError {
        let type = response.json?["__type"]?.stringValue ?? response.header("x-amzn-errortype") ?? ""
        // `namespace#Code`, and `Code:address` in the header.
        let code = String((type.split(separator: "#").last ?? "").prefix { $0 != ":" }.prefix(100))
        if Self.throttles.contains(code) || response.status == 429 {
            return SecretError(.throttled, "AWS Secrets Manager was asked too often for \(name).")
        }
        if code == "ResourceNotFoundException" {
            return SecretError(.notFound, "AWS Secrets Manager has no secret \(name) in this region.")
        }
        if Self.endings.contains(code) {
            return SecretError(
                .denied,
                "AWS Secrets Manager: the credentials have expired (\(code)).",
                cause: EndedCredentials()
            )
        }
        if Self.denials.contains(code) || response.status == 401 || response.status == 403 {
            return SecretError(
                .denied,
                """
                AWS Secrets Manager refuses to give \(name)\(code.isEmpty ? "" : " (\(code))"): the role needs \
                secretsmanager:GetSecretValue for it.
                """
            )
        }
        if code == "DecryptionFailure" {
            return SecretError(
                .denied,
                "AWS Secrets Manager can't decrypt \(name): the role needs kms:Decrypt for its key."
            )
        }
        if response.status >= 500 {
            return SecretError(
                .unavailable,
                "AWS Secrets Manager has a problem of its own (status \(response.status))."
            )
        }
        return SecretError(
            .invalidReference,
            "AWS Secrets Manager refuses the request for \(name) (\(code.isEmpty ? "status \(response.status)" : code))."
        )
    }
}
