/// A compiled JSON Schema, draft 2020-12 (Core and Validation, of June 2022).
///
/// All keywords are supported, `$dynamicRef`, `unevaluatedProperties`, `unevaluatedItems` and vocabularies included.
/// Regular expressions are those of ECMA-262 in Unicode mode, without scripts in `\p{…}`. Numbers are compared exactly,
/// whatever their size. `format` is an annotation, unless the options or the metaschema's vocabulary say that it
/// asserts; `contentEncoding`, `contentMediaType` and `contentSchema` are always annotations.
///
/// Nothing is ever fetched from a network. A schema is compiled once, and then used from any number of tasks.
public struct JSONSchema: Sendable {
    /// How a schema is compiled and used.
    public struct Options: Sendable {
        /// Other documents that references may lead to, by their absolute URI without a fragment.
        ///
        /// Draft 2020-12's own metaschema is always known.
        public var documents: [String: JSONValue] = [:]
        /// The URI that relative references in the schema are resolved against, unless it has an `$id`.
        public var baseURI = ""
        /// Whether `format` rejects values that do not have the format.
        public var assertsFormats = false
        /// How many subschemas may be in each other, counting the references between them.
        public var maximumDepth = 512
        /// How many subschemas the schema may have, with those of the documents that it refers to.
        public var maximumSubschemas = 20_000
        /// How many instructions the regular expressions of the schema may have in all.
        public var maximumPatternSize = 100_000
        /// How many steps one validation may take: keywords, members, elements, and instructions of patterns.
        ///
        /// Text counts too: a step for each byte that is matched against a pattern, and one for every 16 bytes that are
        /// counted, compared or checked for a format.
        public var maximumWork = 10_000_000
        /// How many violations are described at most.
        public var maximumViolations = 100

        /// Creates the default options.
        public init() {}
    }

    private let program: SchemaProgram

    /// Compiles a schema.
    ///
    /// - Parameters:
    ///   - schema: An object or a truth value.
    ///   - options: Other documents, limits, and what `format` does.
    /// - Throws: A ``JSONSchemaError`` if a keyword is not used as the specification says, a reference leads nowhere, or
    ///   the dialect is not supported.
    public init(_ schema: JSONValue, options: Options = .init()) throws(JSONSchemaError) {
        self.program = try SchemaCompiler.compile(schema, options: options)
    }

    /// Says in which ways a value does not follow the schema.
    ///
    /// - Returns: The violations in the order in which they were found, at most as many as the options allow; none if
    ///   the value is valid.
    /// - Throws: A ``JSONSchemaError`` with ``JSONSchemaError/Code/tooMuchWork`` or ``JSONSchemaError/Code/tooDeep`` if
    ///   the validation exceeds its bounds. Whether the value is valid is then not known.
    public func violations(in value: JSONValue) throws(JSONSchemaError) -> [JSONSchemaViolation] {
        var evaluator = SchemaEvaluator(self.program, isReporting: true)
        return try evaluator.violations(in: value)
    }

    /// Whether a value follows the schema.
    ///
    /// Faster than ``violations(in:)``, because the first violation decides.
    ///
    /// - Throws: As ``violations(in:)`` does.
    public func isValid(_ value: JSONValue) throws(JSONSchemaError) -> Bool {
        var evaluator = SchemaEvaluator(self.program, isReporting: false)
        return try evaluator.isValid(value)
    }
}
