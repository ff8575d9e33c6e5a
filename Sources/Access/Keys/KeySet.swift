/// The keys of one issuer.
public struct KeySet: Sendable {
    /// How many keys a set may have.
    public static let maximumKeys = 64
    /// How large an RSA key may be: verifying with larger ones is expensive.
    static let maximumRSABits = 8192
    /// How many keys are tried for a token that names none.
    static let maximumCandidates = 4

    public let keys: [VerificationKey]

    init(_ keys: [VerificationKey]) {
        self.keys = keys
    }

    /// Whether there may be a key for a token that names one, or names none.
    func mayHave(_ id: String?) -> Bool {
        guard let id else { return true }
        return self.keys.contains { $0.id == nil || $0.id == id }
    }

    /// The keys that may have signed a token.
    ///
    /// Only keys for the token's algorithm: one that a public key was published for can't be claimed to be another's.
    func candidates(for algorithm: SigningAlgorithm, id: String?) -> [VerificationKey] {
        self.keys.filter { key in
            guard key.algorithm == algorithm else { return false }
            guard let id, let own = key.id else { return true }
            return own == id
        }
    }
}
