import Foundation
import HTTPTypes
import Hummingbird

/// Who sends a request, as Jira Cloud sees it.
enum Caller {
    case user
    case anonymous
    /// Credentials were given and were wrong: the request goes on without them, and every answer says so in a header.
    case failed

    init(_ request: Request, _ site: Site) {
        guard let value = request.headers[.authorization], value.hasPrefix("Basic "),
            let data = Data(base64Encoded: String(value.dropFirst(6))),
            let parts = String(data: data, encoding: .utf8)?.split(separator: ":", maxSplits: 1), parts.count == 2,
            parts[0].isEmpty == false
        else {
            self = .anonymous
            return
        }
        self = parts[0].lowercased() == site.user.lowercased() && parts[1] == site.token ? .user : .failed
    }
}

/// What happens to every request before and after it is looked at.
struct Gate<Context: RequestContext>: RouterMiddleware {
    let site: Site

    func handle(
        _ request: Request,
        context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard request.uri.path != "/__control" else { return try await next(request, context) }
        if let disturbance = self.site.nextDisturbance() {
            try await Task.sleep(for: .milliseconds(disturbance.delayMilliseconds))
            if let status = disturbance.status {
                var headers = HTTPFields()
                for (name, value) in disturbance.headers {
                    if let field = HTTPField.Name(name) { headers[field] = value }
                }
                return Response(
                    status: .init(code: status),
                    headers: headers,
                    body: .init(byteBuffer: .init(string: disturbance.body))
                )
            }
        }
        if let authorization = request.headers[.authorization], authorization.hasPrefix("Bearer ") {
            return .json(["error": "Failed to parse Connect Session Auth Token"], .forbidden)
        }
        if request.method == .post || request.method == .put {
            let type = request.headers[.contentType]
            guard type?.lowercased().hasPrefix("application/json") == true else {
                let shown = type.map { "'\($0)'" } ?? "'null'"
                return .problem(.unsupportedMediaType, "Content-Type \(shown) is not supported.", request.uri.path)
            }
        }
        var response: Response
        do {
            response = try await next(request, context)
        } catch let error as HTTPError where error.status == .notFound {
            response = .problem(.notFound, "No static resource \(request.uri.path).", request.uri.path)
        }
        if let reason = HTTPField.Name("X-Seraph-LoginReason") {
            switch Caller(request, self.site) {
            case .failed: response.headers[reason] = "AUTHENTICATED_FAILED"
            case .user: response.headers[reason] = "OK"
            case .anonymous: break
            }
        }
        return response
    }
}
