import Foundation
import Logging
import MCPServer
import Testing

@testable import Access

@Suite("API keys and development tokens")
final class APIKeyTests {
    private let directory = FileManager.default.temporaryDirectory.appending(path: "access-\(UUID().uuidString)").path

    deinit { try? FileManager.default.removeItem(atPath: self.directory) }

    @Test("The file holds no key, and only its owner may read it")
    func file() throws {
        let file = APIKeyFile(directory: self.directory)
        let key = try file.create(.init(name: "ci", roles: ["viewer"], scopes: nil, lifetime: 100))
        let path = "\(self.directory)/api-keys.json"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let secret = try #require(key.split(separator: "_").last)
        #expect(text.contains(secret) == false)
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        #expect(throws: KeyError.self) { try APIKeyFile(directory: self.directory).list() }
    }

    @Test("Development tokens are good for the audience that they name; their key is kept and private")
    func development() async throws {
        let issuer = try DevelopmentIssuer(directory: self.directory)
        let again = try DevelopmentIssuer(directory: self.directory)
        #expect(issuer.publicKey == again.publicKey)
        let path = "\(self.directory)/development-key.pem"
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        let token = try issuer.token(
            .init(
                subject: "ada",
                roles: ["operator"],
                scopes: ["jira:*"],
                audience: "http://127.0.0.1:8000/mcp",
                lifetime: 60
            )
        )
        let authenticator = Authenticator(
            tokens: TokenVerifier(
                expectations: .init(issuer: DevelopmentIssuer.issuer, audiences: ["http://127.0.0.1:8000/mcp"]),
                keys: again.keySource
            ),
            apiKeys: nil,
            policy: try PolicySource(path: nil, logger: Logger(label: "test"))
        )
        let principal = try await authenticator.principal(authorization: ["Bearer \(token)"], hasTokenInQuery: false)
        let expiry = try #require(principal.expiry)
        #expect(principal == Principal(id: "user:ada", roles: ["operator"], scopes: ["jira:*"], expiry: expiry))
        // The token's minute, and the minute by which clocks may differ.
        #expect((60...121).contains(expiry - Date().timeIntervalSince1970))
    }

    @Test(
        "Credentials that are presented wrongly are refused with the code that fits",
        arguments: [
            ([], AuthenticationError.Code.missing), ([""], .missing), (["Basic YTpi"], .missing),
            (["Bearer"], .invalidRequest),
            (["Bearer "], .invalidRequest), (["Bearer a b"], .invalidRequest), (["Bearer \"a\""], .invalidRequest),
            (["Bearer a", "Bearer a"], .invalidRequest), (["bearer a"], .invalidToken), (["Bearer é"], .invalidRequest),
        ]
    )
    func presentation(values: [String], code: AuthenticationError.Code) async throws {
        let authenticator = Authenticator(
            tokens: nil,
            apiKeys: APIKeyFile(directory: self.directory),
            policy: try PolicySource(path: nil, logger: Logger(label: "test"))
        )
        let error = await #expect(throws: AuthenticationError.self) {
            try await authenticator.principal(authorization: values, hasTokenInQuery: false)
        }
        #expect(error?.code == code)
        let query = await #expect(throws: AuthenticationError.self) {
            try await authenticator.principal(authorization: values, hasTokenInQuery: true)
        }
        #expect(query?.code == .invalidRequest)
    }
}
