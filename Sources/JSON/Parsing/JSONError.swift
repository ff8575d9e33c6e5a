/// Why a text is not accepted as JSON, and where.
public struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of mistake.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Value: String {
            case unexpectedEnd, unexpectedByte, trailingBytes, byteOrderMark, invalidNumber, invalidEscape
            case controlCharacter, invalidUTF8, loneSurrogate, duplicateKey, tooDeep, tooLarge
        }

        private let value: Value
        private init(_ value: Value) { self.value = value }

        /// The text stops in the middle of a value.
        public static var unexpectedEnd: Self { Self(.unexpectedEnd) }
        /// A byte stands where the grammar wants another.
        public static var unexpectedByte: Self { Self(.unexpectedByte) }
        /// Something other than white space follows the value.
        public static var trailingBytes: Self { Self(.trailingBytes) }
        /// The text begins with a byte order mark, which RFC 8259, section 8.1, forbids.
        public static var byteOrderMark: Self { Self(.byteOrderMark) }
        /// A number does not follow the grammar.
        public static var invalidNumber: Self { Self(.invalidNumber) }
        /// A backslash is not followed by one of JSON's escapes.
        public static var invalidEscape: Self { Self(.invalidEscape) }
        /// A string contains a control character that is not escaped.
        public static var controlCharacter: Self { Self(.controlCharacter) }
        /// The text is not valid UTF-8.
        public static var invalidUTF8: Self { Self(.invalidUTF8) }
        /// A `\u` escape is one half of a surrogate pair, without the other.
        public static var loneSurrogate: Self { Self(.loneSurrogate) }
        /// An object has a key twice, and the limits refuse that.
        public static var duplicateKey: Self { Self(.duplicateKey) }
        /// Arrays and objects are nested deeper than the limits allow.
        public static var tooDeep: Self { Self(.tooDeep) }
        /// The text has more bytes than the limits allow.
        public static var tooLarge: Self { Self(.tooLarge) }

        public var description: String { self.value.rawValue }
    }

    /// The kind of mistake, for callers that want to react to it.
    public var code: Code
    /// What is wrong, for people and models.
    public var message: String
    /// How many bytes of the text come before the mistake.
    public var offset: Int

    /// Creates an error.
    public init(code: Code, message: String, offset: Int) {
        self.code = code
        self.message = message
        self.offset = offset
    }

    public var description: String { "\(self.message) (at byte \(self.offset))" }
}
