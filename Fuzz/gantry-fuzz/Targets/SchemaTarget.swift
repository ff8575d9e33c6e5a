import JSON

/// The schema compiler and the validator.
///
/// An input is a schema and a value, with the byte 0x1E between them. Both ways of validating agree, violations point at
/// parts of the value, and a schema turned around with `not` decides the other way.
struct SchemaTarget: FuzzTarget {
    static let name = "schema"
    static let dictionary =
        [
            "$id", "$schema", "$ref", "$anchor", "$dynamicRef", "$dynamicAnchor", "$defs", "allOf", "anyOf", "oneOf",
            "not",
            "if", "then", "else", "dependentSchemas", "prefixItems", "items", "contains", "properties",
            "patternProperties", "additionalProperties", "propertyNames", "unevaluatedItems", "unevaluatedProperties",
            "type", "enum", "const", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum",
            "maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems", "maxContains", "minContains",
            "maxProperties", "minProperties", "required", "dependentRequired", "format",
        ].map { "\"\($0)\":" }
        + [
            "date-time", "duration", "email", "idn-email", "hostname", "idn-hostname", "ipv4", "ipv6", "uri", "iri",
            "uri-reference", "uri-template", "uuid", "json-pointer", "relative-json-pointer", "regex", "time",
            "integer", "number", "string", "object", "array", "boolean", "null",
        ].map { "\"\($0)\"" }
        + [
            "\u{1E}", "{}", "true", "false", "#", "\"#/$defs/a\"", "{\"$ref\":\"#\"}", "1e308", "0.1", "1e-400", "-1",
            "123456789012345678901234567890", "^(a|a)*$", "(?:a+)+b", "\\\\p{L}", "[^\\\\d]", "{2,3}", "{1000}",
            "(?=a)",
            "(?<!b)", "\\\\u{1F600}", "\\\\1", "(?<n>x)\\\\k<n>", "xn--", "\\ud800", "2026-07-28T12:00:00Z", "::1",
            "%41",
        ]

    init() {}

    func run(_ input: [UInt8]) throws -> Outcome {
        let halves = input.split(separator: 0x1E, maxSplits: 1, omittingEmptySubsequences: false)
        guard let document = try? JSONValue(parsing: Array(halves[0])) else { return 0 }
        let value = halves.count < 2 ? JSONValue.null : (try? JSONValue(parsing: Array(halves[1]))) ?? .null
        var options = JSONSchema.Options()
        options.assertsFormats = input.count.isMultiple(of: 2)
        options.maximumDepth = 64
        options.maximumSubschemas = 1000
        options.maximumWork = 20_000
        options.maximumViolations = 10
        var hasher = Hasher()
        do {
            let schema = try JSONSchema(document, options: options)
            let isValid = try schema.isValid(value)
            hasher.combine(isValid)
            try self.checkOpposite(document, options, value, isValid)
            let violations = try schema.violations(in: value)
            try expect(violations.isEmpty == isValid, "isValid says \(isValid), violations says \(violations).")
            try expect(violations.count <= options.maximumViolations, "There are \(violations.count) violations.")
            for violation in violations {
                try expect(value.value(at: violation.instancePointer) != nil, "\(violation) is about nothing.")
                hasher.combine(violation.keyword)
            }
        } catch let error as JSONSchemaError {
            try expect(error.message.isEmpty == false, "The error says nothing.")
            hasher.combine(error.code)
            // The name of the keyword, not of a member that the input chose.
            let token = error.schemaPointer.tokens.last ?? ""
            hasher.combine(Self.dictionary.contains("\"\(token)\":") ? token : "")
        }
        return hasher.finalize()
    }

    /// Checks that `not` turns the decision around, for schemas whose references don't depend on where they stand.
    private func checkOpposite(
        _ document: JSONValue,
        _ options: JSONSchema.Options,
        _ value: JSONValue,
        _ isValid: Bool
    ) throws {
        guard document.serialized().contains(UInt8(ascii: "$")) == false else { return }
        do {
            let opposite = try JSONSchema(["not": document], options: options)
            try expect(try opposite.isValid(value) != isValid, "\"not\" does not turn the decision around.")
        } catch let error as JSONSchemaError {
            let codes: [JSONSchemaError.Code] = [.tooDeep, .tooMuchWork, .schemaTooLarge]
            try expect(codes.contains(error.code), "Within \"not\" the schema has an error: \(error).")
        }
    }
}
