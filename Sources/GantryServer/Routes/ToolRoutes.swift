import HTTPTypes
import Hummingbird
import JSON
import MCPHTTP
import MCPServer
import NIOCore

/// Any tool over REST: `POST /tools/{name}` with the arguments as a JSON object; the answer is the structured result.
///
/// `POST /rag/query` is the tool `knowledge.query` under another address.
struct ToolRoutes: Sendable {
    /// The largest body that is read.
    static let maximumBodyBytes = 4 << 20

    let server: MCPServer
    /// The name under which `knowledge.query` is called: it depends on the setting of tool names.
    let queryTool: String
    let access: HTTPAccess

    func add(to router: some RouterMethods<GantryRequestContext>) {
        router.post("/tools/{name}") { request, context in
            await self.call(context.parameters.get("name") ?? "", request, context.principal)
        }
        router.post("/rag/query") { request, context in
            await self.call(self.queryTool, request, context.principal)
        }
    }

    /// Calls a tool with the body of a request as arguments.
    func call(_ tool: String, _ request: Request, _ principal: Principal) async -> Response {
        do throws(ToolError) {
            return await self.call(tool, try await Self.arguments(of: request), request, principal)
        } catch {
            return .failure(error)
        }
    }

    /// Calls a tool on behalf of whoever sent a request.
    func call(
        _ tool: String,
        _ arguments: JSONObject,
        _ request: Request,
        _ principal: Principal
    ) async -> Response {
        do throws(ToolError) {
            let invocation = ToolInvocation(
                tool: tool,
                arguments: arguments,
                requestID: request.requestID,
                transport: "rest",
                principal: principal
            )
            return .json(try await self.server.callTool(invocation).structured)
        } catch {
            let missing = error.code == .forbidden ? self.server.missingScopes(forTool: tool, principal: principal) : []
            return self.access.challenging(.failure(error), missing: missing)
        }
    }

    private static func arguments(of request: Request) async throws(ToolError) -> JSONObject {
        // A form or a text could be sent by any web page without asking first; JSON can't.
        let type = HeaderParameters(request.headers[.contentType] ?? "").value
        guard type == "application/json" else {
            throw ToolError(
                .invalidArguments,
                "Send the arguments as a JSON object with Content-Type: application/json."
            )
        }
        do {
            let body = try await request.body.collect(upTo: Self.maximumBodyBytes)
            let value = try body.withUnsafeReadableBytes { try JSONValue(parsing: $0) }
            guard let object = value.objectValue else {
                throw ToolError(.invalidArguments, "The arguments must be a JSON object.")
            }
            return object
        } catch let error as ToolError {
            throw error
        } catch let error as JSONError {
            throw ToolError(.invalidArguments, "The body is not JSON: \(error.message) (byte \(error.offset)).")
        } catch is NIOTooManyBytesError {
            throw ToolError(.invalidArguments, "The body may have at most \(Self.maximumBodyBytes) bytes.")
        } catch {
            throw ToolError(.cancelled, "The body did not arrive whole.", retryable: true, cause: error)
        }
    }
}
