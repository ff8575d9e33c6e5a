import HTTPTypes
import Hummingbird
import JSON
import MCP
import MCPServer
import NIOCore
import Synchronization

extension HTTPField.Name {
    private static func named(_ name: String) -> Self {
        guard let field = Self(name) else { preconditionFailure("\(name) is no header name") }
        return field
    }

    static let mcpProtocolVersion = named("MCP-Protocol-Version")
    static let mcpSessionID = named("Mcp-Session-Id")
    static let mcpMethod = named("Mcp-Method")
    static let mcpName = named("Mcp-Name")
    static let lastEventID = named("Last-Event-ID")
    static let xAccelBuffering = named("X-Accel-Buffering")
    static let xRequestID = named("X-Request-Id")
}

extension Request {
    private var hasJSONBody: Bool {
        guard let type = self.headers[.contentType] else { return false }
        if type == "application/json" { return true }
        return Substring(type.lowercased()).withoutParameters == "application/json"
    }

    /// The whole body, taken into one piece of memory of the right size.
    ///
    /// - Throws: `NIOTooManyBytesError` if it is larger than allowed, as soon as that is known.
    func collectBody(upTo limit: Int) async throws -> ByteBuffer {
        guard let announced = self.headers[.contentLength].flatMap({ Int($0) }), announced > 16 << 10 else {
            return try await self.body.collect(upTo: limit)
        }
        guard announced <= limit else { throw NIOTooManyBytesError(maxBytes: limit) }
        var whole = ByteBuffer()
        whole.reserveCapacity(announced)
        for try await piece in self.body {
            guard whole.readableBytes + piece.readableBytes <= limit else {
                throw NIOTooManyBytesError(maxBytes: limit)
            }
            whole.writeImmutableBuffer(piece)
        }
        return whole
    }

    /// Why a message can't be read or answered, if it can't.
    var refusal: Response? {
        guard self.hasJSONBody else {
            return .error(
                MCPError(.invalidRequest, "The Content-Type of a message is application/json."),
                status: .unsupportedMediaType
            )
        }
        // What most clients send needs no reading.
        if self.headers[.accept] == "application/json, text/event-stream" { return nil }
        let isModern = self.headers[.mcpProtocolVersion].flatMap(ProtocolRevision.named)?.supports(.statelessEnvelope)
        // Clients before 2026-07-28 that take only one of them are answered as far as that goes.
        let isAcceptable =
            isModern == true
            ? self.accepts("application/json") && self.accepts("text/event-stream")
            : self.accepts("application/json") || self.accepts("text/event-stream")
        return isAcceptable ? nil : .notAcceptable("Accept has to list application/json and text/event-stream.")
    }

    /// Whether the client takes a media type.
    ///
    /// Clients that say nothing take anything.
    func accepts(_ type: String) -> Bool {
        let values = self.headers[values: .accept]
        if values.isEmpty { return true }
        let family = type.prefix { $0 != "/" } + "/*"
        // Bytes are looked at, as above.
        return values.joined(separator: ",").lowercased().utf8.split(separator: UInt8(ascii: ",")).contains { range in
            let parts = range.split(separator: UInt8(ascii: ";")).map { part in
                Substring(part).trimming { $0 == " " || $0 == "\t" }
            }
            guard let name = parts.first, name == type || name == family || name == "*/*" else { return false }
            return parts.dropFirst().contains { Self.isZeroQuality($0) } == false
        }
    }

    /// Whether a parameter says that a media type is not wanted: `q=0`, `q=0.0` and so on.
    private static func isZeroQuality(_ parameter: Substring) -> Bool {
        guard parameter.hasPrefix("q=") else { return false }
        return Double(parameter.dropFirst(2)) == 0
    }

    /// The id under which the log knows the request: the client's own if it is short and plain, else a new one.
    package var requestID: String {
        if let given = self.headers[.xRequestID], (1...64).contains(given.utf8.count),
            given.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
            )
        {
            return given
        }
        return RequestNumber.next()
    }
}

extension Substring {
    /// A media type without what follows a semicolon.
    ///
    /// Bytes are looked at: as characters, a Greek question mark equals a semicolon, and one with an accent does not.
    fileprivate var withoutParameters: Substring {
        Substring(self.utf8.prefix { $0 != UInt8(ascii: ";") }).trimming { $0 == " " }
    }
}

extension Response {
    static func json(_ response: JSONRPCResponse, status: HTTPResponse.Status, headers: HTTPFields = [:]) -> Response {
        .json(response.json, status: status, headers: headers)
    }

    static func json(_ value: JSONValue, status: HTTPResponse.Status, headers: HTTPFields = [:]) -> Response {
        var headers = headers
        headers[.contentType] = "application/json"
        return Response(
            status: status,
            headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: value.serialized()))
        )
    }

    static func notAcceptable(_ message: String) -> Response {
        .error(MCPError(.invalidRequest, message), status: .notAcceptable)
    }

    static func error(_ error: MCPError, id: MCP.RequestID? = nil, status: HTTPResponse.Status? = nil) -> Response {
        let own: HTTPResponse.Status = error.code == .sessionNotFound ? .notFound : .init(code: error.httpStatus)
        return .json(.failure(error, id: id), status: status ?? own)
    }
}

/// Names requests for the log: unlike those of other processes and other requests, and quick to make.
enum RequestNumber {
    private static let process = String(RandomID.make().prefix(12))
    private static let count = Atomic<UInt64>(0)

    static func next() -> String {
        "\(self.process)-\(self.count.add(1, ordering: .relaxed).newValue)"
    }
}
