import JSON

/// An argument of a tool: its description, its default, and what a value has to fulfil.
///
/// ```swift
/// @Param("Jira project key, for example ENG", .pattern("^[A-Z][A-Z0-9_]+$")) var projectKey: String
/// @Param("Most issues to return", .range(1...50)) var maxResults: Int = 10
/// ```
///
/// An argument without default is required, unless its type is an optional.
@propertyWrapper
public struct Param<Value: ToolValue>: Sendable, Decodable {
    private enum State: Sendable {
        case declared(Declaration)
        case given(Value)
        /// The call has no value for it: its arguments are refused, and nobody reads it.
        case missing
    }

    struct Declaration: Sendable {
        var description: String
        var defaultValue: Value?
        var constraints: [ParamConstraint<Value>]
    }

    private let state: State

    public init(_ description: String, _ constraints: ParamConstraint<Value>...) {
        self.state = .declared(Declaration(description: description, defaultValue: nil, constraints: constraints))
    }

    public init(wrappedValue: Value, _ description: String, _ constraints: ParamConstraint<Value>...) {
        self.state = .declared(
            Declaration(description: description, defaultValue: wrappedValue, constraints: constraints)
        )
    }

    init(given value: Value) {
        self.init(.given(value))
    }

    private init(_ state: State) {
        self.state = state
    }

    static var missing: Self { Self(.missing) }

    /// Arguments are read by their tool's plan, and by no other decoder; the compiler writes `init(from:)` of the whole.
    public init(from decoder: any Decoder) throws {
        guard let decoder = decoder as? ArgumentDecoder else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "Arguments are read by ToolArguments.")
            )
        }
        self = try decoder.param()
    }

    /// The value of the argument, or its default.
    ///
    /// - Precondition: There is one: a required argument has none before a call.
    public var wrappedValue: Value {
        get {
            switch self.state {
            case .given(let value): return value
            case .declared(let declaration):
                if let value = declaration.defaultValue { return value }
                // An optional one that nobody gave is nothing.
                if let optional = Value.self as? any ExpressibleByNilLiteral.Type,
                    let nothing = optional.init(nilLiteral: ()) as? Value
                {
                    return nothing
                }
                preconditionFailure("A required argument was read without a call.")
            case .missing: preconditionFailure("An argument was read although the call was refused.")
            }
        }
        set { self = Self(given: newValue) }
    }
}

/// What a plan needs of a ``Param`` without knowing its type.
protocol DeclaredParam {
    func makeField(name: String, property: String) -> ArgumentField
    var currentJSON: JSONValue? { get }
}

extension Param: DeclaredParam {
    func makeField(name: String, property: String) -> ArgumentField {
        guard case .declared(let declaration) = self.state else {
            preconditionFailure("Fields are made of declarations.")
        }
        let shape = Value.makeShape()
        var schema = shape.schema
        schema["description"] = .string(declaration.description)
        if let defaultValue = declaration.defaultValue {
            schema["default"] = defaultValue.json
        }
        for constraint in declaration.constraints {
            constraint.describe(&schema)
        }
        let absent = declaration.defaultValue ?? shape.absent
        return ArgumentField(
            name: declaration.constraints.lazy.compactMap(\.wireName).first ?? name,
            property: property,
            description: declaration.description,
            schema: schema,
            isRequired: absent == nil,
            complete: declaration.constraints.lazy.compactMap(\.complete).first ?? Self.completionOfWords,
            reader: ParamReader(shape.decode, declaration.constraints, absent: absent)
        )
    }

    /// Suggests the words that an enumeration allows.
    private static var completionOfWords: ParamConstraint<Value>.Completion? {
        guard let words = Value.makeShape().schema["enum"]?.arrayValue?.compactMap(\.stringValue) else { return nil }
        return { typed, _ in words.filter { $0.hasPrefix(typed) } }
    }

    var currentJSON: JSONValue? {
        switch self.state {
        case .given(let value): value.json
        case .declared(let declaration): declaration.defaultValue?.json
        case .missing: nil
        }
    }
}
