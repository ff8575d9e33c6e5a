import Foundation
import GRDB
import JSON
public import Knowledge

extension SQLiteKnowledgeStore {
    @discardableResult
    public func write(_ document: IndexedDocument) async throws(KnowledgeError) -> Bool {
        try await self.write { [limits] database in
            let writer = DocumentWriter(database: database, limits: limits)
            let removed = try writer.remove(document.document.id, keepsRow: true)
            try writer.insert(document)
            try writer.record(document.document.id, removed: removed)
            return removed == nil
        }
    }

    @discardableResult
    public func delete(documentID: String) async throws(KnowledgeError) -> Bool {
        try await self.write { [limits] database in
            let writer = DocumentWriter(database: database, limits: limits)
            guard let removed = try writer.remove(documentID, keepsRow: false) else { return false }
            try writer.record(documentID, removed: removed)
            return true
        }
    }
}

/// The steps of a change, inside its transaction.
private struct DocumentWriter {
    let database: Database
    let limits: SQLiteKnowledgeStore.Limits

    /// The chunks that a change took away.
    struct Removed {
        /// Their identifiers, which are consecutive because one transaction wrote them; nothing without chunks.
        var ids: ClosedRange<Int64>?
    }

    /// Removes a document's chunks, and its row too if nothing is to take its place.
    ///
    /// - Returns: Nothing if there is no such document.
    func remove(_ id: String, keepsRow: Bool) throws -> Removed? {
        let row = try Row.fetchOne(
            self.database,
            sql: """
                SELECT min(e.id), max(e.id), count(e.id), count(e.embedding)
                FROM documents d LEFT JOIN document_embeddings e ON e.document_id = d.id
                WHERE d.id = ? GROUP BY d.id
                """,
            arguments: [id]
        )
        guard let row else { return nil }
        let table = keepsRow ? "document_embeddings WHERE document_id" : "documents WHERE id"
        try self.database.execute(sql: "DELETE FROM \(table) = ?", arguments: [id])
        let chunks: Int = row[2]
        let vectors: Int = row[3]
        try self.count(documents: keepsRow ? 0 : -1, chunks: -chunks, vectors: -vectors)
        let first: Int64? = row[0]
        let last: Int64? = row[1]
        if let first, let last { return Removed(ids: first...last) }
        return Removed(ids: nil)
    }

    func insert(_ indexed: IndexedDocument) throws {
        try self.stamp(indexed)
        try self.insertRow(indexed)
        let statement = try self.database.makeStatement(
            sql: """
                INSERT INTO document_embeddings (document_id, chunk_index, chunk_text, context, heading_path, identifiers,
                    span_start, span_end, embedding, text_hash, created_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        )
        for entry in indexed.entries {
            let path = JSONValue.array(entry.chunk.headingPath.map { .string($0) }).serializedString()
            try statement.execute(arguments: [
                indexed.document.id, entry.chunk.index, entry.chunk.text, entry.chunk.context, path,
                entry.identifierParts, entry.chunk.span.lowerBound, entry.chunk.span.upperBound,
                entry.vector.map(VectorBlob.data), Data(TextHash(entry.chunk.embeddedText).bytes),
                indexed.indexedAt.timeIntervalSince1970,
            ])
        }
        // Identifiers of one transaction follow one another.
        let last = self.database.lastInsertedRowID
        try self.database.execute(
            sql: "UPDATE documents SET first_chunk = ? WHERE id = ?",
            arguments: [indexed.entries.isEmpty ? nil : last - Int64(indexed.entries.count - 1), indexed.document.id]
        )
    }

    /// Notes the change, which raises the generation, and forgets changes that are long past.
    func record(_ id: String, removed: Removed?) throws {
        try self.database.execute(
            sql: "INSERT INTO index_changes (document_id, removed_first, removed_last) VALUES (?, ?, ?)",
            arguments: [id, removed?.ids?.lowerBound, removed?.ids?.upperBound]
        )
        try self.database.execute(
            sql: "DELETE FROM index_changes WHERE generation <= ?",
            arguments: [self.database.lastInsertedRowID - Int64(self.limits.keptChanges)]
        )
    }

    private func insertRow(_ indexed: IndexedDocument) throws {
        let document = indexed.document
        let now = indexed.indexedAt.timeIntervalSince1970
        let existed = try Bool.fetchOne(
            self.database,
            sql: "SELECT EXISTS (SELECT 1 FROM documents WHERE id = ?)",
            arguments: [document.id]
        )
        try self.database.execute(
            sql: """
                INSERT INTO documents (id, source, title, content, metadata, content_hash, model_name, chunk_count,
                    created_at, updated_at, source_updated_at, access_labels)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET source = excluded.source, title = excluded.title,
                    content = excluded.content, metadata = excluded.metadata, content_hash = excluded.content_hash,
                    model_name = excluded.model_name, chunk_count = excluded.chunk_count,
                    updated_at = excluded.updated_at, source_updated_at = excluded.source_updated_at,
                    access_labels = excluded.access_labels
                """,
            arguments: [
                document.id, document.source, document.title, document.text,
                JSONValue.object(document.metadata).serializedString(), indexed.contentHash, indexed.model?.name,
                indexed.entries.count, now, now, document.sourceUpdatedAt?.timeIntervalSince1970,
                document.accessLabels.jsonText,
            ]
        )
        try self.count(
            documents: existed == true ? 0 : 1,
            chunks: indexed.entries.count,
            vectors: indexed.entries.count { $0.vector != nil }
        )
    }

    /// Makes sure that the vectors are of the index's model and that there is room for them.
    private func stamp(_ indexed: IndexedDocument) throws {
        guard let model = indexed.model else { return }
        guard indexed.entries.allSatisfy({ $0.vector?.count == model.dimension }) else {
            throw KnowledgeError(
                .embeddingFailed,
                "A vector doesn't have the \(model.dimension) components of its model."
            )
        }
        let state = try IndexState.fetch(self.database)
        try state.check(model)
        guard state.vectorCount + indexed.entries.count <= self.limits.maximumVectors else {
            throw KnowledgeError(
                .tooManyVectors,
                "The index holds \(state.vectorCount) vectors and may hold \(self.limits.maximumVectors); "
                    + "\(indexed.entries.count) more don't fit. Delete documents, or raise the limit."
            )
        }
        if state.model == nil, !indexed.entries.isEmpty {
            try self.database.execute(
                sql: "UPDATE index_state SET model_name = ?, model_dimension = ?",
                arguments: [model.name, model.dimension]
            )
        }
    }

    private func count(documents: Int, chunks: Int, vectors: Int) throws {
        try self.database.execute(
            sql: """
                UPDATE index_state SET document_count = document_count + ?, chunk_count = chunk_count + ?,
                    vector_count = vector_count + ?
                """,
            arguments: [documents, chunks, vectors]
        )
    }
}
