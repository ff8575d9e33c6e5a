import Access
import Hummingbird
import JSON
import MCP
import MCPHTTP
import MCPServer
import Synchronization

/// Accounts for what happens over HTTP without a tool being called: refusals before one, and routes that are none.
struct RequestRecorder: Sendable {
    let recorder: any CallRecorder
    private let refusals = RefusalLimit()

    init(_ recorder: any CallRecorder) {
        self.recorder = recorder
    }

    /// Records that a request was refused because it isn't known who sends it.
    ///
    /// Anybody can cause such records, so there is a limit to them; those above it are counted in the next one.
    func refused(_ request: Request, _ error: AuthenticationError) {
        guard error.code != .unavailable, let omitted = self.refusals.take() else { return }
        var record = CallRecord(
            self.invocation(
                request,
                path: String(request.uri.path.prefix(256)),
                Principal(id: "nobody", scopes: []),
                omitted > 0 ? ["omitted": .integer(omitted)] : [:]
            ),
            effect: .read,
            permission: ""
        )
        record.outcome = ToolError.Code.unauthenticated.rawValue
        record.message = error.message
        self.recorder.record(record)
    }

    /// Records that a request of the protocol was refused for lack of scopes.
    func refused(_ call: JSONRPCRequest, _ request: Request, _ principal: Principal, missing: [String]) {
        var invocation = self.invocation(request, path: "", principal, [:])
        let named = call.method == "tools/call" ? call.params["name"]?.stringValue : nil
        invocation.tool = named ?? call.method
        for name in ["arguments", "uri"] {
            if let value = call.params[name] { invocation.arguments[name] = value }
        }
        var record = CallRecord(invocation, effect: .read, permission: "")
        record.outcome = ToolError.Code.forbidden.rawValue
        record.message = "The token was not issued for this; it takes the scope \(missing.joined(separator: " "))."
        self.recorder.record(record)
    }

    /// The record of a request to a route that is no tool.
    func record(
        _ request: Request,
        _ context: GantryRequestContext,
        _ permission: Permission,
        _ effect: Effect
    ) -> CallRecord {
        var arguments: JSONObject = [:]
        for (name, value) in context.parameters { arguments[String(name)] = .string(String(value)) }
        for (name, value) in request.uri.queryParameters { arguments[String(name)] = .string(String(value)) }
        return CallRecord(
            self.invocation(request, path: context.endpointPath ?? request.uri.path, context.principal, arguments),
            effect: request.method == .get ? .read : effect,
            permission: permission
        )
    }

    private func invocation(
        _ request: Request,
        path: String,
        _ principal: Principal,
        _ arguments: JSONObject
    ) -> ToolInvocation {
        ToolInvocation(
            tool: "\(request.method) \(path)",
            arguments: arguments,
            requestID: request.requestID,
            transport: request.uri.path == "/mcp" ? "http" : "rest",
            principal: principal
        )
    }
}

/// How many refusals are recorded: 60 at once, then one a second.
private final class RefusalLimit: Sendable {
    private static let burst = 60.0

    private struct State {
        var room = RefusalLimit.burst
        var at = ContinuousClock.now
        var omitted = 0
    }

    private let state = Mutex(State())

    /// - Returns: How many were left out since the last one, or nothing if this one is left out too.
    func take() -> Int? {
        self.state.withLock { state in
            let now = ContinuousClock.now
            state.room = min(Self.burst, state.room + (now - state.at) / .seconds(1))
            state.at = now
            guard state.room >= 1 else {
                state.omitted += 1
                return nil
            }
            state.room -= 1
            defer { state.omitted = 0 }
            return state.omitted
        }
    }
}

extension Response {
    /// What came of a request, in the word that records have for it.
    var outcome: String {
        switch self.status.code {
        case ..<400: "ok"
        case 400, 422: ToolError.Code.invalidArguments.rawValue
        case 401: ToolError.Code.unauthenticated.rawValue
        case 403: ToolError.Code.forbidden.rawValue
        case 404: ToolError.Code.notFound.rawValue
        case 409: ToolError.Code.conflict.rawValue
        case 429: ToolError.Code.rateLimited.rawValue
        case 503: ToolError.Code.upstreamUnavailable.rawValue
        default: ToolError.Code.internal.rawValue
        }
    }
}
