public import SharedState

/// The right to be the only one who does something for a session, on whatever replica.
///
/// As long as it is kept, the session does not expire.
public struct StreamLease: Sendable {
    fileprivate let sessions: SessionStore
    fileprivate let sessionID: String
    fileprivate let key: String
    fileprivate let lifetime: Duration
    /// Whether it keeps the session from expiring.
    fileprivate let keepsSession: Bool

    /// Keeps the right until the task is cancelled.
    public func keep() async {
        let interval = self.keepsSession ? min(self.lifetime, self.sessions.idleLifetime) / 3 : self.lifetime / 3
        while true {
            do {
                try await Task.sleep(for: interval)
            } catch {
                return
            }
            _ = try? await self.sessions.store.extend(self.key, lifetime: self.lifetime)
            if self.keepsSession { await self.sessions.touch(self.sessionID) }
        }
    }

    /// Gives the right up.
    public func end() async {
        _ = try? await self.sessions.store.remove(self.key)
    }
}

extension MCPServer {
    /// Takes the right to the one stream of a session that belongs to no request.
    ///
    /// - Returns: Nothing if there is such a stream already.
    public func leaseStream(of session: ClientSession, for lifetime: Duration) async -> StreamLease? {
        await self.lease("stream", session, lifetime, keepsSession: true)
    }

    /// Takes the right to log what such a stream sends.
    ///
    /// - Returns: Nothing if somebody does so already.
    public func leaseLog(of session: ClientSession, for lifetime: Duration) async -> StreamLease? {
        await self.lease("log", session, lifetime, keepsSession: false)
    }

    /// Whether a session has a stream open that belongs to no request.
    public func hasStream(_ session: ClientSession) async -> Bool {
        let value = try? await self.stores.values.value(for: Self.leaseKey("stream", session))
        return value.flatMap(\.self) != nil
    }

    private static func leaseKey(_ name: String, _ session: ClientSession) -> String {
        "mcp:session:\(session.id):\(name)"
    }

    private func lease(
        _ name: String,
        _ session: ClientSession,
        _ lifetime: Duration,
        keepsSession: Bool
    ) async -> StreamLease? {
        let key = Self.leaseKey(name, session)
        let isTaken = try? await self.stores.values.compareAndSet(key, from: nil, to: [1], lifetime: lifetime)
        guard isTaken == true else { return nil }
        return StreamLease(
            sessions: self.sessions,
            sessionID: session.id,
            key: key,
            lifetime: lifetime,
            keepsSession: keepsSession
        )
    }

    /// Where the events of streams are kept.
    public var eventLog: any EventLog { self.stores.events }
}
