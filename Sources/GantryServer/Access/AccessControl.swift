public import Access
import AccessPostgres
import Logging
import MCPServer
import Postgres
import Upstream

/// Who may do what, built from the settings.
public struct AccessControl: Sendable {
    /// How large a document of keys may be, and how long it may take.
    private static let keySetTimeout = Duration.seconds(5)

    let policy: PolicySource
    public let authorizer: PolicyAuthorizer
    /// What finds out who sends a request over HTTP; nothing in local mode, where nobody is asked.
    let authenticator: Authenticator?
    /// The authorization servers that clients are sent to.
    let issuers: [String]
    /// The canonical address of the server, for which tokens are issued.
    let resourceIdentifier: String
    private let publishedKeys: RemoteKeySource?
    /// What fetches keys, apart from what tools fetch: it is made last, because it has to be closed.
    private let upstream: AsyncHTTPUpstream?

    /// Where keys and what is known of API keys are kept.
    public static func directory(_ settings: Settings) -> String { "\(settings.dataDirectory)/access" }

    /// The API keys: in PostgreSQL if there is one, else in the data directory.
    static func apiKeys(_ settings: Settings, _ database: PostgresPool?, _ logger: Logger) -> any APIKeyStore {
        guard let database else { return APIKeyFile(directory: self.directory(settings)) }
        return PostgresAPIKeyStore(pool: database, logger: logger)
    }

    /// Lends the API keys to a body, for commands that need nothing else.
    public static func withAPIKeys<Result>(
        _ settings: Settings,
        _ body: (any APIKeyStore) async throws -> Result
    ) async throws -> Result {
        // What goes wrong is thrown; the rest is not worth a line.
        let logger = Logger(label: "gantry") { _ in SwiftLogNoOpLogHandler() }
        let database = try Application.database(settings, logger: logger)
        let result: Swift.Result<Result, any Error>
        do {
            result = .success(try await body(self.apiKeys(settings, database, logger)))
        } catch { result = .failure(error) }
        await database?.close()
        return try result.get()
    }

    /// - Throws: ``StartError`` if the policy or the development key can't be used.
    init(settings: Settings, database: PostgresPool?, logger: Logger) throws(StartError) {
        do {
            self.policy = try PolicySource(path: settings.policyFile, logger: logger)
        } catch {
            throw StartError("GANTRY_POLICY: \(error)")
        }
        self.authorizer = PolicyAuthorizer(source: self.policy, readOnly: settings.isReadOnly)
        let ownAddress = "\(settings.publicURL)/mcp"
        guard settings.isAuthenticationRequired else {
            self.authenticator = nil
            self.issuers = []
            self.resourceIdentifier = ownAddress
            self.publishedKeys = nil
            self.upstream = nil
            return
        }
        let directory = Self.directory(settings)
        var published: RemoteKeySource?
        var upstream: AsyncHTTPUpstream?
        let verifier: TokenVerifier
        if let issuer = settings.issuer {
            let keys: any KeySource
            switch issuer.keys {
            case .fixed(let set): keys = FixedKeySource(set)
            case .published(let url):
                let client = AsyncHTTPUpstream()
                let source = Self.keySource(url, client, logger)
                upstream = client
                published = source
                keys = source
            }
            verifier = TokenVerifier(
                expectations: .init(issuer: issuer.name, audiences: issuer.audiences),
                keys: keys
            )
            self.issuers = [issuer.name]
            // Clients ask for a token for the address that they are told, so it has to be an audience that counts.
            self.resourceIdentifier =
                issuer.audiences.first { $0.contains("://") && $0.hasPrefix("http") } ?? ownAddress
        } else {
            do {
                let development = try DevelopmentIssuer(directory: directory)
                verifier = TokenVerifier(
                    expectations: .init(issuer: DevelopmentIssuer.issuer, audiences: [ownAddress]),
                    keys: development.keySource
                )
            } catch {
                throw StartError("\(error)")
            }
            self.issuers = []
            self.resourceIdentifier = ownAddress
        }
        self.publishedKeys = published
        self.upstream = upstream
        self.authenticator = Authenticator(
            tokens: verifier,
            apiKeys: Self.apiKeys(settings, database, logger),
            policy: self.policy
        )
    }

    private static func keySource(_ url: String, _ upstream: AsyncHTTPUpstream, _ logger: Logger) -> RemoteKeySource {
        RemoteKeySource(logger: logger) {
            // Redirects are not followed: the keys come from the address that was set.
            let response = try await upstream.send(
                UpstreamRequest(
                    method: "GET",
                    url: url,
                    headers: [("Accept", "application/json")],
                    deadline: .now + Self.keySetTimeout,
                    maximumBodyBytes: KeySet.maximumDocumentBytes
                )
            )
            guard response.status == 200 else { throw KeyError("The issuer answered with status \(response.status).") }
            return response.body
        }
    }

    /// Fetches no more keys.
    func close(_ logger: Logger) async {
        self.publishedKeys?.close()
        do {
            try await self.upstream?.shutdown()
        } catch {
            logger.warning("connection for keys not closed cleanly", metadata: ["error": "\(error)"])
        }
    }

    /// What clients are told about how to get a token.
    func resource(scopes: [String]) -> ProtectedResource {
        ProtectedResource(identifier: self.resourceIdentifier, issuers: self.issuers, scopes: scopes)
    }
}
