import Crypto
import JSON
import MCP

@testable import Access

/// Makes tokens, right and wrong ones, with keys that live as long as it does.
struct TokenForge {
    let ecdsa = P256.Signing.PrivateKey()
    let other = P256.Signing.PrivateKey()
    let eddsa = Curve25519.Signing.PrivateKey()

    static let now = 1_800_000_000.0
    static let issuer = "https://issuer.example"
    static let audience = "https://gantry.example/mcp"

    static let goodClaims: JSONObject = [
        "iss": .string(issuer), "aud": .string(audience), "sub": "ada", "iat": 1_799_999_990, "exp": 1_800_000_600,
        "scope": "jira:read knowledge:read", "roles": ["developer"],
    ]

    func token(
        header: JSONObject = ["alg": "ES256", "typ": "at+jwt", "kid": "ec"],
        claims: JSONObject = Self.goodClaims,
        changing change: (inout JSONObject) -> Void = { _ in }
    ) throws -> String {
        var claims = claims
        change(&claims)
        return try self.sign(header.text, JSONValue.object(claims).serializedString(), with: self.ecdsa)
    }

    func sign(_ header: String, _ payload: String, with key: P256.Signing.PrivateKey) throws -> String {
        let input = [header, payload].map { Base64.encode(Array($0.utf8), .url) }.joined(separator: ".")
        let signature = try key.signature(for: Array(input.utf8))
        return "\(input).\(Base64.encode(Array(signature.rawRepresentation), .url))"
    }

    var keys: KeySet {
        KeySet([
            VerificationKey(.p256(self.ecdsa.publicKey), id: "ec"),
            VerificationKey(.ed25519(self.eddsa.publicKey), id: "ed"),
        ])
    }

    var verifier: TokenVerifier {
        TokenVerifier(
            expectations: .init(issuer: Self.issuer, audiences: [Self.audience]),
            keys: FixedKeySource(self.keys),
            now: { Self.now }
        )
    }
}

extension JSONObject {
    fileprivate var text: String { JSONValue.object(self).serializedString() }
}
