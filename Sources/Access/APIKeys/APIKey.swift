import Crypto
import Foundation
import JSON
import MCP

/// What is kept of an API key: enough to recognise it, and nothing to use it with.
public struct APIKey: Sendable, Hashable {
    /// The public part, by which it is listed and revoked.
    public let id: String
    /// What it is for, for people.
    public let name: String
    /// SHA-256 of the secret part.
    ///
    /// A plain hash is enough for 256 random bits: they can't be guessed.
    package let digest: [UInt8]
    public let roles: [String]
    /// What it may be used for; nothing if its roles are the only limit.
    public let scopes: [String]?
    /// In seconds since 1970.
    public let createdAt: Int
    public let expiresAt: Int
    public package(set) var isRevoked: Bool

    /// How keys begin, so that scanners of source code find those that were left there.
    public static let prefix = "gantry_"
    private static let idBytes = 8
    private static let secretBytes = 32

    /// What a store has kept.
    package init(
        id: String,
        name: String,
        digest: [UInt8],
        roles: [String],
        scopes: [String]?,
        createdAt: Int,
        expiresAt: Int,
        isRevoked: Bool
    ) {
        self.id = id
        self.name = name
        self.digest = digest
        self.roles = roles
        self.scopes = scopes
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.isRevoked = isRevoked
    }

    /// Makes a key.
    ///
    /// - Parameters:
    ///   - request: What it is to be.
    ///   - now: The time, in seconds since 1970.
    /// - Returns: What is kept, and the key itself, which is shown once and never again.
    package static func make(_ request: APIKeyRequest, now: Int) -> (kept: APIKey, key: String) {
        let id = Hexadecimal.encode(SymmetricKey(size: .init(bitCount: Self.idBytes * 8)).withUnsafeBytes(Array.init))
        let secret = SymmetricKey(size: .init(bitCount: Self.secretBytes * 8)).withUnsafeBytes(Array.init)
        let kept = APIKey(
            id: id,
            name: request.name,
            digest: Array(SHA256.hash(data: secret)),
            roles: request.roles,
            scopes: request.scopes,
            createdAt: now,
            expiresAt: now + min(max(request.lifetime, 1), APIKeyRequest.maximumLifetime),
            isRevoked: false
        )
        return (kept, "\(Self.prefix)\(id)_\(Base64.encode(secret, .url))")
    }

    /// The parts of a presented key; nothing if it is none.
    package static func parse(_ text: String) -> (id: String, secret: [UInt8])? {
        guard text.hasPrefix(Self.prefix), text.utf8.count == Self.prefix.utf8.count + Self.idBytes * 2 + 1 + 43 else {
            return nil
        }
        let rest = text.dropFirst(Self.prefix.count)
        let id = rest.prefix(Self.idBytes * 2)
        guard id.utf8.count == Self.idBytes * 2, rest.dropFirst(Self.idBytes * 2).first == "_",
            let secret = Base64.decode(rest.utf8.dropFirst(Self.idBytes * 2 + 1), .url),
            secret.count == Self.secretBytes
        else { return nil }
        return (String(id), secret)
    }

    /// Whether a secret is the one of this key, in a time that does not depend on how nearly it is.
    package func matches(_ secret: [UInt8]) -> Bool {
        let digest = Array(SHA256.hash(data: secret))
        guard digest.count == self.digest.count else { return false }
        return zip(digest, self.digest).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}

extension APIKey {
    var json: JSONValue {
        var object: JSONObject = [
            "id": .string(self.id), "name": .string(self.name), "sha256": .string(Base64.encode(self.digest)),
            "roles": .array(self.roles.map(JSONValue.string)), "created_at": .integer(self.createdAt),
            "expires_at": .integer(self.expiresAt), "revoked": .bool(self.isRevoked),
        ]
        if let scopes { object["scopes"] = .array(scopes.map(JSONValue.string)) }
        return .object(object)
    }

    init?(_ value: JSONValue) {
        guard let id = value["id"]?.stringValue, let name = value["name"]?.stringValue,
            let digest = value["sha256"]?.stringValue.flatMap({ Base64.decode(Array($0.utf8)) }), digest.count == 32,
            let roles = value["roles"]?.arrayValue?.compactMap(\.stringValue),
            let createdAt = value["created_at"]?.intValue, let expiresAt = value["expires_at"]?.intValue,
            let isRevoked = value["revoked"]?.boolValue
        else { return nil }
        // A limit that can't be read must not become none.
        guard value["scopes"] == nil || value["scopes"]?.arrayValue != nil else { return nil }
        self.init(
            id: id,
            name: name,
            digest: digest,
            roles: roles,
            scopes: value["scopes"]?.arrayValue?.compactMap(\.stringValue),
            createdAt: createdAt,
            expiresAt: expiresAt,
            isRevoked: isRevoked
        )
    }
}
