public import JSON

/// What clients are told about how to get a token for this server, and why theirs is not enough.
///
/// Specification: RFC 9728; RFC 6750, section 3; MCP 2026-07-28, basic/authorization.
public struct ProtectedResource: Sendable {
    /// The canonical address of the server, such as `https://gantry.example.com/mcp`.
    public let identifier: String
    /// Where the metadata is.
    public let metadataURL: String
    private let issuers: [String]
    /// The scopes that there are.
    private let scopes: [String]

    /// - Parameters:
    ///   - identifier: The canonical address of the server.
    ///   - issuers: The authorization servers; none if tokens come from nowhere a client could ask.
    ///   - scopes: The scopes that there are.
    public init(identifier: String, issuers: [String], scopes: [String]) {
        self.identifier = ResourceURI.canonical(identifier)
        self.issuers = issuers
        self.scopes = scopes
        // RFC 9728, section 3.1: the well-known part goes between the host and the path.
        let start = self.identifier.firstRange(of: "://")?.upperBound ?? self.identifier.startIndex
        let path = self.identifier[start...].firstIndex(of: "/") ?? self.identifier.endIndex
        self.metadataURL = self.identifier[..<path] + "/.well-known/oauth-protected-resource" + self.identifier[path...]
    }

    /// The metadata document (RFC 9728, section 2).
    public var metadata: JSONObject {
        var object: JSONObject = ["resource": .string(self.identifier)]
        if self.issuers.isEmpty == false {
            object["authorization_servers"] = .array(self.issuers.map(JSONValue.string))
        }
        object["scopes_supported"] = .array(self.scopes.map(JSONValue.string))
        object["bearer_methods_supported"] = ["header"]
        object["resource_name"] = "Gantry"
        return object
    }

    /// The challenge for a request whose sender is not known.
    public func challenge(_ error: AuthenticationError) -> String {
        var parameters = [("resource_metadata", self.metadataURL)]
        // What most clients begin with; more is asked for when it is needed.
        let first = self.scopes.filter { $0.hasSuffix(":read") }
        if first.isEmpty == false { parameters.append(("scope", first.joined(separator: " "))) }
        switch error.code {
        case .invalidToken: parameters += [("error", "invalid_token"), ("error_description", error.message)]
        case .invalidRequest: parameters += [("error", "invalid_request"), ("error_description", error.message)]
        // Whoever sent no credentials is told nothing of an error (RFC 6750, section 3.1).
        default: break
        }
        return Self.bearer(parameters)
    }

    /// The challenge for a request that takes more than the token was issued for.
    ///
    /// - Parameter scopes: All that the request takes.
    /// - Returns: The value of `WWW-Authenticate`.
    public func challenge(missing scopes: [String]) -> String {
        Self.bearer([
            ("error", "insufficient_scope"), ("scope", scopes.joined(separator: " ")),
            ("resource_metadata", self.metadataURL),
            ("error_description", "The token was not issued for what this request does."),
        ])
    }

    private static func bearer(_ parameters: [(String, String)]) -> String {
        "Bearer " + parameters.map { "\($0.0)=\"\(Self.quotable($0.1))\"" }.joined(separator: ", ")
    }

    /// RFC 6750, section 3: no quotation marks, backslashes or control characters.
    private static func quotable(_ text: String) -> String {
        String(decoding: text.utf8.filter { (0x20...0x7e).contains($0) && $0 != 0x22 && $0 != 0x5c }, as: UTF8.self)
    }
}
