import Testing

@testable import KubernetesTools

@Suite("Image references")
struct ImageReferenceTests {
    static let sha256 = "sha256:" + String(repeating: "0123456789abcdef", count: 4)
    static let sha512 = "sha512:" + String(repeating: "0123456789abcdef", count: 8)

    struct Parts: Sendable {
        let text: String
        var domain: String?
        let path: String
        var tag: String?
        var digest: String?
    }

    @Test(
        "A reference is taken apart by the distribution grammar",
        arguments: [
            Parts(text: "nginx", path: "nginx"),
            Parts(text: "nginx:1.27", path: "nginx", tag: "1.27"),
            Parts(text: "library/nginx", path: "library/nginx"),
            Parts(text: "host:5000/img", domain: "host:5000", path: "img"),
            Parts(text: "host:5000", path: "host", tag: "5000"),
            Parts(text: "localhost/img", domain: "localhost", path: "img"),
            Parts(text: "localhost:5000/a/b:1", domain: "localhost:5000", path: "a/b", tag: "1"),
            Parts(text: "registry.example.com/team/web_shop", domain: "registry.example.com", path: "team/web_shop"),
            Parts(text: "Registry/img", domain: "Registry", path: "img"),
            Parts(text: "10.0.0.1:443/img:v1", domain: "10.0.0.1:443", path: "img", tag: "v1"),
            Parts(text: "[2001:db8::1]:5000/img", domain: "[2001:db8::1]:5000", path: "img"),
            Parts(text: "[::1]/img:1", domain: "[::1]", path: "img", tag: "1"),
            Parts(text: "img@\(sha256)", path: "img", digest: sha256),
            Parts(text: "img:1.4.2@\(sha256)", path: "img", tag: "1.4.2", digest: sha256),
            Parts(text: "img@\(sha512)", path: "img", digest: sha512),
            Parts(text: "lib/a.b__c---d/e_f", path: "lib/a.b__c---d/e_f"),
            Parts(text: "img:PORT_CPU.MEMORY-1", path: "img", tag: "PORT_CPU.MEMORY-1"),
            Parts(text: "img:_", path: "img", tag: "_"),
            Parts(
                text: "img:" + String(repeating: "a", count: 128),
                path: "img",
                tag: String(repeating: "a", count: 128)
            ),
        ]
    )
    func accepted(parts: Parts) throws {
        let image = try ImageReference(parsing: parts.text)
        #expect(image.description == parts.text)
        #expect(image.domain == parts.domain)
        #expect(image.path == parts.path)
        #expect(image.tag == parts.tag)
        #expect(image.digest == parts.digest)
    }

    @Test(
        "What no registry could look up is refused",
        arguments: [
            "", " ", "img ", "img\n", "im g", "https://registry.example.com/img", "Img", "team/Img", "img:", ":1",
            "img:-1",
            "img:.1", "img:a b", "img:a/b:", "/img", "img/", "a//b", "a..b/img", "-a", "a-", "a._b", "a___b", "a/.b",
            "../img",
            "img@", "img@sha256", "img@sha256:abc", "img@md5:0123456789abcdef0123456789abcdef", "@\(sha256)",
            "img@\(sha256.uppercased())", "img@sha256:" + String(repeating: "A", count: 64), "img@\(sha256)0",
            "img@\(sha256)@\(sha256)", "img:1:2", "host:port/img", "host:0/img", "host:65536/img", "host:/img",
            "-host.a/img",
            "host-.a/img", "[::1/img", "[::1]x/img", "[zz::1]/img", "[]/img", "]/img", "::1]:5000/img",
            "my_host.a:1/img",
            "img:é", "ïmg", "img\u{0}",
            String(repeating: "0123456789abcdef", count: 4), "img:" + String(repeating: "a", count: 129),
            String(repeating: "a", count: 256), String(repeating: "a/", count: 600) + "a",
        ]
    )
    func refused(text: String) throws {
        #expect(try #require(ImageReference.problem(text)).hasSuffix("."))
    }

    @Test("The longest path is 255 characters, without the registry")
    func longestPath() {
        #expect(ImageReference.problem("registry.example.com/" + String(repeating: "a", count: 255)) == nil)
        #expect(ImageReference.problem("registry.example.com/" + String(repeating: "a", count: 256)) != nil)
    }

    @Test(
        "The version label is a valid label value",
        arguments: [
            ("img:1.4.2", "1.4.2"), ("img:v1.0-rc.", "v1.0-rc"), ("img:_x_", "x"), ("img:___", nil), ("img", nil),
            ("img:latest", nil), ("img@\(sha256)", nil),
            ("img:" + String(repeating: "a", count: 62) + "-b", String(repeating: "a", count: 62)),
        ] as [(String, String?)]
    )
    func versionLabel(text: String, label: String?) throws {
        #expect(try ImageReference(parsing: text).versionLabel == label)
    }

    @Test("Without tag and digest, or with latest alone, the reference follows latest")
    func latest() throws {
        #expect(try ImageReference(parsing: "img").followsLatest)
        #expect(try ImageReference(parsing: "host:5000/img").followsLatest)
        #expect(try ImageReference(parsing: "img:latest").followsLatest)
        #expect(try !ImageReference(parsing: "img:latest@\(Self.sha256)").followsLatest)
        #expect(try !ImageReference(parsing: "img:1").followsLatest)
    }
}
