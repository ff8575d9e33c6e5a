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

    /// - Returns: Nothing if the address is neither `https` nor on this machine: the token would travel in the clear.
    public init?(baseURL: String, user: String, token: String, projects: Set<String>) {
        var baseURL = baseURL
        while baseURL.hasSuffix("/") { baseURL.removeLast() }
        let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"].contains { prefix in
            guard baseURL.hasPrefix(prefix) else { return false }
            let rest = baseURL.dropFirst(prefix.count)
            return rest.isEmpty || rest.first == ":" || rest.first == "/"
        }
        guard local || (baseURL.hasPrefix("https://") && baseURL.count > 8), baseURL.contains("@") == false else {
            return nil
        }
        self.baseURL = baseURL
        self.user = user
        self.token = token
        self.projects = projects
    }
}
