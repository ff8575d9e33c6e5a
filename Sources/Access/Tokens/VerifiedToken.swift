public import JSON
import MCPServer
import Synchronization

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
    private let lastPrincipal = LastPrincipal()

    /// Who it stands for by a policy.
    func principal(in snapshot: PolicySource.Snapshot) -> Principal {
        self.lastPrincipal.value(in: snapshot) { snapshot.policy.principal(of: self) }
    }

    init(subject: String, claims: JSONObject, scopes: [String]?, expiry: Double) {
        self.subject = subject
        self.claims = claims
        self.scopes = scopes
        self.expiry = expiry
    }
}

/// Whom a token stood for last, and by which policy: most requests come with a token and a policy that are known.
private final class LastPrincipal: Sendable {
    private let last = Mutex<(snapshot: PolicySource.Snapshot, principal: Principal)?>(nil)

    func value(in snapshot: PolicySource.Snapshot, _ make: () -> Principal) -> Principal {
        self.last.withLock { last in
            if let last, last.snapshot === snapshot { return last.principal }
            let principal = make()
            last = (snapshot, principal)
            return principal
        }
    }
}
