public import MCPServer

/// Finds out who sends a request, by its `Authorization`, for every request anew.
public final class Authenticator: Sendable {
    private let tokens: TokenVerifier?
    private let apiKeys: (any APIKeyStore)?
    private let policy: PolicySource

    /// - Parameters:
    ///   - tokens: What verifies tokens; none are accepted without.
    ///   - apiKeys: The API keys; none are accepted without.
    ///   - policy: What makes roles of what a token says.
    public init(tokens: TokenVerifier?, apiKeys: (any APIKeyStore)?, policy: PolicySource) {
        self.tokens = tokens
        self.apiKeys = apiKeys
        self.policy = policy
    }

    /// Who sends a request.
    ///
    /// Specification: RFC 6750, section 2.1; MCP 2026-07-28, basic/authorization, "Token Requirements".
    ///
    /// - Parameters:
    ///   - authorization: The values of the `Authorization` headers.
    ///   - hasTokenInQuery: Whether the address has an `access_token`, where tokens must not be.
    /// - Returns: The principal, with its roles and scopes.
    /// - Throws: ``AuthenticationError``.
    public func principal(
        authorization: [String],
        hasTokenInQuery: Bool
    ) async throws(AuthenticationError) -> Principal {
        guard hasTokenInQuery == false else {
            throw AuthenticationError(
                .invalidRequest,
                "Tokens belong in the Authorization header, never in the address."
            )
        }
        guard authorization.count <= 1 else {
            throw AuthenticationError(.invalidRequest, "There is more than one Authorization header.")
        }
        guard let value = authorization.first else {
            throw AuthenticationError(.missing, "Send a token: Authorization: Bearer TOKEN.")
        }
        let token = try Self.bearerToken(value)
        if let key = try await self.apiKeys?.recognise(token) {
            return Principal(
                id: "key:\(key.id)",
                roles: key.roles,
                scopes: key.scopes,
                expiry: Double(key.expiresAt)
            )
        }
        guard let tokens else { throw AuthenticationError(.invalidToken, "This server takes API keys only.") }
        let verified = try await tokens.verify(token)
        var principal = self.policy.principal(of: verified)
        principal.expiry = verified.expiry + tokens.clockSkew
        return principal
    }

    /// Which bytes a token may have.
    private static let isTokenByte: [Bool] = {
        var table = [Bool](repeating: false, count: 256)
        for byte in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/=".utf8 {
            table[Int(byte)] = true
        }
        return table
    }()

    /// RFC 6750, section 2.1: `Bearer`, one space or more, and a token of one alphabet.
    private static func bearerToken(_ value: String) throws(AuthenticationError) -> String {
        var value = value
        // Bytes in one piece: every request has a long token.
        let token = value.withUTF8 { bytes -> Result<String, AuthenticationError> in
            let scheme = bytes.prefix { $0 != UInt8(ascii: " ") }
            // Names of schemes know no case (RFC 9110, section 11.1).
            guard scheme.count == 6, zip(scheme, "bearer".utf8).allSatisfy({ $0 | 0x20 == $1 }) else {
                return .failure(AuthenticationError(.missing, "Send a token: Authorization: Bearer TOKEN."))
            }
            let token = bytes[scheme.count...].drop { $0 == UInt8(ascii: " ") }
            let isTokenByte = self.isTokenByte
            guard token.isEmpty == false, token.allSatisfy({ isTokenByte[Int($0)] }) else {
                let message = "The Authorization header is not Bearer followed by one token."
                return .failure(AuthenticationError(.invalidRequest, message))
            }
            return .success(String(decoding: token, as: UTF8.self))
        }
        return try token.get()
    }
}
