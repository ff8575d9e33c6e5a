import JSON
import Testing

@Suite("JSON Schema")
struct JSONSchemaTests {
    @Test(
        "Violations say what was expected and what was there",
        arguments: [
            (["type": "string"], 5, "", "/type", "Expected string, got integer."),
            (["type": ["string", "null"]], 1.5, "", "/type", "Expected null or string, got number."),
            (["type": "integer"], "5", "", "/type", "Expected integer, got string."),
            (["enum": ["a", 1, nil]], ["x": 1], "", "/enum", #"Expected one of "a", 1, null, got object."#),
            (["const": 2], 3, "", "/const", "Expected 2, got integer."),
            (["minimum": 1], 0, "", "/minimum", "Expected at least 1, got 0."),
            (["exclusiveMaximum": 1.5], 1.5, "", "/exclusiveMaximum", "Expected less than 1.5, got 1.5."),
            (["multipleOf": 5], 7, "", "/multipleOf", "Expected a multiple of 5, got 7."),
            (["maxLength": 1], "ab", "", "/maxLength", "Expected at most 1 character, got 2."),
            (["minItems": 2], [1], "", "/minItems", "Expected at least 2 items, got 1."),
            (["minProperties": 1], [:], "", "/minProperties", "Expected at least 1 property, got 0."),
            (["pattern": "^a$"], "b", "", "/pattern", "Expected a string that matches the pattern ^a$."),
            (
                ["uniqueItems": true], [1, 2, 1.0], "", "/uniqueItems",
                "Expected items that all differ, but items 0 and 2 are equal."
            ),
            (["required": ["a"]], [:], "", "/required", "The required property 'a' is missing."),
            (
                ["properties": ["a/b": ["items": ["type": "null"]]]], ["a/b": [nil, 1]], "/a~1b/1",
                "/properties/a~1b/items/type", "Expected null, got integer."
            ),
            (
                ["properties": ["a": true], "additionalProperties": false], ["b": 1], "/b", "/additionalProperties",
                "There is no property 'b' here; known are 'a'."
            ),
            (
                ["unevaluatedProperties": false], ["b": 1], "/b", "/unevaluatedProperties",
                "There is no property 'b' here."
            ),
            (["prefixItems": [true], "items": false], [1, 2], "/1", "/items", "Expected at most 1 items, got 2."),
            (
                ["propertyNames": ["maxLength": 1]], ["ab": 1], "/ab", "/propertyNames",
                "The property name 'ab' is not allowed. Expected at most 1 character, got 2."
            ),
            (
                ["anyOf": [["type": "string"], ["type": "null"]]], 1, "", "/anyOf",
                "None of the 2 alternatives fits: (1) Expected string, got integer. (2) Expected null, got integer."
            ),
            (
                ["oneOf": [["minimum": 1], ["minimum": 2]]], 3, "", "/oneOf",
                "Expected just one of the 2 alternatives to fit, but 1 and 2 do."
            ),
            (
                ["$ref": "#/$defs/a", "$defs": ["a": ["type": "null"]]], 1, "", "/$defs/a/type",
                "Expected null, got integer."
            ),
            (
                ["dependentRequired": ["a": ["b"]]], ["a": 1], "", "/dependentRequired",
                "The property 'b' is missing, which 'a' requires."
            ),
            (false, 1, "", "", "No value is allowed here."),
        ] as [(JSONValue, JSONValue, String, String, String)]
    )
    func messages(schema: JSONValue, value: JSONValue, instance: String, location: String, message: String) throws {
        let violations = try JSONSchema(schema).violations(in: value)
        #expect(violations.count == 1)
        let violation = try #require(violations.first)
        #expect(violation.instancePointer.description == instance)
        #expect(violation.schemaPointer.description == location)
        #expect(violation.message == message)
        #expect(violation.keyword == location.split(separator: "/").last.map(String.init) ?? "false")
    }

    @Test("All violations are reported together, up to the limit")
    func allViolations() throws {
        let schema: JSONValue = ["required": ["x", "y"], "properties": ["a": ["type": "string", "minimum": 3]]]
        #expect(try JSONSchema(schema).violations(in: ["a": 1]).count == 4)
        var options = JSONSchema.Options()
        options.maximumViolations = 3
        let limited = try JSONSchema(["items": ["type": "string"]], options: options)
        #expect(try limited.violations(in: .array(Array(repeating: 1, count: 10))).count == 3)
    }

    @Test(
        "Schemas that cannot be used are refused, with the place",
        arguments: [
            (["type": "strin"], JSONSchemaError.Code.invalidSchema, "/type"),
            (["type": []], .invalidSchema, "/type"),
            (["properties": ["a": ["minimum": "1"]]], .invalidSchema, "/properties/a/minimum"),
            (["properties": []], .invalidSchema, "/properties"),
            (["items": 5], .invalidSchema, "/items"),
            (["anyOf": []], .invalidSchema, "/anyOf"),
            (["required": ["a", 1]], .invalidSchema, "/required"),
            (["minLength": -1], .invalidSchema, "/minLength"),
            (["minLength": 1.5], .invalidSchema, "/minLength"),
            (["multipleOf": 0], .invalidSchema, "/multipleOf"),
            (["uniqueItems": "yes"], .invalidSchema, "/uniqueItems"),
            (["$id": "https://example.com/a#b"], .invalidSchema, ""),
            (["$anchor": "9"], .invalidSchema, ""),
            (["allOf": [["$anchor": "a"], ["$anchor": "a"]]], .invalidSchema, "/allOf/0"),
            (["pattern": "(a"], .invalidPattern, "/pattern"),
            (["pattern": #"\p{Script=Greek}"#], .invalidPattern, "/pattern"),
            (["patternProperties": ["[": true]], .invalidPattern, "/patternProperties"),
            (["$ref": "#/$defs/missing"], .unresolvedReference, "/$ref"),
            (["$ref": "#missing"], .unresolvedReference, "/$ref"),
            (["$ref": "https://example.com/other.json"], .unresolvedReference, "/$ref"),
            (["$dynamicRef": "other"], .unresolvedReference, "/$dynamicRef"),
            (["$schema": "http://json-schema.org/draft-07/schema#"], .unsupportedDialect, ""),
            ("string", .invalidSchema, ""),
        ] as [(JSONValue, JSONSchemaError.Code, String)]
    )
    func refused(schema: JSONValue, code: JSONSchemaError.Code, pointer: String) {
        let error = #expect(throws: JSONSchemaError.self) { try JSONSchema(schema) }
        #expect(error?.code == code)
        #expect(error?.schemaPointer.description == pointer)
    }

    @Test("A dialect that requires an unknown vocabulary is refused")
    func unknownVocabulary() {
        var options = JSONSchema.Options()
        options.documents["https://example.com/dialect"] = [
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$vocabulary": [
                "https://json-schema.org/draft/2020-12/vocab/core": true, "https://example.com/vocab": true,
            ],
        ]
        let error = #expect(throws: JSONSchemaError.self) {
            try JSONSchema(["$schema": "https://example.com/dialect"], options: options)
        }
        #expect(error?.code == .unsupportedVocabulary)
    }

    @Test("Other documents come with the options, relative references count from the base")
    func documents() throws {
        var options = JSONSchema.Options()
        options.baseURI = "https://example.com/schemas/main.json"
        options.documents["https://example.com/schemas/name.json"] = ["type": "string"]
        let schema = try JSONSchema(["properties": ["name": ["$ref": "name.json"]]], options: options)
        #expect(try schema.isValid(["name": "x"]))
        #expect(try !schema.isValid(["name": 1]))
    }

    @Test("A reference to itself without end is noticed")
    func endlessReference() throws {
        let schema = try JSONSchema(["$ref": "#"])
        let error = #expect(throws: JSONSchemaError.self) { try schema.violations(in: 1) }
        #expect(error?.code == .tooDeep)
    }

    @Test("Schemas and values may be nested deeply, but not endlessly")
    func depth() throws {
        var value: JSONValue = 1
        for _ in 0..<400 { value = .array([value]) }
        let schema = try JSONSchema(["items": ["$ref": "#"]])
        let error = #expect(throws: JSONSchemaError.self) { try schema.isValid(value) }
        #expect(error?.code == .tooDeep)
        var options = JSONSchema.Options()
        options.maximumDepth = 900
        #expect(try JSONSchema(["items": ["$ref": "#"]], options: options).isValid(value))
        var deep: JSONValue = ["type": "null"]
        for _ in 0..<1000 { deep = ["items": deep] }
        options.maximumDepth = 400
        let tooDeep = #expect(throws: JSONSchemaError.self) { try JSONSchema(deep, options: options) }
        #expect(tooDeep?.code == .tooDeep)
    }

    @Test("Schemas that are too large are refused")
    func schemaSize() {
        var options = JSONSchema.Options()
        options.maximumSubschemas = 10
        let schema = JSONValue.object(["anyOf": .array(Array(repeating: ["type": "null"], count: 20))])
        let error = #expect(throws: JSONSchemaError.self) { try JSONSchema(schema, options: options) }
        #expect(error?.code == .schemaTooLarge)
    }

    @Test("Work is bounded: combinations, patterns and comparisons")
    func work() throws {
        var options = JSONSchema.Options()
        options.maximumWork = 10_000
        // Each level doubles the number of evaluations.
        var definitions = JSONObject()
        for level in 0..<20 {
            let next: JSONValue = ["$ref": .string("#/$defs/\(level + 1)")]
            definitions["\(level)"] = ["allOf": [next, next]]
        }
        definitions["20"] = ["type": "integer"]
        let combinations: JSONValue = ["$ref": "#/$defs/0", "$defs": .object(definitions)]
        let cases: [(JSONValue, JSONValue)] = [
            (combinations, 1),
            (["pattern": "^(a+)+$"], .string(String(repeating: "a", count: 40) + "b")),
            (["items": ["enum": .array((0..<100).map(JSONValue.integer))]], .array(Array(repeating: 99, count: 200))),
            (["uniqueItems": true], .array((0..<20_000).map(JSONValue.integer))),
        ]
        for (schema, value) in cases {
            let compiled = try JSONSchema(schema, options: options)
            let error = #expect(throws: JSONSchemaError.self) { try compiled.isValid(value) }
            #expect(error?.code == .tooMuchWork)
        }
    }

    @Test(
        "Long texts count as work, for every keyword that looks at all of them",
        arguments: [
            ["pattern": "^a"], ["pattern": "^a*$"], ["patternProperties": ["^a": true]], ["maxLength": 100_000],
            ["const": .string(String(repeating: "a", count: 20_000))], ["uniqueItems": true], ["format": "email"],
            ["additionalProperties": true], ["propertyNames": ["maxLength": 100_000]],
        ] as [JSONValue]
    )
    func longTexts(schema: JSONValue) throws {
        var options = JSONSchema.Options()
        options.assertsFormats = true
        options.maximumWork = 1000
        let compiled = try JSONSchema(schema, options: options)
        func isGivenUp(_ length: Int) -> Bool {
            let text = String(repeating: "a", count: length)
            do {
                for value: JSONValue in [.string(text), [.string(text)], .object([text: 1])] {
                    _ = try compiled.isValid(value)
                }
                return false
            } catch {
                return error.code == .tooMuchWork
            }
        }
        #expect(isGivenUp(200) == false)
        #expect(isGivenUp(20_000))
    }

    @Test("Comparing what a group has matched counts as work")
    func backreferences() throws {
        var options = JSONSchema.Options()
        options.maximumWork = 100_000
        let ways = Array(repeating: #"\1x"#, count: 200).joined(separator: "|")
        let schema = try JSONSchema(["pattern": .string("^(a*)-(?:\(ways))")], options: options)
        let long = String(repeating: "a", count: 4000)
        let error = #expect(throws: JSONSchemaError.self) { try schema.isValid(.string("\(long)-\(long)")) }
        #expect(error?.code == .tooMuchWork)
        #expect(try schema.isValid("aaa-aaax"))
    }

    @Test("Names that are required count as work")
    func requiredNames() throws {
        var options = JSONSchema.Options()
        options.maximumWork = 1000
        let names = JSONValue.array((0..<100).map { .string("\($0)") })
        let objects = JSONValue.array(Array(repeating: [:], count: 50))
        let error = #expect(throws: JSONSchemaError.self) {
            try JSONSchema(["items": ["not": ["required": names]]], options: options).isValid(objects)
        }
        #expect(error?.code == .tooMuchWork)
    }

    @Test("A host name of one endless label is refused without comparing its letters with each other")
    func longLabel() throws {
        var options = JSONSchema.Options()
        options.assertsFormats = true
        let schema = try JSONSchema(["format": "idn-hostname"], options: options)
        #expect(try schema.isValid(.string(String(repeating: "\u{661}", count: 10))))
        #expect(try schema.isValid(.string(String(repeating: "\u{661}", count: 100_000))) == false)
    }

    @Test(
        "Numbers are compared and divided exactly",
        arguments: [
            (#"{"multipleOf": 0.0001}"#, "0.0075", true),
            (#"{"multipleOf": 0.0001}"#, "0.00751", false),
            (#"{"multipleOf": 0.5}"#, "1e308", true),
            (#"{"multipleOf": 0.1}"#, "0.3", true),
            (#"{"multipleOf": 7}"#, "1e400", false),
            (#"{"multipleOf": 5}"#, "1e400", true),
            (#"{"multipleOf": 1e-8}"#, "12391239123", true),
            (#"{"multipleOf": 3}"#, "123456789012345678901234567890", true),
            (#"{"multipleOf": 0.01}"#, "-4.02", true),
            (#"{"multipleOf": 2}"#, "0", true),
            (#"{"maximum": 9007199254740992}"#, "9007199254740993", false),
            (#"{"maximum": 9007199254740993}"#, "9007199254740993.0", true),
            (#"{"exclusiveMinimum": 18446744073709551615}"#, "18446744073709551616", true),
            (#"{"minimum": -1e400}"#, "-1e399", true),
            (#"{"minimum": -1e399}"#, "-1e400", false),
            (#"{"minimum": 0}"#, "-0", true),
            (#"{"const": 1}"#, "1.0", true),
            (#"{"const": 1.0}"#, "1", true),
            (#"{"const": 0}"#, "-0.0", true),
            (#"{"enum": [[{"a": 1.0}]]}"#, #"[{"a": 1}]"#, true),
            (#"{"const": true}"#, "1", false),
            (#"{"uniqueItems": true}"#, "[1, true]", true),
            (#"{"uniqueItems": true}"#, "[1e2, 100]", false),
            (#"{"type": "integer"}"#, "123456789012345678901234567890", true),
            (#"{"type": "integer"}"#, "1e400", true),
            (#"{"type": "integer"}"#, "1e-400", false),
            (#"{"type": "integer"}"#, "1.0", true),
            (#"{"maxLength": 1}"#, #""😀""#, true),
            (#"{"maxLength": 1}"#, #""e\u0301""#, false),
            (#"{"maxLength": 100000000000000000000}"#, #""a""#, true),
            (#"{"properties": {"\u00e9": false}}"#, #"{"e\u0301": 1}"#, true),
        ]
    )
    func exactness(schema: String, value: String, isValid: Bool) throws {
        let compiled = try JSONSchema(JSONValue(parsing: schema))
        #expect(try compiled.isValid(JSONValue(parsing: value)) == isValid)
    }

    @Test("A format asserts only if it is told to")
    func formats() throws {
        let schema: JSONValue = ["format": "ipv4"]
        #expect(try JSONSchema(schema).isValid("x"))
        var options = JSONSchema.Options()
        options.assertsFormats = true
        let violation = try JSONSchema(schema, options: options).violations(in: "x").first
        #expect(violation?.message == "Expected an IPv4 address, for example 192.0.2.1.")
    }

    @Test("The metaschema accepts itself and refuses what is no schema")
    func metaschema() throws {
        let schema = try JSONSchema(["$ref": "https://json-schema.org/draft/2020-12/schema"])
        #expect(try schema.isValid(["type": "object", "properties": ["a": ["minLength": 3]]]))
        #expect(
            try schema.violations(in: ["properties": ["a": ["minLength": "3"]]]).first?.instancePointer.description
                == "/properties/a/minLength"
        )
    }
}
