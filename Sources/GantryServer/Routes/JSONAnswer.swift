import HTTPTypes
import Hummingbird
import JSON
import MCPServer
import NIOCore

extension Response {
    /// An answer of a REST route.
    static func json(_ value: JSONValue, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: value.serialized()))
        )
    }

    /// A failure, in the form in which every road reports it: the same object as in `_meta` of a failed tool result.
    static func failure(_ error: ToolError) -> Response {
        var response = Response.json(["error": .object(error.json)], status: error.status)
        if let wait = error.retryAfter {
            // The header has whole seconds: rounded up, or the client comes back too early.
            let (seconds, attoseconds) = wait.components
            response.headers[.retryAfter] = String(seconds + (attoseconds > 0 ? 1 : 0))
        }
        return response
    }
}

extension ToolError {
    /// The HTTP status that says the same as the code.
    var status: HTTPResponse.Status {
        switch self.code {
        case .invalidArguments: .badRequest
        case .unauthenticated: .unauthorized
        case .forbidden: .forbidden
        case .notFound: .notFound
        case .conflict: .conflict
        case .idempotencyMismatch: .unprocessableContent
        case .rateLimited: .tooManyRequests
        case .resultTooLarge: .contentTooLarge
        case .overloaded, .upstreamUnavailable, .cancelled: .serviceUnavailable
        case .upstreamError, .outcomeUnknown: .badGateway
        case .timeout: .gatewayTimeout
        default: .internalServerError
        }
    }
}
