/// A value in a form in which values that JSON Schema calls equal are equal: `1`, `1.0` and `1e0` are one number
/// (Core, section 4.2.2).
struct CanonicalValue: Hashable, Sendable {
    /// How many bytes of text are looked at in the time of one step.
    static let bytesPerStep = 16

    private let value: JSONValue

    /// Creates the canonical form of a value.
    ///
    /// `work` grows by the number of values that were looked at, and by the length of the texts among them.
    init(_ value: JSONValue, work: inout Int) { self.value = Self.canonical(value, &work) }

    private static func canonical(_ value: JSONValue, _ work: inout Int) -> JSONValue {
        work += 1
        switch value {
        case .null, .bool, .integer: return value
        case .string(let string):
            work += string.utf8.count / Self.bytesPerStep
            return value
        case .double, .decimal:
            guard let number = DecimalNumber(value) else { return value }
            return number.intValue.map(JSONValue.integer) ?? value
        case .array(let values):
            return .array(values.map { self.canonical($0, &work) })
        case .object(let object):
            for (key, _) in object { work += key.utf8.count / Self.bytesPerStep }
            return .object(JSONObject(object.map { (key: $0.key, value: self.canonical($0.value, &work)) }))
        }
    }
}
