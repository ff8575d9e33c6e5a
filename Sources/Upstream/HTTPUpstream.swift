public import JSON

/// A request to a system outside.
public struct UpstreamRequest: Sendable {
    public var method: String
    /// The whole address.
    public var url: String
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]?
    /// When the answer has to be there in full.
    public var deadline: ContinuousClock.Instant
    /// The largest body that is read.
    public var maximumBodyBytes: Int

    public init(
        method: String,
        url: String,
        headers: [(name: String, value: String)] = [],
        body: [UInt8]? = nil,
        deadline: ContinuousClock.Instant,
        maximumBodyBytes: Int = 8 << 20
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.deadline = deadline
        self.maximumBodyBytes = maximumBodyBytes
    }
}

/// What a system outside answered, whatever its status.
public struct UpstreamResponse: Sendable {
    public var status: Int
    private let headers: [String: String]
    public var body: [UInt8]

    public init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = Dictionary(
            headers.map { ($0.name.lowercased(), $0.value) },
            uniquingKeysWith: { $0 + ", " + $1 }
        )
        self.body = body
    }

    /// The value of a header, whatever the case of its name.
    public func header(_ name: String) -> String? {
        self.headers[name.lowercased()]
    }

    /// The body, if it is JSON.
    public var json: JSONValue? {
        try? JSONValue(parsing: self.body)
    }
}

/// Why there is no answer.
///
/// It never holds addresses with credentials, headers or bodies.
public struct UpstreamError: Error, Sendable {
    /// The kind of failure.
    public struct Code: Sendable, Hashable {
        private enum Value { case connectionFailed, timedOut, bodyTooLarge, invalidRequest, credentialUnavailable }
        private let value: Value

        /// No connection, or it broke.
        ///
        /// The request may or may not have arrived.
        public static var connectionFailed: Self { Self(value: .connectionFailed) }
        /// The answer was not there by the deadline.
        public static var timedOut: Self { Self(value: .timedOut) }
        /// The answer is larger than is read.
        public static var bodyTooLarge: Self { Self(value: .bodyTooLarge) }
        /// The address is none that can be asked, or a header has a value that can't be sent.
        public static var invalidRequest: Self { Self(value: .invalidRequest) }
        /// What the request has to be sent with can't be had now.
        public static var credentialUnavailable: Self { Self(value: .credentialUnavailable) }
    }

    public var code: Code
    public var message: String
    public var cause: (any Error)?

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}

/// Sends requests to systems outside.
public protocol HTTPUpstream: Sendable {
    /// - Throws: ``UpstreamError``, or `CancellationError`.
    func send(_ request: UpstreamRequest) async throws -> UpstreamResponse
}
