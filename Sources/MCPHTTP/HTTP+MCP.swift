import HTTPTypes
import Hummingbird
import JSON
import MCP
import MCPServer
import NIOCore
import Synchronization

extension Request {
    /// The whole body, taken into one piece of memory of the right size.
    ///
    /// - Parameters:
    ///   - announced: The size that the client announced, if it did.
    ///   - limit: How large it may be.
    /// - Returns: The body.
    /// - Throws: `NIOTooManyBytesError` if it is larger than allowed, as soon as that is known.
    func collectBody(announced: Int?, upTo limit: Int) async throws -> ByteBuffer {
        guard let announced, announced > 16 << 10 else { return try await self.body.collect(upTo: limit) }
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

    /// The id under which the log knows the request: the client's own if it is short and plain, else a new one.
    package var requestID: String { Self.id(given: self.headers[.xRequestID]) }

    /// Whether the address has an `access_token` (RFC 6750, section 2.3), where tokens must not be.
    package var hasTokenInAddress: Bool {
        // Nearly no address has a query, and its parameters are worth reading only then.
        self.head.path?.utf8.contains(UInt8(ascii: "?")) == true && self.uri.queryParameters["access_token"] != nil
    }

    static func id(given: String?) -> String {
        if let given, (1...64).contains(given.utf8.count),
            given.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
            )
        {
            return given
        }
        return RequestNumber.next()
    }
}

extension Response {
    static func json(_ response: JSONRPCResponse, status: HTTPResponse.Status, headers: HTTPFields = [:]) -> Response {
        .json(response.json, status: status, headers: headers)
    }

    static func json(_ value: JSONValue, status: HTTPResponse.Status, headers: HTTPFields = [:]) -> Response {
        .json(ByteBuffer(bytes: value.serialized()), status: status, headers: headers)
    }

    static func json(_ text: ByteBuffer, status: HTTPResponse.Status, headers: HTTPFields = [:]) -> Response {
        var fields = HTTPFields()
        // What the web framework adds has room, too.
        fields.reserveCapacity(headers.count + 4)
        fields.append(Self.contentTypeJSON)
        for field in headers where field.name != .contentType { fields.append(field) }
        return Response(status: status, headers: fields, body: ResponseBody(byteBuffer: text))
    }

    static let contentTypeJSON = HTTPField(name: .contentType, value: "application/json")

    static func notAcceptable(_ message: String) -> Response {
        .error(MCPError(.invalidRequest, message), status: .notAcceptable)
    }

    static func error(
        _ error: MCPError,
        id: MCP.RequestID? = nil,
        status: HTTPResponse.Status? = nil,
        headers: HTTPFields = [:]
    ) -> Response {
        let own: HTTPResponse.Status = error.code == .sessionNotFound ? .notFound : .init(code: error.httpStatus)
        return .json(.failure(error, id: id), status: status ?? own, headers: headers)
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
