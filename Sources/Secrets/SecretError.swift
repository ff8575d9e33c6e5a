/// Why a secret can't be had.
///
/// It never holds a secret, nor a part of one.
public struct SecretError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure.
    public struct Code: Sendable, Hashable {
        private enum Value {
            case invalidReference, notFound, denied, throttled, unavailable, unsafe, invalidValue, misconfigured
        }
        private let value: Value

        /// The reference names nothing that the provider could have.
        public static var invalidReference: Self { Self(value: .invalidReference) }
        /// There is no such secret, or it has no such field.
        public static var notFound: Self { Self(value: .notFound) }
        /// The provider knows who asks and refuses.
        public static var denied: Self { Self(value: .denied) }
        /// The provider was asked too often.
        public static var throttled: Self { Self(value: .throttled) }
        /// The provider can't be reached, or has a problem of its own.
        public static var unavailable: Self { Self(value: .unavailable) }
        /// The secret is kept where others could have changed it.
        public static var unsafe: Self { Self(value: .unsafe) }
        /// What is there can't be used: too large, no text, not the JSON that a field needs.
        public static var invalidValue: Self { Self(value: .invalidValue) }
        /// The provider itself isn't set up right: no credentials, no region.
        public static var misconfigured: Self { Self(value: .misconfigured) }
    }

    public var code: Code
    /// What is wrong and what to do about it.
    public var message: String
    public var cause: (any Error)?

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    public var description: String { self.message }

    /// Whether it may work a moment later, without anybody doing anything.
    var isPassing: Bool { self.code == .throttled || self.code == .unavailable }
}
