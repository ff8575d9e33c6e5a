public import Logging
public import MCPServer
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
    /// How to reach Jira, or nothing if there is no Jira.
    public var jira: Jira?
    /// The schemes by which git repositories may be fetched.
    public var gitSchemes = ["https", "ssh"]
    public var logLevel = Logger.Level.info
    /// How a log line looks, or nothing for text on a terminal and JSON elsewhere.
    public var logFormat: LogFormat?
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
