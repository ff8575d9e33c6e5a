public import JSON
public import MCP
import SharedState

/// What `initialize` agreed on with a client of a legacy revision.
public struct ClientSession: Sendable {
    /// Unguessable; visible ASCII.
    public let id: String
    public let revision: ProtocolRevision
    /// Who opened it.
    ///
    /// For anybody else it does not exist.
    public let principalID: String
    public let clientCapabilities: JSONObject

    init(id: String, revision: ProtocolRevision, principalID: String, clientCapabilities: JSONObject) {
        self.id = id
        self.revision = revision
        self.principalID = principalID
        self.clientCapabilities = clientCapabilities
    }

    fileprivate init?(id: String, stored: [UInt8]) {
        guard let value = try? JSONValue(parsing: stored),
            let revision = value["revision"]?.stringValue.flatMap(ProtocolRevision.named),
            let principalID = value["principal"]?.stringValue,
            let capabilities = value["capabilities"]?.objectValue
        else { return nil }
        self.init(id: id, revision: revision, principalID: principalID, clientCapabilities: capabilities)
    }

    fileprivate var stored: [UInt8] {
        JSONValue.object([
            "revision": .string(self.revision.name),
            "principal": .string(self.principalID),
            "capabilities": .object(self.clientCapabilities),
        ]).serialized()
    }
}

/// The sessions of legacy revisions, in shared state, so that any replica can serve any request.
struct SessionStore: Sendable {
    let store: any KeyValueStore
    /// How long a session that nobody uses is kept.
    let idleLifetime: Duration

    func open(
        revision: ProtocolRevision,
        principal: Principal,
        clientCapabilities: JSONObject
    ) async throws(SharedStateError) -> ClientSession {
        let session = ClientSession(
            id: RandomID.make(),
            revision: revision,
            principalID: principal.id,
            clientCapabilities: clientCapabilities
        )
        try await self.store.set(Self.key(session.id), to: session.stored, lifetime: self.idleLifetime)
        return session
    }

    /// The session with an id, for the principal who opened it, kept for another while.
    func session(_ id: String, for principal: Principal) async throws(SharedStateError) -> ClientSession? {
        guard let stored = try await self.store.value(for: Self.key(id)),
            let session = ClientSession(id: id, stored: stored), session.principalID == principal.id
        else { return nil }
        _ = try await self.store.extend(Self.key(id), lifetime: self.idleLifetime)
        return session
    }

    func close(_ session: ClientSession) async throws(SharedStateError) {
        _ = try await self.store.remove(Self.key(session.id))
    }

    private static func key(_ id: String) -> String { "mcp:session:\(id)" }
}

/// Identifiers that can't be guessed.
public enum RandomID {
    /// 128 bits from the system's cryptographic generator, as 32 hexadecimal digits.
    public static func make() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<2).map { _ in
            let digits = String(generator.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
