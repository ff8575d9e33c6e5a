/// The signature algorithms that tokens may have (RFC 7518, section 3.1; RFC 8037, section 3.1).
///
/// Each goes with one type of key, so that a key can't be used for an algorithm that it isn't meant for. Algorithms with
/// shared secrets and `none` are not among them.
public enum SigningAlgorithm: String, Sendable, CaseIterable {
    case rs256 = "RS256"
    case es256 = "ES256"
    case edDSA = "EdDSA"
}
