/// Reads the keywords of one subschema, and checks that their values are what the specification says.
struct KeywordReader {
    let schema: LocatedSchema
    let object: JSONObject
    let vocabularies: Vocabularies
    let assertsFormats: Bool

    /// Reads all keywords, in the order in which they are evaluated: what is cheap comes first, and what depends on the
    /// outcome of others comes last.
    mutating func read(_ compiler: inout SchemaCompiler) throws(JSONSchemaError) -> [SchemaKeyword] {
        var keywords: [SchemaKeyword] = []
        if self.vocabularies.contains(.validation) { try self.readAssertions(&compiler, &keywords) }
        try self.readFormat(&keywords)
        try self.readReferences(&compiler, &keywords)
        if self.vocabularies.contains(.applicator) {
            try self.readMembers(&compiler, &keywords)
            try self.readElements(&compiler, &keywords)
            try self.readCombinations(&compiler, &keywords)
        }
        if self.vocabularies.contains(.unevaluated) {
            if let node = try self.one("unevaluatedProperties", &compiler) {
                keywords.append(.unevaluatedProperties(node))
            }
            if let node = try self.one("unevaluatedItems", &compiler) { keywords.append(.unevaluatedItems(node)) }
        }
        return keywords
    }

    // MARK: Assertions

    private func readAssertions(
        _ compiler: inout SchemaCompiler,
        _ keywords: inout [SchemaKeyword]
    ) throws(JSONSchemaError) {
        if let type = self.object["type"] { keywords.append(.type(try self.types(type))) }
        var work = 0
        if let const = self.object["const"] {
            keywords.append(.const(CanonicalValue(const, work: &work), allowed: SchemaMessages.list([const])))
        }
        if let enumeration = self.object["enum"] {
            guard let values = enumeration.arrayValue else { throw self.invalid("enum", "has to be an array") }
            let canonical = values.map { CanonicalValue($0, work: &work) }
            keywords.append(.enumeration(canonical, allowed: SchemaMessages.list(values)))
        }
        try self.readNumberAssertions(&keywords)
        for (keyword, subject, isMaximum) in Self.counts {
            guard let limit = try self.count(keyword) else { continue }
            keywords.append(.count(CountBound(keyword: keyword, subject: subject, limit: limit, isMaximum: isMaximum)))
        }
        if let source = try self.string("pattern") {
            keywords.append(.pattern(try self.pattern(source, "pattern", &compiler), source: source))
        }
        if let isUnique = self.object["uniqueItems"] {
            guard let isUnique = isUnique.boolValue else { throw self.invalid("uniqueItems", "has to be a boolean") }
            if isUnique { keywords.append(.uniqueItems) }
        }
        if let required = self.object["required"] { keywords.append(.required(try self.strings(required, "required"))) }
        if let dependencies = try self.members("dependentRequired") {
            var list: [(key: String, required: [String])] = []
            for (key, value) in dependencies { list.append((key, try self.strings(value, "dependentRequired"))) }
            keywords.append(.dependentRequired(list))
        }
    }

    private static let counts: [(String, CountBound.Subject, isMaximum: Bool)] = [
        ("minLength", .characters, false), ("maxLength", .characters, true),
        ("minItems", .items, false), ("maxItems", .items, true),
        ("minProperties", .properties, false), ("maxProperties", .properties, true),
    ]

    private func readNumberAssertions(_ keywords: inout [SchemaKeyword]) throws(JSONSchemaError) {
        if let value = self.object["multipleOf"] {
            guard let divisor = Divisor(value) else {
                throw self.invalid("multipleOf", "has to be a positive number with at most 18 digits")
            }
            keywords.append(.multipleOf(divisor))
        }
        for isMaximum in [false, true] {
            for isExclusive in [false, true] {
                let name = isMaximum ? "aximum" : "inimum"
                let keyword = isExclusive ? "exclusiveM" + name : "m" + name
                guard let limit = self.object[keyword] else { continue }
                guard DecimalNumber(limit) != nil else { throw self.invalid(keyword, "has to be a number") }
                let bound = NumberBound(keyword: keyword, limit: limit, isMaximum: isMaximum, isExclusive: isExclusive)
                keywords.append(.bound(bound))
            }
        }
    }

    private func types(_ value: JSONValue) throws(JSONSchemaError) -> SchemaTypes {
        let names = value.stringValue.map { [JSONValue.string($0)] } ?? value.arrayValue ?? []
        var types: SchemaTypes = []
        for name in names {
            guard let name = name.stringValue, let type = SchemaTypes(name: name) else {
                throw self.invalid("type", "has to name types of JSON Schema")
            }
            types.formUnion(type)
        }
        guard !types.isEmpty else { throw self.invalid("type", "has to be a name or an array of names") }
        return types
    }

    private func readFormat(_ keywords: inout [SchemaKeyword]) throws(JSONSchemaError) {
        guard let name = try self.string("format") else { return }
        guard self.assertsFormats || self.vocabularies.contains(.formatAssertion) else { return }
        // Formats that are not known do not restrict anything (Validation, section 7.2.3).
        if let format = SchemaFormat(rawValue: name) { keywords.append(.format(format)) }
    }

    // MARK: References

    private func readReferences(
        _ compiler: inout SchemaCompiler,
        _ keywords: inout [SchemaKeyword]
    ) throws(JSONSchemaError) {
        if let reference = try self.string("$ref") {
            let location = self.schema.location.appending("$ref")
            keywords.append(.reference(try compiler.resolve(reference, from: self.schema, at: location).node))
        }
        if let reference = try self.string("$dynamicRef") {
            let location = self.schema.location.appending("$dynamicRef")
            let (node, anchor) = try compiler.resolve(reference, from: self.schema, at: location)
            keywords.append(.dynamicReference(node, anchor: anchor))
        }
    }

    // MARK: Applicators

    private func readMembers(
        _ compiler: inout SchemaCompiler,
        _ keywords: inout [SchemaKeyword]
    ) throws(JSONSchemaError) {
        var rules = MemberRules()
        var isNeeded = false
        if let properties = try self.members("properties") {
            isNeeded = true
            for (name, value) in properties {
                let node = try compiler.node(for: self.child(value, "properties", name))
                rules.properties[ScalarString(name)] = node
                rules.names.append(name)
            }
        }
        if let properties = try self.members("patternProperties") {
            isNeeded = true
            for (source, value) in properties {
                let program = try self.pattern(source, "patternProperties", &compiler)
                let node = try compiler.node(for: self.child(value, "patternProperties", source))
                rules.patterns.append((program, node))
            }
        }
        rules.additional = try self.one("additionalProperties", &compiler)
        if isNeeded || rules.additional != nil { keywords.append(.members(rules)) }
        if let node = try self.one("propertyNames", &compiler) { keywords.append(.propertyNames(node)) }
    }

    private func readElements(
        _ compiler: inout SchemaCompiler,
        _ keywords: inout [SchemaKeyword]
    ) throws(JSONSchemaError) {
        let rules = ElementRules(
            prefix: try self.list("prefixItems", &compiler) ?? [],
            rest: try self.one("items", &compiler)
        )
        if !rules.prefix.isEmpty || rules.rest != nil { keywords.append(.elements(rules)) }
        guard let node = try self.one("contains", &compiler) else { return }
        // These two belong to another vocabulary, but mean nothing on their own.
        let hasCounts = self.vocabularies.contains(.validation)
        let minimum = hasCounts ? try self.count("minContains") : nil
        let maximum = hasCounts ? try self.count("maxContains") : nil
        keywords.append(.contains(ContainsRule(node: node, minimum: minimum ?? 1, maximum: maximum)))
    }

    private func readCombinations(
        _ compiler: inout SchemaCompiler,
        _ keywords: inout [SchemaKeyword]
    ) throws(JSONSchemaError) {
        if let nodes = try self.list("allOf", &compiler) { keywords.append(.allOf(nodes)) }
        if let nodes = try self.list("anyOf", &compiler) { keywords.append(.anyOf(nodes)) }
        if let nodes = try self.list("oneOf", &compiler) { keywords.append(.oneOf(nodes)) }
        if let node = try self.one("not", &compiler) { keywords.append(.not(node)) }
        let (then, otherwise) = (try self.one("then", &compiler), try self.one("else", &compiler))
        if let node = try self.one("if", &compiler) {
            keywords.append(.condition(node, then: then, otherwise: otherwise))
        }
        if let dependencies = try self.members("dependentSchemas") {
            var list: [(key: String, node: Int)] = []
            for (key, value) in dependencies {
                list.append((key, try compiler.node(for: self.child(value, "dependentSchemas", key))))
            }
            keywords.append(.dependentSchemas(list))
        }
        try self.readDependencies(&compiler, &keywords)
    }

    /// `dependencies` of earlier drafts, which the metaschema still describes.
    private func readDependencies(
        _ compiler: inout SchemaCompiler,
        _ keywords: inout [SchemaKeyword]
    ) throws(JSONSchemaError) {
        guard let dependencies = try self.members("dependencies") else { return }
        var schemas: [(key: String, node: Int)] = []
        var required: [(key: String, required: [String])] = []
        for (key, value) in dependencies {
            if case .array = value {
                required.append((key, try self.strings(value, "dependencies")))
            } else {
                schemas.append((key, try compiler.node(for: self.child(value, "dependencies", key))))
            }
        }
        if !required.isEmpty { keywords.append(.dependentRequired(required)) }
        if !schemas.isEmpty { keywords.append(.dependentSchemas(schemas)) }
    }

    // MARK: Values of keywords

    private func one(_ keyword: String, _ compiler: inout SchemaCompiler) throws(JSONSchemaError) -> Int? {
        guard let value = self.object[keyword] else { return nil }
        return try compiler.node(for: self.child(value, keyword))
    }

    private func list(_ keyword: String, _ compiler: inout SchemaCompiler) throws(JSONSchemaError) -> [Int]? {
        guard let value = self.object[keyword] else { return nil }
        guard let values = value.arrayValue, !values.isEmpty else {
            throw self.invalid(keyword, "has to be an array of schemas, with at least one")
        }
        var nodes: [Int] = []
        for (index, value) in values.enumerated() {
            nodes.append(try compiler.node(for: self.child(value, keyword, String(index))))
        }
        return nodes
    }

    private func child(_ value: JSONValue, _ tokens: String...) -> LocatedSchema {
        let location = tokens.reduce(self.schema.location) { $0.appending($1) }
        return LocatedSchema(value: value, location: location, resource: self.schema.resource)
    }

    private func members(_ keyword: String) throws(JSONSchemaError) -> JSONObject? {
        guard let value = self.object[keyword] else { return nil }
        guard let object = value.objectValue else { throw self.invalid(keyword, "has to be an object") }
        return object
    }

    private func string(_ keyword: String) throws(JSONSchemaError) -> String? {
        guard let value = self.object[keyword] else { return nil }
        guard let string = value.stringValue else { throw self.invalid(keyword, "has to be a string") }
        return string
    }

    private func strings(_ value: JSONValue, _ keyword: String) throws(JSONSchemaError) -> [String] {
        let strings = value.arrayValue?.compactMap(\.stringValue)
        guard let strings, strings.count == value.arrayValue?.count else {
            throw self.invalid(keyword, "has to name properties in an array of strings")
        }
        return strings
    }

    /// A whole number that is not negative.
    ///
    /// One that does not fit an `Int` is as good as the greatest.
    private func count(_ keyword: String) throws(JSONSchemaError) -> Int? {
        guard let value = self.object[keyword] else { return nil }
        guard let number = DecimalNumber(value), number.isInteger, !number.isNegative else {
            throw self.invalid(keyword, "has to be a whole number that is not negative")
        }
        return number.intValue ?? Int.max
    }

    private func pattern(
        _ source: String,
        _ keyword: String,
        _ compiler: inout SchemaCompiler
    ) throws(JSONSchemaError) -> PatternProgram {
        do {
            return try compiler.pattern(source)
        } catch {
            throw JSONSchemaError(
                code: error.isTooLarge ? .patternTooLarge : .invalidPattern,
                message:
                    "The regular expression '\(SchemaMessages.shortened(source))' cannot be used: \(error.message)",
                schemaPointer: self.schema.location.pointer.appending(keyword)
            )
        }
    }

    private func invalid(_ keyword: String, _ rule: String) -> JSONSchemaError {
        JSONSchemaError(
            code: .invalidSchema,
            message: "'\(keyword)' \(rule).",
            schemaPointer: self.schema.location.pointer.appending(keyword)
        )
    }
}
