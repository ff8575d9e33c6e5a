public import JSON

/// A JSON-RPC error: the request made no sense, or can't be served at all.
///
/// A tool that could not do what was asked does not use it; it answers with a failed result instead.
public struct MCPError: Error, Sendable, Hashable {
    /// A JSON-RPC error code.
    ///
    /// Specification: 2026-07-28, basic/index, "Error Codes".
    public struct Code: Sendable, Hashable {
        public let value: Int

        public init(_ value: Int) {
            self.value = value
        }

        /// The bytes are not JSON.
        public static let parseError = Self(-32700)
        /// The JSON is not a JSON-RPC message that may be sent here.
        public static let invalidRequest = Self(-32600)
        /// There is no such method in this revision, or the server does not offer it.
        public static let methodNotFound = Self(-32601)
        /// The parameters are wrong; also: there is no such tool.
        public static let invalidParams = Self(-32602)
        /// The server failed.
        public static let internalError = Self(-32603)
        /// There is no such resource (before 2026-07-28).
        public static let resourceNotFound = Self(-32002)
        /// The user has to visit a web page first (2025-11-25).
        public static let urlElicitationRequired = Self(-32042)
        /// A header is missing, malformed, or says something else than the body (2026-07-28).
        public static let headerMismatch = Self(-32020)
        /// The client did not declare a capability that the request needs (2026-07-28).
        public static let missingRequiredClientCapability = Self(-32021)
        /// The server does not speak the revision asked for (2026-07-28).
        public static let unsupportedProtocolVersion = Self(-32022)
    }

    public var code: Code
    /// A sentence for whoever reads the answer.
    ///
    /// It names no internals.
    public var message: String
    public var data: JSONValue?

    public init(_ code: Code, _ message: String, data: JSONValue? = nil) {
        self.code = code
        self.message = message
        self.data = data
    }

    /// The error object of a response.
    public var json: JSONObject {
        var object: JSONObject = ["code": .integer(self.code.value), "message": .string(self.message)]
        if let data {
            object["data"] = data
        }
        return object
    }

    /// The HTTP status of a response that consists of this error.
    ///
    /// Specification: 2026-07-28, basic/transports/streamable-http.
    public var httpStatus: Int {
        switch self.code {
        case .methodNotFound: 404
        case .internalError: self.data?["code"] == Self.unavailableCode ? 503 : 500
        default: 400
        }
    }
}

extension MCPError {
    private static let unavailableCode: JSONValue = "upstream_unavailable"

    /// Something that the server needs can't be reached now: the same request may succeed later.
    public static func unavailable(_ message: String) -> Self {
        Self(
            .internalError,
            message,
            data: ["code": Self.unavailableCode, "retryable": true, "retry_after_ms": 1000]
        )
    }
}

extension Codec {
    /// An error with a code that the revision has; one that it doesn't have becomes the nearest that it has.
    ///
    /// Specification: 2026-07-28, basic/index, "Error Codes".
    public func conforming(_ error: MCPError) -> MCPError {
        let isModern = self.revision.supports(.statelessEnvelope)
        var conforming = error
        switch error.code {
        case .resourceNotFound where isModern: conforming.code = .invalidParams
        case .urlElicitationRequired where isModern || self.revision.supports(.urlElicitation) == false:
            conforming.code = .invalidRequest
        case .missingRequiredClientCapability where isModern == false: conforming.code = .invalidRequest
        default: break
        }
        return conforming
    }
}

extension MCPError {
    /// The user has to visit a web page before the request can be served.
    ///
    /// Clients of 2025-11-25 send the request again once that is done. Elsewhere `context.ask` is the way.
    ///
    /// Specification: 2025-11-25, client/elicitation, "URL Elicitation Required Error".
    /// - Parameters:
    ///   - message: Why.
    ///   - url: The page.
    ///   - elicitationID: Names the visit, for `notifications/elicitation/complete`.
    /// - Returns: The error, with code `-32042`.
    public static func urlElicitationRequired(_ message: String, url: String, elicitationID: String) -> Self {
        Self(
            .urlElicitationRequired,
            message,
            data: [
                "elicitations": [
                    [
                        "mode": "url", "elicitationId": .string(elicitationID), "url": .string(url),
                        "message": .string(message),
                    ]
                ]
            ]
        )
    }

    /// The client did not declare what the request needs of it.
    ///
    /// - Parameter capabilities: What it would have to declare, as `ClientCapabilities`.
    /// - Returns: The error, with code `-32021`.
    public static func missingCapability(_ capabilities: JSONObject) -> Self {
        Self(
            .missingRequiredClientCapability,
            "The client did not declare a capability that this request needs.",
            data: ["requiredCapabilities": .object(capabilities)]
        )
    }
}
