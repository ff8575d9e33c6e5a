import Crypto
import Foundation
import Testing

@testable import Secrets

/// The known answers of AWS: its test suite for Signature Version 4, and the examples of its documentation.
@Suite("AWS Signature Version 4")
struct AWSSignerTests {
    private static let credentials = AWSCredentials(
        accessKey: "AKIDEXAMPLE",
        secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    )
    /// 2015-08-30 12:36:00 UTC.
    private static let date = Date(timeIntervalSince1970: 1_440_938_160)

    struct Vector: Sendable, CustomTestStringConvertible {
        var name: String
        var method = "GET"
        var path = "/"
        var query: [(String, String)] = []
        var headers: [(String, String)] = []
        var body = ""
        var names = "host;x-amz-date"
        var signature: String

        var testDescription: String { self.name }
    }

    private static let vectors = [
        Vector(name: "get-vanilla", signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        Vector(
            name: "get-vanilla-query-order-key-case",
            query: [("Param2", "value2"), ("Param1", "value1")],
            signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
        ),
        Vector(
            name: "get-vanilla-query-unreserved",
            query: [
                (
                    "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
                    "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                )
            ],
            signature: "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"
        ),
        Vector(
            name: "get-vanilla-utf8-query",
            query: [("\u{1234}", "bar")],
            signature: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"
        ),
        Vector(
            name: "get-utf8",
            path: "/\u{1234}",
            signature: "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"
        ),
        Vector(
            name: "get-header-value-trim",
            headers: [("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")],
            names: "host;my-header1;my-header2;x-amz-date",
            signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"
        ),
        Vector(
            name: "post-vanilla",
            method: "POST",
            signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
        ),
        Vector(
            name: "post-header-key-sort",
            method: "POST",
            headers: [("My-Header1", "value1")],
            names: "host;my-header1;x-amz-date",
            signature: "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"
        ),
        Vector(
            name: "post-x-www-form-urlencoded",
            method: "POST",
            headers: [("Content-Type", "application/x-www-form-urlencoded")],
            body: "Param1=value1",
            names: "content-type;host;x-amz-date",
            signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"
        ),
    ]

    @Test("Signatures are those of the test suite", arguments: vectors)
    func signatures(vector: Vector) {
        let signer = AWSSigner(region: "us-east-1", service: "service")
        let headers = signer.headers(
            for: .init(
                method: vector.method,
                host: "example.amazonaws.com",
                path: vector.path,
                query: vector.query.map { (name: $0.0, value: $0.1) },
                headers: vector.headers.map { (name: $0.0, value: $0.1) },
                body: Array(vector.body.utf8)
            ),
            Self.credentials,
            at: Self.date
        )
        #expect(
            headers.last?.value
                == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
                + "SignedHeaders=\(vector.names), Signature=\(vector.signature)"
        )
        #expect(headers.contains { $0.name == "X-Amz-Date" && $0.value == "20150830T123600Z" })
    }

    @Test("The example of the documentation: ListUsers of IAM")
    func documentation() {
        let signer = AWSSigner(region: "us-east-1", service: "iam")
        let key = signer.key("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", day: "20150830")
        #expect(
            key.withUnsafeBytes { AWSSigner.hex($0) }
                == "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
        )
        let headers = signer.headers(
            for: .init(
                method: "GET",
                host: "iam.amazonaws.com",
                query: [("Action", "ListUsers"), ("Version", "2010-05-08")],
                headers: [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")]
            ),
            Self.credentials,
            at: Self.date
        )
        #expect(
            headers.last?.value.hasSuffix(
                "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
            ) == true
        )
    }

    @Test("A session token is sent and signed")
    func sessionToken() {
        var credentials = Self.credentials
        credentials.sessionToken = "lent"
        let headers = AWSSigner(region: "eu-central-1", service: "secretsmanager").headers(
            for: .init(method: "POST", host: "secretsmanager.eu-central-1.amazonaws.com"),
            credentials,
            at: Self.date
        )
        #expect(headers.contains { $0.name == "X-Amz-Security-Token" && $0.value == "lent" })
        #expect(headers.last?.value.contains("SignedHeaders=host;x-amz-date;x-amz-security-token,") == true)
    }
}
