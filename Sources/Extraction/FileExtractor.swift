import Dispatch
public import Knowledge
import Processes

/// Finds documents in files: Markdown, reStructuredText, HTML, PDF, Word, JSON Lines, source code and plain text.
///
/// The kind is told by the content where it gives a sign, as PDF and Word do, and else by the extension: a file is read as
/// what it is, and one that can't be read is an error that says why. Formats with parsers that hostile files could harm
/// (HTML, Word, PDF) are read by a process of their own, which has limits on time and memory; the others are scanned once
/// on a thread outside of the cooperative pool. At most ``ExtractionLimits/concurrentFiles`` are read at a time.
public struct FileExtractor: DocumentExtractor {
    private let limits: ExtractionLimits
    private let worker: String?
    private let slots: Slots
    private let queue = DispatchQueue(label: "dev.gantry.extraction", attributes: .concurrent)

    /// Creates an extractor.
    ///
    /// - Parameters:
    ///   - limits: The most that a file may demand.
    ///   - worker: The path of the program that is ``ExtractionWorker``, called with the argument `extract-worker`; without
    ///     one, HTML and Word are read in this process.
    public init(limits: ExtractionLimits = ExtractionLimits(), worker: String? = nil) {
        self.limits = limits
        self.worker = worker
        self.slots = Slots(limits.concurrentFiles)
    }

    /// Returns whether a file of this name may be readable, for walking folders.
    public static func canRead(path: String) -> Bool {
        !FileKind.binaryExtensions.contains(FileKind.extensionName(of: path))
    }

    public func documents(in bytes: [UInt8], path: String) async throws(KnowledgeError) -> ExtractedDocuments {
        do {
            return try await self.slots.withSlot { try await self.extract(bytes, path: path) }
        } catch let error as KnowledgeError {
            throw error
        } catch {
            throw KnowledgeError(.cancelled, "The task was cancelled.", cause: error)
        }
    }

    private func extract(_ bytes: [UInt8], path: String) async throws(KnowledgeError) -> ExtractedDocuments {
        switch FileKind(path: path, bytes: bytes) {
        case .pdf:
            try FileParser(limits: self.limits).checkSize(bytes, path: path)
            let document = try await PDFReader(limits: self.limits).document(in: bytes, path: path)
            return ExtractedDocuments(documents: [document])
        case .html, .archive:
            guard let worker = self.worker else { fallthrough }
            try FileParser(limits: self.limits).checkSize(bytes, path: path)
            let document = try await ExtractionWorker.run(worker, on: bytes, path: path, limits: self.limits)
            return ExtractedDocuments(documents: [document])
        default:
            return try await self.onThread { () throws(KnowledgeError) in
                try FileParser(limits: self.limits).documents(in: bytes, path: path)
            }
        }
    }

    private func onThread(
        _ body: @escaping @Sendable () throws(KnowledgeError) -> ExtractedDocuments
    ) async throws(KnowledgeError) -> ExtractedDocuments {
        let result = await withCheckedContinuation { continuation in
            self.queue.async {
                continuation.resume(returning: Result { () throws(KnowledgeError) in try body() })
            }
        }
        return try result.get()
    }
}
