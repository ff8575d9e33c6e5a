public import JSON
import Knowledge
public import MCPServer

/// A condition on one value of a document's metadata, as an argument.
public struct QueryFilterArgument: ToolValue {
    /// As it was given.
    public let json: JSONValue
    /// What it means.
    let condition: MetadataCondition

    public static func makeShape() -> ValueShape<Self> {
        let schema: JSONObject = [
            "type": "object",
            "properties": [
                "field": ["type": "string", "description": "Path of the value in the metadata, for example team.name"],
                "op": [
                    "type": "string",
                    "enum": .array(MetadataCondition.Comparison.allCases.map { .string($0.rawValue) }),
                    "default": "eq",
                ],
                "value": [
                    "description": "A string, number, true, false or null; a list for in; true or false for exists"
                ],
            ],
            "required": ["field", "value"],
            "additionalProperties": false,
        ]
        return ValueShape(schema: schema) { value, mistakes in
            guard let field = value["field"]?.stringValue, let compared = value["value"] else {
                mistakes.append(Self.mistake("Expected an object with field, op and value."))
                return nil
            }
            let name = value["op"]?.stringValue ?? "eq"
            guard let comparison = MetadataCondition.Comparison(rawValue: name) else {
                let known = MetadataCondition.Comparison.allCases.map(\.rawValue).joined(separator: ", ")
                mistakes.append(Self.mistake("The op is one of \(known)."))
                return nil
            }
            do throws(KnowledgeError) {
                // The table of documents calls the same value metadata.team.
                let path = field.hasPrefix("metadata.") ? String(field.dropFirst("metadata.".count)) : field
                return Self(
                    json: value,
                    condition: try MetadataCondition(try MetadataPath(path), comparison, compared)
                )
            } catch {
                mistakes.append(Self.mistake(error.message))
                return nil
            }
        }
    }

    private static func mistake(_ message: String) -> ArgumentMistake {
        ArgumentMistake(pointer: JSONPointer(), message: message)
    }
}
