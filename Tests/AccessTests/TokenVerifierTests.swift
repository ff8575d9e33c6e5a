import Crypto
import JSON
import MCP
import Synchronization
import Testing

@testable import Access

@Suite("Tokens")
struct TokenVerifierTests {
    let forge = TokenForge()

    private func refusal(_ token: String) async throws -> String? {
        do {
            _ = try await self.forge.verifier.verify(token)
            return nil
        } catch {
            #expect(error.code == .invalidToken)
            return error.message
        }
    }

    @Test("A good token is accepted, with what it says")
    func good() async throws {
        let token = try await self.forge.verifier.verify(try self.forge.token())
        #expect(token.subject == "ada")
        #expect(token.scopes == ["jira:read", "knowledge:read"])
        #expect(token.claims["roles"] == ["developer"])
    }

    private static let wrongClaims: [(name: String, value: JSONValue, word: String)] = [
        ("iss", "https://evil.example", "issuer"), ("iss", .null, "issuer"),
        ("iss", ["https://issuer.example"], "issuer"), ("aud", "https://other.example", "audience"),
        ("aud", .null, "audience"), ("aud", 7, "audience"), ("aud", [], "audience"),
        ("aud", ["https://gantry.example/mcp", 7], "audience"), ("exp", 1_799_999_940, "expired"),
        ("exp", "1800000600", "time"), ("exp", -1, "time"), ("exp", 1_800_000_600_000, "time"),
        ("nbf", 1_800_000_061, "nbf"), ("nbf", "soon", "time"), ("iat", 1_800_000_061, "future"),
        ("sub", "", "sub"), ("sub", 7, "sub"), ("sub", "a\nb", "sub"), ("cnf", ["jkt": "x"], "bound"),
        ("scope", ["jira:read"], "scope"), ("scp", [7], "scope"),
    ]

    @Test("Claims that are not right are refused", arguments: wrongClaims)
    func claims(name: String, value: JSONValue, word: String) async throws {
        let token = try self.forge.token { claims in
            if name == "scp" { claims = claims.without("scope") }
            claims[name] = value
        }
        #expect(try await self.refusal(token)?.contains(word) == true)
    }

    @Test("What must be there is missed", arguments: ["iss", "aud", "exp", "sub"])
    func missing(name: String) async throws {
        #expect(try await self.refusal(try self.forge.token { $0 = $0.without(name) }) != nil)
    }

    @Test("Clocks may differ by a minute, audiences in case and a slash, and scp may be a list")
    func tolerance() async throws {
        let token = try self.forge.token { claims in
            claims["exp"] = 1_799_999_941
            claims["nbf"] = 1_800_000_059
            claims["aud"] = ["x", "HTTPS://Gantry.Example/mcp/"]
            claims = claims.without("scope")
            claims["scp"] = ["jira:read"]
        }
        #expect(try await self.forge.verifier.verify(token).scopes == ["jira:read"])
    }

    @Test(
        "Headers that are not right are refused",
        arguments: [
            #"{"alg":"none","kid":"ec"}"#, #"{"alg":"HS256","kid":"ec"}"#, #"{"alg":"es256","kid":"ec"}"#,
            #"{"alg":"RS256","kid":"ec"}"#, #"{"alg":"EdDSA","kid":"ec"}"#, #"{"alg":"EdDSA","kid":"ed"}"#,
            #"{"kid":"ec"}"#, #"{"alg":["ES256"],"kid":"ec"}"#, #"{"alg":"ES256","kid":"nobody"}"#,
            #"{"alg":"ES256","kid":7}"#, #"{"alg":"ES256","kid":""}"#, #"{"alg":"ES256","kid":"ec","typ":"dpop+jwt"}"#,
            #"{"alg":"ES256","kid":"ec","typ":7}"#, #"{"alg":"ES256","kid":"ec","crit":["b64"],"b64":false}"#,
            #"{"alg":"ES256","kid":"ec","crit":[]}"#, #"{"alg":"ES256","kid":"ec","jwk":{}}"#,
            #"{"alg":"ES256","kid":"ec","jku":"https://evil.example"}"#, #"{"alg":"ES256","alg":"ES256","kid":"ec"}"#,
            #"["ES256"]"#, #"{"alg":"ES256","kid":"ec""#,
        ]
    )
    func headers(header: String) async throws {
        let payload = JSONValue.object(TokenForge.goodClaims).serializedString()
        #expect(try await self.refusal(try self.forge.sign(header, payload, with: self.forge.ecdsa)) != nil)
    }

    @Test("Tokens that are no tokens are refused")
    func malformed() async throws {
        let good = try self.forge.token()
        let parts = good.split(separator: ".").map(String.init)
        let broken = [
            "", ".", "..", "a.b.c", parts[0], "\(parts[0]).\(parts[1])", "\(parts[0]).\(parts[1]).", good + ".x",
            good + "=", "\(parts[0]).\(parts[1]).\(parts[2].dropLast())", "\(parts[0]).\(parts[2]).\(parts[1])",
            "\(parts[0]).\(parts[1]).\(String(repeating: "A", count: 86))",
            String(repeating: "a", count: CompactToken.maximumBytes + 1),
        ]
        for token in broken { #expect(try await self.refusal(token) != nil, "\(token.prefix(80))") }
    }

    @Test("A claim that comes twice, a foreign signature and a changed claim are refused")
    func forged() async throws {
        let payload = JSONValue.object(TokenForge.goodClaims).serializedString()
        let twice = #"{"sub":"eve",\#(payload.dropFirst())"#
        let header = #"{"alg":"ES256","kid":"ec"}"#
        #expect(
            try await self.refusal(try self.forge.sign(header, twice, with: self.forge.ecdsa))?.contains("twice")
                == true
        )
        #expect(try await self.refusal(try self.forge.sign(header, payload, with: self.forge.other)) != nil)
        let parts = try self.forge.token().split(separator: ".").map(String.init)
        let changed = Base64.encode(Array(payload.replacing("ada", with: "eve").utf8), .url)
        #expect(try await self.refusal("\(parts[0]).\(changed).\(parts[2])") != nil)
    }

    @Test("Keys that change make old answers void, and expiry counts for remembered tokens, too")
    func remembered() async throws {
        let source = ChangingKeySource(self.forge.keys)
        let time = Mutex(TokenForge.now)
        let verifier = TokenVerifier(
            expectations: .init(issuer: TokenForge.issuer, audiences: [TokenForge.audience]),
            keys: source,
            now: { time.withLock { $0 } }
        )
        let token = try self.forge.token()
        _ = try await verifier.verify(token)
        let asked = source.asked
        _ = try await verifier.verify(token)
        #expect(source.asked == asked)
        time.withLock { $0 += 700 }
        await #expect(throws: AuthenticationError.self) { try await verifier.verify(token) }
        time.withLock { $0 -= 700 }
        source.set(KeySet([VerificationKey(.p256(self.forge.other.publicKey), id: "ec")]))
        await #expect(throws: AuthenticationError.self) { try await verifier.verify(token) }
    }
}

/// Keys that a test exchanges.
private final class ChangingKeySource: KeySource {
    private let state: Mutex<(keys: KeySet, generation: Int, asked: Int)>

    init(_ keys: KeySet) { self.state = Mutex((keys, 0, 0)) }

    var generation: Int { self.state.withLock { $0.generation } }
    var asked: Int { self.state.withLock { $0.asked } }

    func set(_ keys: KeySet) {
        self.state.withLock { state in
            state.keys = keys
            state.generation += 1
        }
    }

    func keys(for id: String?) async throws(AuthenticationError) -> KeySet {
        self.state.withLock { state in
            state.asked += 1
            return state.keys
        }
    }
}

extension JSONObject {
    func without(_ key: String) -> JSONObject { JSONObject(self.filter { $0.key != key }) }
}
