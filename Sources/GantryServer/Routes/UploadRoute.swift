import Foundation
import HTTPTypes
import Hummingbird
import JSON
import Knowledge
import Logging
import MCPServer
import ServiceLifecycle
import Synchronization

/// `POST /rag/upload`: files as `multipart/form-data`, put into the ingestion queue while they arrive.
///
/// With `?async=true`, or when ingesting takes long, it answers 202 with the job, whose address is in `Location`: what is
/// in the queue is ingested even if the server is killed now. Else it answers 200 if at least one file is in the index,
/// 422 if none is, 400 if the body can't be read to its end, and lists what became of every file that arrived whole.
final class UploadRoute: Sendable {
    private let workers: IngestWorkers
    private let limits: UploadLimits
    private let isReadOnly: Bool
    private let logger: Logger
    private let running = Mutex(0)

    init(workers: IngestWorkers, limits: UploadLimits = UploadLimits(), isReadOnly: Bool, logger: Logger) {
        self.workers = workers
        self.limits = limits
        self.isReadOnly = isReadOnly
        self.logger = logger
    }

    func add(to router: some RouterMethods<GantryRequestContext>) {
        router.post("/rag/upload") { request, context in await self.upload(request, context.details) }
    }

    private func upload(_ request: Request, _ details: RequestDetails) async -> Response {
        guard !self.isReadOnly else {
            return .failure(ToolError(.forbidden, "This server is read-only (GANTRY_READ_ONLY)."))
        }
        guard let boundary = HeaderParameters(request.headers[.contentType] ?? "").multipartBoundary else {
            return .failure(ToolError(.invalidArguments, "Send the files as multipart/form-data with a boundary."))
        }
        guard self.begin() else {
            return .failure(
                ToolError(
                    .overloaded,
                    "\(self.limits.concurrentUploads) uploads are running already.",
                    retryable: true,
                    retryAfter: .seconds(2)
                )
            )
        }
        defer { self.running.withLock { $0 -= 1 } }
        do throws(ToolError) {
            let outcome = try await UploadReceiver.receive(
                request.body,
                boundary: boundary,
                queue: self.workers.queue,
                limits: self.limits
            )
            details["job"] = .string(outcome.job)
            details["files"] = .integer(outcome.fileCount)
            self.workers.notify()
            let isAsynchronous = request.uri.queryParameters["async"].map { $0 == "true" || $0 == "1" } ?? false
            return try await self.answer(outcome, isAsynchronous: isAsynchronous)
        } catch {
            self.logger.warning(
                "upload failed",
                metadata: ["error": "\(error.message)", "cause": "\(error.cause as Any)"]
            )
            return .failure(error)
        }
    }

    private func begin() -> Bool {
        self.running.withLock { running in
            guard running < self.limits.concurrentUploads else { return false }
            running += 1
            return true
        }
    }

    private func answer(
        _ outcome: UploadReceiver.Outcome,
        isAsynchronous: Bool
    ) async throws(ToolError) -> Response {
        guard outcome.fileCount > 0 || outcome.failure != nil else {
            return .failure(ToolError(.invalidArguments, "The form has no file: a part with a file name."))
        }
        do throws(KnowledgeError) {
            if !isAsynchronous || outcome.failure != nil { await self.wait(for: outcome.job) }
            guard let job = try await self.workers.queue.job(outcome.job) else {
                throw KnowledgeError(.storeFailed, "The job \(outcome.job) is gone.")
            }
            if outcome.failure == nil, isAsynchronous || job.state == .running {
                return .accepted(job)
            }
            let items = try await self.workers.queue.items(ofJob: job.id, after: 0, limit: self.limits.parts)
            let files = JSONValue.array(items.map { .object($0.json) })
            if let failure = outcome.failure {
                return .json(
                    ["files": files, "job": .string(job.id), "error": .object(failure.json)],
                    status: failure.status
                )
            }
            let failed = items.allSatisfy { $0.state != .done }
            return .json(["files": files, "job": .string(job.id)], status: failed ? .unprocessableContent : .ok)
        } catch { throw ToolError(upload: error) }
    }

    /// Waits for a job, but not longer than the server runs or the client may be expected to wait.
    private func wait(for job: String) async {
        let until = Date(timeIntervalSinceNow: self.limits.waitTime / .seconds(1))
        _ = try? await cancelWhenGracefulShutdown {
            try await self.workers.wait(forJob: job, until: until)
        }
    }
}
