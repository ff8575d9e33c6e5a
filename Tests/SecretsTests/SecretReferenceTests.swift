import Testing

@testable import Secrets

@Suite("References to secrets")
struct SecretReferenceTests {
    @Test(
        "Names and fields",
        arguments: [
            ("secret://jira", "jira", nil), ("secret://prod/jira#token", "prod/jira", "token"),
            (
                "secret://arn:aws:secretsmanager:eu-central-1:1:secret:jira-AbCdEf#api#key",
                "arn:aws:secretsmanager:eu-central-1:1:secret:jira-AbCdEf", "api#key"
            ),
        ] as [(String, String, String?)]
    )
    func right(text: String, name: String, field: String?) throws {
        let reference = try SecretReference(text)
        #expect(reference.name == name && reference.field == field)
        #expect(reference.description == text)
    }

    @Test(
        "What names nothing",
        arguments: ["secret://", "secret://#x", "secret://x#", "secret://a b", "x", "secret://a\n"]
    )
    func wrong(text: String) {
        #expect(throws: SecretError.self) { try SecretReference(text) }
    }

    @Test("Environment variables, whole or by field, and without white space at the ends")
    func environment() async throws {
        let secrets = EnvironmentSecrets(["A": " one\n", "B": #"{"x":"two","y":true}"#])
        #expect(try await secrets.value(of: SecretReference("secret://A")) == "one")
        #expect(try await secrets.value(of: SecretReference("secret://B#x")) == "two")
        #expect(try await secrets.value(of: SecretReference("secret://B#y")) == "true")
        let error = await #expect(throws: SecretError.self) {
            try await secrets.value(of: SecretReference("secret://C"))
        }
        #expect(error?.code == .notFound)
    }
}
