import Crypto
import CryptoExtras

/// A public key with the one algorithm that it is for.
public struct VerificationKey: Sendable {
    enum Material: Sendable {
        case rsa(_RSA.Signing.PublicKey)
        case p256(P256.Signing.PublicKey)
        case ed25519(Curve25519.Signing.PublicKey)
    }

    /// The name of the key, as tokens give it in `kid`; nothing for keys that stand alone.
    public let id: String?
    private let material: Material

    init(_ material: Material, id: String? = nil) {
        self.material = material
        self.id = id
    }

    /// The algorithm follows from the type of the key, never from a token.
    public var algorithm: SigningAlgorithm {
        switch self.material {
        case .rsa: .rs256
        case .p256: .es256
        case .ed25519: .edDSA
        }
    }

    /// Whether a signature was made with the private half of this key (RFC 7518, sections 3.3 and 3.4; RFC 8037, 3.1).
    func verifies(_ signature: [UInt8], of input: [UInt8]) -> Bool {
        switch self.material {
        case .rsa(let key):
            // RS256 is PKCS #1 v1.5, which is sound for signatures.
            let signature = _RSA.Signing.RSASignature(rawRepresentation: signature)
            return key.isValidSignature(signature, for: SHA256.hash(data: input), padding: .insecurePKCS1v1_5)
        case .p256(let key):
            // What can't be a signature, such as one of the wrong length, is none.
            guard let signature = try? P256.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
            return key.isValidSignature(signature, for: SHA256.hash(data: input))
        case .ed25519(let key):
            return key.isValidSignature(signature, for: input)
        }
    }
}

/// Why keys can't be used.
public struct KeyError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong, and what would be right.
    public var description: String

    public init(_ description: String) {
        self.description = description
    }
}
