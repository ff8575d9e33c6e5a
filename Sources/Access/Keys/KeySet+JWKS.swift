import Crypto
import CryptoExtras
import JSON
import MCP

extension KeySet {
    /// How large a document of keys may be.
    public static let maximumDocumentBytes = 256 << 10
    /// How long the name of a key may be.
    static let maximumKeyIDBytes = 256

    /// Reads the public keys of a JSON Web Key Set (RFC 7517, section 5).
    ///
    /// Keys that are not for signatures, or of a type that is not accepted, are passed over, as the specification wants.
    ///
    /// - Throws: ``KeyError`` if it is no key set, has too many keys, or none that can be used.
    public init(jwks bytes: [UInt8]) throws(KeyError) {
        guard bytes.count <= Self.maximumDocumentBytes else {
            throw KeyError("The key set is larger than \(Self.maximumDocumentBytes) bytes.")
        }
        let limits = JSONLimits(maximumDepth: 8, maximumBytes: bytes.count, duplicateKeys: .reject)
        guard let entries = (try? JSONValue(parsing: bytes, limits: limits))?["keys"]?.arrayValue else {
            throw KeyError("This is no JSON Web Key Set: an object whose keys is a list.")
        }
        guard entries.count <= Self.maximumKeys else {
            throw KeyError("The key set has \(entries.count) keys; \(Self.maximumKeys) are allowed.")
        }
        var keys: [VerificationKey] = []
        for entry in entries {
            if let object = entry.objectValue, let key = Self.key(object) { keys.append(key) }
        }
        guard keys.isEmpty == false else {
            throw KeyError(
                "The key set has no RSA key of at least 2048 bits, no P-256 key and no Ed25519 key for signatures."
            )
        }
        self.init(keys)
    }

    private static func key(_ object: JSONObject) -> VerificationKey? {
        // A private key has no business in a published set: whoever could read it can sign.
        guard object["d"] == nil, isForSignatures(object) else { return nil }
        let id = object["kid"]?.stringValue
        guard id == nil ? object["kid"] == nil : (id?.utf8.count ?? 0) <= Self.maximumKeyIDBytes else { return nil }
        let algorithm = object["alg"]
        switch object["kty"] {
        case "RSA" where algorithm == nil || algorithm == "RS256":
            guard let modulus = self.bytes(object["n"], 256...(Self.maximumRSABits / 8)),
                let exponent = self.bytes(object["e"], 1...4),
                let key = try? _RSA.Signing.PublicKey(n: modulus, e: exponent), key.keySizeInBits <= Self.maximumRSABits
            else { return nil }
            return VerificationKey(.rsa(key), id: id)
        case "EC" where object["crv"] == "P-256" && (algorithm == nil || algorithm == "ES256"):
            guard let x = self.bytes(object["x"], 32...32), let y = self.bytes(object["y"], 32...32),
                let key = try? P256.Signing.PublicKey(x963Representation: [4] + x + y)
            else { return nil }
            return VerificationKey(.p256(key), id: id)
        case "OKP" where object["crv"] == "Ed25519" && (algorithm == nil || algorithm == "EdDSA"):
            guard let x = self.bytes(object["x"], 32...32),
                let key = try? Curve25519.Signing.PublicKey(rawRepresentation: x)
            else { return nil }
            return VerificationKey(.ed25519(key), id: id)
        default: return nil
        }
    }

    /// The bytes of a member, if there are as many as there should be.
    private static func bytes(_ member: JSONValue?, _ count: ClosedRange<Int>) -> [UInt8]? {
        guard let text = member?.stringValue, text.utf8.count <= count.upperBound * 4 / 3 + 2,
            let bytes = Base64.decode(text.utf8, .url), count.contains(bytes.count)
        else { return nil }
        return bytes
    }

    private static func isForSignatures(_ object: JSONObject) -> Bool {
        if let use = object["use"], use != "sig" { return false }
        guard let operations = object["key_ops"] else { return true }
        return operations.arrayValue?.contains("verify") ?? false
    }
}
