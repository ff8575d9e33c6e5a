public import JSON

/// Why a tool could not do what was asked, in a form that an agent can act on.
public struct ToolError: Error, Sendable {
    /// The kind of failure.
    ///
    /// The raw value is the `code` on the wire.
    public struct Code: Sendable, Hashable {
        public let rawValue: String
        /// The broader kind, `error_type` on the wire.
        let errorType: String

        /// The arguments are not what the schema asks for.
        public static let invalidArguments = Self(rawValue: "invalid_arguments", errorType: "validation")
        /// The principal may not do this.
        public static let forbidden = Self(rawValue: "forbidden", errorType: "authentication")
        /// It is not known who asks, or the upstream does not accept the credentials.
        public static let unauthenticated = Self(rawValue: "unauthenticated", errorType: "authentication")
        /// What was asked for does not exist.
        public static let notFound = Self(rawValue: "not_found", errorType: "not_found")
        /// It does not fit the state of things: someone was faster, or a consent is missing.
        public static let conflict = Self(rawValue: "conflict", errorType: "validation")
        /// The same idempotency key came with other arguments before.
        public static let idempotencyMismatch = Self(rawValue: "idempotency_mismatch", errorType: "validation")
        /// The principal calls too often.
        public static let rateLimited = Self(rawValue: "rate_limited", errorType: "rate_limit")
        /// Too many calls run already.
        public static let overloaded = Self(rawValue: "overloaded", errorType: "rate_limit")
        /// The call took longer than its deadline.
        public static let timeout = Self(rawValue: "timeout", errorType: "external_service")
        /// The client cancelled the call.
        public static let cancelled = Self(rawValue: "cancelled", errorType: "internal")
        /// A service that the tool needs can't be reached.
        public static let upstreamUnavailable = Self(rawValue: "upstream_unavailable", errorType: "external_service")
        /// A service that the tool needs answered with an error.
        public static let upstreamError = Self(rawValue: "upstream_error", errorType: "external_service")
        /// Something was sent and no answer came: it may or may not have happened.
        public static let outcomeUnknown = Self(rawValue: "outcome_unknown", errorType: "external_service")
        /// The answer is larger than ``MCPServer/Options/maximumResultBytes``.
        public static let resultTooLarge = Self(rawValue: "result_too_large", errorType: "validation")
        /// The tool failed; the log says why.
        public static let `internal` = Self(rawValue: "internal", errorType: "internal")
    }

    /// The kind of failure.
    public var code: Code
    /// A sentence for the model.
    ///
    /// It names no internals.
    public var message: String
    /// Whether the same call may succeed later.
    public var retryable: Bool
    /// How long to wait before trying again.
    public var retryAfter: Duration?
    /// What to do next.
    public var suggestedAction: String?
    /// More for programs.
    public var details: JSONValue?
    /// What is wrong with which argument.
    public var mistakes: [ArgumentMistake]
    /// The HTTP status with which the upstream refused, for records.
    public var upstreamStatus: Int?
    /// What lies behind it.
    ///
    /// It goes to the log and never to the client.
    public var cause: (any Error)?

    public init(
        _ code: Code,
        _ message: String,
        retryable: Bool = false,
        retryAfter: Duration? = nil,
        suggestedAction: String? = nil,
        details: JSONValue? = nil,
        mistakes: [ArgumentMistake] = [],
        upstreamStatus: Int? = nil,
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.retryable = retryable
        self.retryAfter = retryAfter
        self.suggestedAction = suggestedAction
        self.details = details
        self.mistakes = mistakes
        self.upstreamStatus = upstreamStatus
        self.cause = cause
    }

    /// All that is wrong with the arguments of one call.
    public static func invalidArguments(_ mistakes: [ArgumentMistake]) -> Self {
        let list = mistakes.map {
            "- \($0.pointer.description.isEmpty ? "arguments" : $0.pointer.description): \($0.message)"
        }
        return Self(
            .invalidArguments,
            "The arguments are not valid:\n" + list.joined(separator: "\n"),
            suggestedAction: "Correct the arguments named and call the tool again.",
            mistakes: mistakes
        )
    }

    /// What programs get: the same in `_meta` of a failed result, over REST and on the command line.
    public var json: JSONObject {
        var object: JSONObject = [
            "code": .string(self.code.rawValue),
            "error_type": .string(self.code.errorType),
            "message": .string(self.message),
            "retryable": .bool(self.retryable),
        ]
        if let retryAfter {
            object["retry_after_ms"] = .integer(retryAfter.milliseconds)
        }
        if let suggestedAction {
            object["suggested_action"] = .string(suggestedAction)
        }
        if let details {
            object["details"] = details
        }
        if self.mistakes.isEmpty == false {
            object["errors"] = .array(
                self.mistakes.map { ["pointer": .string($0.pointer.description), "message": .string($0.message)] }
            )
        }
        return object
    }
}

/// What is wrong with one argument.
public struct ArgumentMistake: Sendable, Hashable {
    /// Where, as a JSON Pointer into the arguments.
    public var pointer: JSONPointer
    /// What was expected, and what came.
    public var message: String

    public init(pointer: JSONPointer, message: String) {
        self.pointer = pointer
        self.message = message
    }
}

extension Duration {
    /// Whole milliseconds, rounded up.
    package var milliseconds: Int {
        let (seconds, attoseconds) = self.components
        return Int(seconds) * 1000 + Int((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
