/// A JSON number that neither `Int` nor `Double` represents without loss, kept as its text.
///
/// Examples are integers of twenty digits, `0.1234567890123456789` and `1e400`. Values come from the parser and from
/// ``JSONValue/init(number:)``. Two are equal when they denote the same number: `1e400` equals `10e399`.
public struct JSONDecimal: Sendable, Hashable, CustomStringConvertible {
    /// The number as it was written.
    public let literal: String

    init(validated literal: String) { self.literal = literal }

    public var description: String { self.literal }

    /// The nearest `Double`, or `nil` if the number is out of a double's range.
    public var nearestDouble: Double? {
        guard let number = Double(self.literal), number.isFinite else { return nil }
        return number
    }

    /// The number as digits and exponent.
    var decimalNumber: DecimalNumber { DecimalNumber(literal: self.literal) }

    public static func == (left: Self, right: Self) -> Bool { left.decimalNumber == right.decimalNumber }

    public func hash(into hasher: inout Hasher) { hasher.combine(self.decimalNumber) }
}
