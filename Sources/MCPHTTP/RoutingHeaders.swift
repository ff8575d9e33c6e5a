import HTTPTypes
import Hummingbird
import JSON
import MCP
import MCPServer

/// The headers that repeat what the body says, so that proxies can route without reading it.
///
/// Specification: 2026-07-28, basic/transports/streamable-http, "Request Metadata".
struct RoutingHeaders {
    private let headers: MessageHeaders

    init(_ headers: MessageHeaders) {
        self.headers = headers
    }

    /// Whether the headers say what the body says, to the letter.
    ///
    /// Nearly all do; those that don't are looked at more closely by ``check(against:_:)``. A header that is there twice
    /// is no such case: its values come joined.
    func say(_ call: JSONRPCRequest, _ meta: RequestMeta) -> Bool {
        guard let version = self.headers.protocolVersion, let method = self.headers.method,
            let expected = meta.protocolVersion, Self.areSame(version, expected), Self.areSame(method, call.method)
        else { return false }
        guard let name = Self.name(of: call) else { return true }
        // Two headers, joined with a comma, may look like a name that has one.
        guard let given = self.headers.name, given.utf8.first != UInt8(ascii: "="),
            given.utf8.contains(UInt8(ascii: ",")) == false
        else { return false }
        return Self.areSame(given, name)
    }

    /// Refuses headers that are there twice, before anything else is looked at.
    func refuseDuplicates() throws(MCPError) {
        for name in [HTTPField.Name.mcpProtocolVersion, .mcpMethod, .mcpName]
        where self.headers.fields[values: name].count > 1 {
            throw MCPError(.headerMismatch, "The header \(name) may be there only once.")
        }
    }

    /// Checks that the headers of arguments say what the body says.
    ///
    /// - Throws: ``MCPError`` with `-32020`.
    func check(_ parameters: [HeaderParameter], of call: JSONRPCRequest) throws(MCPError) {
        for parameter in parameters {
            guard let name = HTTPField.Name("Mcp-Param-\(parameter.name)") else { continue }
            let values = self.headers.fields[values: name]
            let arguments = call.params["arguments"]?.objectValue ?? [:]
            guard let expected = parameter.value(in: arguments) else {
                guard values.isEmpty else { throw Self.mismatch(name) }
                continue
            }
            guard let text = Self.decoded(try self.value(name)) else { throw Self.mismatch(name) }
            guard Self.says(text, expected) else { throw Self.mismatch(name) }
        }
    }

    /// Whether a header's text stands for a value.
    private static func says(_ text: String, _ value: JSONValue) -> Bool {
        switch value {
        case .string(let string): return Self.areSame(text, string)
        case .bool(let flag): return text == (flag ? "true" : "false")
        case .integer, .double, .decimal:
            // 42.0 is 42, however it is written; no rounding makes other whole numbers the same.
            guard let number = JSONValue(number: text) else { return false }
            if let whole = value.intValue { return number.intValue == whole }
            return number.doubleValue == value.doubleValue && value.doubleValue != nil
        case .null, .array, .object: return false
        }
    }

    /// Checks that the headers say what the body says.
    ///
    /// - Throws: ``MCPError`` with `-32020`.
    func check(against call: JSONRPCRequest, _ meta: RequestMeta) throws(MCPError) {
        guard Self.areSame(try self.value(.mcpProtocolVersion), meta.protocolVersion ?? "") else {
            throw Self.mismatch(.mcpProtocolVersion)
        }
        guard Self.areSame(try self.value(.mcpMethod), call.method) else { throw Self.mismatch(.mcpMethod) }
        guard let name = Self.name(of: call) else { return }
        guard let decoded = Self.decoded(try self.value(.mcpName)), Self.areSame(decoded, name) else {
            throw Self.mismatch(.mcpName)
        }
    }

    /// Whether two texts are the same byte by byte, as a proxy compares them.
    ///
    /// Swift's `==` would take a decomposed "é" for a composed one, and a Kelvin sign for a K.
    private static func areSame(_ left: String, _ right: String) -> Bool {
        left.utf8.elementsEqual(right.utf8)
    }

    /// What `Mcp-Name` has to be for a request, if it needs one.
    private static func name(of call: JSONRPCRequest) -> String? {
        switch call.method {
        case "tools/call", "prompts/get": call.params["name"]?.stringValue
        case "resources/read": call.params["uri"]?.stringValue
        case "tasks/get", "tasks/update", "tasks/cancel": call.params["taskId"]?.stringValue
        default: nil
        }
    }

    private func value(_ name: HTTPField.Name) throws(MCPError) -> String {
        let values = self.headers.fields[values: name]
        guard let value = values.first, values.count == 1 else {
            throw MCPError(
                .headerMismatch,
                values.isEmpty ? "The header \(name) is required." : "The header \(name) may be there only once."
            )
        }
        return String(value.trimming { $0 == " " || $0 == "\t" })
    }

    private static func mismatch(_ name: HTTPField.Name) -> MCPError {
        MCPError(.headerMismatch, "The header \(name) does not say what the body says.")
    }

    /// A header value, unwrapped if it is `=?base64?…?=`.
    ///
    /// - Returns: Nothing if what is wrapped is not the base64 of UTF-8 text: padding and alphabet are strict.
    static func decoded(_ value: String) -> String? {
        guard value.hasPrefix("=?base64?"), value.hasSuffix("?="), value.utf8.count >= 11 else { return value }
        return Base64.decode(value.utf8.dropFirst(9).dropLast(2)).flatMap { String(validating: $0, as: UTF8.self) }
    }
}

extension StringProtocol {
    func trimming(_ isBlank: (Character) -> Bool) -> SubSequence {
        let start = self.firstIndex { isBlank($0) == false } ?? self.endIndex
        let last = self.lastIndex { isBlank($0) == false }
        return last.map { self[start...$0] } ?? self[start..<start]
    }
}
