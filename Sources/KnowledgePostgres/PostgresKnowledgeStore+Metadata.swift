import JSON
public import Knowledge
import Postgres

extension PostgresKnowledgeStore: MetadataStore {
    public func select(_ query: MetadataQuery) async throws(KnowledgeError) -> MetadataPage {
        try query.check()
        return try await self.read { connection in
            var parameters = StatementParameters()
            let readable = DocumentFilter(labels: query.labels).condition(&parameters)
            let condition = "\(readable) AND \(query.predicate.condition(&parameters))"
            let counts = try await connection.query(
                "SELECT count(*) FROM documents d WHERE \(condition)",
                parameters.values
            )
            let order = query.sort.flatMap { $0.order(&parameters) } + ["d.id"]
            let rows = try await connection.query(
                """
                SELECT \(DocumentSummary.columns) FROM documents d WHERE \(condition)
                ORDER BY \(order.joined(separator: ", "))
                LIMIT \(parameters.bind(.int(query.limit))) OFFSET \(parameters.bind(.int(query.offset)))
                """,
                parameters.values
            )
            return MetadataPage(
                documents: try rows.map { try DocumentSummary($0) },
                totalCount: try counts.first?.get(0) ?? 0,
                generation: try await IndexState.fetch(connection).generation
            )
        }
    }
}

extension MetadataQuery.Predicate {
    /// Everything that a caller gave is a parameter; nothing of it becomes a part of the SQL text.
    fileprivate func condition(_ parameters: inout StatementParameters) -> String {
        switch self {
        case .all(let parts):
            return Self.joined(parts, by: " AND ", none: "TRUE", &parameters)
        case .any(let parts):
            return Self.joined(parts, by: " OR ", none: "FALSE", &parameters)
        case .not(let part):
            return "(\(part.condition(&parameters))) IS NOT TRUE"
        case .compare(let field, let comparison, let value):
            // The value was checked with the query, and would be refused there.
            guard let condition = try? MetadataCondition(field.path, comparison, value) else { return "FALSE" }
            return condition.condition(of: field.document, &parameters)
        }
    }

    private static func joined(
        _ parts: [Self],
        by separator: String,
        none: String,
        _ parameters: inout StatementParameters
    ) -> String {
        if parts.isEmpty { return none }
        var conditions: [String] = []
        for part in parts { conditions.append("(\(part.condition(&parameters)))") }
        return "(\(conditions.joined(separator: separator)))"
    }
}

extension MetadataQuery.Field {
    /// Where the value is in ``document``.
    fileprivate var path: MetadataPath {
        get throws {
            if case .metadata(let path) = self { return path }
            return try MetadataPath("field")
        }
    }

    /// A JSON document that holds the value, so that columns and metadata are compared by the same rules.
    fileprivate var document: String {
        switch self {
        case .id: Self.document(of: "d.id")
        case .source: Self.document(of: "d.source")
        case .title: Self.document(of: "d.title")
        case .chunkCount: Self.document(of: "d.chunk_count")
        case .createdAt: Self.document(ofTime: "d.created_at")
        case .indexedAt: Self.document(ofTime: "d.updated_at")
        case .sourceUpdatedAt: Self.document(ofTime: "d.source_updated_at")
        case .metadata: "d.metadata"
        }
    }

    private static func document(of expression: String) -> String {
        "jsonb_strip_nulls(jsonb_build_object('field', \(expression)))"
    }

    private static func document(ofTime column: String) -> String {
        Self.document(of: "to_char(\(column) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')")
    }
}

extension MetadataQuery.SortKey {
    /// The kind of the value first, so that values of different kinds are never compared, then the value.
    fileprivate func order(_ parameters: inout StatementParameters) -> [String] {
        guard let path = try? self.field.path else { return [] }
        let keys = parameters.bind(.textArray(path.keys))
        let value = "(\(self.field.document) #> \(keys))"
        let direction = self.isDescending ? "DESC" : "ASC"
        return [
            "CASE jsonb_typeof\(value) WHEN 'number' THEN 0 WHEN 'string' THEN 1 WHEN 'boolean' THEN 2 ELSE 3 END",
            "CASE jsonb_typeof\(value) WHEN 'number' THEN (\(value) #>> '{}')::numeric END \(direction)",
            "CASE jsonb_typeof\(value) WHEN 'string' THEN \(value) #>> '{}' END COLLATE \"C\" \(direction)",
            "CASE jsonb_typeof\(value) WHEN 'boolean' THEN (\(value) #>> '{}')::boolean END \(direction)",
        ]
    }
}
