/// A JSON value (RFC 8259), with nothing lost between the text and the program.
///
/// Integers are kept apart from other numbers, so that identifiers and counts never pass through floating point.
/// A number that neither `Int` nor `Double` represents without loss keeps its text, as a ``JSONDecimal``.
///
/// Two values are equal when they have the same case and the same content: `1` and `1.0` differ here (JSON Schema,
/// which says that they are the same number, has its own comparison). Strings and keys are compared by code point
/// rather than by canonical equivalence, and the order of an object's keys does not matter for equality.
public enum JSONValue: Sendable {
    /// The literal `null`.
    case null
    /// The literals `true` and `false`.
    case bool(Bool)
    /// A number that is written without fraction and exponent, and fits an `Int`.
    case integer(Int)
    /// Any other number that a `Double` represents without loss; `-0` too.
    ///
    /// The number has to be finite: JSON has no infinities and no NaN. ``JSONValue/init(finite:)`` refuses them;
    /// writing one that was made in another way gives `null`, as ECMAScript's `JSON.stringify` does.
    case double(Double)
    /// A number that keeps its text, because neither `Int` nor `Double` represents it without loss.
    case decimal(JSONDecimal)
    /// A string of Unicode scalars.
    case string(String)
    /// A list of values.
    case array([JSONValue])
    /// Values by key, in the order in which they were written.
    case object(JSONObject)
}

extension JSONValue: Hashable {
    public static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.integer(let left), .integer(let right)): left == right
        case (.double(let left), .double(let right)): left == right
        case (.decimal(let left), .decimal(let right)): left == right
        case (.string(let left), .string(let right)): left.hasSameScalars(as: right)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null:
            hasher.combine(0)
        case .bool(let value):
            hasher.combine(1)
            hasher.combine(value)
        case .integer(let value):
            hasher.combine(2)
            hasher.combine(value)
        case .double(let value):
            hasher.combine(3)
            hasher.combine(value)
        case .decimal(let value):
            hasher.combine(4)
            hasher.combine(value)
        case .string(let value):
            hasher.combine(5)
            value.hashScalars(into: &hasher)
        case .array(let values):
            hasher.combine(6)
            hasher.combine(values)
        case .object(let object):
            hasher.combine(7)
            hasher.combine(object)
        }
    }
}

extension JSONValue {
    /// Creates a number, unless it is infinite or not a number, which JSON cannot say.
    public init?(finite number: Double) {
        guard number.isFinite else { return nil }
        self = .double(number)
    }

    /// Creates a number from its JSON text, in the case that represents it without loss, or `nil` if it is no number.
    ///
    /// - Parameter literal: A number as RFC 8259, section 6, writes it, without anything around it.
    public init?(number literal: String) {
        var literal = literal
        let value = literal.withUTF8 { buffer -> JSONValue? in
            guard let end = NumberLiteral.end(in: buffer, from: 0), end == buffer.count else { return nil }
            return NumberLiteral.value(of: buffer)
        }
        guard let value else { return nil }
        self = value
    }

    /// Whether the value is `null`.
    public var isNull: Bool {
        if case .null = self { true } else { false }
    }

    /// The truth value, or `nil` if the value is not one.
    public var boolValue: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The whole number, or `nil` if the value is not a number, has a fraction or does not fit.
    ///
    /// `1.0` is a whole number, as JSON Schema has it (Validation, section 6.1.1).
    public var intValue: Int? {
        switch self {
        case .integer(let value): value
        case .double(let value): Self.wholeNumber(value)
        default: nil
        }
    }

    /// The same as `Int(exactly:)`, which in debug builds needs the C library's mathematics, and this target has none.
    private static func wholeNumber(_ number: Double) -> Int? {
        guard number >= -0x1p63, number < 0x1p63 else { return nil }
        let truncated = Int(number)
        return Double(truncated) == number ? truncated : nil
    }

    /// The number as the nearest `Double`, or `nil` if the value is not a number or is out of a double's range.
    public var doubleValue: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .double(let value): value
        case .decimal(let value): value.nearestDouble
        default: nil
        }
    }

    /// The string, or `nil` if the value is not one.
    public var stringValue: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The elements, or `nil` if the value is not an array.
    public var arrayValue: [JSONValue]? {
        if case .array(let value) = self { value } else { nil }
    }

    /// The object, or `nil` if the value is not one.
    public var objectValue: JSONObject? {
        if case .object(let value) = self { value } else { nil }
    }

    /// The value of a key, or `nil` if the value is not an object or has no such key.
    public subscript(key: String) -> JSONValue? {
        if case .object(let object) = self { object[key] } else { nil }
    }

    /// The element at an index, or `nil` if the value is not an array or is shorter.
    public subscript(index: Int) -> JSONValue? {
        guard case .array(let values) = self, values.indices.contains(index) else { return nil }
        return values[index]
    }
}

extension JSONValue: CustomStringConvertible {
    /// The value as compact JSON text.
    public var description: String { self.serializedString() }
}
