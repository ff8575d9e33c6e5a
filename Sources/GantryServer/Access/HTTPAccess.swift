import Access
import HTTPTypes
import Hummingbird
import JSON
import MCP
import MCPHTTP
import MCPServer

/// Who sends HTTP requests, and what they are told if that isn't known or isn't enough.
///
/// Specification: MCP 2026-07-28, basic/authorization; RFC 6750, section 3; RFC 9728.
struct HTTPAccess: Sendable {
    let authenticator: Authenticator?
    let resource: ProtectedResource
    let server: MCPServer
    let recorder: RequestRecorder

    init(_ control: AccessControl, server: MCPServer, recorder: any CallRecorder) {
        self.recorder = RequestRecorder(recorder)
        self.authenticator = control.authenticator
        // Beside the tools there are routes that take these.
        let permissions = Set(server.permissions + ["audit:read", "knowledge:write"]).sorted()
        self.resource = control.resource(scopes: permissions)
        self.server = server
    }

    /// Who sends a request.
    func principal(of request: Request) async throws(AuthenticationError) -> Principal {
        guard let authenticator else { return .local }
        do {
            return try await authenticator.principal(
                authorization: request.headers[values: .authorization],
                hasTokenInQuery: request.hasTokenInAddress
            )
        } catch {
            self.recorder.refused(request, error)
            throw error
        }
    }

    /// The same for the protocol's endpoint, which takes refusals as HTTP errors.
    func sender(of request: Request) async throws -> Principal {
        do {
            return try await self.principal(of: request)
        } catch {
            throw HTTPError(error.status, headers: self.headers(for: error), message: error.message)
        }
    }

    /// Refuses a request that takes scopes that the sender's token does not have.
    func authorize(_ call: JSONRPCRequest, _ principal: Principal, _ request: Request) throws {
        let missing = self.server.missingScopes(for: call, principal: principal)
        guard missing.isEmpty == false else { return }
        self.recorder.refused(call, request, principal, missing: missing)
        throw HTTPError(
            .forbidden,
            headers: [.wwwAuthenticate: self.resource.challenge(missing: missing)],
            message: "The token was not issued for this: ask for one with the scope \(missing.joined(separator: " "))."
        )
    }

    func headers(for error: AuthenticationError) -> HTTPFields {
        if error.code == .unavailable { return [.retryAfter: "5"] }
        return [.wwwAuthenticate: self.resource.challenge(error)]
    }

    /// What a REST client is told.
    func refusal(_ error: AuthenticationError) -> Response {
        let code: ToolError.Code =
            switch error.code {
            case .unavailable: .upstreamUnavailable
            case .invalidRequest: .invalidArguments
            default: .unauthenticated
            }
        var response = Response.failure(ToolError(code, error.message, retryable: error.code == .unavailable))
        for field in self.headers(for: error) { response.headers[field.name] = field.value }
        return response
    }

    /// Says in a refusal which scopes are missing, if they are what is missing.
    func challenging(_ response: Response, missing: [String]) -> Response {
        guard missing.isEmpty == false else { return response }
        var response = response
        response.headers[.wwwAuthenticate] = self.resource.challenge(missing: missing)
        return response
    }
}

extension AuthenticationError {
    var status: HTTPResponse.Status {
        switch self.code {
        case .invalidRequest: .badRequest
        case .unavailable: .serviceUnavailable
        default: .unauthorized
        }
    }
}

/// Finds out who sends a REST request, and refuses those of whom that isn't known.
struct AuthenticationMiddleware: RouterMiddleware {
    let access: HTTPAccess

    func handle(
        _ request: Request,
        context: GantryRequestContext,
        next: (Request, GantryRequestContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        do {
            context.principal = try await self.access.principal(of: request)
        } catch {
            return self.access.refusal(error)
        }
        return try await next(request, context)
    }
}

/// Refuses REST requests whose sender lacks a permission, for routes that are no tools, and records them as calls of tools
/// are: what changes something is not done if that can't be recorded.
struct PermissionMiddleware: RouterMiddleware {
    let access: HTTPAccess
    let authorizer: any Authorizer
    let permission: Permission
    let effect: Effect

    func handle(
        _ request: Request,
        context: GantryRequestContext,
        next: (Request, GantryRequestContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        let recorder = self.access.recorder
        var record = recorder.record(request, context, self.permission, self.effect)
        func done(_ response: Response) -> Response {
            record.outcome = response.outcome
            record.duration = .now - start
            context.details.add(to: &record)
            recorder.recorder.record(record)
            return response
        }
        if let refusal = self.refusal(context.principal) { return done(refusal) }
        if record.effect != .read {
            do throws(ToolError) {
                try await recorder.recorder.willRun(record)
            } catch {
                return done(.failure(error))
            }
        }
        do {
            return done(try await next(request, context))
        } catch {
            _ = done(Response(status: (error as? any HTTPResponseError)?.status ?? .internalServerError))
            throw error
        }
    }

    /// What whoever lacks the permission is told.
    private func refusal(_ principal: Principal) -> Response? {
        let question = AccessRequest(principal: principal, permission: self.permission, effect: self.effect)
        switch self.authorizer.decide(question) {
        case .allowed: return nil
        case .forbidden: return .failure(ToolError(.forbidden, "You may not do this; it takes \(self.permission)."))
        case .insufficientScope(let scopes):
            let error = ToolError(.forbidden, "The token was not issued for this; it takes \(self.permission).")
            return self.access.challenging(.failure(error), missing: scopes)
        }
    }
}

/// The metadata of the protected resource: public, and readable by any web page (RFC 9728, section 3).
struct ResourceMetadataRoutes: Sendable {
    let resource: ProtectedResource

    func add(to router: some RouterMethods<some RequestContext>) {
        for path in ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"] {
            router.get(RouterPath(path)) { _, _ in
                var response = Response.json(.object(self.resource.metadata))
                response.headers[.accessControlAllowOrigin] = "*"
                response.headers[.cacheControl] = "max-age=300"
                return response
            }
            router.on(RouterPath(path), method: .options) { _, _ in
                Response(
                    status: .noContent,
                    headers: [
                        .accessControlAllowOrigin: "*", .accessControlAllowMethods: "GET",
                        .accessControlAllowHeaders: "MCP-Protocol-Version, Accept",
                    ]
                )
            }
        }
    }
}
