public import JSON

/// What a token says, once it is known to be genuine, in time, and meant for this server.
public struct VerifiedToken: Sendable {
    /// Who it is about (`sub`).
    public let subject: String
    /// Everything it says.
    public let claims: JSONObject
    /// What it was issued for; nothing if it doesn't say.
    public let scopes: [String]?
    /// When it ends, in seconds since 1970.
    let expiry: Double
}
