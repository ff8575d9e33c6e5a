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
    fileprivate func condition(_ parameters: inout StatementParameters) -> String {
        switch self.comparison {
        case .eq: return self.equal(self.value, &parameters)
        case .ne: return "NOT \(self.equal(self.value, &parameters))"
        case .in:
            return "(" + (self.value.arrayValue ?? []).map { self.equal($0, &parameters) }.joined(separator: " OR ")
                + ")"
        case .exists:
            let path = parameters.bind(.text(self.jsonPath))
            return
                "coalesce(jsonb_path_exists(d.metadata, \(path)::jsonpath, '{}', TRUE), FALSE) = \(self.value == true)"
        case .lt: return self.ordered("<", &parameters)
        case .lte: return self.ordered("<=", &parameters)
        case .gt: return self.ordered(">", &parameters)
        case .gte: return self.ordered(">=", &parameters)
        case .contains:
            let content = self.content(&parameters)
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
    private func equal(_ value: JSONValue, _ parameters: inout StatementParameters) -> String {
        let nested = self.path.keys.reversed().reduce(value) { JSONValue.object(JSONObject([($1, $0)])) }
        return "(d.metadata @> \(parameters.bind(.jsonb(nested.serializedString()))))"
    }

    private func ordered(_ sign: String, _ parameters: inout StatementParameters) -> String {
        let content = self.content(&parameters)
        guard let text = self.value.stringValue else {
            let number = parameters.bind(.jsonb(self.value.serializedString()))
            return "coalesce(jsonb_typeof(\(content)) = 'number' AND \(content) \(sign) \(number), FALSE)"
        }
        let limit = parameters.bind(.text(text))
        return """
            coalesce(jsonb_typeof(\(content)) = 'string' AND (\(content) #>> '{}') COLLATE "C" \(sign) \(limit), FALSE)
            """
    }

    private func content(_ parameters: inout StatementParameters) -> String {
        "jsonb_path_query_first(d.metadata, \(parameters.bind(.text(self.jsonPath)))::jsonpath, '{}', TRUE)"
    }

    /// Strict, so that an array isn't taken apart for what its elements hold.
    private var jsonPath: String { "strict $." + self.path.description }
}
