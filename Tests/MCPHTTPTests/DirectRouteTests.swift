import HTTPTypes
import Testing

@testable import MCPHTTP

@Suite("Calls that don't pass through the web framework")
struct DirectRouteTests {
    private static let call: HTTPFields = [
        .contentType: "application/json", .accept: "application/json, text/event-stream", .contentLength: "90",
        .mcpProtocolVersion: "2026-07-28", .mcpMethod: "tools/call", .mcpName: "echo",
    ]

    private func isDirect(
        method: HTTPRequest.Method = .post,
        path: String = "/mcp",
        _ changes: [HTTPField.Name: String?] = [:]
    ) -> Bool {
        var fields = Self.call
        for (name, value) in changes { fields[name] = value }
        let head = HTTPRequest(method: method, scheme: nil, authority: "localhost", path: path, headerFields: fields)
        return DirectRoute().headers(ofCall: head) != nil
    }

    @Test("Small calls of 2026-07-28 are such")
    func direct() {
        #expect(self.isDirect())
        #expect(self.isDirect([.contentLength: "65536"]))
        #expect(self.isDirect([.connection: "Keep-Alive"]))
    }

    @Test("Whatever is larger, older, of a web page, or wants more of its connection is not")
    func others() {
        #expect(self.isDirect(method: .get) == false)
        #expect(self.isDirect(path: "/mcp?x") == false)
        let changes: [[HTTPField.Name: String?]] = [
            [.contentLength: "65537"], [.contentLength: nil], [.contentLength: nil, .transferEncoding: "chunked"],
            [.mcpMethod: "tools/list"], [.mcpMethod: nil], [.mcpProtocolVersion: "2025-11-25"],
            [.mcpProtocolVersion: nil], [.origin: "http://localhost"], [.connection: "close"],
            [.connection: "upgrade"], [.expect: "100-continue"],
        ]
        for change in changes {
            #expect(self.isDirect(change) == false, "\(change)")
        }
    }

    @Test("The time is written as HTTP wants it")
    func date() {
        #expect(HTTPDate.text(of: 784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(HTTPDate.text(of: 951_782_400) == "Tue, 29 Feb 2000 00:00:00 GMT")
    }
}
