public import Logging

/// Everything worth knowing about one tool call, once it is over.
///
/// Whatever reports on calls is made from it.
public struct CallRecord: Sendable {
    /// The id under which the log knows the call.
    public var requestID: String
    /// The way in, such as `http` or `stdio`.
    public var transport: String
    /// The revision that the client speaks; empty for ways in other than MCP.
    public var revision: String
    /// On whose behalf the call ran.
    public var principal: Principal
    /// The name of the tool.
    public var tool: String
    /// What calling the tool does to the world.
    public var effect: Effect
    /// `ok`, or the code of the error.
    public var outcome: String
    /// What the client was told went wrong.
    public var message: String?
    /// What lay behind it; not for clients.
    public var cause: String?
    /// How long it took.
    public var duration: Duration
    /// The W3C trace context of the caller.
    public var traceparent: String?
}

/// Takes the records of calls.
public protocol CallRecorder: Sendable {
    /// Takes a record. It must not wait.
    func record(_ record: CallRecord)
}

/// Writes one log line per call.
///
/// Arguments and results stay out of it.
public struct LogCallRecorder: CallRecorder {
    private let logger: Logger

    public init(logger: Logger) {
        self.logger = logger
    }

    public func record(_ record: CallRecord) {
        // Nobody pays for what nobody reads.
        guard self.logger.logLevel <= .info else { return }
        var metadata: Logger.Metadata = [
            "request.id": "\(record.requestID)",
            "mcp.transport": "\(record.transport)",
            "mcp.revision": "\(record.revision)",
            "principal.id": "\(record.principal.id)",
            "tool.name": "\(record.tool)",
            "tool.outcome": "\(record.outcome)",
            "tool.duration_ms": .stringConvertible(record.duration.milliseconds),
        ]
        if let message = record.message { metadata["error.message"] = "\(message)" }
        if let cause = record.cause { metadata["error.cause"] = "\(cause)" }
        if let traceparent = record.traceparent { metadata["trace.parent"] = "\(traceparent)" }
        self.logger.info("tool call", metadata: metadata)
    }
}
