/// Where the API keys of a server, or of all servers of one database, are kept.
public protocol APIKeyStore: Sendable {
    /// All keys, the newest first.
    func list() async throws(KeyError) -> [APIKey]

    /// Makes a key and keeps what recognises it.
    ///
    /// - Returns: The key, which can't be had again.
    func create(_ request: APIKeyRequest) async throws(KeyError) -> String

    /// Makes a key useless.
    func revoke(_ id: String) async throws(KeyError)

    /// Recognises a key that somebody presents.
    ///
    /// - Returns: Nothing if it does not look like an API key.
    /// - Throws: ``AuthenticationError`` if it is none that is valid.
    func recognise(_ text: String) async throws(AuthenticationError) -> APIKey?
}

/// What an API key is to be.
public struct APIKeyRequest: Sendable {
    /// How many keys a store has at most.
    public static let maximumKeys = 1000
    /// How long a key is valid at most, in seconds: 400 days.
    public static let maximumLifetime = 400 * 86_400

    /// What it is for, for people.
    public var name: String
    public var roles: [String]
    /// What it may be used for; nothing if its roles are the only limit.
    public var scopes: [String]?
    /// In seconds.
    public var lifetime: Int

    public init(name: String, roles: [String], scopes: [String]?, lifetime: Int) {
        self.name = name
        self.roles = roles
        self.scopes = scopes
        self.lifetime = lifetime
    }
}

extension APIKeyStore {
    /// Whether a key that is kept is the one that somebody presents, and good.
    ///
    /// There is one message for all that may be wrong: nobody learns which keys there are.
    package func check(_ kept: APIKey?, _ secret: [UInt8]?, now: Int) throws(AuthenticationError) -> APIKey {
        guard let kept, let secret, kept.matches(secret), kept.isRevoked == false, kept.expiresAt > now else {
            throw AuthenticationError(.invalidToken, "The API key is not valid, expired or revoked.")
        }
        return kept
    }
}
