import HTTPTypes
import Hummingbird
import JSON
import MCP
import MCPServer
import NIOCore

extension HTTPField.Name {
    private static func named(_ name: String) -> Self {
        guard let field = Self(name) else { preconditionFailure("\(name) is no header name") }
        return field
    }

    static let mcpProtocolVersion = named("MCP-Protocol-Version")
    static let mcpSessionID = named("Mcp-Session-Id")
    static let mcpMethod = named("Mcp-Method")
    static let mcpName = named("Mcp-Name")
    static let xAccelBuffering = named("X-Accel-Buffering")
    static let xRequestID = named("X-Request-Id")
}

extension Request {
    var hasJSONBody: Bool {
        guard let type = self.headers[.contentType]?.lowercased() else { return false }
        return type.prefix { $0 != ";" }.trimming { $0 == " " } == "application/json"
    }

    /// Whether the client takes JSON or events.
    ///
    /// Clients that say nothing, or that take anything, are let in.
    var acceptsAnswers: Bool {
        let values = self.headers[values: .accept]
        if values.isEmpty { return true }
        return values.joined(separator: ",").lowercased().split(separator: ",").contains { range in
            switch range.prefix(while: { $0 != ";" }).trimming({ $0 == " " }) {
            case "application/json", "text/event-stream", "*/*", "application/*": true
            default: false
            }
        }
    }

    /// The id under which the log knows the request: the client's own if it is short and plain, else a new one.
    package var requestID: String {
        if let given = self.headers[.xRequestID], (1...64).contains(given.utf8.count),
            given.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
            )
        {
            return given
        }
        return RandomID.make()
    }
}

extension Response {
    static func json(_ response: JSONRPCResponse, status: HTTPResponse.Status, headers: HTTPFields = [:]) -> Response {
        var headers = headers
        headers[.contentType] = "application/json"
        return Response(
            status: status,
            headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: response.json.serialized()))
        )
    }

    static func error(_ error: MCPError, id: MCP.RequestID? = nil, status: HTTPResponse.Status? = nil) -> Response {
        let own: HTTPResponse.Status = error.code == .sessionNotFound ? .notFound : .init(code: error.httpStatus)
        return .json(.failure(error, id: id), status: status ?? own)
    }
}

extension ByteBuffer {
    /// A message as one server-sent event.
    static func event(_ message: JSONValue) -> ByteBuffer {
        var bytes = Array("data: ".utf8)
        message.write(to: &bytes)
        bytes.append(contentsOf: "\n\n".utf8)
        return ByteBuffer(bytes: bytes)
    }
}
