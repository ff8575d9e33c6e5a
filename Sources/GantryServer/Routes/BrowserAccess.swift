import HTTPTypes
import Hummingbird
import MCPHTTP
import MCPServer

/// Refuses requests from web pages that have no business here, and REST requests to a foreign `Host`.
///
/// The protocol's own endpoint does this itself, with answers in its own form.
struct HostGuardMiddleware<Context: RequestContext>: RouterMiddleware {
    let hostGuard: HostGuard

    func handle(
        _ request: Request,
        context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        if let refusal = self.hostGuard.refusal(of: request) {
            return .failure(ToolError(.forbidden, refusal))
        }
        return try await next(request, context)
    }
}

/// Lets web pages of the configured origins read the answers (CORS).
///
/// Other origins get no such header.
struct ConfiguredCORS<Context: RequestContext>: RouterMiddleware {
    let origins: Set<String>
    private let cors: CORSMiddleware<Context>

    init(origins: [String]) {
        self.origins = Set(origins)
        let allowed = ["Accept", "Content-Type", "Mcp-Session-Id", "MCP-Protocol-Version", "Mcp-Method", "Mcp-Name"]
        self.cors = CORSMiddleware(
            allowOrigin: .originBased,
            allowHeaders: (allowed + ["Authorization", "X-Request-Id"]).compactMap { HTTPField.Name($0) },
            allowMethods: [.get, .post, .delete],
            exposedHeaders: [
                "Mcp-Session-Id", "MCP-Protocol-Version", "WWW-Authenticate", "X-Request-Id", "Retry-After",
            ]
        )
    }

    func handle(
        _ request: Request,
        context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard let origin = request.headers[.origin], self.origins.contains(origin) else {
            return try await next(request, context)
        }
        return try await self.cors.handle(request, context: context, next: next)
    }
}
