/// Where Jira is and who asks.
public struct JiraConfiguration: Sendable {
    /// The address of the site, without a slash at its end.
    public let baseURL: String
    public let user: String
    /// An API token.
    ///
    /// It goes into the Authorization header and nowhere else.
    let token: String
    /// The projects that may be reached; all if empty.
    public let projects: Set<String>

    /// - Returns: Nothing if the address is neither `https` nor on this machine, because the token would travel in the
    ///   clear, or if the user or the token can't be credentials: see ``isCredential(_:)``.
    public init?(baseURL: String, user: String, token: String, projects: Set<String>) {
        var baseURL = baseURL
        while baseURL.hasSuffix("/") { baseURL.removeLast() }
        let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"].contains { prefix in
            guard baseURL.hasPrefix(prefix) else { return false }
            let rest = baseURL.dropFirst(prefix.count)
            return rest.isEmpty || rest.first == ":" || rest.first == "/"
        }
        guard local || (baseURL.hasPrefix("https://") && baseURL.count > 8), baseURL.contains("@") == false,
            Self.isCredential(user), Self.isCredential(token)
        else { return nil }
        self.baseURL = baseURL
        self.user = user
        self.token = token
        self.projects = projects
    }

    /// Whether a text can be a user or a token: it has no line breaks and other control characters, which come from a
    /// file that was read with its end or from a text that was pasted whole.
    public static func isCredential(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    }
}

/// It holds a token, which must not get into a log when something that holds it is printed.
extension JiraConfiguration: CustomStringConvertible, CustomReflectable {
    public var description: String { "JiraConfiguration" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
