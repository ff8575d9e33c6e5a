import Foundation
import HTTPTypes
import Hummingbird
import JSON
import MCP
import MCPHTTP

/// The headers of a request: who may ask, and whether they say what the body says.
///
/// An input is the number of a body, and a header on each line after it. The endpoint lets in exactly what a plain
/// reading of the rules, byte by byte and with Foundation's base64, lets in.
struct HeadersTarget: FuzzTarget {
    static let name = "headers"
    static let dictionary = [
        "\nHost: ", "\nOrigin: ", "\nContent-Type: ", "\nAccept: ", "\nMCP-Protocol-Version: ", "\nMcp-Method: ",
        "\nMcp-Name: ", "\nMcp-Session-Id: ", "\nX-Request-Id: ", "=?base64?", "?=", "=?BASE64?", "ZWNobw==",
        "ZWNobx==",
        "ZWNobw", "Y2Fmw6kg4piV", "Y2FmZcyB", "=", "==", "====", "AA=A", "+/", "-_", "/+==", "echo", "tools/call",
        "tools/list", "2026-07-28", "2025-11-25", "application/json", "text/event-stream", "*/*", "application/*",
        "; charset=utf-8", ";q=0.5", ", ", "localhost", "127.0.0.1", "[::1]", "::1", ":8000", ":+80", ":65536", ":0",
        "http://", "https://", "null", "evil.example", "@", ".", "localhost.evil.example", " ", "\t", "\u{301}", "é",
        "\u{FEFF}", "\u{212A}", "\u{37E}", "/%6c",
    ]

    /// A body with what the routing headers have to say.
    private struct Body {
        var method: String
        var name: String?

        var bytes: [UInt8] {
            let version: JSONObject = [MetaKey.protocolVersion: "2026-07-28", MetaKey.clientCapabilities: [:]]
            var params: JSONObject = ["_meta": .object(version), "arguments": ["text": "x"]]
            params["name"] = self.name.map(JSONValue.string)
            return JSONRPCRequest(id: .integer(1), method: self.method, params: params).json.serialized()
        }
    }

    private static let bodies = [
        Body(method: "tools/call", name: "echo"), Body(method: "tools/list", name: nil),
        Body(method: "tools/call", name: "café ☕"), Body(method: "tools/call", name: "=?base64?ZWNobw==?="),
        Body(method: "prompts/get", name: " a b "), Body(method: "tools/call", name: ""),
    ]

    private let endpoint: MCPEndpoint

    init() {
        var configuration = MCPEndpoint.Configuration()
        configuration.hostGuard = HostGuard(hosts: ["gantry.example"], origins: ["https://console.example"])
        self.endpoint = MCPEndpoint(server: FuzzServer.make(), configuration: configuration)
    }

    func run(_ input: [UInt8]) async throws -> Outcome {
        let lines = input.split(separator: 0x0A, omittingEmptySubsequences: false)
        let body = Self.bodies[Int(lines[0].first ?? 0) % Self.bodies.count]
        var host = ""
        var headers = HTTPFields()
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == 0x20 }
            // A server for HTTP lets no others through.
            guard let name = HTTPField.Name(String(decoding: line[..<colon], as: UTF8.self)),
                HTTPField.isValidValue(value)
            else { continue }
            let field = HTTPField(name: name, value: value)
            if name.canonicalName == "host" {
                host = field.value
            } else {
                headers.append(field)
            }
        }
        let answer = try await self.endpoint.answer(body.bytes, headers: headers, authority: host)
        let message = try require(try answer.messages().last, "There is no answer, but \(answer.status).")
        let expected = HeaderOracle(host: host, headers: headers).status(method: body.method, name: body.name)
        // Other mistakes, such as a tool that there isn't, are found only once the headers are through.
        let isThrough = message.errorCode != MCPError.Code.headerMismatch.value && [400, 404].contains(answer.status)
        try expect(
            (isThrough ? 200 : answer.status) == expected,
            "\(answer.status) instead of \(expected): \(message.json), \(host), \(headers)"
        )
        var hasher = Hasher()
        hasher.combine(answer.status)
        hasher.combine(message.json["error"]?["message"])
        return hasher.finalize()
    }
}

/// The rules for headers once more, in bytes.
private struct HeaderOracle {
    let host: String
    let headers: HTTPFields

    /// 403, 415, 406, 400 for headers that contradict the body, or 200.
    func status(method: String, name: String?) -> Int {
        guard self.isServed(Array(self.host.utf8)), self.mayAsk else { return 403 }
        guard Self.mediaTypes(self.headers[.contentType].map { [$0] } ?? [], separator: nil) == ["application/json"]
        else { return 415 }
        let accepted = self.headers[values: .accept]
        let known: Set = ["application/json", "text/event-stream", "*/*", "application/*"]
        guard accepted.isEmpty || known.isDisjoint(with: Self.mediaTypes(accepted, separator: 0x2C)) == false else {
            return 406
        }
        guard self.says(.mcpProtocolVersion, "2026-07-28"), self.says(.mcpMethod, method) else { return 400 }
        guard let name else { return 200 }
        guard let value = self.single(.mcpName), let decoded = Self.decoded(value) else { return 400 }
        return decoded == Array(name.utf8) ? 200 : 400
    }

    // MARK: Who may ask

    private func isServed(_ authority: [UInt8]) -> Bool {
        let authority = Self.lowercased(authority)
        return ["localhost", "127.0.0.1", "[::1]", "gantry.example"].contains { name in
            guard authority.starts(with: name.utf8) else { return false }
            let rest = authority.dropFirst(name.utf8.count)
            if rest.isEmpty { return true }
            let port = rest.dropFirst()
            guard rest.first == UInt8(ascii: ":"), port.isEmpty == false,
                port.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
            else { return false }
            let digits = port.drop { $0 == UInt8(ascii: "0") }
            return digits.count <= 5 && digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) } <= 65535
        }
    }

    private var mayAsk: Bool {
        let origins = self.headers[values: .origin]
        if origins.isEmpty { return true }
        let origin = Self.lowercased(Array(origins.joined(separator: ", ").utf8))
        if origin == Array("https://console.example".utf8) { return true }
        return ["http://", "https://"].contains { scheme in
            origin.starts(with: scheme.utf8) && self.isServed(Array(origin.dropFirst(scheme.utf8.count)))
        }
    }

    // MARK: What is sent and what is taken

    /// The media types without their parameters.
    private static func mediaTypes(_ values: [String], separator: UInt8?) -> Set<String> {
        let ranges = values.flatMap { value in
            let bytes = Self.lowercased(Array(value.utf8))
            return separator.map { bytes.split(separator: $0).map(Array.init) } ?? [bytes]
        }
        return Set(
            ranges.map { range in
                let type = Self.trimmed(Array(range.prefix { $0 != UInt8(ascii: ";") }), of: [0x20])
                return String(decoding: type, as: UTF8.self)
            }
        )
    }

    // MARK: What repeats the body

    /// The value of a header that is there once.
    private func single(_ name: HTTPField.Name) -> [UInt8]? {
        let values = self.headers[values: name]
        return values.count == 1 ? Self.trimmed(Array(values[0].utf8), of: [0x20, 0x09]) : nil
    }

    private func says(_ name: HTTPField.Name, _ text: String) -> Bool {
        self.single(name) == Array(text.utf8)
    }

    private static func decoded(_ value: [UInt8]) -> [UInt8]? {
        guard value.starts(with: "=?base64?".utf8), value.count >= 11, value.suffix(2) == Array("?=".utf8) else {
            return value
        }
        let wrapped = Data(value.dropFirst(9).dropLast(2))
        guard let decoded = Data(base64Encoded: wrapped), decoded.base64EncodedData() == wrapped,
            String(validating: decoded, as: UTF8.self) != nil
        else { return nil }
        return Array(decoded)
    }

    private static func lowercased(_ bytes: [UInt8]) -> [UInt8] {
        bytes.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 + 32 : $0 }
    }

    private static func trimmed(_ bytes: [UInt8], of blanks: Set<UInt8>) -> [UInt8] {
        Array(bytes.drop(while: blanks.contains).reversed().drop(while: blanks.contains).reversed())
    }
}
