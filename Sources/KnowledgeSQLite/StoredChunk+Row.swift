import Foundation
import GRDB
import JSON
import Knowledge

extension StoredChunk {
    /// Reads those of a document's chunks that exist, at most 1,000, in order.
    static func fetch(from database: Database, document id: String, indexes: Range<Int>) throws -> [StoredChunk] {
        let statement = try database.cachedStatement(
            sql: """
                SELECT e.document_id, d.source, d.title, e.chunk_index, e.heading_path, e.chunk_text, e.span_start,
                    e.span_end, e.created_at, d.source_updated_at, d.content_hash
                FROM document_embeddings e JOIN documents d ON d.id = e.document_id
                WHERE e.document_id = ? AND e.chunk_index >= ? AND e.chunk_index < ? ORDER BY e.chunk_index LIMIT 1000
                """
        )
        let arguments: StatementArguments = [id, indexes.lowerBound, indexes.upperBound]
        return try Row.fetchAll(statement, arguments: arguments).map { try StoredChunk($0) }
    }

    private init(_ row: Row) throws {
        let path: String = row[4]
        let start: Int = row[6]
        let end: Int = row[7]
        let sourceUpdatedAt: Double? = row[9]
        self.init(
            documentID: row[0],
            source: row[1],
            title: row[2],
            version: row[10],
            index: row[3],
            headingPath: try JSONValue(parsing: path).arrayValue?.compactMap(\.stringValue) ?? [],
            text: row[5],
            span: start..<max(start, end),
            indexedAt: Date(timeIntervalSince1970: row[8]),
            sourceUpdatedAt: sourceUpdatedAt.map { Date(timeIntervalSince1970: $0) }
        )
    }
}
