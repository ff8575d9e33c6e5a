import JSON

/// One ingestion under way: documents wait until there are enough chunks to embed them together.
struct IngestRun {
    private struct Pending {
        var document: Document
        var contentHash: String
        var chunks: [Chunk]
        var file: Int?
    }

    private let base: KnowledgeBase
    private let chunker: Chunker
    private let progress: (IngestProgress) -> Void
    private let embedded: (_ count: Int, _ total: Int) -> Void
    private var pending: [Pending] = []
    private var total: Int
    /// The position of the file whose documents come now.
    private var file: Int?
    private(set) var report = IngestReport()

    /// - Parameters:
    ///   - base: Where the documents go.
    ///   - total: How many results there will be.
    ///   - progress: Told of each result.
    ///   - embedded: Told how many of the passages that are written together have their vectors.
    init(
        base: KnowledgeBase,
        total: Int,
        progress: @escaping (IngestProgress) -> Void,
        embedded: @escaping (_ count: Int, _ total: Int) -> Void = { _, _ in }
    ) {
        self.base = base
        self.chunker = Chunker(configuration: base.configuration.chunking, embedder: base.embedder)
        self.total = total
        self.progress = progress
        self.embedded = embedded
    }

    /// Changes how many results there will be.
    mutating func expect(_ more: Int) { self.total += more }

    /// Notes which file the documents that come next are from.
    mutating func begin(file: Int) { self.file = file }

    /// Takes a document in, and writes those that wait once there are enough.
    mutating func add(_ document: Document) async throws(KnowledgeError) {
        guard !Task.isCancelled else { throw KnowledgeError(.cancelled, "The ingestion was cancelled.") }
        do {
            try self.check(document)
            let hash = ContentHash.hash(of: document, chunking: self.base.configuration.chunking)
            let version = try await self.base.store.versions(ofDocuments: [document.id])[document.id]
            if self.isUnchanged(version, hash: hash) {
                try await self.base.noteUnchanged(document)
                self.settle(document.id, source: document.source, outcome: .unchanged)
                return
            }
            let chunks = try self.chunker.chunks(of: document)
            self.pending.append(Pending(document: document, contentHash: hash, chunks: chunks, file: self.file))
        } catch  where error.code != .cancelled {
            self.settle(document.id, source: document.source, outcome: .failed(error))
        }
        if self.pending.reduce(0, { $0 + $1.chunks.count }) >= self.base.configuration.embeddingBatchSize {
            try await self.flush()
        }
    }

    /// Embeds and writes the documents that wait.
    mutating func flush() async throws(KnowledgeError) {
        let batch = self.pending
        self.pending = []
        guard !batch.isEmpty else { return }
        do {
            let vectors = try await self.vectors(of: batch.flatMap { $0.chunks.map(\.embeddedText) })
            var position = 0
            for item in batch {
                let own = vectors.map { Array($0[position..<position + item.chunks.count]) }
                position += item.chunks.count
                try await self.write(item, vectors: own)
            }
        } catch  where error.code == .embeddingFailed {
            try await self.flushOneByOne(batch)
        }
    }

    /// Finds out which document the model fails on, so that the others get in.
    private mutating func flushOneByOne(_ batch: [Pending]) async throws(KnowledgeError) {
        for item in batch {
            do {
                let vectors = try await self.vectors(of: item.chunks.map(\.embeddedText))
                try await self.write(item, vectors: vectors)
            } catch  where error.code != .cancelled {
                self.settle(item, outcome: .failed(error))
            }
        }
    }

    /// Removes the documents that came from a file and aren't among those that it holds now, each in one transaction.
    mutating func removeDocuments(of path: String, except present: Set<String>) async throws(KnowledgeError) {
        var cursor: String?
        repeat {
            let page = try await self.base.store.documents(after: cursor, limit: 1000)
            for document in page where document.metadata[Document.fileKey]?.stringValue == path {
                guard !Task.isCancelled else { throw KnowledgeError(.cancelled, "The ingestion was cancelled.") }
                guard !present.contains(document.id), try await self.base.delete(documentID: document.id) else {
                    continue
                }
                self.total += 1
                self.settle(document.id, source: document.source, outcome: .removed)
            }
            cursor = page.last?.id
        } while cursor != nil
    }

    /// Notes what became of a document of the present file, or of a part of it that is none.
    mutating func settle(_ documentID: String?, source: String, outcome: IngestResult.Outcome) {
        self.settle(IngestResult(documentID: documentID, source: source, outcome: outcome, file: self.file))
    }

    private mutating func settle(_ item: Pending, outcome: IngestResult.Outcome) {
        let isIndexed = if case .failed = outcome { false } else { true }
        let result = IngestResult(
            documentID: item.document.id,
            source: item.document.source,
            outcome: outcome,
            chunkCount: isIndexed ? item.chunks.count : 0,
            file: item.file
        )
        self.settle(result)
    }

    private mutating func settle(_ result: IngestResult) {
        self.report.record(result)
        self.progress(IngestProgress(result: result, done: self.report.results.count, total: self.total))
    }

    private func check(_ document: Document) throws(KnowledgeError) {
        guard !document.id.isEmpty, document.id.utf8.count <= 1024 else {
            throw KnowledgeError(.invalidArguments, "A document's identifier has to have 1 to 1024 bytes.")
        }
        guard document.accessLabels.count <= 100,
            document.accessLabels.allSatisfy({ (1...256).contains($0.utf8.count) })
        else {
            throw KnowledgeError(.invalidArguments, "A document may have 100 access labels of 1 to 256 bytes each.")
        }
        guard [document.title, document.text].contains(where: { $0.contains { !$0.isWhitespace } }) else {
            throw KnowledgeError(.emptyDocument, "The document \(document.id) holds neither a title nor text.")
        }
    }

    /// Without an embedder, vectors that are there already are as good as any.
    private func isUnchanged(_ version: DocumentVersion?, hash: String) -> Bool {
        guard let version, version.contentHash == hash else { return false }
        return self.base.embedder == nil || version.modelName == self.base.embedder?.model.name
    }

    /// The vectors of some texts: those that the index holds already are taken from there.
    private mutating func vectors(of texts: [String]) async throws(KnowledgeError) -> [[Float]]? {
        guard let embedder = self.base.embedder else { return nil }
        let hashes = texts.map { TextHash($0) }
        let size = min(self.base.configuration.embeddingBatchSize, Self.maximumLookUp)
        var known: [TextHash: [Float]] = [:]
        for start in stride(from: 0, to: texts.count, by: size) {
            let batch = Array(hashes[start..<min(start + size, texts.count)])
            known.merge(try await self.base.store.vectors(ofTexts: batch, model: embedder.model)) { old, _ in old }
        }
        var asked = Set(known.keys)
        let unknown = texts.indices.filter { asked.insert(hashes[$0]).inserted }
        for start in stride(from: 0, to: unknown.count, by: size) {
            let batch = unknown[start..<min(start + size, unknown.count)]
            let vectors = try await embedder.checkedVectors(of: batch.map { texts[$0] }, for: .index)
            for (index, vector) in zip(batch, vectors) { known[hashes[index]] = vector }
            self.embedded(texts.count - (unknown.endIndex - batch.endIndex), texts.count)
        }
        self.report.embeddedCount += unknown.count
        self.report.reusedCount += texts.count - unknown.count
        return hashes.compactMap { known[$0] }
    }

    /// The most texts whose vectors a store looks up at a time.
    private static let maximumLookUp = 1000

    private mutating func write(_ item: Pending, vectors: [[Float]]?) async throws(KnowledgeError) {
        let entries = item.chunks.enumerated().map { index, chunk in
            IndexedDocument.Entry(
                chunk: chunk,
                identifierParts: Words.identifierParts(in: chunk.text),
                vector: vectors?[index]
            )
        }
        let document = IndexedDocument(
            document: item.document,
            contentHash: item.contentHash,
            model: self.base.embedder?.model,
            entries: entries,
            indexedAt: self.base.now()
        )
        do {
            let isNew = try await self.base.write(document)
            self.settle(item, outcome: isNew ? .added : .updated)
        } catch  where error.code != .cancelled {
            self.settle(item, outcome: .failed(error))
        }
    }
}
