import Foundation
import GRDB
import JSON
import Knowledge

/// A part of an SQL statement with the values that its question marks stand for.
struct SQLCondition {
    var sql: String
    var arguments: StatementArguments

    init(_ sql: String, _ arguments: StatementArguments = []) {
        self.sql = sql
        self.arguments = arguments
    }

    static func all(_ conditions: [SQLCondition]) -> SQLCondition { Self.joined(conditions, by: " AND ") }

    static func any(_ conditions: [SQLCondition]) -> SQLCondition { Self.joined(conditions, by: " OR ") }

    private static func joined(_ conditions: [SQLCondition], by sign: String) -> SQLCondition {
        SQLCondition(
            conditions.isEmpty ? "TRUE" : conditions.map { "(\($0.sql))" }.joined(separator: sign),
            conditions.reduce(into: []) { $0 += $1.arguments }
        )
    }
}

extension DocumentFilter {
    /// The name of the function that ``condition`` calls for the sources.
    private static let sourceFunction = "gantry_source_matches"

    /// Runs a body in which the condition of this filter can be part of statements about `documents AS d`.
    ///
    /// Everything that a caller gave is an argument; nothing of it becomes a part of the SQL text.
    func withCondition<T>(in database: Database, _ body: (SQLCondition) throws -> T) throws -> T {
        try self.check()
        guard !self.sources.isEmpty else { return try body(self.condition) }
        let patterns = self.sources
        let function = DatabaseFunction(Self.sourceFunction, argumentCount: 1, pure: true) { values in
            guard let source = String.fromDatabaseValue(values[0]) else { return false }
            return patterns.contains { $0.matches(source) }
        }
        database.add(function: function)
        defer { database.remove(function: function) }
        return try body(self.condition)
    }

    private var condition: SQLCondition {
        var conditions = self.metadata.map(\.condition)
        if !self.sources.isEmpty { conditions.append(SQLCondition("\(Self.sourceFunction)(d.source)")) }
        if let date = self.updatedAfter {
            conditions.append(
                SQLCondition("coalesce(d.source_updated_at, d.updated_at) >= ?", [date.timeIntervalSince1970])
            )
        }
        if case .only(let held) = self.labels {
            let sql = """
                d.access_labels = '[]' OR EXISTS (
                    SELECT 1 FROM json_each(d.access_labels) l WHERE l.value IN (SELECT value FROM json_each(?)))
                """
            conditions.append(SQLCondition(sql, [held.jsonText]))
        }
        return .all(conditions)
    }
}

extension Set<String> {
    /// The strings as a JSON array in a fixed order.
    var jsonText: String { JSONValue.array(self.sorted().map { .string($0) }).serializedString() }
}

extension MetadataCondition {
    fileprivate var condition: SQLCondition {
        ComparedValue(metadata: self.path).condition(self.comparison, self.value)
    }
}

/// Something of a document that is compared, in the form in which SQLite takes JSON values apart.
struct ComparedValue {
    /// The name of the type as `json_type` gives it, or NULL if the document has no such value.
    var type: SQLCondition
    /// The value itself.
    var content: SQLCondition
    /// A table with the elements of an array.
    var elements: SQLCondition

    /// A value of the metadata.
    init(metadata path: MetadataPath) {
        let path = "$." + path.description
        self.type = SQLCondition("json_type(d.metadata, ?)", [path])
        self.content = SQLCondition("json_extract(d.metadata, ?)", [path])
        self.elements = SQLCondition("json_each(d.metadata, ?)", [path])
    }

    /// A column, of which the type is known.
    init(_ content: String, type: String) {
        self.type = SQLCondition("CASE WHEN \(content) IS NULL THEN NULL ELSE '\(type)' END")
        self.content = SQLCondition(content)
        self.elements = SQLCondition("json_each('[]')")
    }

    func condition(_ comparison: MetadataCondition.Comparison, _ value: JSONValue) -> SQLCondition {
        let (type, content) = (self.type, self.content)
        switch comparison {
        case .eq: return Self.equal(type, content, value)
        case .ne:
            let equal = Self.equal(type, content, value)
            return SQLCondition("(\(equal.sql)) IS NOT TRUE", equal.arguments)
        case .in:
            return .any((value.arrayValue ?? []).map { Self.equal(type, content, $0) })
        case .exists:
            return SQLCondition("\(type.sql) IS \(value == true ? "NOT " : "")NULL", type.arguments)
        case .lt: return Self.ordered(type, content, "<", value)
        case .lte: return Self.ordered(type, content, "<=", value)
        case .gt: return Self.ordered(type, content, ">", value)
        case .gte: return Self.ordered(type, content, ">=", value)
        case .contains:
            let element = Self.equal(SQLCondition("m.type"), SQLCondition("m.value"), value)
            let inArray = SQLCondition(
                "\(type.sql) = 'array' AND EXISTS (SELECT 1 FROM \(self.elements.sql) m WHERE \(element.sql))",
                type.arguments + self.elements.arguments + element.arguments
            )
            guard let text = value.stringValue else { return inArray }
            let inString = SQLCondition(
                "\(type.sql) = 'text' AND instr(\(content.sql), ?) > 0",
                type.arguments + content.arguments + [text]
            )
            return .any([inArray, inString])
        }
    }

    private static func equal(_ type: SQLCondition, _ content: SQLCondition, _ value: JSONValue) -> SQLCondition {
        switch value {
        case .null: SQLCondition("\(type.sql) = 'null'", type.arguments)
        case .bool(let isTrue): SQLCondition("\(type.sql) = '\(isTrue)'", type.arguments)
        default: Self.ordered(type, content, "=", value)
        }
    }

    private static func ordered(
        _ type: SQLCondition,
        _ content: SQLCondition,
        _ sign: String,
        _ value: JSONValue
    ) -> SQLCondition {
        let argument: StatementArguments =
            switch value {
            case .string(let text): [text]
            case .integer(let number): [number]
            default: [value.doubleValue]
            }
        return SQLCondition(
            "\(type.sql) IN (\(value.stringValue == nil ? "'integer', 'real'" : "'text'")) AND \(content.sql) \(sign) ?",
            type.arguments + content.arguments + argument
        )
    }
}
