public import JSON
public import Logging
import MCP

/// Everything worth knowing about one tool call, once it is over.
///
/// Whatever reports on calls is made from it.
public struct CallRecord: Sendable {
    /// Names this call and no other.
    public var callID: String
    /// The id under which the log knows the call.
    public var requestID: String
    /// The way in, such as `http` or `stdio`.
    public var transport: String
    /// The revision that the client speaks; empty for ways in other than MCP.
    public var revision: String
    /// On whose behalf the call ran.
    public var principal: Principal
    /// The name of the tool, or of what else was done.
    public var tool: String
    /// What calling the tool does to the world.
    public var effect: Effect
    /// What the call takes.
    public var permission: Permission
    /// What the call was about; none if the arguments could not be read.
    public var targets: [AccessTarget] = []
    /// The arguments as they came: they may hold secrets.
    public var arguments: JSONObject
    /// `ok`, ``replayed``, or the code of the error; empty while the call runs.
    public var outcome = ""
    /// What the client was told went wrong.
    public var message: String?
    /// What lay behind it; not for clients.
    public var cause: String?
    /// The HTTP status with which an upstream refused, if one did.
    public var upstreamStatus: Int?
    /// How long it took.
    public var duration = Duration.zero
    /// The W3C trace context of the caller.
    public var traceparent: String?

    /// The outcome of a call that got the answer of an earlier one with the same idempotency key, and did nothing.
    public static let replayed = "replayed"

    init(_ invocation: ToolInvocation, _ tool: RegisteredTool) {
        self.init(invocation, effect: tool.effect, permission: tool.permission)
        self.tool = tool.definition.name
    }

    /// The record of something that is no call of a tool, but has to be accounted for like one.
    ///
    /// - Parameters:
    ///   - invocation: What is done: `tool` is its name for the record, such as `resources/read` or `POST /rag/upload`.
    ///   - effect: What it does to the world.
    ///   - permission: What it takes.
    public init(_ invocation: ToolInvocation, effect: Effect, permission: Permission) {
        self.callID = RandomID.unique()
        self.requestID = invocation.requestID
        self.transport = invocation.transport
        self.revision = invocation.revision
        self.principal = invocation.principal
        self.tool = invocation.tool
        self.effect = effect
        self.permission = permission
        self.arguments = invocation.arguments
        self.traceparent = invocation.traceparent
    }
}

/// Takes the records of calls.
public protocol CallRecorder: Sendable {
    /// Takes the record of a call that is about to change something.
    ///
    /// Whoever has to account for every change can keep the call from being made.
    ///
    /// - Throws: Why the call is not made.
    func willRun(_ record: CallRecord) async throws(ToolError)

    /// Takes a record. It must not wait.
    func record(_ record: CallRecord)
}

extension CallRecorder {
    public func willRun(_ record: CallRecord) async throws(ToolError) {}
}

/// Hands records to several recorders, in order.
public struct CallRecorders: CallRecorder {
    private let recorders: [any CallRecorder]

    public init(_ recorders: [any CallRecorder]) {
        self.recorders = recorders
    }

    public func willRun(_ record: CallRecord) async throws(ToolError) {
        for recorder in self.recorders { try await recorder.willRun(record) }
    }

    public func record(_ record: CallRecord) {
        for recorder in self.recorders { recorder.record(record) }
    }
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
