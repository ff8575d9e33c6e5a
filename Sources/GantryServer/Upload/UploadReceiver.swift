import JSON
import Knowledge
import Logging
import MCPServer
import NIOCore

/// Takes a multipart body apart while it arrives, and ingests each file as soon as it is whole.
///
/// One file at a time is in memory, and the next one is read from the network only when it is done. A file that can't
/// be ingested is reported and doesn't stop the others; a body that is broken ends the upload, and what was ingested
/// before stays and is reported too.
struct UploadReceiver {
    /// What became of an upload.
    struct Outcome {
        var files: [UploadedFile] = []
        /// Why the body wasn't read to its end.
        var failure: ToolError?
    }

    let knowledge: KnowledgeBase
    let limits: UploadLimits
    let logger: Logger

    private var outcome = Outcome()
    private var current: File?

    private struct File {
        var name: String
        var bytes: [UInt8] = []
        var isTooLarge = false
    }

    init(knowledge: KnowledgeBase, limits: UploadLimits, logger: Logger) {
        self.knowledge = knowledge
        self.limits = limits
        self.logger = logger
    }

    /// Reads a body to its end.
    ///
    /// - Parameters:
    ///   - body: The pieces of the body.
    ///   - boundary: The boundary between its parts.
    /// - Returns: What became of each file.
    mutating func receive(
        _ body: some AsyncSequence<ByteBuffer, any Error>,
        boundary: String
    ) async -> Outcome {
        do {
            try await self.read(body, boundary: boundary)
        } catch let error as MultipartError {
            self.outcome.failure = ToolError(.invalidArguments, error.message)
        } catch let error as ToolError {
            self.outcome.failure = error
        } catch {
            self.outcome.failure = ToolError(
                .cancelled,
                "The body did not arrive whole.",
                retryable: true,
                suggestedAction: "Upload again: files that are in the index already cost nothing.",
                cause: error
            )
        }
        return self.outcome
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
            for event in try parser.consume(piece.readableBytesView) {
                await self.take(event)
            }
        }
        try parser.finish()
    }

    private mutating func take(_ event: MultipartParser.Event) async {
        switch event {
        case .partBegan(let part):
            // Parts without a file name are ordinary form fields. They mean nothing here.
            self.current = part.filename.map { File(name: $0) }
        case .body(let bytes):
            guard let size = self.current?.bytes.count else { return }
            if size + bytes.count > self.limits.fileBytes {
                self.current?.isTooLarge = true
                self.current?.bytes = []
            } else if self.current?.isTooLarge == false {
                self.current?.bytes += bytes
            }
        case .partEnded:
            guard let file = self.current else { return }
            self.current = nil
            self.outcome.files.append(await self.ingest(file))
        }
    }

    private func ingest(_ file: File) async -> UploadedFile {
        guard !file.isTooLarge else {
            let error = KnowledgeError(.tooLarge, "A file may have at most \(self.limits.fileBytes) bytes.")
            return UploadedFile(name: file.name, errors: [error])
        }
        do {
            let report = try await self.knowledge.ingest(files: [SourceFile(path: file.name, bytes: file.bytes)])
            return UploadedFile(name: file.name, report: report)
        } catch {
            self.logger.error("upload failed", metadata: ["error": "\(error)"])
            return UploadedFile(name: file.name, errors: [error])
        }
    }
}
