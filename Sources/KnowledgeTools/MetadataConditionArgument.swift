public import JSON
public import Knowledge
public import MCPServer

/// A condition of `db.query_metadata`, as JSON and as a predicate.
public struct MetadataConditionArgument: ToolValue {
    /// As it was given.
    public let json: JSONValue
    /// What it means.
    public let predicate: MetadataQuery.Predicate

    public static func makeShape() -> ValueShape<Self> {
        let part: JSONValue = ["type": "object", "description": "A condition, or and/or/not of conditions"]
        let schema: JSONObject = [
            "type": "object",
            "properties": [
                "field": ["type": "string", "description": "For example source or metadata.team"],
                "op": [
                    "type": "string",
                    "enum": .array(MetadataCondition.Comparison.allCases.map { .string($0.rawValue) }),
                    "description": "How the field is compared with value",
                ],
                "value": [
                    "description": "A string, number, true, false or null; a list for in; true or false for exists"
                ],
                "and": ["type": "array", "items": part, "description": "All of these hold"],
                "or": ["type": "array", "items": part, "description": "At least one of these holds"],
                "not": ["type": "object", "description": "This doesn't hold"],
            ],
        ]
        return ValueShape(schema: schema) { value, mistakes in
            var reader = Reader()
            guard let predicate = reader.predicate(value, at: JSONPointer(), depth: 1) else {
                mistakes += reader.mistakes
                return nil
            }
            return Self(json: value, predicate: predicate)
        }
    }

    /// Reads a condition and notes all that is wrong with it.
    private struct Reader {
        var mistakes: [ArgumentMistake] = []
        var comparisons = 0

        mutating func predicate(_ value: JSONValue, at pointer: JSONPointer, depth: Int) -> MetadataQuery.Predicate? {
            guard depth <= MetadataQuery.maximumDepth else {
                return self.fail(pointer, "Conditions may be nested \(MetadataQuery.maximumDepth) deep.")
            }
            guard let object = value.objectValue else {
                return self.fail(pointer, "Expected an object: field, op and value; or and, or, not.")
            }
            let keys = object.map(\.key)
            switch keys.first {
            case "and" where keys.count == 1:
                return self.list(object["and"], "and", at: pointer, depth).map { .all($0) }
            case "or" where keys.count == 1: return self.list(object["or"], "or", at: pointer, depth).map { .any($0) }
            case "not" where keys.count == 1:
                return self.predicate(object["not"] ?? .null, at: pointer.appending("not"), depth: depth + 1)
                    .map { .not($0) }
            default: return self.comparison(object, at: pointer)
            }
        }

        private mutating func list(
            _ value: JSONValue?,
            _ key: String,
            at pointer: JSONPointer,
            _ depth: Int
        ) -> [MetadataQuery.Predicate]? {
            let pointer = pointer.appending(key)
            guard let elements = value?.arrayValue, (1...MetadataQuery.maximumComparisons).contains(elements.count)
            else {
                return self.fail(pointer, "Expected a list of 1 to \(MetadataQuery.maximumComparisons) conditions.")
            }
            let parts = elements.enumerated().map { index, element in
                self.predicate(element, at: pointer.appending(String(index)), depth: depth + 1)
            }
            return parts.contains { $0 == nil } ? nil : parts.compactMap(\.self)
        }

        private mutating func comparison(_ object: JSONObject, at pointer: JSONPointer) -> MetadataQuery.Predicate? {
            self.comparisons += 1
            guard self.comparisons <= MetadataQuery.maximumComparisons else {
                return self.fail(pointer, "There may be \(MetadataQuery.maximumComparisons) comparisons in all.")
            }
            if let unknown = object.first(where: { !["field", "op", "value"].contains($0.key) })?.key {
                return self.fail(
                    pointer.appending(unknown),
                    "Expected field, op and value in one object; or and, or, not alone."
                )
            }
            guard let name = object["field"]?.stringValue else {
                return self.fail(pointer.appending("field"), "Expected the name of a field, a string.")
            }
            guard let comparison = object["op"]?.stringValue.flatMap(MetadataCondition.Comparison.init) else {
                let words = MetadataCondition.Comparison.allCases.map(\.rawValue).joined(separator: ", ")
                return self.fail(pointer.appending("op"), "Expected one of \(words).")
            }
            let field: MetadataQuery.Field
            do {
                field = try MetadataQuery.Field(name)
            } catch {
                return self.fail(pointer.appending("field"), error.message)
            }
            let predicate = MetadataQuery.Predicate.compare(field, comparison, object["value"] ?? .null)
            do {
                try MetadataQuery(predicate).check()
            } catch {
                return self.fail(pointer.appending("value"), error.message)
            }
            return predicate
        }

        private mutating func fail<T>(_ pointer: JSONPointer, _ message: String) -> T? {
            self.mistakes.append(ArgumentMistake(pointer: pointer, message: message))
            return nil
        }
    }
}
