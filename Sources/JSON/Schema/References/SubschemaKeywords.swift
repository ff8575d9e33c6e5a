/// Which keywords have subschemas, and where, so that identifiers and anchors are looked for there and nowhere else.
enum SubschemaKeywords {
    private enum Shape { case one, list, byKey }

    private static let shapes: [String: Shape] = [
        "additionalProperties": .one, "contains": .one, "contentSchema": .one, "else": .one, "if": .one, "items": .one,
        "not": .one, "propertyNames": .one, "then": .one, "unevaluatedItems": .one, "unevaluatedProperties": .one,
        "allOf": .list, "anyOf": .list, "oneOf": .list, "prefixItems": .list,
        "$defs": .byKey, "definitions": .byKey, "dependencies": .byKey, "dependentSchemas": .byKey,
        "patternProperties": .byKey, "properties": .byKey,
    ]

    /// The subschemas that stand directly in a schema.
    static func children(of schema: LocatedSchema, _ object: JSONObject) -> [LocatedSchema] {
        var children: [LocatedSchema] = []
        for (keyword, value) in object {
            let location = schema.location.appending(keyword)
            switch (self.shapes[keyword], value) {
            case (.one, _):
                children.append(LocatedSchema(value: value, location: location, resource: schema.resource))
            case (.list, .array(let values)):
                for (index, value) in values.enumerated() {
                    let location = location.appending(index)
                    children.append(LocatedSchema(value: value, location: location, resource: schema.resource))
                }
            case (.byKey, .object(let values)):
                for (key, value) in values {
                    let location = location.appending(key)
                    children.append(LocatedSchema(value: value, location: location, resource: schema.resource))
                }
            default:
                break
            }
        }
        return children
    }
}
