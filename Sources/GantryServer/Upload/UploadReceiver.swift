import Foundation
import Knowledge
import MCPServer
import NIOCore

/// Takes a multipart body apart while it arrives, and puts each file into the ingestion queue piece by piece.
///
/// A file counts once it is whole and durable. One that is too large is noted as failed and doesn't stop the others; a
/// body that is broken ends the upload, and the files that arrived whole before are ingested all the same.
struct UploadReceiver {
    /// What came of a body.
    struct Outcome {
        /// The job of the files that arrived.
        var job: String
        /// How many files there are, with those that are too large.
        var fileCount = 0
        /// Why the body wasn't read to its end.
        var failure: ToolError?
    }

    private struct File {
        var item: Int64
        var size = 0
        var piece: [UInt8] = []
        var isTooLarge = false
    }

    private let queue: any IngestQueue
    private let limits: UploadLimits
    private let job: String
    private var fileCount = 0
    private var current: File?

    private init(queue: any IngestQueue, limits: UploadLimits, job: String) {
        self.queue = queue
        self.limits = limits
        self.job = job
    }

    /// Reads a body to its end.
    ///
    /// - Parameters:
    ///   - body: The pieces of the body.
    ///   - boundary: The boundary between its parts.
    ///   - queue: Where the files are put.
    ///   - limits: How much there may be.
    /// - Returns: What came of it.
    /// - Throws: ``ToolError`` if nothing could be taken in at all.
    static func receive(
        _ body: some AsyncSequence<ByteBuffer, any Error>,
        boundary: String,
        queue: any IngestQueue,
        limits: UploadLimits
    ) async throws(ToolError) -> Outcome {
        let job: String
        do throws(KnowledgeError) {
            job = try await queue.openJob(
                receiver: WorkerIdentity.current,
                until: Date(timeIntervalSinceNow: limits.receiverTime / .seconds(1))
            )
        } catch { throw ToolError(upload: error) }
        var receiver = UploadReceiver(queue: queue, limits: limits, job: job)
        var failure: ToolError?
        do {
            try await receiver.read(body, boundary: boundary)
        } catch let error as MultipartError {
            failure = ToolError(.invalidArguments, error.message)
        } catch let error as ToolError {
            failure = error
        } catch let error as KnowledgeError {
            failure = ToolError(upload: error)
        } catch {
            failure = ToolError(
                .cancelled,
                "The body did not arrive whole.",
                retryable: true,
                suggestedAction: "Upload again: files that are in the index already cost nothing.",
                cause: error
            )
        }
        let unfinished = receiver.current?.item
        do throws(KnowledgeError) {
            try await Self.close(job, unfinished: unfinished, queue: queue)
        } catch { throw ToolError(upload: error) }
        return Outcome(job: job, fileCount: receiver.fileCount, failure: failure)
    }

    /// Ends the job, in a task of its own: the one that received the body is cancelled when the client is gone.
    private static func close(
        _ job: String,
        unfinished: Int64?,
        queue: any IngestQueue
    ) async throws(KnowledgeError) {
        let ending = Task { () -> KnowledgeError? in
            do throws(KnowledgeError) {
                if let unfinished { try await queue.abandon(unfinished, error: nil) }
                try await queue.closeJob(job)
                return nil
            } catch { return error }
        }
        if let error = await ending.value { throw error }
    }

    private mutating func read(_ body: some AsyncSequence<ByteBuffer, any Error>, boundary: String) async throws {
        var parser = MultipartParser(boundary: boundary, limits: .init(parts: self.limits.parts))
        var received = 0
        for try await piece in body {
            received += piece.readableBytes
            guard received <= self.limits.bodyBytes else {
                throw ToolError(
                    .invalidArguments,
                    "An upload may have at most \(self.limits.bodyBytes) bytes.",
                    suggestedAction: "Upload the remaining files with another request."
                )
            }
            for event in try parser.consume(piece.readableBytesView) { try await self.take(event) }
        }
        try parser.finish()
    }

    private mutating func take(_ event: MultipartParser.Event) async throws(KnowledgeError) {
        switch event {
        case .partBegan(let part):
            // Parts without a file name are ordinary form fields. They mean nothing here.
            guard let name = part.filename else { return }
            self.current = File(item: try await self.queue.beginReceiving(path: name, job: self.job))
            self.fileCount += 1
        case .body(let bytes):
            guard var file = self.current, !file.isTooLarge else { return }
            // Nobody else holds the piece while it grows, so it isn't copied.
            self.current = nil
            defer { self.current = file }
            file.size += bytes.count
            guard file.size <= self.limits.fileBytes else {
                file.isTooLarge = true
                file.piece = []
                return
            }
            file.piece += bytes
            if file.piece.count >= self.limits.pieceBytes {
                try await self.queue.append(file.piece, to: file.item)
                file.piece.removeAll(keepingCapacity: true)
            }
        case .partEnded:
            guard let file = self.current else { return }
            if file.isTooLarge {
                let error = KnowledgeError(.tooLarge, "A file may have at most \(self.limits.fileBytes) bytes.")
                try await self.queue.abandon(file.item, error: error)
            } else {
                if !file.piece.isEmpty { try await self.queue.append(file.piece, to: file.item) }
                try await self.queue.finishReceiving(file.item)
            }
            self.current = nil
        }
    }
}

extension ToolError {
    /// Says to a client why its files can't be taken in, or a job can't be shown.
    init(upload error: KnowledgeError) {
        switch error.code {
        case .queueFull:
            self.init(.overloaded, error.message, retryable: true, retryAfter: .seconds(5), cause: error.cause)
        case .cancelled:
            self.init(.cancelled, error.message, retryable: true, cause: error.cause)
        case .invalidText:
            self.init(.invalidArguments, error.message, cause: error.cause)
        default:
            self.init(.upstreamUnavailable, error.message, retryable: true, cause: error.cause)
        }
    }
}
