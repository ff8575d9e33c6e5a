import Crypto
public import Foundation
import JSON
import Synchronization

/// Finds out whether tokens are genuine, in time, and meant for this server.
///
/// Specification: RFC 7519, section 7.2; RFC 8725; RFC 9068, section 4; MCP 2026-07-28, basic/authorization, "Token
/// Handling".
public final class TokenVerifier: Sendable {
    /// What tokens have to say.
    public struct Expectations: Sendable {
        /// Who issues them (`iss`), to the letter.
        public var issuer: String
        /// Whom they are for (`aud`): one of these, compared as canonical URIs.
        public var audiences: [String]
        /// By how much clocks may differ, in seconds.
        public var clockSkew: Double = 60

        public init(issuer: String, audiences: [String]) {
            self.issuer = issuer
            self.audiences = audiences
        }
    }

    private struct Remembered {
        var token: VerifiedToken
        var generation: Int
    }

    /// How many tokens are remembered.
    static let maximumRemembered = 10_000
    /// How long the name of a subject may be.
    private static let maximumSubjectBytes = 256

    private let expectations: Expectations
    private let audiences: Set<String>
    private let keys: any KeySource
    private let now: @Sendable () -> Double
    /// Tokens that were verified before, by SHA-256.
    private let remembered = Mutex<[SHA256Digest: Remembered]>([:])

    /// - Parameters:
    ///   - expectations: What tokens have to say.
    ///   - keys: The keys of the issuer.
    ///   - now: The time, in seconds since 1970.
    public init(
        expectations: Expectations,
        keys: any KeySource,
        now: @escaping @Sendable () -> Double = { Date().timeIntervalSince1970 }
    ) {
        self.expectations = expectations
        self.audiences = Set(expectations.audiences.map(ResourceURI.canonical))
        self.keys = keys
        self.now = now
    }

    /// By how much clocks may differ, in seconds: tokens are accepted for so much longer.
    var clockSkew: Double { self.expectations.clockSkew }

    /// Verifies a token.
    ///
    /// - Throws: ``AuthenticationError`` with what is wrong with it.
    public func verify(_ text: String) async throws(AuthenticationError) -> VerifiedToken {
        // Before anything is computed from it.
        guard text.utf8.count <= CompactToken.maximumBytes else {
            throw AuthenticationError(.invalidToken, "The token is larger than \(CompactToken.maximumBytes) bytes.")
        }
        let digest = Self.digest(text)
        let generation = self.keys.generation
        if let known = self.remembered.withLock({ $0[digest] }), known.generation == generation {
            try self.checkExpiry(known.token.expiry)
            return known.token
        }
        let token = try await self.verifyAnew(text)
        self.remember(token, digest, generation)
        return token
    }

    private static func digest(_ text: String) -> SHA256Digest {
        var text = text
        return text.withUTF8 { bytes in
            var hash = SHA256()
            hash.update(bufferPointer: UnsafeRawBufferPointer(bytes))
            return hash.finalize()
        }
    }

    /// Verifies a token without looking whether it was verified before.
    package func verifyAnew(_ text: String) async throws(AuthenticationError) -> VerifiedToken {
        let token = try CompactToken(text)
        let keys = try await self.keys.keys(for: token.keyID)
        let candidates = keys.candidates(for: token.algorithm, id: token.keyID)
        guard candidates.isEmpty == false else {
            throw AuthenticationError(.invalidToken, "The token is signed with a key that the issuer does not have.")
        }
        guard candidates.count <= KeySet.maximumCandidates else {
            throw AuthenticationError(.invalidToken, "The issuer has many keys, and the token does not name one (kid).")
        }
        guard candidates.contains(where: { $0.verifies(token.signature, of: token.input) }) else {
            throw AuthenticationError(.invalidToken, "The signature of the token is not right.")
        }
        return try self.check(token.claims)
    }

    private func remember(_ token: VerifiedToken, _ digest: SHA256Digest, _ generation: Int) {
        let now = self.now()
        self.remembered.withLock { remembered in
            if remembered.count >= Self.maximumRemembered {
                remembered = remembered.filter { $0.value.generation == generation && $0.value.token.expiry > now }
                // All of them in use at once: begin again rather than grow.
                if remembered.count >= Self.maximumRemembered { remembered.removeAll() }
            }
            remembered[digest] = Remembered(token: token, generation: generation)
        }
    }

    // MARK: Claims

    private func check(_ claims: JSONObject) throws(AuthenticationError) -> VerifiedToken {
        // Byte by byte: strings that only look the same are others.
        guard let issuer = claims["iss"]?.stringValue, issuer.utf8.elementsEqual(self.expectations.issuer.utf8) else {
            throw AuthenticationError(.invalidToken, "The token is not from the issuer that this server trusts.")
        }
        try self.checkAudience(claims["aud"])
        guard let expiry = try Self.time("exp", claims) else {
            throw AuthenticationError(.invalidToken, "The token has no exp.")
        }
        try self.checkExpiry(expiry)
        let latest = self.now() + self.expectations.clockSkew
        if let notBefore = try Self.time("nbf", claims), notBefore > latest {
            throw AuthenticationError(.invalidToken, "The token is not valid yet (nbf).")
        }
        if let issuedAt = try Self.time("iat", claims), issuedAt > latest {
            throw AuthenticationError(.invalidToken, "The token was issued in the future (iat).")
        }
        // Bound to a key that the client would have to prove to have: worth nothing in the hands of others (RFC 7800).
        guard claims["cnf"] == nil else {
            throw AuthenticationError(
                .invalidToken,
                "The token is bound to a key (cnf), and this server takes bearer tokens."
            )
        }
        guard let subject = claims["sub"]?.stringValue, (1...Self.maximumSubjectBytes).contains(subject.utf8.count),
            subject.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
        else { throw AuthenticationError(.invalidToken, "The token has no sub, or one that is no name.") }
        return VerifiedToken(subject: subject, claims: claims, scopes: try Self.scopes(claims), expiry: expiry)
    }

    private func checkExpiry(_ expiry: Double) throws(AuthenticationError) {
        guard expiry + self.expectations.clockSkew > self.now() else {
            throw AuthenticationError(.invalidToken, "The token has expired.")
        }
    }

    private func checkAudience(_ claim: JSONValue?) throws(AuthenticationError) {
        let named: [JSONValue] =
            switch claim {
            case .string?: claim.map { [$0] } ?? []
            case .array(let list)?: list
            default: []
            }
        let audiences = named.compactMap(\.stringValue)
        guard audiences.count == named.count,
            audiences.contains(where: { $0.isASCII && self.audiences.contains(ResourceURI.canonical($0)) })
        else { throw AuthenticationError(.invalidToken, "The token is for another audience (aud).") }
    }

    /// A time, in seconds since 1970 (RFC 7519, section 2, NumericDate).
    private static func time(_ name: String, _ claims: JSONObject) throws(AuthenticationError) -> Double? {
        guard let claim = claims[name] else { return nil }
        // Year 9999: what is beyond is a mistake, such as milliseconds.
        guard claim.stringValue == nil, let seconds = claim.doubleValue, (0...253_402_300_799).contains(seconds) else {
            throw AuthenticationError(.invalidToken, "The \(name) of the token is not a time in seconds.")
        }
        return seconds
    }

    /// RFC 8693, section 4.2 (`scope`), and the list that some issuers use instead (`scp`).
    private static func scopes(_ claims: JSONObject) throws(AuthenticationError) -> [String]? {
        guard let claim = claims["scope"] ?? claims["scp"] else { return nil }
        switch claim {
        case .string(let text): return text.split(separator: " ").map(String.init)
        case .array(let list) where claims["scope"] == nil:
            let scopes = list.compactMap(\.stringValue)
            if scopes.count == list.count { return scopes }
        default: break
        }
        throw AuthenticationError(.invalidToken, "The scope of the token is not a string, nor scp a list of strings.")
    }
}
