import Configuration

/// The name of one setting, in all the places where it can be set.
public struct SettingKey: Sendable, Hashable {
    /// The name of the environment variable, by which messages call the setting.
    public let name: String
    /// Where the setting is in the configuration file: `gantry.data_dir` is the key `data_dir` below `gantry`.
    public let path: [String]
    /// Whether the value must never be shown.
    public let isSecret: Bool

    /// Derives the environment variable from the path, by the rule that Swift Configuration uses.
    private init(_ path: String..., isSecret: Bool = false) {
        self.path = path
        self.name = path.joined(separator: "_").uppercased()
        self.isSecret = isSecret
    }

    var absoluteKey: AbsoluteConfigKey { AbsoluteConfigKey(self.path) }
    var key: ConfigKey { ConfigKey(self.path) }

    public static let host = Self("gantry", "host")
    public static let port = Self("gantry", "port")
    public static let dataDirectory = Self("gantry", "data_dir")
    public static let readOnly = Self("gantry", "read_only")
    public static let toolNames = Self("gantry", "tool_names")
    public static let allowedHosts = Self("gantry", "allowed_hosts")
    public static let insecure = Self("gantry", "insecure")
    public static let httpSSE = Self("gantry", "http_sse")
    public static let authentication = Self("gantry", "auth")
    public static let publicURL = Self("gantry", "public_url")
    public static let policy = Self("gantry", "policy")
    public static let auditRetention = Self("gantry", "audit_retention_days")
    public static let auditKey = Self("gantry", "audit_key", isSecret: true)
    public static let jwtPublicKey = Self("jwt", "public_key")
    public static let jwtKeySetURL = Self("jwt", "jwks_url")
    public static let jwtIssuer = Self("jwt", "issuer")
    public static let jwtAudience = Self("jwt", "audience")
    public static let corsOrigins = Self("cors", "origins")
    public static let databaseURL = Self("database", "url", isSecret: true)
    public static let databasePoolSize = Self("database", "pool_size")
    public static let databaseMaximumOverflow = Self("database", "max_overflow")
    public static let databaseRecycleSeconds = Self("database", "pool_recycle_seconds")
    public static let redisURL = Self("redis", "url", isSecret: true)
    public static let redisAuthorities = Self("redis", "ca_file")
    public static let sealingKeys = Self("gantry", "sealing_keys", isSecret: true)
    public static let limitsPrincipal = Self("limits", "principal")
    public static let limitsTools = Self("limits", "tools")
    public static let limitsTotal = Self("limits", "total")
    public static let jiraURL = Self("jira", "url")
    public static let jiraUser = Self("jira", "user")
    public static let jiraToken = Self("jira", "token", isSecret: true)
    public static let jiraProjects = Self("jira", "projects")
    public static let embeddingsPrecision = Self("embeddings", "precision")
    public static let embeddingsURL = Self("embeddings", "url")
    public static let embeddingsModel = Self("embeddings", "model")
    public static let embeddingsAPIKey = Self("embeddings", "api_key", isSecret: true)
    public static let embeddingsDimension = Self("embeddings", "dimension")
    public static let embeddingsMaxTokens = Self("embeddings", "max_tokens")
    public static let rerankURL = Self("rerank", "url")
    public static let rerankModel = Self("rerank", "model")
    public static let rerankAPIKey = Self("rerank", "api_key", isSecret: true)
    public static let rerankStyle = Self("rerank", "style")
    public static let gitSchemes = Self("gantry", "git_schemes")
    public static let secretsProvider = Self("secrets", "provider")
    public static let secretsDirectory = Self("secrets", "dir")
    public static let secretsLifetime = Self("secrets", "ttl_seconds")
    public static let awsRegion = Self("aws", "region")
    public static let awsEndpointURL = Self("aws", "endpoint_url")
    public static let logLevel = Self("log", "level")
    public static let logFormat = Self("log", "format")

    /// The settings by which secrets are found, which can't be secrets for that reason.
    static let ofSecrets: Set<Self> = [secretsProvider, secretsDirectory, secretsLifetime, awsRegion, awsEndpointURL]

    /// All settings, in the order in which they are shown.
    public static let all: [Self] = [
        host, port, dataDirectory, readOnly, toolNames, allowedHosts, insecure, httpSSE, corsOrigins, authentication,
        publicURL, policy, auditRetention, auditKey, jwtPublicKey, jwtKeySetURL, jwtIssuer, jwtAudience, databaseURL,
        databasePoolSize, databaseMaximumOverflow, databaseRecycleSeconds, redisURL, redisAuthorities, sealingKeys,
        limitsPrincipal,
        limitsTools, limitsTotal, jiraURL, jiraUser, jiraToken, jiraProjects, embeddingsPrecision, embeddingsURL,
        embeddingsModel, embeddingsAPIKey,
        embeddingsDimension, embeddingsMaxTokens,
        rerankURL, rerankModel, rerankAPIKey, rerankStyle, gitSchemes,
        secretsProvider, secretsDirectory, secretsLifetime, awsRegion, awsEndpointURL, logLevel, logFormat,
    ]
}
