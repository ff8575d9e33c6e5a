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
        let path = "$." + self.path.description
        let type = SQLCondition("json_type(d.metadata, ?)", [path])
        let content = SQLCondition("json_extract(d.metadata, ?)", [path])
        switch self.comparison {
        case .eq: return Self.equal(type, content, self.value)
        case .ne:
            let equal = Self.equal(type, content, self.value)
            return SQLCondition("(\(equal.sql)) IS NOT TRUE", equal.arguments)
        case .in:
            return .any((self.value.arrayValue ?? []).map { Self.equal(type, content, $0) })
        case .exists:
            return SQLCondition("\(type.sql) IS \(self.value == true ? "NOT " : "")NULL", type.arguments)
        case .lt: return Self.ordered(type, content, "<", self.value)
        case .lte: return Self.ordered(type, content, "<=", self.value)
        case .gt: return Self.ordered(type, content, ">", self.value)
        case .gte: return Self.ordered(type, content, ">=", self.value)
        case .contains:
            let element = Self.equal(SQLCondition("m.type"), SQLCondition("m.value"), self.value)
            let inArray = SQLCondition(
                "\(type.sql) = 'array' AND EXISTS (SELECT 1 FROM json_each(d.metadata, ?) m WHERE \(element.sql))",
                type.arguments + [path] + element.arguments
            )
            guard let text = self.value.stringValue else { return inArray }
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
