import Foundation
import GRDB
import JSON
public import Knowledge

extension SQLiteKnowledgeStore: MetadataStore {
    public func select(_ query: MetadataQuery) async throws(KnowledgeError) -> MetadataPage {
        try query.check()
        return try await self.read { database in
            try DocumentFilter(labels: query.labels).withCondition(in: database) { readable in
                let condition = SQLCondition.all([readable, query.predicate.condition])
                let count = try Int.fetchOne(
                    database,
                    sql: "SELECT count(*) FROM documents d WHERE \(condition.sql)",
                    arguments: condition.arguments
                )
                let order = query.sort.flatMap(\.order)
                let rows = try Row.fetchAll(
                    database,
                    sql: """
                        SELECT \(DocumentSummary.columns) FROM documents d WHERE \(condition.sql)
                        ORDER BY \((order.map(\.sql) + ["d.id"]).joined(separator: ", ")) LIMIT ? OFFSET ?
                        """,
                    arguments: condition.arguments + order.reduce(into: []) { $0 += $1.arguments }
                        + [query.limit, query.offset]
                )
                return MetadataPage(
                    documents: try rows.map { try DocumentSummary($0) },
                    totalCount: count ?? 0,
                    generation: try IndexState.fetch(database).generation
                )
            }
        }
    }
}

extension MetadataQuery.Predicate {
    /// Everything that a caller gave is an argument; nothing of it becomes a part of the SQL text.
    fileprivate var condition: SQLCondition {
        switch self {
        case .all(let parts): return .all(parts.map(\.condition))
        case .any(let parts): return parts.isEmpty ? SQLCondition("FALSE") : .any(parts.map(\.condition))
        case .not(let part):
            let condition = part.condition
            return SQLCondition("(\(condition.sql)) IS NOT TRUE", condition.arguments)
        case .compare(let field, let comparison, let value): return field.compared.condition(comparison, value)
        }
    }
}

extension MetadataQuery.Field {
    fileprivate var compared: ComparedValue {
        switch self {
        case .id: ComparedValue("d.id", type: "text")
        case .source: ComparedValue("d.source", type: "text")
        case .title: ComparedValue("d.title", type: "text")
        case .chunkCount: ComparedValue("d.chunk_count", type: "integer")
        case .createdAt: ComparedValue(Self.time("d.created_at"), type: "text")
        case .indexedAt: ComparedValue(Self.time("d.updated_at"), type: "text")
        case .sourceUpdatedAt: ComparedValue(Self.time("d.source_updated_at"), type: "text")
        case .metadata(let path): ComparedValue(metadata: path)
        }
    }

    private static func time(_ column: String) -> String { "strftime('%Y-%m-%dT%H:%M:%SZ', \(column), 'unixepoch')" }
}

extension MetadataQuery.SortKey {
    /// The kind of the value first, so that values of different kinds are never compared, then the value.
    fileprivate var order: [SQLCondition] {
        let value = self.field.compared
        let kind = SQLCondition(
            """
            CASE \(value.type.sql) WHEN 'integer' THEN 0 WHEN 'real' THEN 0 WHEN 'text' THEN 1 WHEN 'true' THEN 2
            WHEN 'false' THEN 2 ELSE 3 END
            """,
            value.type.arguments
        )
        let content = SQLCondition(
            """
            CASE WHEN \(value.type.sql) IN ('integer', 'real', 'text', 'true', 'false') THEN \(value.content.sql) END
            \(self.isDescending ? "DESC" : "ASC")
            """,
            value.type.arguments + value.content.arguments
        )
        return [kind, content]
    }
}
