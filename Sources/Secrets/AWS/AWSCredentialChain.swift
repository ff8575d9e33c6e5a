import Foundation
import JSON
import Upstream

/// Credentials for AWS, from the first place that has some: environment variables, a token of a web identity (IRSA),
/// the container's endpoint (ECS, EKS Pod Identity), the metadata of the machine (version 2).
///
/// They are kept until five minutes before they end. Files such as `~/.aws/credentials` are not read.
///
/// Specification: "Standardized credential providers" of the AWS SDKs and Tools reference guide.
actor AWSCredentialChain {
    /// How long before their end credentials are renewed.
    private static let margin = 300.0
    /// How long one request for credentials may take.
    static let timeout = Duration.seconds(5)
    /// The same for the machine's metadata, which is near or not there.
    static let metadataTimeout = Duration.seconds(2)
    private static let maximumBodyBytes = 256 << 10
    private static let maximumTokenBytes = 64 << 10

    private let environment: [String: String]
    private let region: String
    private let securityTokenService: String
    private let upstream: any HTTPUpstream
    private let now: @Sendable () -> Date
    private var known: AWSCredentials?
    private var fetch: Task<Result<AWSCredentials, SecretError>, Never>?

    /// - Parameters:
    ///   - environment: The environment, by the names that all SDKs of AWS use.
    ///   - region: Where to ask for credentials of a web identity.
    ///   - securityTokenService: The address of the security token service.
    ///   - upstream: What sends requests.
    ///   - now: The time.
    init(
        environment: [String: String],
        region: String,
        securityTokenService: String,
        upstream: any HTTPUpstream,
        now: @escaping @Sendable () -> Date
    ) {
        self.environment = environment
        self.region = region
        self.securityTokenService = securityTokenService
        self.upstream = upstream
        self.now = now
    }

    /// Credentials that are good for a while.
    func credentials() async throws(SecretError) -> AWSCredentials {
        if let known, known.expiry.map({ $0.timeIntervalSince(self.now()) > Self.margin }) ?? true { return known }
        // One fetch for all that wait. It ends by itself: every request has a limit of time.
        let fetch = self.fetch ?? Task { await self.load() }
        self.fetch = fetch
        let result = await fetch.value
        self.fetch = nil
        switch result {
        case .success(let credentials):
            self.known = credentials
            return credentials
        case .failure(let error):
            // What is about to end is good until it has ended.
            if error.isPassing, let known, let expiry = known.expiry, expiry > self.now() { return known }
            throw error
        }
    }

    /// Forgets credentials that were refused.
    func discard(_ refused: AWSCredentials) {
        if self.known == refused { self.known = nil }
    }

    private func load() async -> Result<AWSCredentials, SecretError> {
        do throws(SecretError) {
            if let credentials = try self.fromEnvironment() { return .success(credentials) }
            if let credentials = try await self.fromWebIdentity() { return .success(credentials) }
            if let credentials = try await self.fromContainer() { return .success(credentials) }
            return .success(try await self.fromMachine())
        } catch { return .failure(error) }
    }

    private func variable(_ name: String) -> String? {
        self.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    // MARK: Places

    private func fromEnvironment() throws(SecretError) -> AWSCredentials? {
        let (accessKey, secretKey) = (self.variable("AWS_ACCESS_KEY_ID"), self.variable("AWS_SECRET_ACCESS_KEY"))
        guard accessKey != nil || secretKey != nil else { return nil }
        guard let accessKey, let secretKey else {
            throw SecretError(
                .misconfigured,
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY go together; one of them is not set."
            )
        }
        return AWSCredentials(
            accessKey: accessKey,
            secretKey: secretKey,
            sessionToken: self.variable("AWS_SESSION_TOKEN")
        )
    }

    private func fromWebIdentity() async throws(SecretError) -> AWSCredentials? {
        guard let path = self.variable("AWS_WEB_IDENTITY_TOKEN_FILE") else { return nil }
        guard let role = self.variable("AWS_ROLE_ARN") else {
            throw SecretError(.misconfigured, "AWS_WEB_IDENTITY_TOKEN_FILE is set; set AWS_ROLE_ARN too.")
        }
        let parameters = [
            ("Action", "AssumeRoleWithWebIdentity"), ("Version", "2011-06-15"), ("RoleArn", role),
            ("RoleSessionName", self.variable("AWS_ROLE_SESSION_NAME") ?? "gantry"),
            // Kubernetes renews the file, so it is read each time.
            ("WebIdentityToken", try Self.token(in: path, "AWS_WEB_IDENTITY_TOKEN_FILE")),
        ]
        let form = parameters.map { "\($0)=\(AWSSigner.encoded($1))" }.joined(separator: "&")
        let response = try await self.send(
            "POST",
            self.securityTokenService,
            [("Content-Type", "application/x-www-form-urlencoded")],
            body: Array(form.utf8),
            "the security token service"
        )
        let text = String(decoding: response.body, as: UTF8.self)
        guard response.status == 200 else {
            throw Self.refusal(response.status, Self.element("Code", in: text), "the security token service")
        }
        return try Self.credentials(
            accessKey: Self.element("AccessKeyId", in: text),
            secretKey: Self.element("SecretAccessKey", in: text),
            token: Self.element("SessionToken", in: text),
            expiry: Self.element("Expiration", in: text),
            "the security token service"
        )
    }

    private func fromContainer() async throws(SecretError) -> AWSCredentials? {
        let address: String
        if let path = self.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
            address = "http://169.254.170.2\(path)"
        } else if let whole = self.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
            address = whole
        } else {
            return nil
        }
        guard AWSAddress.isSafe(address, andAlso: ["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"]) else {
            throw SecretError(
                .misconfigured,
                "AWS_CONTAINER_CREDENTIALS_FULL_URI: credentials come over https, or from this machine or its container host."
            )
        }
        var headers = [(name: "Accept", value: "application/json")]
        if let path = self.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
            headers.append(("Authorization", try Self.token(in: path, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")))
        } else if let token = self.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN") {
            headers.append(("Authorization", token))
        }
        let response = try await self.send("GET", address, headers, "the container's endpoint for credentials")
        return try Self.credentials(in: response, "the container's endpoint for credentials")
    }

    private func fromMachine() async throws(SecretError) -> AWSCredentials {
        let none = """
            There are no credentials for AWS: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the pod, task or \
            machine a role.
            """
        guard self.variable("AWS_EC2_METADATA_DISABLED")?.lowercased() != "true" else {
            throw SecretError(.misconfigured, none)
        }
        let service = self.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT") ?? "http://169.254.169.254"
        guard AWSAddress.isSafe(service, andAlso: ["169.254.169.254", "[fd00:ec2::254]"]) else {
            throw SecretError(
                .misconfigured,
                "AWS_EC2_METADATA_SERVICE_ENDPOINT: the metadata come from this machine or its link-local address."
            )
        }
        let base = service.hasSuffix("/") ? String(service.dropLast()) : service
        let place = "the machine's metadata"
        let session: UpstreamResponse
        do {
            session = try await self.send(
                "PUT",
                "\(base)/latest/api/token",
                [("X-aws-ec2-metadata-token-ttl-seconds", "21600")],
                timeout: Self.metadataTimeout,
                place
            )
        } catch {
            throw SecretError(.misconfigured, none, cause: error)
        }
        guard session.status == 200 else { throw Self.refusal(session.status, nil, place) }
        let headers = [(name: "X-aws-ec2-metadata-token", value: String(decoding: session.body, as: UTF8.self))]
        let path = "\(base)/latest/meta-data/iam/security-credentials/"
        let names = try await self.send("GET", path, headers, timeout: Self.metadataTimeout, place)
        guard names.status == 200,
            let role = String(decoding: names.body, as: UTF8.self).split(whereSeparator: \.isNewline).first
        else { throw SecretError(.misconfigured, "The machine has no role: give its instance profile one.") }
        let response = try await self.send(
            "GET",
            path + AWSSigner.encoded(String(role)),
            headers,
            timeout: Self.metadataTimeout,
            place
        )
        return try Self.credentials(in: response, place)
    }

    // MARK: Requests and answers

    private func send(
        _ method: String,
        _ url: String,
        _ headers: [(name: String, value: String)],
        body: [UInt8]? = nil,
        timeout: Duration = timeout,
        _ place: String
    ) async throws(SecretError) -> UpstreamResponse {
        let request = UpstreamRequest(
            method: method,
            url: url,
            headers: headers,
            body: body,
            deadline: .now + timeout,
            maximumBodyBytes: Self.maximumBodyBytes
        )
        do {
            let response = try await self.upstream.send(request)
            guard response.status < 500, response.status != 429 else {
                throw SecretError(.unavailable, "Credentials: \(place) answered with status \(response.status).")
            }
            return response
        } catch let error as SecretError {
            throw error
        } catch {
            throw SecretError(.unavailable, "Credentials: \(place) can't be reached.", cause: error)
        }
    }

    private static func refusal(_ status: Int, _ code: String?, _ place: String) -> SecretError {
        SecretError(
            .denied,
            "Credentials: \(place) refuses (\(code.map { String($0.prefix(100)) } ?? "status \(status)"))."
        )
    }

    private static func credentials(
        in response: UpstreamResponse,
        _ place: String
    ) throws(SecretError) -> AWSCredentials {
        let json = response.json
        guard response.status == 200 else {
            throw Self.refusal(response.status, json?["code"]?.stringValue ?? json?["Code"]?.stringValue, place)
        }
        return try Self.credentials(
            accessKey: json?["AccessKeyId"]?.stringValue,
            secretKey: json?["SecretAccessKey"]?.stringValue,
            token: json?["Token"]?.stringValue,
            expiry: json?["Expiration"]?.stringValue,
            place
        )
    }

    private static func credentials(
        accessKey: String?,
        secretKey: String?,
        token: String?,
        expiry: String?,
        _ place: String
    ) throws(SecretError) -> AWSCredentials {
        guard let accessKey, let secretKey, accessKey.isEmpty == false, secretKey.isEmpty == false else {
            throw SecretError(.unavailable, "Credentials: \(place) answered without any.")
        }
        var end: Date?
        if let expiry {
            guard let date = Self.date(expiry) else {
                throw SecretError(.unavailable, "Credentials: \(place) says no time when they end.")
            }
            end = date
        }
        return AWSCredentials(accessKey: accessKey, secretKey: secretKey, sessionToken: token, expiry: end)
    }

    private static func date(_ text: String) -> Date? {
        (try? Date(text, strategy: .iso8601))
            ?? (try? Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
    }

    /// The text of an element of XML that has no markup in it, as names and keys haven't.
    private static func element(_ name: String, in text: String) -> String? {
        guard let start = text.firstRange(of: "<\(name)>")?.upperBound,
            let end = text[start...].firstRange(of: "</\(name)>")?.lowerBound
        else { return nil }
        return String(text[start..<end])
    }

    private static func token(in path: String, _ variable: String) throws(SecretError) -> String {
        guard let data = FileManager.default.contents(atPath: path), data.count <= Self.maximumTokenBytes,
            let text = String(validating: data, as: UTF8.self)
        else { throw SecretError(.misconfigured, "\(variable): the file can't be read, or is no token.") }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
