public import JSON

/// A type that an argument of a tool can have.
public protocol ToolValue: Sendable {
    /// The schema of the type, and how a value is read. It is asked for once, when the tool is registered.
    static func makeShape() -> ValueShape<Self>
    /// The value as JSON, for the default that the schema shows.
    var json: JSONValue { get }
}

/// The schema of an argument's type, and how a value is read.
public struct ValueShape<Value: Sendable>: Sendable {
    /// Reads a value and notes what is wrong with it.
    ///
    /// Pointers are relative to the value; whoever holds the value puts its own token before them, so that a call
    /// without mistakes builds no pointer at all.
    public typealias Decode = @Sendable (JSONValue, inout [ArgumentMistake]) -> Value?

    /// The JSON Schema, as clients see it.
    public var schema: JSONObject
    /// The value of an argument that is left out, for types that have one.
    public var absent: Value?
    /// Reads a value.
    public var decode: Decode

    public init(schema: JSONObject, absent: Value? = nil, decode: @escaping Decode) {
        self.schema = schema
        self.absent = absent
        self.decode = decode
    }
}

extension ValueShape {
    /// A shape whose schema is written by hand.
    ///
    /// - Parameters:
    ///   - schema: An object schema; clients see it as it is.
    ///   - make: Makes the value of what conforms to the schema.
    /// - Returns: The shape.
    /// - Precondition: The schema is one: it is written by programmers.
    public static func validating(
        _ schema: JSONObject,
        _ make: @escaping @Sendable (JSONObject) -> Value
    ) -> Self {
        let validator: JSONSchema
        do {
            validator = try JSONSchema(.object(schema))
        } catch {
            preconditionFailure("The schema is none: \(error)")
        }
        return Self(schema: schema) { value, mistakes in
            do {
                let violations = try validator.violations(in: value)
                for violation in violations {
                    mistakes.append(ArgumentMistake(pointer: violation.instancePointer, message: violation.message))
                }
                guard violations.isEmpty, let object = value.objectValue else { return nil }
                return make(object)
            } catch {
                mistakes.append(ArgumentMistake("The value can't be checked within the limits."))
                return nil
            }
        }
    }
}

extension ArgumentMistake {
    init(_ message: String) {
        self.init(pointer: JSONPointer(), message: message)
    }

    static func expected(_ what: String, got value: JSONValue) -> Self {
        Self("Expected \(what), got \(value.kind).")
    }
}

extension [ArgumentMistake] {
    /// Puts a token before the pointers of the mistakes from an index on.
    mutating func prefix(from start: Int, with token: String) {
        for index in start..<self.count {
            let tail = self[index].pointer
            self[index].pointer = tail.tokens.reduce(JSONPointer().appending(token)) { $0.appending($1) }
        }
    }
}

extension JSONValue {
    /// What kind of value it is, for messages.
    ///
    /// The value itself stays out of them: it may be long, or secret.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer: "an integer"
        case .double, .decimal: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

extension String: ToolValue {
    public static func makeShape() -> ValueShape<String> {
        ValueShape(schema: ["type": "string"]) { value, mistakes in
            if case .string(let text) = value { return text }
            mistakes.append(.expected("a string", got: value))
            return nil
        }
    }

    public var json: JSONValue { .string(self) }
}

extension Int: ToolValue {
    public static func makeShape() -> ValueShape<Int> {
        ValueShape(schema: ["type": "integer"]) { value, mistakes in
            switch value {
            case .integer(let number): return number
            // JSON Schema: a number without a fraction is an integer, however it is written.
            case .double(let number):
                if let integer = Int(exactly: number) { return integer }
            default: break
            }
            mistakes.append(.expected("an integer", got: value))
            return nil
        }
    }

    public var json: JSONValue { .integer(self) }
}

extension Double: ToolValue {
    public static func makeShape() -> ValueShape<Double> {
        ValueShape(schema: ["type": "number"]) { value, mistakes in
            if let number = value.doubleValue { return number }
            mistakes.append(.expected("a number", got: value))
            return nil
        }
    }

    public var json: JSONValue { .double(self) }
}

extension Bool: ToolValue {
    public static func makeShape() -> ValueShape<Bool> {
        ValueShape(schema: ["type": "boolean"]) { value, mistakes in
            if case .bool(let flag) = value { return flag }
            mistakes.append(.expected("true or false", got: value))
            return nil
        }
    }

    public var json: JSONValue { .bool(self) }
}

extension JSONValue: ToolValue {
    public static func makeShape() -> ValueShape<JSONValue> {
        ValueShape(schema: [:]) { value, _ in value }
    }

    public var json: JSONValue { self }
}

extension Optional: ToolValue where Wrapped: ToolValue {
    public static func makeShape() -> ValueShape<Wrapped?> {
        let shape = Wrapped.makeShape()
        return ValueShape(schema: shape.schema, absent: .some(nil)) { value, mistakes in
            if value.isNull { return .some(nil) }
            return shape.decode(value, &mistakes).map(Optional.some)
        }
    }

    public var json: JSONValue { self?.json ?? .null }
}

extension Array: ToolValue where Element: ToolValue {
    public static func makeShape() -> ValueShape<[Element]> {
        let shape = Element.makeShape()
        return ValueShape(schema: ["type": "array", "items": .object(shape.schema)]) { value, mistakes in
            guard case .array(let elements) = value else {
                mistakes.append(.expected("an array", got: value))
                return nil
            }
            var result: [Element] = []
            result.reserveCapacity(elements.count)
            for (index, element) in elements.enumerated() {
                let start = mistakes.count
                if let decoded = shape.decode(element, &mistakes) { result.append(decoded) }
                mistakes.prefix(from: start, with: String(index))
            }
            return result.count == elements.count ? result : nil
        }
    }

    public var json: JSONValue { .array(self.map(\.json)) }
}

extension Dictionary: ToolValue where Key == String, Value: ToolValue {
    public static func makeShape() -> ValueShape<[String: Value]> {
        let shape = Value.makeShape()
        return ValueShape(schema: ["type": "object", "additionalProperties": .object(shape.schema)]) {
            value,
            mistakes in
            guard case .object(let members) = value else {
                mistakes.append(.expected("an object", got: value))
                return nil
            }
            var result: [String: Value] = [:]
            for (key, member) in members {
                let start = mistakes.count
                result[key] = shape.decode(member, &mistakes)
                mistakes.prefix(from: start, with: key)
            }
            return result.count == members.count ? result : nil
        }
    }

    public var json: JSONValue {
        var object: JSONObject = [:]
        for key in self.keys.sorted() { object[key] = self[key]?.json }
        return .object(object)
    }
}

/// An argument that is one of a few words.
public protocol ToolEnum: ToolValue, RawRepresentable, CaseIterable, Codable where RawValue == String {}

extension ToolEnum {
    public static func makeShape() -> ValueShape<Self> {
        let words = Self.allCases.map(\.rawValue)
        return ValueShape(schema: ["type": "string", "enum": .array(words.map(JSONValue.string))]) { value, mistakes in
            guard case .string(let text) = value, let word = Self(rawValue: text) else {
                var message = "Expected one of \(words.joined(separator: ", "))"
                if case .string(let text) = value, let nearest = Spelling.nearest(to: text, among: words) {
                    message += "; did you mean \(nearest)?"
                } else {
                    message += "."
                }
                mistakes.append(ArgumentMistake(message))
                return nil
            }
            return word
        }
    }

    public var json: JSONValue { .string(self.rawValue) }
}
