import Crypto
import CryptoExtras

extension KeySet {
    /// Reads public keys from PEM text: one, or several one after the other while keys are exchanged.
    ///
    /// - Throws: ``KeyError`` if there is none, or one of them is of no accepted type.
    public init(pem text: String) throws(KeyError) {
        guard text.contains("PRIVATE KEY-----") == false else {
            throw KeyError(
                "This holds a private key. The server needs the public one only; keep the private one where it is."
            )
        }
        var keys: [VerificationKey] = []
        var rest = text[...]
        while let start = rest.firstRange(of: "-----BEGIN "),
            let end = rest[start.upperBound...].firstRange(of: "-----END ")
        {
            guard let close = rest[end.upperBound...].firstRange(of: "-----") else { break }
            keys.append(try Self.key(String(rest[start.lowerBound..<close.upperBound])))
            rest = rest[close.upperBound...]
            guard keys.count <= Self.maximumKeys else {
                throw KeyError("There are more than \(Self.maximumKeys) keys.")
            }
        }
        guard keys.isEmpty == false else {
            throw KeyError("This is no public key in PEM form (-----BEGIN PUBLIC KEY-----).")
        }
        self.init(keys)
    }

    private static func key(_ pem: String) throws(KeyError) -> VerificationKey {
        if let key = try? _RSA.Signing.PublicKey(pemRepresentation: pem), key.keySizeInBits <= Self.maximumRSABits {
            return VerificationKey(.rsa(key))
        }
        if let key = try? P256.Signing.PublicKey(pemRepresentation: pem) { return VerificationKey(.p256(key)) }
        if let key = try? Curve25519.Signing.PublicKey(pemRepresentation: pem) { return VerificationKey(.ed25519(key)) }
        throw KeyError("This is no RSA key of 2048 to \(Self.maximumRSABits) bits, no P-256 key and no Ed25519 key.")
    }
}
