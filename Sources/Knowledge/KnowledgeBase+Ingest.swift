import JSON

extension KnowledgeBase {
    /// Brings documents into the index, each in one transaction, in place of what was there under its identifier.
    ///
    /// A document that is in the index already, unchanged, costs no work. One that fails doesn't stop the others.
    ///
    /// - Parameters:
    ///   - documents: The documents, in order.
    ///   - progress: Called after each document is settled.
    ///   - embedded: Called after each batch, with the number of passages that have their vectors and that of all that are
    ///     written together.
    /// - Returns: What became of each document.
    /// - Throws: ``KnowledgeError/Code/modelMismatch`` if the index was made with another embedding model, and
    ///   ``KnowledgeError/Code/cancelled``; documents that were settled before stay.
    @discardableResult
    public func ingest(
        _ documents: some Sequence<Document>,
        progress: @escaping (IngestProgress) -> Void = { _ in },
        embedded: @escaping (_ count: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws(KnowledgeError) -> IngestReport {
        let documents = Array(documents)
        try await self.checkModel()
        var run = IngestRun(base: self, total: documents.count, progress: progress, embedded: embedded)
        for document in documents { try await run.add(document) }
        try await run.flush()
        return run.report
    }

    /// Reads files one after the other, and brings the documents in them into the index.
    ///
    /// A file that holds several documents stands for all of them: when it is ingested again without one that came from
    /// it before, that one is removed. Nothing is removed for a file with parts that can't be read, because one of them
    /// may be what is missing.
    ///
    /// - Throws: As ``ingest(_:progress:embedded:)``; a file that can't be read is a result of the report instead.
    @discardableResult
    public func ingest(
        files: some Sequence<SourceFile>,
        progress: @escaping (IngestProgress) -> Void = { _ in }
    ) async throws(KnowledgeError) -> IngestReport {
        let files = Array(files)
        try await self.checkModel()
        var run = IngestRun(base: self, total: files.count, progress: progress)
        for (position, file) in files.enumerated() {
            run.begin(file: position)
            do {
                let extracted = try await self.extract(file)
                run.expect(extracted.documents.count + extracted.failures.count - 1)
                for failure in extracted.failures {
                    run.settle(nil, source: failure.source, outcome: .failed(failure.error))
                }
                for document in extracted.documents {
                    var document = document.noted(asPartOf: file.path)
                    document.sourceUpdatedAt = document.sourceUpdatedAt ?? file.updatedAt
                    try await run.add(document)
                }
                if extracted.failures.isEmpty, extracted.documents.contains(where: { $0.id != file.path }) {
                    try await run.removeDocuments(of: file.path, except: Set(extracted.documents.map(\.id)))
                }
            } catch  where error.code != .cancelled {
                run.settle(nil, source: file.path, outcome: .failed(error))
            }
        }
        try await run.flush()
        return run.report
    }

    /// Removes the documents of files, each in one transaction.
    ///
    /// - Parameter isGone: Whether a file is no more, by its path; for a document that isn't part of a file, by its
    ///   identifier.
    /// - Returns: Which documents were removed.
    /// - Throws: ``KnowledgeError/Code/storeFailed`` or ``KnowledgeError/Code/cancelled``.
    @discardableResult
    public func removeDocuments(
        ofFilesWhere isGone: (String) -> Bool
    ) async throws(KnowledgeError) -> IngestReport {
        var report = IngestReport()
        var cursor: String?
        repeat {
            let page = try await self.documents(after: cursor, limit: 1000)
            for document in page where isGone(document.metadata[Document.fileKey]?.stringValue ?? document.id) {
                guard try await self.delete(documentID: document.id) else { continue }
                report.record(IngestResult(documentID: document.id, source: document.source, outcome: .removed))
            }
            cursor = page.last?.id
        } while cursor != nil
        return report
    }

    private func extract(_ file: SourceFile) async throws(KnowledgeError) -> ExtractedDocuments {
        guard let extractor = self.extractor else {
            throw KnowledgeError(.unsupportedFormat, "This knowledge base takes documents only, not files.")
        }
        let bytes: [UInt8]
        do {
            bytes = try await file.read()
        } catch let error as KnowledgeError {
            throw error
        } catch {
            throw KnowledgeError(.unreadable, "The file \(file.path) can't be read.", cause: error)
        }
        return try await extractor.documents(in: bytes, path: file.path)
    }

    private func checkModel() async throws(KnowledgeError) {
        guard let model = self.embedder?.model else { return }
        let status = try await self.store.status()
        guard let name = status.modelName, let dimension = status.modelDimension else { return }
        if name != model.name || dimension != model.dimension {
            throw .modelMismatch(index: name, indexDimension: dimension, model: model)
        }
    }
}

extension KnowledgeError {
    /// The error for an index that holds vectors of another model than the one in use.
    public static func modelMismatch(index: String, indexDimension: Int, model: EmbeddingModel) -> KnowledgeError {
        KnowledgeError(
            .modelMismatch,
            "The index was made with the embedding model \(index) (\(indexDimension) components), but the model in use "
                + "is \(model.name) (\(model.dimension)). Run gantry reindex, which brings the index to the model in use "
                + "while the old vectors go on serving, or use the old model again."
        )
    }
}
