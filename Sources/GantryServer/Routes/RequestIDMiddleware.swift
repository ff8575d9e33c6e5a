import HTTPTypes
import Hummingbird
import MCPHTTP

/// Gives every request an id, by which the log, the call record and the client know it.
///
/// The client's own `X-Request-Id` is kept if it is short and plain. The answer carries the id in the same header.
struct RequestIDMiddleware<Context: RequestContext>: RouterMiddleware {
    func handle(
        _ request: Request,
        context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let id = request.requestID
        var head = request.head
        head.headerFields[.requestID] = id
        var response = try await next(Request(head: head, body: request.body), context)
        response.headers[.requestID] = id
        return response
    }
}

extension HTTPField.Name {
    static var requestID: Self {
        guard let name = Self("X-Request-Id") else { preconditionFailure("X-Request-Id is a header name") }
        return name
    }
}
