public import JSON
import Logging
import MCP

/// A tool call on its way in, whatever the way is: MCP, REST, the command line.
public struct ToolInvocation: Sendable {
    public var tool: String
    public var arguments: JSONObject
    public var requestID: String
    public var transport: String
    public var revision: String
    public var principal: Principal
    public var traceparent: String?
    var key: CallKey?
    var reporter: ProgressReporter?

    public init(tool: String, arguments: JSONObject, requestID: String, transport: String, principal: Principal) {
        self.tool = tool
        self.arguments = arguments
        self.requestID = requestID
        self.transport = transport
        self.revision = ""
        self.principal = principal
    }
}

/// The one road that every tool call takes.
///
/// The order: authorise, read and check the arguments, admit, run within the deadline, bound the result, record. What
/// costs nothing comes before what takes a place among the running calls, so that bad calls can't crowd out good ones.
struct CallPipeline: Sendable {
    let catalogue: ToolCatalogue
    let registry: CallRegistry
    let authorizer: any Authorizer
    let recorder: any CallRecorder
    let logger: Logger
    let defaultTimeout: Duration
    let maximumResultBytes: Int

    /// Whether the tool may be seen and called.
    func isAllowed(_ tool: RegisteredTool, _ principal: Principal) -> Bool {
        self.authorizer.mayCall(
            tool.name,
            effect: tool.effect,
            permission: tool.permission,
            principal: principal
        )
    }

    /// Runs a call and records it.
    ///
    /// - Returns: The tool's structured answer and the same as text.
    /// - Throws: ``ToolError``, whatever went wrong.
    func run(_ invocation: ToolInvocation, _ entry: ToolCatalogue.Entry) async throws(ToolError) -> ToolAnswer {
        let start = ContinuousClock.now
        do {
            let answer = try await self.answer(invocation, entry)
            self.record(invocation, entry, start, nil)
            return answer
        } catch {
            self.record(invocation, entry, start, error)
            throw error
        }
    }

    private func answer(
        _ invocation: ToolInvocation,
        _ entry: ToolCatalogue.Entry
    ) async throws(ToolError) -> ToolAnswer {
        guard self.isAllowed(entry.tool, invocation.principal) else {
            throw ToolError(
                .forbidden,
                "You may not call \(invocation.tool).",
                suggestedAction: "Ask for the permission \(entry.tool.permission), or use another tool."
            )
        }
        let run = try entry.tool.prepare(invocation.arguments)
        let timeout = entry.timeout ?? self.defaultTimeout
        let context = ToolContext(
            requestID: invocation.requestID,
            principal: invocation.principal,
            deadline: .now + timeout,
            logger: self.logger,
            traceparent: invocation.traceparent,
            reporter: invocation.reporter
        )
        do {
            let value = try await self.registry.run(key: invocation.key, timeout: timeout) { try await run(context) }
            return try self.bounded(value)
        } catch let error as ToolError {
            throw error
        } catch let interruption as CallInterruption {
            throw ToolError(interruption, timeout: timeout)
        } catch {
            throw ToolError(
                .internal,
                "The tool failed for a reason that lies in the server.",
                retryable: false,
                suggestedAction: "Report the request id \(invocation.requestID) to those who run the server.",
                cause: error
            )
        }
    }

    private func bounded(_ value: JSONValue) throws(ToolError) -> ToolAnswer {
        let bytes = value.serialized()
        guard bytes.count <= self.maximumResultBytes else {
            throw ToolError(
                .resultTooLarge,
                "The answer has \(bytes.count) bytes; \(self.maximumResultBytes) are allowed.",
                suggestedAction: "Ask for fewer items, or for something narrower."
            )
        }
        return ToolAnswer(structured: value, text: String(decoding: bytes, as: UTF8.self))
    }

    private func record(
        _ invocation: ToolInvocation,
        _ entry: ToolCatalogue.Entry,
        _ start: ContinuousClock.Instant,
        _ error: ToolError?
    ) {
        invocation.reporter?.finish()
        self.recorder.record(
            CallRecord(
                requestID: invocation.requestID,
                transport: invocation.transport,
                revision: invocation.revision,
                principal: invocation.principal,
                tool: entry.tool.definition.name,
                effect: entry.tool.effect,
                outcome: error?.code.rawValue ?? "ok",
                message: error?.message,
                cause: error?.cause.map { String(describing: $0) },
                duration: .now - start,
                traceparent: invocation.traceparent
            )
        )
    }
}

/// What a tool answered.
public struct ToolAnswer: Sendable {
    /// The structured answer.
    public let structured: JSONValue
    /// The same, serialized.
    public let text: String
}

extension ToolError {
    init(_ interruption: CallInterruption, timeout: Duration) {
        switch interruption {
        case .cancelled:
            self.init(.cancelled, "The call was cancelled.", retryable: true)
        case .deadline:
            self.init(
                .timeout,
                "The tool did not answer within \(timeout.milliseconds) ms.",
                retryable: true,
                suggestedAction: "Ask for less, or try again later."
            )
        case .shutdown:
            self.init(
                .outcomeUnknown,
                "The server was shut down before the tool was done.",
                retryable: true,
                retryAfter: .seconds(5),
                suggestedAction: "Call again; for a write, look first whether it has happened."
            )
        case .draining:
            self.init(
                .upstreamUnavailable,
                "The server is being shut down; the call was not begun.",
                retryable: true,
                retryAfter: .seconds(5),
                suggestedAction: "Call again in a few seconds."
            )
        case .overloaded:
            self.init(
                .overloaded,
                "The server runs as many calls as it can; this one was not begun.",
                retryable: true,
                retryAfter: .seconds(1),
                suggestedAction: "Call again in a second."
            )
        case .duplicateID:
            self.init(
                .conflict,
                "A call with the same request id is still running.",
                suggestedAction: "Give every request an id of its own."
            )
        }
    }
}

extension CallToolResult {
    /// A tool's answer, for programs and as text.
    init(_ answer: ToolAnswer) {
        self.init(content: [.text(answer.text)], structuredContent: answer.structured)
    }

    /// A failed result that the model can act on.
    init(_ error: ToolError) {
        var text = error.message
        if let suggestedAction = error.suggestedAction {
            text += "\n\(suggestedAction)"
        }
        self.init(content: [.text(text)], isError: true, meta: [MetaKey.error: .object(error.json)])
    }
}
