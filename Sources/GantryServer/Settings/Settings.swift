public import Access
public import Embedding
public import Logging
public import MCPServer
public import Reranking
import Secrets
public import SharedStateRedis
public import Telemetry

/// Everything that can be set from outside, checked.
///
/// Values come from the command line, else from environment variables, else from a YAML file, else from the defaults
/// here. ``SettingKey`` has the names.
public struct Settings: Sendable {
    /// How to reach Jira.
    public struct Jira: Sendable {
        /// The address of the site, `https://example.atlassian.net`, without a slash at the end.
        public var url: String
        /// The account that the token belongs to.
        public var user: String
        /// The API token.
        public var token: String
        /// The keys of the projects that tools may reach.
        ///
        /// Empty means all that the account may.
        public var projects: [String]
    }

    /// How to reach PostgreSQL.
    public struct Database: Sendable {
        /// The address with user and password, `postgresql://…`.
        public var url: String
        /// The most connections that are kept.
        public var poolSize = 20
        /// How many more may be open for a short time.
        public var maximumOverflow = 10
        /// The age at which a connection is closed and opened anew.
        public var recycleSeconds = 3600
    }

    /// Which embedding service to use instead of the model in this process.
    public struct Embeddings: Sendable {
        /// The address up to and including the version, without a slash at the end.
        public var url: String
        /// The name of the model, as the service knows it.
        public var model: String
        /// The key, if the service wants one.
        public var apiKey: String?
        /// The number of components of the model's vectors.
        public var dimension: Int
        /// How many tokens the model reads of one text.
        public var maximumTokens: Int
    }

    /// Whose tokens are accepted.
    public struct Issuer: Sendable {
        /// Where its keys come from.
        public enum Keys: Sendable {
            /// They are set.
            case fixed(KeySet)
            /// It publishes them (JWKS).
            case published(url: String)
        }

        public var keys: Keys
        /// What its tokens say as `iss`.
        public var name: String
        /// What tokens for this server say as `aud`: one of these.
        public var audiences: [String]
    }

    /// The address to listen on.
    public var host = "127.0.0.1"
    /// The TCP port to listen on.
    ///
    /// 0 takes a free one.
    public var port = 8000
    /// The directory of embedded stores and of the model.
    public var dataDirectory = ".gantry"
    /// Whether only tools that change nothing exist.
    public var isReadOnly = false
    public var toolNames = ToolNaming.dotted
    /// The browser origins that may call, beyond those of this machine.
    public var corsOrigins: [String] = []
    /// The names by which clients may address the server in the `Host` header, beyond those of this machine.
    public var allowedHosts: [String] = []
    /// Whether to let other machines call without authentication.
    public var isInsecure = false
    /// Whether the deprecated transport of 2024-11-05 is offered too, on `/sse` and `/messages`.
    public var offersHTTPWithSSE = false
    /// How to reach PostgreSQL, or nothing for an embedded store in the data directory.
    public var database: Database?
    /// How to reach Redis, which replicas share, or nothing for one process that keeps everything itself.
    public var redis: RedisConfiguration?
    /// With what is sealed what clients carry: the first seals, all open.
    ///
    /// Nothing for a key that is made at the start and gone at the end.
    public var sealingKeys: [SealingKey] = []
    /// How much may be called.
    public var limits = CallLimits()
    /// Whose tokens are accepted, or nothing if no issuer is set.
    public var issuer: Issuer?
    /// Whether every request over HTTP needs a token or an API key.
    public var isAuthenticationRequired = false
    /// The address under which clients reach the server, without a slash at the end.
    public var publicURL = "http://127.0.0.1:8000"
    /// The path of the policy file, or nothing for the built-in roles.
    public var policyFile: String?
    /// With what the records of calls are linked, or nothing for a key in the data directory.
    public var auditKey: String?
    /// How many days the records of calls are kept; nothing for ever.
    public var auditRetentionDays: Int? = 365
    /// How to reach Jira, or nothing if there is no Jira.
    public var jira: Jira?
    /// How exact the embedding model in this process computes.
    public var embeddingsPrecision = MiniLMEmbedder.Precision.auto
    /// The embedding service, or nothing for the model in this process.
    public var embeddings: Embeddings?
    /// How to reach a re-ranking model, or nothing if passages stay in the order of the search.
    public var reranking: HTTPReranker.Configuration?
    /// The schemes by which git repositories may be fetched.
    public var gitSchemes = ["https", "ssh"]
    public var logLevel = Logger.Level.info
    /// How a log line looks, or nothing for text on a terminal and JSON elsewhere.
    public var logFormat: LogFormat?
    /// Where documents come from and how fresh they have to be.
    public var sources: [SourceSettings] = []
    /// Where the secrets are that settings name.
    var secrets: (any SecretProvider)?
    /// The settings that are secrets.
    var references: [SettingKey: SecretReference] = [:]
    /// Where each value came from, in the order of ``SettingKey/all``.
    public var report: [SettingReport] = []

    /// The defaults.
    public init() {}
}

/// One setting as `gantry doctor` shows it.
public struct SettingReport: Sendable, Hashable {
    public var setting: SettingKey
    /// The text of the value, hidden if it is a secret, or nothing if it isn't set.
    public var value: String?
    public var origin: SettingOrigin
}

/// It holds all secrets, which must not get into a log when something that holds it is printed.
extension Settings: CustomStringConvertible, CustomReflectable {
    public var description: String { "Settings" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// It holds a token, which must not get into a log when something that holds it is printed.
extension Settings.Jira: CustomStringConvertible, CustomReflectable {
    public var description: String { "Settings.Jira" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// It holds a password, which must not get into a log when something that holds it is printed.
extension Settings.Database: CustomStringConvertible, CustomReflectable {
    public var description: String { "Settings.Database" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// It holds a key, which must not get into a log when something that holds it is printed.
extension Settings.Embeddings: CustomStringConvertible, CustomReflectable {
    public var description: String { "Settings.Embeddings" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
