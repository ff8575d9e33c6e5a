import JSON
import Knowledge
import Postgres

extension DocumentFilter {
    /// The condition for rows of `documents d`.
    ///
    /// Everything that a caller gave is a parameter; nothing of it becomes a part of the SQL text.
    func condition(_ parameters: inout StatementParameters) -> String {
        var conditions = self.metadata.map { $0.condition(&parameters) }
        if !self.sources.isEmpty {
            let expressions = parameters.bind(.textArray(self.sources.map(\.regularExpression)))
            conditions.append("d.source ~ ANY(\(expressions))")
        }
        if let date = self.updatedAfter {
            conditions.append("coalesce(d.source_updated_at, d.updated_at) >= \(parameters.bind(.timestamptz(date)))")
        }
        if case .only(let held) = self.labels {
            let labels = parameters.bind(.textArray(held.sorted()))
            conditions.append("(d.access_labels = '{}' OR d.access_labels && \(labels))")
        }
        return conditions.isEmpty ? "TRUE" : conditions.joined(separator: " AND ")
    }
}

extension MetadataCondition {
    /// The condition for a value inside of a JSON document, which is the metadata of `documents d` unless told otherwise.
    ///
    /// - Parameters:
    ///   - document: An expression of type `jsonb`; a constant of the program.
    ///   - parameters: Gets what the caller gave.
    /// - Returns: The condition in SQL.
    func condition(of document: String = "d.metadata", _ parameters: inout StatementParameters) -> String {
        // PostgreSQL keeps no U+0000, so nothing there equals or contains one.
        let values = (self.value.arrayValue ?? []) + [self.value]
        let hasNUL = values.contains { $0.stringValue?.utf8.contains(0) == true }
        let rest = hasNUL ? self.withoutNUL : self
        guard let rest else { return "\(self.comparison == .ne)" }
        return rest.conditionOfText(document, &parameters)
    }

    /// The condition without the values that hold U+0000; nothing if none is left.
    private var withoutNUL: Self? {
        guard self.comparison == .in else { return nil }
        let kept = (self.value.arrayValue ?? []).filter { $0.stringValue?.utf8.contains(0) != true }
        return kept.isEmpty ? nil : try? Self(self.path, .in, .array(kept))
    }

    private func conditionOfText(_ document: String, _ parameters: inout StatementParameters) -> String {
        switch self.comparison {
        case .eq: return self.equal(self.value, document, &parameters)
        case .ne: return "NOT \(self.equal(self.value, document, &parameters))"
        case .in:
            let parts = (self.value.arrayValue ?? []).map { self.equal($0, document, &parameters) }
            return "(\(parts.joined(separator: " OR ")))"
        case .exists:
            let path = parameters.bind(.text(self.jsonPath))
            return
                "coalesce(jsonb_path_exists(\(document), \(path)::jsonpath, '{}', TRUE), FALSE) = \(self.value == true)"
        case .lt: return self.ordered("<", document, &parameters)
        case .lte: return self.ordered("<=", document, &parameters)
        case .gt: return self.ordered(">", document, &parameters)
        case .gte: return self.ordered(">=", document, &parameters)
        case .contains:
            let content = self.content(document, &parameters)
            let element = parameters.bind(.jsonb(self.value.serializedString()))
            let inArray = "jsonb_typeof(\(content)) = 'array' AND \(content) @> jsonb_build_array(\(element))"
            guard let text = self.value.stringValue else { return "coalesce(\(inArray), FALSE)" }
            let part = parameters.bind(.text(text))
            return """
                coalesce(\(inArray) OR (jsonb_typeof(\(content)) = 'string' AND strpos(\(content) #>> '{}', \(part)) > 0), FALSE)
                """
        }
    }

    /// Containment, which for a single value is equality and can use the index.
    private func equal(_ value: JSONValue, _ document: String, _ parameters: inout StatementParameters) -> String {
        let nested = self.path.keys.reversed().reduce(value) { JSONValue.object(JSONObject([($1, $0)])) }
        return "(\(document) @> \(parameters.bind(.jsonb(nested.serializedString()))))"
    }

    private func ordered(_ sign: String, _ document: String, _ parameters: inout StatementParameters) -> String {
        let content = self.content(document, &parameters)
        guard let text = self.value.stringValue else {
            let number = parameters.bind(.jsonb(self.value.serializedString()))
            return "coalesce(jsonb_typeof(\(content)) = 'number' AND \(content) \(sign) \(number), FALSE)"
        }
        let limit = parameters.bind(.text(text))
        return """
            coalesce(jsonb_typeof(\(content)) = 'string' AND (\(content) #>> '{}') COLLATE "C" \(sign) \(limit), FALSE)
            """
    }

    private func content(_ document: String, _ parameters: inout StatementParameters) -> String {
        "jsonb_path_query_first(\(document), \(parameters.bind(.text(self.jsonPath)))::jsonpath, '{}', TRUE)"
    }

    /// Strict, so that an array isn't taken apart for what its elements hold.
    private var jsonPath: String { "strict $." + self.path.description }
}
