import Foundation
import GRDB
import JSON
public import Knowledge

extension SQLiteKnowledgeStore {
    public func status() async throws(KnowledgeError) -> StoreStatus {
        let (state, reindex) = try await self.read { database in
            let state = try IndexState.fetch(database)
            return (state, try state.reindexStatus(in: database))
        }
        return StoreStatus(
            documentCount: state.documentCount,
            chunkCount: state.chunkCount,
            vectorCount: state.vectorCount,
            generation: state.generation,
            modelName: state.model?.name,
            modelDimension: state.model?.dimension,
            reindex: reindex
        )
    }

    public func versions(ofDocuments ids: [String]) async throws(KnowledgeError) -> [String: DocumentVersion] {
        try await self.read { database in
            var versions: [String: DocumentVersion] = [:]
            let statement = try database.makeStatement(
                sql: "SELECT content_hash, model_name FROM documents WHERE id = ?"
            )
            for id in ids {
                guard let row = try Row.fetchOne(statement, arguments: [id]) else { continue }
                versions[id] = DocumentVersion(contentHash: row[0], modelName: row[1])
            }
            return versions
        }
    }

    public func document(id: String) async throws(KnowledgeError) -> StoredDocument? {
        try await self.read { database in
            let sql = "SELECT \(DocumentSummary.columns), content FROM documents WHERE id = ?"
            guard let row = try Row.fetchOne(database, sql: sql, arguments: [id]) else { return nil }
            return StoredDocument(summary: try DocumentSummary(row), text: row["content"])
        }
    }

    public func documents(
        after cursor: String?,
        limit: Int,
        filter: DocumentFilter
    ) async throws(KnowledgeError) -> [DocumentSummary] {
        try await self.read { database in
            try filter.withCondition(in: database) { condition in
                try Row.fetchAll(
                    database,
                    sql: """
                        SELECT \(DocumentSummary.columns) FROM documents d
                        WHERE id > ? AND \(condition.sql) ORDER BY id LIMIT ?
                        """,
                    arguments: [cursor ?? ""] + condition.arguments + [limit]
                )
                .map { try DocumentSummary($0) }
            }
        }
    }

    public func chunks(ofDocument id: String, indexes: Range<Int>) async throws(KnowledgeError) -> [StoredChunk] {
        try await self.read { database in
            try StoredChunk.fetch(from: database, document: id, indexes: indexes)
        }
    }
}

extension DocumentSummary {
    static let columns = """
        id, source, title, metadata, content_hash, model_name, chunk_count, created_at, updated_at, source_updated_at,
        access_labels
        """

    init(_ row: Row) throws {
        let metadata: String = row["metadata"]
        let sourceUpdatedAt: Double? = row["source_updated_at"]
        let labels: String = row["access_labels"]
        self.init(
            id: row["id"],
            source: row["source"],
            title: row["title"],
            metadata: try JSONValue(parsing: metadata).objectValue ?? JSONObject(),
            chunkCount: row["chunk_count"],
            createdAt: Date(timeIntervalSince1970: row["created_at"]),
            indexedAt: Date(timeIntervalSince1970: row["updated_at"]),
            sourceUpdatedAt: sourceUpdatedAt.map { Date(timeIntervalSince1970: $0) },
            version: DocumentVersion(contentHash: row["content_hash"], modelName: row["model_name"]),
            accessLabels: Set(try JSONValue(parsing: labels).arrayValue?.compactMap(\.stringValue) ?? [])
        )
    }
}
