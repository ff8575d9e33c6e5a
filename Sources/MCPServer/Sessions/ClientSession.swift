import JSON
public import MCP
import SharedState
import Synchronization

/// What `initialize` agreed on with a client of a legacy revision, and what the client has set since.
public struct ClientSession: Sendable {
    /// Unguessable; visible ASCII.
    public let id: String
    /// What the client and the server agreed to speak.
    public let revision: ProtocolRevision
    /// Who opened it.
    ///
    /// For anybody else it does not exist.
    public let principalID: String
    /// What the client declared it can do.
    public let clientCapabilities: ClientCapabilities
    /// The least level of the log messages that the client wants; none before it says so.
    public internal(set) var logLevel: LoggingLevel?
    /// The resources whose changes the client wants to hear of.
    public internal(set) var subscriptions: [String] = []

    init(id: String, revision: ProtocolRevision, principalID: String, clientCapabilities: ClientCapabilities) {
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
        self.init(
            id: id,
            revision: revision,
            principalID: principalID,
            clientCapabilities: ClientCapabilities(capabilities)
        )
        self.logLevel = value["level"]?.stringValue.flatMap(LoggingLevel.init)
        self.subscriptions = value["subscriptions"]?.arrayValue?.compactMap(\.stringValue) ?? []
    }

    fileprivate var stored: [UInt8] {
        var object: JSONObject = [
            "revision": .string(self.revision.name),
            "principal": .string(self.principalID),
            "capabilities": .object(self.clientCapabilities.json),
        ]
        if let logLevel { object["level"] = .string(logLevel.rawValue) }
        if self.subscriptions.isEmpty == false {
            object["subscriptions"] = .array(self.subscriptions.map(JSONValue.string))
        }
        return JSONValue.object(object).serialized()
    }
}

/// The sessions of legacy revisions, in shared state, so that any replica can serve any request.
struct SessionStore: Sendable {
    /// What a client says of itself at `initialize` is kept up to this size.
    static let maximumCapabilityBytes = 4096

    let store: any KeyValueStore
    /// How long a session that nobody uses is kept.
    let idleLifetime: Duration

    func open(
        revision: ProtocolRevision,
        principal: Principal,
        clientCapabilities: ClientCapabilities
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

    /// The resources that the client of a session wants to hear of; nothing if the session is gone.
    func subscriptions(of id: String) async throws(SharedStateError) -> [String]? {
        try await self.store.value(for: Self.key(id)).flatMap { ClientSession(id: id, stored: $0)?.subscriptions }
    }

    /// Keeps a session for another while.
    func touch(_ id: String) async {
        _ = try? await self.store.extend(Self.key(id), lifetime: self.idleLifetime)
    }

    /// The session as it is now; one that has expired comes back as it was.
    func renewed(_ session: ClientSession) async throws(SharedStateError) -> ClientSession {
        if let stored = try await self.store.value(for: Self.key(session.id)),
            let current = ClientSession(id: session.id, stored: stored)
        {
            _ = try await self.store.extend(Self.key(session.id), lifetime: self.idleLifetime)
            return current
        }
        try await self.store.set(Self.key(session.id), to: session.stored, lifetime: self.idleLifetime)
        return session
    }

    /// Changes a session, whoever else changes it meanwhile.
    ///
    /// - Returns: The changed session; nothing if it is gone.
    @discardableResult
    func update(
        _ id: String,
        _ change: (inout ClientSession) -> Void
    ) async throws(SharedStateError) -> ClientSession? {
        let stored = try await self.store.update(Self.key(id), lifetime: self.idleLifetime) { old in
            guard let old, var session = ClientSession(id: id, stored: old) else { return nil }
            change(&session)
            return session.stored
        }
        return stored.flatMap { ClientSession(id: id, stored: $0) }
    }

    func close(_ id: String) async throws(SharedStateError) {
        _ = try await self.store.remove(Self.key(id))
    }

    private static func key(_ id: String) -> String { "mcp:session:\(id)" }
}

/// Identifiers that can't be guessed.
public enum RandomID {
    private static let process = UInt64.random(in: .min ... .max)
    private static let count = Atomic<UInt64>(0)

    /// 128 bits from the system's cryptographic generator, as 32 hexadecimal digits.
    public static func make() -> String {
        var generator = SystemRandomNumberGenerator()
        return self.text(generator.next(), generator.next())
    }

    /// A name that nothing else has, in this process or another, but that can be guessed: it takes no call of the system.
    static func unique() -> String {
        self.text(self.count.add(1, ordering: .relaxed).newValue, self.process)
    }

    private static func text(_ low: UInt64, _ high: UInt64) -> String {
        let words = (low, high)
        return String(unsafeUninitializedCapacity: 32) { buffer in
            for index in 0..<16 {
                Self.write(UInt8(truncatingIfNeeded: words.0 >> UInt64(index * 4)), at: index, buffer)
                Self.write(UInt8(truncatingIfNeeded: words.1 >> UInt64(index * 4)), at: 16 + index, buffer)
            }
            return 32
        }
    }

    private static func write(_ digit: UInt8, at index: Int, _ buffer: UnsafeMutableBufferPointer<UInt8>) {
        let digit = digit & 15
        buffer[index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
    }
}
