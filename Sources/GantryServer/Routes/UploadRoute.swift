import HTTPTypes
import Hummingbird
import JSON
import Knowledge
import Logging
import MCPServer
import Synchronization

/// `POST /rag/upload`: files as `multipart/form-data`, each one ingested while the next is on its way.
///
/// Answers 200 if at least one file is in the index now, 422 if none is, 400 if the body can't be read to its end. Each
/// answer lists what became of every file that arrived whole.
final class UploadRoute: Sendable {
    private let knowledge: KnowledgeBase
    private let limits: UploadLimits
    private let isReadOnly: Bool
    private let logger: Logger
    private let running = Mutex(0)

    init(knowledge: KnowledgeBase, limits: UploadLimits = UploadLimits(), isReadOnly: Bool, logger: Logger) {
        self.knowledge = knowledge
        self.limits = limits
        self.isReadOnly = isReadOnly
        self.logger = logger
    }

    func add(to router: some RouterMethods<some RequestContext>) {
        router.post("/rag/upload") { request, _ in await self.upload(request) }
    }

    private func upload(_ request: Request) async -> Response {
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
        var receiver = UploadReceiver(knowledge: self.knowledge, limits: self.limits, logger: self.logger)
        return Self.response(await receiver.receive(request.body, boundary: boundary))
    }

    private func begin() -> Bool {
        self.running.withLock { running in
            guard running < self.limits.concurrentUploads else { return false }
            running += 1
            return true
        }
    }

    private static func response(_ outcome: UploadReceiver.Outcome) -> Response {
        let files = JSONValue.array(outcome.files.map(\.json))
        if let failure = outcome.failure {
            return .json(["files": files, "error": .object(failure.json)], status: failure.status)
        }
        guard !outcome.files.isEmpty else {
            return .failure(ToolError(.invalidArguments, "The form has no file: a part with a file name."))
        }
        let failed = outcome.files.allSatisfy(\.isFailed)
        return .json(["files": files], status: failed ? .unprocessableContent : .ok)
    }
}
