import Foundation
import HTTPTypes
import Hummingbird
import JSON
import MCP
import MCPHTTP

/// The headers of a request: who may ask, whether they say what the body says, and where a stream goes on.
///
/// An input is the number of a body, or `g` for a GET, and a header on each line after it; `$session` and `$stream` stand
/// for a session and one of its streams. The endpoint lets in exactly what a plain reading of the rules, byte by byte and
/// with Foundation's base64, lets in, and repeats exactly what came after an event.
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
        "\u{FEFF}", "\u{212A}", "\u{37E}", "/%6c", "\nMcp-Param-Region: ", "\nMcp-Param-Count: ",
        "\nMcp-Param-Urgent: ", "route", "42", "42.0", "4.2e1", "-0", "9007199254740993", "9007199254740992", "true",
        "false", "TRUE", "\nLast-Event-ID: ", "$session", "$stream", "$stream-1", "0-0", "0-1", "-1", "-", "2025-03-26",
    ]

    /// A body with what the routing headers have to say.
    private struct Body {
        var method: String
        var name: String?
        var arguments: JSONObject = ["text": "x"]

        var bytes: [UInt8] {
            let version: JSONObject = [MetaKey.protocolVersion: "2026-07-28", MetaKey.clientCapabilities: [:]]
            var params: JSONObject = ["_meta": .object(version), "arguments": .object(self.arguments)]
            params["name"] = self.name.map(JSONValue.string)
            return JSONRPCRequest(id: .integer(1), method: self.method, params: params).json.serialized()
        }
    }

    private static let bodies = [
        Body(method: "tools/call", name: "echo"), Body(method: "tools/list", name: nil),
        Body(method: "tools/call", name: "café ☕"), Body(method: "tools/call", name: "=?base64?ZWNobw==?="),
        Body(method: "prompts/get", name: " a b "), Body(method: "tools/call", name: ""),
        Body(method: "tools/call", name: "route", arguments: ["region": "eu west", "count": 42, "urgent": true]),
        Body(method: "tools/call", name: "route", arguments: ["region": "é ", "count": -7, "urgent": false]),
        Body(method: "tools/call", name: "route", arguments: ["region": nil, "count": 9_007_199_254_740_993]),
        Body(method: "tools/call", name: "route", arguments: ["region": "", "count": 0.5, "urgent": "true"]),
    ]

    private let client: HTTPClient
    private let sessionID: String
    /// The stream of a call, and its events.
    private let stream: String
    private let events: [HTTPAnswer.Event]

    init() async throws {
        var configuration = MCPEndpoint.Configuration()
        configuration.hostGuard = HostGuard(hosts: ["gantry.example"], origins: ["https://console.example"])
        configuration.eventLifetime = .seconds(86_400)
        configuration.keepAliveInterval = .seconds(4)
        let client = HTTPClient(MCPEndpoint(server: FuzzServer.make(), configuration: configuration))
        self.client = client
        self.sessionID = try await client.openSession(.v2025_11_25)
        let call = JSONRPCRequest(
            id: .integer(1),
            method: "tools/call",
            params: ["name": "count.up", "_meta": ["progressToken": 1]]
        )
        var headers = HTTPFields.post
        headers[.mcpSessionID] = self.sessionID
        self.events = try await client.send(call.json.serialized(), headers: headers).events()
        let first = try require(self.events.first?.id, "The stream has no ids.")
        self.stream = first.split(separator: "-").first.map(String.init) ?? ""
        try expect(self.events.count > 2, "The stream is too short.")
    }

    func run(_ input: [UInt8]) async throws -> Outcome {
        let lines = input.split(separator: 0x0A, omittingEmptySubsequences: false)
        var host = ""
        var headers = HTTPFields()
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            let value = self.filledIn(line[line.index(after: colon)...].drop { $0 == 0x20 })
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
        let oracle = HeaderOracle(host: host, headers: headers)
        if lines[0].first == UInt8(ascii: "g") { return try await self.get(host, headers, oracle) }
        return try await self.post(Self.body(lines[0].first), host, headers, oracle)
    }

    private static func body(_ digit: UInt8?) -> Body {
        Self.bodies[Int((digit ?? 0) &- UInt8(ascii: "0")) % Self.bodies.count]
    }

    /// A value with the ids of this run in it.
    private func filledIn(_ value: ArraySlice<UInt8>) -> [UInt8] {
        guard value.contains(UInt8(ascii: "$")), let text = String(validating: value, as: UTF8.self) else {
            return Array(value)
        }
        return Array(
            text.replacing("$session", with: self.sessionID).replacing("$stream", with: self.stream).utf8
        )
    }

    private func post(
        _ body: Body,
        _ host: String,
        _ headers: HTTPFields,
        _ oracle: HeaderOracle
    ) async throws -> Outcome {
        let answer = try await self.client.send(body.bytes, headers: headers, authority: host)
        let message = try require(try answer.messages().last, "There is no answer, but \(answer.status).")
        var expected = oracle.status(method: body.method, name: body.name)
        if expected == 200, body.name == "route", oracle.sayArguments(body.arguments) == false { expected = 400 }
        // Other mistakes, such as a tool that there isn't, are found only once the headers are through.
        let isThrough = message.errorCode != MCPError.Code.headerMismatch.value && [400, 404].contains(answer.status)
        try expect(
            (isThrough ? 200 : answer.status) == expected,
            "\(answer.status) instead of \(expected): \(message.json), \(host), \(headers)"
        )
        var hasher = Hasher()
        hasher.combine(answer.status)
        hasher.combine(message.json["error"]?["message"])
        hasher.combine(message.result?["content"])
        return hasher.finalize()
    }

    private func get(_ host: String, _ headers: HTTPFields, _ oracle: HeaderOracle) async throws -> Outcome {
        let answer = try await self.client.open(headers: headers, authority: host)
        let (expected, isOfCall, after) = oracle.stream(session: self.sessionID, stream: self.stream)
        try expect(answer.status == expected, "\(answer.status) instead of \(expected): \(host), \(headers)")
        guard expected == 200 else {
            let message = try require(try answer.messages().last, "There is no answer, but \(answer.status).")
            return try require(message.json["error"], "There is no error, but \(message.json).").hashValue
        }
        let events = try answer.events().map(\.data)
        // The client may have gone before the last one.
        let rest = isOfCall ? self.events.dropFirst(after).map(\.data) : []
        try expect(rest.starts(with: events), "After \(after) came \(events.count) events instead of \(rest.count).")
        return [answer.status, isOfCall ? 1 : 0, events.count].hashValue
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
        let wanted = ["application/json", "text/event-stream"].filter(self.accepts)
        guard wanted.count > (self.headers[.mcpProtocolVersion] == "2026-07-28" ? 1 : 0) else { return 406 }
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

    private func accepts(_ type: String) -> Bool {
        let values = self.headers[values: .accept]
        if values.isEmpty { return true }
        let names = [type, "*/*", type.split(separator: "/")[0] + "/*"].map { Array($0.utf8) }
        return values.flatMap { Self.lowercased(Array($0.utf8)).split(separator: 0x2C) }.contains { range in
            let parts = range.split(separator: 0x3B).map { Self.trimmed(Array($0), of: [0x20, 0x09]) }
            guard let first = parts.first, names.contains(first) else { return false }
            return parts.dropFirst().contains { part in
                part.starts(with: "q=".utf8) && Double(String(decoding: part.dropFirst(2), as: UTF8.self)) == 0
            } == false
        }
    }

    // MARK: Where a stream goes on

    /// The status of a GET, and after which event of the call's stream it goes on, if that is what is wanted.
    func stream(session: String, stream: String) -> (status: Int, isOfCall: Bool, after: Int) {
        guard self.isServed(Array(self.host.utf8)), self.mayAsk else { return (403, false, 0) }
        let versions = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"].map { Array($0.utf8) }
        if let version = self.headers[.mcpProtocolVersion], versions.contains(Array(version.utf8)) == false {
            return (400, false, 0)
        }
        guard let id = self.headers[.mcpSessionID] else { return (400, false, 0) }
        guard Array(id.utf8) == Array(session.utf8) else { return (404, false, 0) }
        guard self.accepts("text/event-stream") else { return (406, false, 0) }
        guard let last = self.headers[.lastEventID].map({ Array($0.utf8) }) else { return (200, false, 0) }
        guard let dash = last.lastIndex(of: UInt8(ascii: "-")), last.count <= 64,
            let number = Int(String(decoding: last[(dash + 1)...], as: UTF8.self)), number >= 0
        else { return (400, false, 0) }
        if last[..<dash] == [UInt8(ascii: "0")] { return (200, false, 0) }
        // The call's stream counts the event that it begins with not.
        return Array(last[..<dash]) == Array(stream.utf8) ? (200, true, number) : (400, false, 0)
    }

    // MARK: What repeats the body

    /// Whether the headers of arguments say what the arguments are.
    func sayArguments(_ arguments: JSONObject) -> Bool {
        ["Region", "Count", "Urgent"].allSatisfy { name in
            let header = HTTPField.Name.named("Mcp-Param-\(name)")
            guard let argument = arguments[name.lowercased()], argument != .null else {
                return self.headers[values: header].isEmpty
            }
            guard let given = self.single(header).flatMap(Self.decoded) else { return false }
            switch argument {
            case .string(let text): return given == Array(text.utf8)
            case .bool(let flag): return given == Array("\(flag)".utf8)
            default:
                // Written as JSON's numbers are, and nothing around it.
                guard let number = Self.number(given) else { return false }
                guard let whole = argument.intValue else { return number.doubleValue == argument.doubleValue }
                return Decimal(string: String(decoding: given, as: UTF8.self)) == Decimal(whole)
            }
        }
    }

    private static func number(_ text: [UInt8]) -> JSONValue? {
        guard let value = try? JSONValue(parsing: text), text.allSatisfy({ $0 > 0x20 }) else { return nil }
        return value.doubleValue == nil ? nil : value
    }

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
