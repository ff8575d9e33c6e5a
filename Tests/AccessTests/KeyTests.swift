import Crypto
import CryptoExtras
import JSON
import Logging
import MCP
import Synchronization
import Testing

@testable import Access

@Suite("Keys", .timeLimit(.minutes(1)))
struct KeyTests {
    /// An issuer that counts how often it is asked, and answers when the test lets it.
    private final class Issuer: Sendable {
        struct Down: Error {}
        let state = Mutex((document: [UInt8]?.none, asked: 0))
        var asked: Int { self.state.withLock { $0.asked } }
        func publish(_ document: [UInt8]?) { self.state.withLock { $0.document = document } }

        func download() async throws -> [UInt8] {
            await Task.yield()
            let document = self.state.withLock { state in
                state.asked += 1
                return state.document
            }
            guard let document else { throw Down() }
            return document
        }
    }

    private let issuer = Issuer()

    private static func document(_ ids: [String]) -> [UInt8] {
        let keys = ids.map { id -> JSONValue in
            let raw = Array(Curve25519.Signing.PrivateKey().publicKey.rawRepresentation)
            return ["kty": "OKP", "crv": "Ed25519", "kid": .string(id), "x": .string(Base64.encode(raw, .url))]
        }
        return JSONValue.object(["keys": .array(keys)]).serialized()
    }

    private final class Time: Sendable {
        let value = Mutex(ContinuousClock.now)
        func pass(_ duration: Duration) { self.value.withLock { $0 += duration } }
        var now: ContinuousClock.Instant { self.value.withLock { $0 } }
    }

    private let time = Time()

    private func source() -> RemoteKeySource {
        RemoteKeySource(
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            now: { [time] in time.now },
            download: { [issuer] in try await issuer.download() }
        )
    }

    @Test("A hundred requests at once make one fetch")
    func singleFlight() async throws {
        self.issuer.publish(Self.document(["a"]))
        let source = self.source()
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<100 { group.addTask { try await source.keys(for: "a").keys.count } }
            for try await count in group { #expect(count == 1) }
        }
        #expect(self.issuer.asked == 1)
    }

    @Test("An unknown key makes one fetch, and no other before the floor has passed")
    func floor() async throws {
        self.issuer.publish(Self.document(["a"]))
        let source = self.source()
        _ = try await source.keys(for: "a")
        for id in ["b", "c", "d"] { #expect(try await source.keys(for: id).mayHave(id) == false) }
        #expect(self.issuer.asked == 1)
        self.time.pass(.seconds(31))
        self.issuer.publish(Self.document(["a", "b"]))
        #expect(try await source.keys(for: "b").mayHave("b"))
        #expect(self.issuer.asked == 2)
        #expect(source.generation == 2)
    }

    @Test("Old keys are used while the issuer is down, for a day")
    func stale() async throws {
        self.issuer.publish(Self.document(["a"]))
        let source = self.source()
        _ = try await source.keys(for: "a")
        self.issuer.publish(nil)
        self.time.pass(.seconds(3600))
        #expect(try await source.keys(for: "a").mayHave("a"))
        #expect(try await source.keys(for: "b").mayHave("b") == false)
        self.time.pass(.seconds(86_400))
        await #expect(throws: AuthenticationError.self) { try await source.keys(for: "a") }
        self.issuer.publish(Self.document(["a"]))
        self.time.pass(.seconds(31))
        #expect(try await source.keys(for: "a").mayHave("a"))
    }

    @Test("Without keys there is no answer, and no token is thought wrong for it")
    func none() async throws {
        let source = self.source()
        let error = await #expect(throws: AuthenticationError.self) { try await source.keys(for: "a") }
        #expect(error?.code == .unavailable)
    }

    @Test(
        "Key sets that can't be used say why",
        arguments: [
            "", "[]", #"{"keys":{}}"#, #"{"keys":[]}"#, #"{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"a"}]}"#,
            #"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"a"}]}"#,
            #"{"keys":[{"kty":"EC","crv":"P-384","x":"AA","y":"AA","kid":"a"}]}"#,
            #"{"keys":[],"keys":[]}"#,
        ]
    )
    func badSets(text: String) {
        #expect(throws: KeyError.self) { try KeySet(jwks: Array(text.utf8)) }
    }

    @Test("Keys for encryption, private keys and keys for other algorithms are passed over")
    func passedOver() throws {
        let raw = Base64.encode(Array(Curve25519.Signing.PrivateKey().publicKey.rawRepresentation), .url)
        func key(_ more: JSONObject) -> JSONValue {
            var key: JSONObject = ["kty": "OKP", "crv": "Ed25519", "x": .string(raw)]
            for (name, value) in more { key[name] = value }
            return .object(key)
        }
        let keys: [JSONValue] = [
            key(["kid": "enc", "use": "enc"]), key(["kid": "ops", "key_ops": ["sign"]]), key(["kid": "d", "d": "AA"]),
            key(["kid": "alg", "alg": "ES256"]), key(["kid": 7]), key(["kid": "good", "use": "sig", "alg": "EdDSA"]),
        ]
        let set = try KeySet(jwks: JSONValue.object(["keys": .array(keys)]).serialized())
        #expect(set.keys.map(\.id) == ["good"])
    }

    @Test("More keys than allowed are refused")
    func tooMany() {
        let many = Self.document((0...KeySet.maximumKeys).map { "k\($0)" })
        #expect(throws: KeyError.self) { try KeySet(jwks: many) }
    }

    @Test("PEM text with several keys is read; a private key is refused")
    func pem() throws {
        let first = P256.Signing.PrivateKey()
        let second = Curve25519.Signing.PrivateKey()
        let text = first.publicKey.pemRepresentation + "\n" + second.publicKey.pemRepresentation
        #expect(try KeySet(pem: text).keys.map(\.algorithm) == [.es256, .edDSA])
        for text in [first.pemRepresentation, "nothing", P384.Signing.PrivateKey().publicKey.pemRepresentation] {
            #expect(throws: KeyError.self) { try KeySet(pem: text) }
        }
    }
}
