/// Why a schema cannot be used, or why a validation was given up.
public struct JSONSchemaError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Value: String {
            case invalidSchema, invalidPattern, unresolvedReference, unsupportedDialect, unsupportedVocabulary
            case schemaTooLarge, patternTooLarge, tooDeep, tooMuchWork
        }

        private let value: Value
        private init(_ value: Value) { self.value = value }

        /// A keyword has a value that the specification does not allow.
        public static var invalidSchema: Self { Self(.invalidSchema) }
        /// A regular expression is not valid, or uses something that is not supported.
        public static var invalidPattern: Self { Self(.invalidPattern) }
        /// A `$ref` or `$dynamicRef` leads nowhere.
        ///
        /// Nothing is ever fetched: other documents come with the options.
        public static var unresolvedReference: Self { Self(.unresolvedReference) }
        /// `$schema` names a dialect other than draft 2020-12, or one whose metaschema is not among the documents.
        public static var unsupportedDialect: Self { Self(.unsupportedDialect) }
        /// The metaschema requires a vocabulary that is not known here.
        public static var unsupportedVocabulary: Self { Self(.unsupportedVocabulary) }
        /// The schema has more subschemas than the options allow.
        public static var schemaTooLarge: Self { Self(.schemaTooLarge) }
        /// The regular expressions of the schema have more instructions than the options allow.
        ///
        /// A repetition of more than one character counts as often as it is repeated.
        public static var patternTooLarge: Self { Self(.patternTooLarge) }
        /// The schema is nested deeper than the options allow, or refers to itself without end.
        public static var tooDeep: Self { Self(.tooDeep) }
        /// A validation takes more steps than the options allow.
        public static var tooMuchWork: Self { Self(.tooMuchWork) }

        public var description: String { self.value.rawValue }
    }

    /// The kind of failure, for callers that want to react to it.
    public var code: Code
    /// What is wrong, for people and models.
    public var message: String
    /// Where it is wrong, in the document that the keyword belongs to.
    public var schemaPointer: JSONPointer

    /// Creates an error.
    public init(code: Code, message: String, schemaPointer: JSONPointer = JSONPointer()) {
        self.code = code
        self.message = message
        self.schemaPointer = schemaPointer
    }

    public var description: String {
        self.schemaPointer.tokens.isEmpty ? self.message : "\(self.message) (in the schema at \(self.schemaPointer))"
    }
}
