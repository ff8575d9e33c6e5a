/// Why it is not known who sends a request.
public struct AuthenticationError: Error, Sendable, Hashable {
    /// The kind of failure.
    public struct Code: Sendable, Hashable {
        private enum Value { case missing, invalidRequest, invalidToken, unavailable }
        private let value: Value

        /// The request has no credentials.
        public static var missing: Self { Self(value: .missing) }
        /// The request presents credentials in a way that makes no sense (RFC 6750, section 3.1: `invalid_request`).
        public static var invalidRequest: Self { Self(value: .invalidRequest) }
        /// The credentials are expired, revoked, meant for somebody else, or not genuine (`invalid_token`).
        public static var invalidToken: Self { Self(value: .invalidToken) }
        /// The credentials can't be checked now.
        public static var unavailable: Self { Self(value: .unavailable) }
    }

    public var code: Code
    /// A sentence for the client: printable ASCII without quotation marks and backslashes, as RFC 6750, section 3, wants
    /// it; never part of the credentials.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
