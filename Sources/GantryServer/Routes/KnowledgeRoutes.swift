import Foundation
import HTTPTypes
import Hummingbird
import JSON
import KnowledgeTools
import MCPServer

/// The tools of the knowledge base under addresses of their own: `GET /rag/documents`, `GET` and `DELETE
/// /rag/documents/{id}`, `GET /rag/quality`, `POST /rag/feedback`.
///
/// Each is a call of a tool, so that the same permissions, limits and records hold, and errors look the same.
struct KnowledgeRoutes: Sendable {
    private static let documents = "/rag/documents/"

    let tools: ToolRoutes
    /// The name of a tool on the wire: it depends on the setting of tool names.
    let wireName: @Sendable (ToolName) -> String

    func add(to router: some RouterMethods<GantryRequestContext>) {
        router.get("/rag/documents") { request, context in
            await self.call(ListDocuments.name, request, context.principal, integers: ["limit"], lists: ["sources"])
        }
        router.get("/rag/documents/**") { request, context in
            await self.callAboutDocument(
                GetDocument.name,
                request,
                context.principal,
                integers: ["start", "max_tokens"]
            )
        }
        router.delete("/rag/documents/**") { request, context in
            // Whoever sends DELETE means it; the question is for language models.
            await self.callAboutDocument(
                DeleteDocument.name,
                request,
                context.principal,
                flags: ["dry_run"],
                more: ["confirm": true]
            )
        }
        router.get("/rag/quality") { request, context in
            await self.call(KnowledgeQuality.name, request, context.principal, integers: ["hours"])
        }
        router.post("/rag/feedback") { request, context in
            await self.tools.call(self.wireName(SendFeedback.name), request, context.principal)
        }
    }

    private func callAboutDocument(
        _ tool: ToolName,
        _ request: Request,
        _ principal: Principal,
        integers: Set<String> = [],
        flags: Set<String> = [],
        more: JSONObject = [:]
    ) async -> Response {
        // Slashes may be there as they are or encoded, so the router's own parameters don't do.
        let path = request.uri.path
        guard path.hasPrefix(Self.documents),
            let id = String(path.dropFirst(Self.documents.count)).removingPercentEncoding
        else {
            return .failure(ToolError(.invalidArguments, "The address is not well formed."))
        }
        var arguments = more
        arguments["document_id"] = .string(id)
        return await self.call(tool, request, principal, integers: integers, flags: flags, arguments: arguments)
    }

    /// Calls a tool with the parameters of the query as arguments.
    ///
    /// They are texts; those that have to be something else become it, and what can't is left to the tool to refuse.
    private func call(
        _ tool: ToolName,
        _ request: Request,
        _ principal: Principal,
        integers: Set<String> = [],
        flags: Set<String> = [],
        lists: Set<String> = [],
        arguments: JSONObject = [:]
    ) async -> Response {
        var arguments = arguments
        for (key, value) in request.uri.queryParameters {
            let (key, value) = (String(key), String(value))
            if integers.contains(key), let number = Int(value) {
                arguments[key] = .integer(number)
            } else if flags.contains(key), let flag = Bool(value) {
                arguments[key] = .bool(flag)
            } else if lists.contains(key) {
                arguments[key] = .array((arguments[key]?.arrayValue ?? []) + [.string(value)])
            } else {
                arguments[key] = .string(value)
            }
        }
        return await self.tools.call(self.wireName(tool), arguments, request, principal)
    }
}
