/// What one keyword, or a group of keywords that depend on each other, asks for.
enum SchemaKeyword: Sendable {
    case type(SchemaTypes)
    case enumeration([CanonicalValue], allowed: String)
    case const(CanonicalValue, allowed: String)
    case multipleOf(Divisor)
    case bound(NumberBound)
    case count(CountBound)
    case pattern(PatternProgram, source: String)
    case format(SchemaFormat)
    case uniqueItems
    case required([String])
    case dependentRequired([(key: String, required: [String])])
    case dependentSchemas([(key: String, node: Int)])
    case members(MemberRules)
    case propertyNames(Int)
    case elements(ElementRules)
    case contains(ContainsRule)
    case reference(Int)
    case dynamicReference(Int, anchor: String?)
    case allOf([Int])
    case anyOf([Int])
    case oneOf([Int])
    case not(Int)
    case condition(Int, then: Int?, otherwise: Int?)
    case unevaluatedProperties(Int)
    case unevaluatedItems(Int)

    var needsEvaluatedParts: Bool {
        switch self {
        case .unevaluatedProperties, .unevaluatedItems: true
        default: false
        }
    }
}

/// The types that `type` allows (Validation, section 6.1.1).
struct SchemaTypes: OptionSet, Sendable {
    let rawValue: Int

    static let null = SchemaTypes(rawValue: 1)
    static let boolean = SchemaTypes(rawValue: 2)
    static let integer = SchemaTypes(rawValue: 4)
    /// Numbers other than integers too.
    static let number = SchemaTypes(rawValue: 8)
    static let string = SchemaTypes(rawValue: 16)
    static let array = SchemaTypes(rawValue: 32)
    static let object = SchemaTypes(rawValue: 64)

    private static let names: [(name: String, type: SchemaTypes)] = [
        ("null", .null), ("boolean", .boolean), ("integer", .integer), ("number", .number), ("string", .string),
        ("array", .array), ("object", .object),
    ]

    init(rawValue: Int) { self.rawValue = rawValue }

    init?(name: String) {
        guard let entry = Self.names.first(where: { $0.name == name }) else { return nil }
        self = entry.type
    }

    /// The type of a value.
    ///
    /// A number is an integer if it has no fraction, however it is written.
    init(of value: JSONValue) {
        switch value {
        case .null: self = .null
        case .bool: self = .boolean
        case .integer: self = .integer
        case .double(let number): self = DecimalNumber(number).isInteger ? .integer : .number
        case .decimal(let number): self = number.decimalNumber.isInteger ? .integer : .number
        case .string: self = .string
        case .array: self = .array
        case .object: self = .object
        }
    }

    func allows(_ type: SchemaTypes) -> Bool {
        self.contains(type) || type == .integer && self.contains(.number)
    }

    /// The names of the types, such as "string or null".
    var description: String {
        let names = Self.names.filter { self.contains($0.type) }.map(\.name)
        guard let last = names.last, names.count > 1 else { return names.first ?? "nothing" }
        return names.dropLast().joined(separator: ", ") + " or " + last
    }
}

/// A limit of `minimum`, `maximum`, `exclusiveMinimum` or `exclusiveMaximum`.
struct NumberBound: Sendable {
    var keyword: String
    var limit: JSONValue
    var isMaximum: Bool
    var isExclusive: Bool
}

/// A limit of `minLength`, `maxLength`, `minItems`, `maxItems`, `minProperties` or `maxProperties`.
struct CountBound: Sendable {
    enum Subject: String, Sendable {
        case characters = "character"
        case items = "item"
        case properties = "property"

        var plural: String { self == .properties ? "properties" : self.rawValue + "s" }
    }

    var keyword: String
    var subject: Subject
    var limit: Int
    var isMaximum: Bool
}

/// `properties`, `patternProperties` and `additionalProperties` of one schema.
struct MemberRules: Sendable {
    var properties: [ScalarString: Int] = [:]
    /// The names in the order of the schema, for messages.
    var names: [String] = []
    var patterns: [(program: PatternProgram, node: Int)] = []
    var additional: Int?
}

/// `prefixItems` and `items` of one schema.
struct ElementRules: Sendable {
    var prefix: [Int] = []
    var rest: Int?
}

/// `contains`, `minContains` and `maxContains` of one schema.
struct ContainsRule: Sendable {
    var node: Int
    var minimum = 1
    var maximum: Int?
}
