import Crypto
public import Foundation
import JSON
import MCP

/// Issues tokens for development, with a key pair of its own in the data directory.
///
/// Servers trust them only if they are told to (`GANTRY_AUTH=required` without an issuer, or `JWT_PUBLIC_KEY`).
public struct DevelopmentIssuer: Sendable {
    /// What its tokens say of who issued them.
    public static let issuer = "urn:gantry:development"
    /// How long its tokens are valid at most, in seconds: 30 days.
    public static let maximumLifetime = 30 * 86_400

    /// What a token is to say.
    public struct Request: Sendable {
        public var subject: String
        public var roles: [String]
        public var scopes: [String]
        public var audience: String
        /// In seconds.
        public var lifetime: Int

        public init(subject: String, roles: [String], scopes: [String], audience: String, lifetime: Int) {
            self.subject = subject
            self.roles = roles
            self.scopes = scopes
            self.audience = audience
            self.lifetime = lifetime
        }
    }

    private let key: P256.Signing.PrivateKey
    /// The public key, in PEM form.
    public let publicKey: String

    /// Reads the key pair, or makes one if there is none.
    ///
    /// - Parameter directory: Where it is kept: `development-key.pem`, and the public half beside it.
    /// - Throws: ``KeyError`` if the key can't be read or written, or others may read it.
    public init(directory: String) throws(KeyError) {
        let path = "\(directory)/development-key.pem"
        if let bytes = try PrivateFile.read(path, limit: 16 << 10) {
            guard let key = try? P256.Signing.PrivateKey(pemRepresentation: String(decoding: bytes, as: UTF8.self))
            else {
                throw KeyError("\(path) is no P-256 key. Remove it, and a new one is made.")
            }
            self.key = key
        } else {
            self.key = P256.Signing.PrivateKey()
            try PrivateFile.save(Array(self.key.pemRepresentation.utf8), to: path)
        }
        self.publicKey = self.key.publicKey.pemRepresentation
        try PrivateFile.save(Array(self.publicKey.utf8), to: Self.publicKeyPath(directory))
    }

    /// Where the public key is.
    public static func publicKeyPath(_ directory: String) -> String { "\(directory)/development-key.pub.pem" }

    /// Issues a token.
    public func token(_ request: Request, now: Date = Date()) throws -> String {
        let issued = Int(now.timeIntervalSince1970)
        let lifetime = min(max(request.lifetime, 1), Self.maximumLifetime)
        let header: JSONObject = ["alg": .string(SigningAlgorithm.es256.rawValue), "typ": "at+jwt"]
        let claims: JSONObject = [
            "iss": .string(Self.issuer),
            "sub": .string(request.subject),
            "aud": .string(request.audience),
            "iat": .integer(issued),
            "exp": .integer(issued + lifetime),
            "jti": .string(UUID().uuidString.lowercased()),
            "roles": .array(request.roles.map(JSONValue.string)),
            "scope": .string(request.scopes.joined(separator: " ")),
        ]
        let parts = [header, claims].map { Base64.encode(JSONValue.object($0).serialized(), .url) }
        let input = parts.joined(separator: ".")
        let signature = try self.key.signature(for: Array(input.utf8))
        return "\(input).\(Base64.encode(Array(signature.rawRepresentation), .url))"
    }
}

extension DevelopmentIssuer {
    /// The one key that its tokens are signed with.
    public var keySource: any KeySource { FixedKeySource(KeySet([VerificationKey(.p256(self.key.publicKey))])) }
}
