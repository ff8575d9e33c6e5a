import Foundation
import JSON
public import Knowledge
import Postgres

extension PostgresKnowledgeStore {
    public func status() async throws(KnowledgeError) -> StoreStatus {
        try await self.read { connection in
            let state = try await IndexState.fetch(connection)
            return StoreStatus(
                documentCount: state.documentCount,
                chunkCount: state.chunkCount,
                vectorCount: state.vectorCount,
                generation: state.generation,
                modelName: state.model?.name,
                modelDimension: state.model?.dimension,
                reindex: try await state.reindexStatus(connection)
            )
        }
    }

    public func versions(ofDocuments ids: [String]) async throws(KnowledgeError) -> [String: DocumentVersion] {
        try await self.read { connection in
            let rows = try await connection.query(
                "SELECT id, content_hash, model_name FROM documents WHERE id = ANY($1)",
                [.textArray(ids.filter { !$0.utf8.contains(0) })]
            )
            var versions: [String: DocumentVersion] = [:]
            for row in rows {
                versions[try row.get(0)] = DocumentVersion(
                    contentHash: try row.get(1),
                    modelName: try row.getIfPresent(2)
                )
            }
            return versions
        }
    }

    public func document(id: String) async throws(KnowledgeError) -> StoredDocument? {
        guard !id.utf8.contains(0) else { return nil }
        return try await self.read { connection in
            let rows = try await connection.query(
                "SELECT \(DocumentSummary.columns), content FROM documents d WHERE id = $1",
                [.text(id)]
            )
            guard let row = rows.first else { return nil }
            return StoredDocument(summary: try DocumentSummary(row), text: try row.get("content"))
        }
    }

    public func documents(
        after cursor: String?,
        limit: Int,
        filter: DocumentFilter
    ) async throws(KnowledgeError) -> [DocumentSummary] {
        try filter.check()
        return try await self.read { connection in
            var parameters = StatementParameters()
            let rows = try await connection.query(
                """
                SELECT \(DocumentSummary.columns) FROM documents d
                WHERE id > \(parameters.bind(.text(cursor ?? ""))) AND \(filter.condition(&parameters))
                ORDER BY id LIMIT \(parameters.bind(.int(limit)))
                """,
                parameters.values
            )
            return try rows.map { try DocumentSummary($0) }
        }
    }

    public func chunks(ofDocument id: String, indexes: Range<Int>) async throws(KnowledgeError) -> [StoredChunk] {
        guard !id.utf8.contains(0) else { return [] }
        return try await self.read { connection in
            let rows = try await connection.query(
                """
                SELECT \(StoredChunk.columns) FROM document_embeddings e JOIN documents d ON d.id = e.document_id
                WHERE e.document_id = $1 AND e.chunk_index >= $2 AND e.chunk_index < $3 ORDER BY e.chunk_index LIMIT 1000
                """,
                [.text(id), .int(indexes.lowerBound), .int(indexes.upperBound)]
            )
            return try rows.map { try StoredChunk($0) }
        }
    }
}

extension DocumentSummary {
    static let columns = """
        id, source, title, metadata, content_hash, model_name, chunk_count, created_at, updated_at, source_updated_at,
        access_labels
        """

    init(_ row: PostgresRow) throws {
        let metadata: String = try row.get("metadata")
        let labels: [String] = try row.get("access_labels")
        self.init(
            id: try row.get("id"),
            source: try row.get("source"),
            title: try row.get("title"),
            metadata: try JSONValue(parsing: metadata).objectValue ?? JSONObject(),
            chunkCount: try row.get("chunk_count"),
            createdAt: try row.get("created_at"),
            indexedAt: try row.get("updated_at"),
            sourceUpdatedAt: try row.getIfPresent("source_updated_at"),
            version: DocumentVersion(
                contentHash: try row.get("content_hash"),
                modelName: try row.getIfPresent("model_name")
            ),
            accessLabels: Set(labels)
        )
    }
}

extension StoredChunk {
    /// What the initializer reads, in its order.
    static let columns = """
        e.document_id, d.source, d.title, e.chunk_index, e.heading_path, e.chunk_text, e.span_start, e.span_end,
        e.created_at, d.source_updated_at, d.content_hash
        """

    init(_ row: PostgresRow) throws {
        let start: Int = try row.get(6)
        let end: Int = try row.get(7)
        self.init(
            documentID: try row.get(0),
            source: try row.get(1),
            title: try row.get(2),
            version: try row.get(10),
            index: try row.get(3),
            headingPath: try row.get(4),
            text: try row.get(5),
            span: start..<max(start, end),
            indexedAt: try row.get(8),
            sourceUpdatedAt: try row.getIfPresent(9)
        )
    }
}
