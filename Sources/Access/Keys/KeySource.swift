/// Where the keys of an issuer come from.
public protocol KeySource: Sendable {
    /// The keys, looked for again if the one that a token names isn't among them.
    ///
    /// - Throws: ``AuthenticationError`` with `unavailable` if there are none.
    func keys(for id: String?) async throws(AuthenticationError) -> KeySet

    /// Grows whenever the keys change: what was found out with other keys is to be found out again.
    var generation: Int { get }
}

/// Keys that don't change.
public struct FixedKeySource: KeySource {
    private let keys: KeySet

    public init(_ keys: KeySet) {
        self.keys = keys
    }

    public func keys(for id: String?) async throws(AuthenticationError) -> KeySet { self.keys }
    public var generation: Int { 0 }
}
