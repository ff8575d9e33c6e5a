import Foundation
import HTTPTypes
import Hummingbird
import JSON
import Knowledge
import MCPServer

/// `GET /rag/jobs`, `GET /rag/jobs/{id}` and `DELETE /rag/jobs/{id}`: how far uploads are, and cancelling them.
struct JobRoutes: Sendable {
    /// The most files that one answer lists; `?after=` the last `id` gives the next ones.
    private static let pageSize = 500
    private static let listSize = 100

    let workers: IngestWorkers
    let isReadOnly: Bool

    func add(to router: some RouterMethods<some RequestContext>) {
        router.get("/rag/jobs") { _, _ in await Self.answer { () throws(KnowledgeError) in try await self.list() } }
        router.get("/rag/jobs/{id}") { request, context in
            let after = request.uri.queryParameters["after"].flatMap { Int64($0) } ?? 0
            let id = context.parameters.get("id") ?? ""
            return await Self.answer { () throws(KnowledgeError) in try await self.show(id, after: after) }
        }
        router.delete("/rag/jobs/{id}") { _, context in
            let id = context.parameters.get("id") ?? ""
            return await Self.answer { () throws(KnowledgeError) in try await self.cancel(id) }
        }
    }

    private static func answer(_ body: () async throws(KnowledgeError) -> Response) async -> Response {
        do throws(KnowledgeError) { return try await body() } catch { return .failure(ToolError(upload: error)) }
    }

    private func list() async throws(KnowledgeError) -> Response {
        let jobs = try await self.workers.queue.jobs(limit: Self.listSize)
        return .json(["jobs": .array(jobs.map { .object($0.json) })])
    }

    private func show(_ id: String, after: Int64) async throws(KnowledgeError) -> Response {
        guard let job = try await self.workers.queue.job(id) else { return Self.unknown(id) }
        let items = try await self.workers.queue.items(ofJob: id, after: after, limit: Self.pageSize)
        var object = job.json
        object["files"] = .array(items.map { .object($0.json) })
        if items.count == Self.pageSize, let last = items.last { object["next_after"] = .integer(Int(last.id)) }
        return .json(.object(object))
    }

    private func cancel(_ id: String) async throws(KnowledgeError) -> Response {
        guard !self.isReadOnly else {
            return .failure(ToolError(.forbidden, "This server is read-only (GANTRY_READ_ONLY)."))
        }
        guard try await self.workers.queue.cancel(job: id), let job = try await self.workers.queue.job(id) else {
            return Self.unknown(id)
        }
        return .json(.object(job.json))
    }

    private static func unknown(_ id: String) -> Response {
        .failure(ToolError(.notFound, "There is no job \(id).", suggestedAction: "Look it up with GET /rag/jobs."))
    }
}

extension Response {
    /// 202: the files are durably queued, and the job tells how far they are.
    static func accepted(_ job: IngestJob) -> Response {
        var response = Response.json(["job": .object(job.json)], status: .accepted)
        response.headers[.location] = "/rag/jobs/\(job.id)"
        return response
    }
}

extension IngestJob {
    var json: JSONObject {
        let total = self.counts.values.reduce(0, +)
        let done = self.counts.filter { $0.key.isFinal }.values.reduce(0, +)
        var object: JSONObject = [
            "id": .string(self.id), "status": .string(self.state.rawValue),
            "created_at": .string(self.createdAt.ISO8601Format()),
            "progress": ["done": .integer(done), "total": .integer(total)],
        ]
        if let finishedAt = self.finishedAt { object["finished_at"] = .string(finishedAt.ISO8601Format()) }
        var counts = JSONObject()
        for state in IngestItem.State.allCases where (self.counts[state] ?? 0) > 0 {
            counts[state.rawValue] = .integer(self.counts[state] ?? 0)
        }
        object["counts"] = .object(counts)
        return object
    }
}

extension IngestItem {
    /// The file as answers list it: once it is settled, with what became of it, and `status` says how far it is before.
    var json: JSONObject {
        var object: JSONObject = [
            "id": .integer(Int(self.id)), "name": .string(self.path), "bytes": .integer(self.byteCount),
            "attempts": .integer(self.attempts), "status": .string(self.state.rawValue), "documents": 0, "chunks": 0,
            "errors": [],
        ]
        for (key, value) in self.outcome?.json ?? [:] { object[key] = value }
        return object
    }
}
