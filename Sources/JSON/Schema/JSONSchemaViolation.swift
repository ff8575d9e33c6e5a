/// One way in which a value does not follow a schema.
///
/// The message says what was expected and what was there instead, so that a model can correct the value. It contains
/// the type of what was there, or a short number or count, but not the value itself.
public struct JSONSchemaViolation: Sendable, Hashable, CustomStringConvertible {
    /// Where in the value.
    public var instancePointer: JSONPointer
    /// Which keyword, in the schema document that it belongs to.
    public var schemaPointer: JSONPointer
    /// The keyword's name, such as `maximum`.
    public var keyword: String
    /// What was expected and what was there.
    public var message: String

    /// Creates a violation.
    public init(instancePointer: JSONPointer, schemaPointer: JSONPointer, keyword: String, message: String) {
        self.instancePointer = instancePointer
        self.schemaPointer = schemaPointer
        self.keyword = keyword
        self.message = message
    }

    public var description: String {
        self.instancePointer.tokens.isEmpty ? self.message : "\(self.instancePointer): \(self.message)"
    }
}
