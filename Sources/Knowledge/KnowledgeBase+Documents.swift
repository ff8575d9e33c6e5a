import Crypto
import Foundation

extension KnowledgeBase {
    /// Finds the structure of a text that wasn't read from a file.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - id: The identifier of the document.
    ///   - title: Its title.
    ///   - source: Where the text comes from.
    ///   - isMarkdown: Whether the text is Markdown; else its paragraphs are found at empty lines.
    /// - Returns: The document.
    /// - Throws: ``KnowledgeError/Code/emptyDocument`` if there is nothing to index.
    public func structured(
        _ text: String,
        id: String,
        title: String,
        source: String,
        isMarkdown: Bool
    ) async throws(KnowledgeError) -> Document {
        var document = Document(id: id, source: source, title: title, text: text)
        if isMarkdown, let extractor = self.extractor {
            let found = try await extractor.documents(in: Array(text.utf8), path: "document.md")
            if let failure = found.failures.first { throw failure.error }
            if let first = found.documents.first {
                document = Document(id: id, source: source, title: title, text: first.text, blocks: first.blocks)
            }
        }
        return document
    }

    /// What became, or would become, of one document.
    public struct Addition: Sendable {
        public var outcome: IngestResult.Outcome
        public var chunkCount: Int
        public var contentHash: String
    }

    /// Brings one document into the index, in the place of what was there under its identifier.
    ///
    /// - Parameters:
    ///   - document: The document.
    ///   - isDryRun: Whether to only find out what would happen.
    ///   - embedded: Called after each batch, with the number of passages that have their vectors and that of all.
    /// - Returns: What happened or would happen; never a failure.
    /// - Throws: As ``ingest(_:progress:embedded:)``, and what the document fails with.
    public func add(
        _ document: Document,
        isDryRun: Bool = false,
        embedded: @escaping (_ count: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws(KnowledgeError) -> Addition {
        let hash = self.contentHash(of: document)
        guard isDryRun else {
            let report = try await self.ingest([document], embedded: embedded)
            guard let result = report.results.first else {
                throw KnowledgeError(.storeFailed, "The document was not settled.")
            }
            if case .failed(let error) = result.outcome { throw error }
            let count = try await self.store.document(id: document.id)?.summary.chunkCount ?? result.chunkCount
            return Addition(outcome: result.outcome, chunkCount: count, contentHash: hash)
        }
        let chunker = Chunker(configuration: self.configuration.chunking, embedder: self.embedder)
        let count = try chunker.chunks(of: document).count
        let version = try await self.store.versions(ofDocuments: [document.id])[document.id]
        let outcome: IngestResult.Outcome =
            switch version {
            case nil: .added
            case .some(let version): version.contentHash == hash ? .unchanged : .updated
            }
        return Addition(outcome: outcome, chunkCount: count, contentHash: hash)
    }

    /// The fingerprint that a document will have in the index.
    public func contentHash(of document: Document) -> String {
        ContentHash.hash(of: document, chunking: self.configuration.chunking)
    }

    /// SHA-256 of some texts in hexadecimal, each with its length, so that no two lists give the same.
    public static func fingerprint(of texts: String...) -> String {
        var hash = SHA256()
        for text in texts { hash.update(data: Array("\(text.utf8.count):\(text)".utf8)) }
        return hash.finalize().map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
    }
}
