import HTTPTypes
import Hummingbird
import JSON
import MCP

/// The headers that repeat what the body says, so that proxies can route without reading it.
///
/// Specification: 2026-07-28, basic/transports/streamable-http, "Request Metadata".
struct RoutingHeaders {
    private let headers: HTTPFields

    init(_ headers: HTTPFields) {
        self.headers = headers
    }

    /// Checks that the headers say what the body says.
    ///
    /// - Throws: ``MCPError`` with `-32020`.
    func check(against call: JSONRPCRequest, _ meta: RequestMeta) throws(MCPError) {
        let version = try self.value(.mcpProtocolVersion)
        guard version == meta.protocolVersion else { throw Self.mismatch(.mcpProtocolVersion) }
        guard try self.value(.mcpMethod) == call.method else { throw Self.mismatch(.mcpMethod) }
        guard let name = Self.name(of: call) else { return }
        guard let decoded = Self.decoded(try self.value(.mcpName)), decoded == name else {
            throw Self.mismatch(.mcpName)
        }
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
        let values = self.headers[values: name]
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

/// Strict base64 (RFC 4648 §4): the standard alphabet, full padding, no unused bits set.
enum Base64 {
    static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count.isMultiple(of: 4) else { return nil }
        let padding = text.suffix(2).count { $0 == UInt8(ascii: "=") }
        var result: [UInt8] = []
        result.reserveCapacity(text.count / 4 * 3)
        var bits: UInt32 = 0
        var count = 0
        for byte in text.dropLast(padding) {
            guard let digit = Self.digit(byte) else { return nil }
            bits = bits << 6 | digit
            count += 6
            if count >= 8 {
                count -= 8
                result.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
                bits &= (1 << UInt32(count)) - 1
            }
        }
        return bits == 0 ? result : nil
    }

    private static func digit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}

extension StringProtocol {
    func trimming(_ isBlank: (Character) -> Bool) -> SubSequence {
        let start = self.firstIndex { isBlank($0) == false } ?? self.endIndex
        let last = self.lastIndex { isBlank($0) == false }
        return last.map { self[start...$0] } ?? self[start..<start]
    }
}
