public import JSON
import Logging
import MCP

/// A tool call on its way in, whatever the way is: MCP, REST, the command line.
public struct ToolInvocation: Sendable {
    /// The name of the tool, as it is on the wire.
    public var tool: String
    /// The arguments, not checked yet.
    public var arguments: JSONObject
    /// The id under which the log knows the call.
    public var requestID: String
    /// The way in, for the record: `http`, `stdio`, `rest`.
    public var transport: String
    /// The revision that the client speaks; empty for ways in other than MCP.
    public var revision: String
    /// On whose behalf the call runs.
    public var principal: Principal
    /// The W3C trace context of the caller.
    public var traceparent: String?
    var key: CallKey?
    var reporter: ProgressReporter?
    /// The client's side of the call, if it needs no place among the running ones.
    var interaction: Interaction?
    /// Makes it, once the call has a place.
    var makeInteraction: (@Sendable (CallHandle) -> Interaction)?
    /// Answers for the call if it is interrupted: then it runs in the task of its caller.
    var answerEarly: (@Sendable (ToolError) -> Void)?

    public init(tool: String, arguments: JSONObject, requestID: String, transport: String, principal: Principal) {
        self.tool = tool
        self.arguments = arguments
        self.requestID = requestID
        self.transport = transport
        self.revision = ""
        self.principal = principal
    }
}

/// The one road that every tool call takes, and prompts and resources from where a handler runs.
///
/// The order: authorise, limit the rate, read and check the arguments, authorise what they name, note what changes
/// something, admit, look whether it was done before, run within the deadline, bound the result, record. What costs nothing
/// comes before what takes a place among the running calls, so that bad calls can't crowd out good ones.
final class CallPipeline: Sendable {
    let registry: CallRegistry
    let authorizer: any Authorizer
    let limiter: CallLimiter?
    let recorder: any CallRecorder
    let logger: Logger
    let defaultTimeout: Duration
    /// How long a client may take to answer what it is asked.
    let askTimeout: Duration
    let maximumResultBytes: Int
    let sealer: Sealer
    let once: OnceRunner
    let announcer: Announcer

    init(
        registry: CallRegistry,
        authorizer: any Authorizer,
        limiter: CallLimiter?,
        recorder: any CallRecorder,
        logger: Logger,
        defaultTimeout: Duration,
        askTimeout: Duration,
        maximumResultBytes: Int,
        sealer: Sealer,
        once: OnceRunner,
        announcer: Announcer
    ) {
        self.registry = registry
        self.authorizer = authorizer
        self.limiter = limiter
        self.recorder = recorder
        self.logger = logger
        self.defaultTimeout = defaultTimeout
        self.askTimeout = askTimeout
        self.maximumResultBytes = maximumResultBytes
        self.sealer = sealer
        self.once = once
        self.announcer = announcer
    }

    /// The same road with places of its own for running calls.
    func with(_ registry: CallRegistry) -> CallPipeline {
        CallPipeline(
            registry: registry,
            authorizer: self.authorizer,
            limiter: self.limiter,
            recorder: self.recorder,
            logger: self.logger,
            defaultTimeout: self.defaultTimeout,
            askTimeout: self.askTimeout,
            maximumResultBytes: self.maximumResultBytes,
            sealer: self.sealer,
            once: self.once,
            announcer: self.announcer
        )
    }

    /// Whether the tool may be seen and called.
    func isAllowed(_ tool: RegisteredTool, _ principal: Principal) -> Bool {
        self.decide(tool, principal).isAllowed
    }

    /// Whether a tool may be called, for anything or for what a call names.
    func decide(_ tool: RegisteredTool, _ principal: Principal, _ targets: [AccessTarget]? = nil) -> AccessDecision {
        self.authorizer.decide(
            AccessRequest(
                principal: principal,
                permission: tool.permission,
                effect: tool.effect,
                tool: tool.name,
                targets: targets
            )
        )
    }

    /// How far a call may reach.
    ///
    /// - Throws: `forbidden` if the call may not be made.
    private func authorize(
        _ invocation: ToolInvocation,
        _ tool: RegisteredTool,
        _ targets: [AccessTarget]?
    ) throws(CallFailure) -> AccessReach {
        switch self.decide(tool, invocation.principal, targets) {
        case .allowed(let reach): return reach
        case .insufficientScope(let scopes):
            throw .tool(
                ToolError(
                    .forbidden,
                    "Your token was not issued for \(invocation.tool).",
                    suggestedAction: "Ask for a token with the scope \(scopes.joined(separator: " "))."
                )
            )
        case .forbidden:
            let named = targets.map { $0.map(\.description).joined(separator: ", ") }
            throw .tool(
                ToolError(
                    .forbidden,
                    "You may not call \(invocation.tool)\(named.map { " for \($0)" } ?? "").",
                    suggestedAction: named == nil
                        ? "Ask for the permission \(tool.permission), or use another tool."
                        : "Ask for the permission \(tool.permission) there, or call it for something else."
                )
            )
        }
    }

    /// Runs a call and records it.
    ///
    /// - Parameters:
    ///   - invocation: The call.
    ///   - entry: The tool.
    ///   - timeout: The deadline, if it is not the tool's own.
    /// - Returns: What the tool answered.
    /// - Throws: ``CallFailure``, whatever went wrong.
    nonisolated(nonsending) func run(
        _ invocation: ToolInvocation,
        _ entry: ToolCatalogue.Entry,
        timeout: Duration? = nil
    ) async throws(CallFailure) -> CallToolResult {
        let start = ContinuousClock.now
        var record = CallRecord(invocation, entry.tool)
        do throws(CallFailure) {
            let timeout = timeout ?? entry.timeout ?? self.defaultTimeout
            let answer = try await self.answer(invocation, entry, timeout, start, &record)
            self.record(record, invocation, start, nil)
            return answer
        } catch {
            if case .answered = error { throw error }
            self.record(record, invocation, start, error)
            throw error
        }
    }

    private nonisolated(nonsending) func answer(
        _ invocation: ToolInvocation,
        _ entry: ToolCatalogue.Entry,
        _ timeout: Duration,
        _ start: ContinuousClock.Instant,
        _ record: inout CallRecord
    ) async throws(CallFailure) -> CallToolResult {
        var reach = try self.authorize(invocation, entry.tool, nil)
        let permit = try await self.permit(invocation.principal, entry.tool.name, timeout)
        defer { permit?.end() }
        let call: RegisteredTool.PreparedCall
        do throws(ToolError) {
            call = try entry.tool.prepare(invocation.arguments)
            record.targets = call.targets
        } catch {
            throw .tool(error)
        }
        if call.targets.isEmpty == false { reach = try self.authorize(invocation, entry.tool, call.targets) }
        if entry.tool.effect != .read {
            do throws(ToolError) {
                try await self.recorder.willRun(record)
            } catch {
                throw .tool(error)
            }
        }
        let run = call.once.map { self.once.running(call.run, $0, entry.tool) } ?? call.run
        let result =
            if let answerEarly = invocation.answerEarly {
                try await self.handleInPlace(invocation, record, timeout, start, answerEarly, reach, run)
            } else {
                try await self.handle(invocation, timeout, reach, run)
            }
        if result.meta[MetaKey.replayed] != nil { record.outcome = CallRecord.replayed }
        try self.checkSize(result)
        if let schema = entry.tool.outputValidator { try Self.check(result, against: schema) }
        return result
    }

    /// Holds a call to its limits.
    ///
    /// - Returns: The permission, which has to be ended with the call.
    nonisolated(nonsending) func permit(
        _ principal: Principal,
        _ tool: ToolName?,
        _ timeout: Duration
    ) async throws(CallFailure) -> CallPermit? {
        guard let limiter else { return nil }
        do throws(ToolError) {
            // The deadline does not run while the client is asked something.
            return try await limiter.permit(principal, tool: tool, lifetime: timeout + self.askTimeout)
        } catch {
            throw .tool(error)
        }
    }

    /// Runs a handler within its deadline and makes one kind of error of all that it throws.
    func handle<T: Sendable>(
        _ invocation: ToolInvocation,
        _ timeout: Duration,
        _ reach: AccessReach,
        _ run: @escaping @Sendable (ToolContext) async throws -> T
    ) async throws(CallFailure) -> T {
        do {
            return try await self.registry.run(key: invocation.key, timeout: timeout) { call in
                try await self.perform(invocation, timeout, call, reach, run)
            }
        } catch {
            throw Self.failure(error, invocation, timeout)
        }
    }

    /// Runs a tool within its deadline in the current task.
    ///
    /// - Throws: ``CallFailure/answered`` if the call was interrupted, answered and recorded meanwhile.
    private nonisolated(nonsending) func handleInPlace(
        _ invocation: ToolInvocation,
        _ record: CallRecord,
        _ timeout: Duration,
        _ start: ContinuousClock.Instant,
        _ answerEarly: @escaping @Sendable (ToolError) -> Void,
        _ reach: AccessReach,
        _ run: RegisteredTool.Run
    ) async throws(CallFailure) -> CallToolResult {
        let call: CallHandle
        do throws(CallInterruption) {
            call = try self.registry.enter(key: invocation.key, timeout: timeout) { interruption in
                let error = ToolError(interruption, timeout: timeout)
                self.record(record, invocation, start, .tool(error))
                answerEarly(error)
            }
        } catch {
            throw .tool(ToolError(error, timeout: timeout))
        }
        let result: CallToolResult
        do {
            result = try await withTaskCancellationHandler {
                try await self.perform(invocation, timeout, call, reach, run)
            } onCancel: {
                self.registry.cancel(call)
            }
        } catch {
            throw self.registry.leave(call) ? Self.failure(error, invocation, timeout) : .answered
        }
        guard self.registry.leave(call) else { throw .answered }
        return result
    }

    private func perform<T: Sendable>(
        _ invocation: ToolInvocation,
        _ timeout: Duration,
        _ call: CallHandle,
        _ reach: AccessReach,
        _ run: (ToolContext) async throws -> T
    ) async throws -> T {
        let interaction = invocation.interaction ?? invocation.makeInteraction?(call)
        defer { interaction?.finish() }
        return try await run(
            ToolContext(
                requestID: invocation.requestID,
                principal: invocation.principal,
                deadline: .now + timeout,
                logger: self.logger,
                traceparent: invocation.traceparent,
                reach: reach,
                reporter: invocation.reporter,
                interaction: interaction,
                announcer: self.announcer,
                sealer: self.sealer
            )
        )
    }

    /// Makes one kind of error of all that a handler throws.
    private static func failure(_ error: any Error, _ invocation: ToolInvocation, _ timeout: Duration) -> CallFailure {
        switch error {
        case let error as ToolError: .tool(error)
        case let error as MCPError: .protocolError(error)
        case let questions as InputRequired: .inputRequired(questions)
        case let start as BecomesTask: .becomesTask(start)
        case let interruption as CallInterruption: .tool(ToolError(interruption, timeout: timeout))
        default:
            .tool(
                ToolError(
                    .internal,
                    "The tool failed for a reason that lies in the server.",
                    retryable: false,
                    suggestedAction: "Report the request id \(invocation.requestID) to those who run the server.",
                    cause: error
                )
            )
        }
    }

    private func checkSize(_ result: CallToolResult) throws(CallFailure) {
        let bytes = result.content.reduce(0) { $0 + $1.size }
        guard bytes > self.maximumResultBytes else { return }
        throw .tool(
            ToolError(
                .resultTooLarge,
                "The answer has \(bytes) bytes; \(self.maximumResultBytes) are allowed.",
                suggestedAction: "Ask for fewer items, or for something narrower."
            )
        )
    }

    /// Checks what a tool with a schema of its own making answered.
    ///
    /// Specification: 2026-07-28, server/tools, "Output Schema".
    private static func check(_ result: CallToolResult, against schema: JSONSchema) throws(CallFailure) {
        guard result.isError == false else { return }
        let violations = try? schema.violations(in: result.structuredContent ?? .null)
        guard violations?.isEmpty != true else { return }
        throw .tool(
            ToolError(
                .internal,
                "The tool answered something else than it declares.",
                suggestedAction: "Report it to those who run the server.",
                cause: OutputMismatch(violation: violations?.first.map(String.init(describing:)))
            )
        )
    }

    private func record(
        _ record: CallRecord,
        _ invocation: ToolInvocation,
        _ start: ContinuousClock.Instant,
        _ failure: CallFailure?
    ) {
        invocation.reporter?.finish()
        var record = record
        if let failure { record.outcome = failure.outcome } else if record.outcome.isEmpty { record.outcome = "ok" }
        record.duration = .now - start
        switch failure {
        case .tool(let error):
            record.message = error.message
            record.cause = error.cause.map { String(describing: $0) }
            record.upstreamStatus = error.upstreamStatus
        case .protocolError(let error): record.message = error.message
        case .inputRequired, .becomesTask, .answered, nil: break
        }
        self.recorder.record(record)
    }
}

/// A tool's answer that does not conform to its own output schema.
private struct OutputMismatch: Error {
    var violation: String?
}

extension ContentBlock {
    /// How many bytes of text or base64 it holds.
    fileprivate var size: Int {
        switch self {
        case .text(let text): text.utf8.count
        case .image(let data, _), .audio(let data, _): data.utf8.count
        case .resource(let resource):
            switch resource.contents {
            case .text(let text), .blob(let text): text.utf8.count
            }
        case .resourceLink(let uri, let name, _): uri.utf8.count + name.utf8.count
        case .annotated(let block, _): block.size
        }
    }
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
    /// A failed result that the model can act on.
    init(_ error: ToolError) {
        var text = error.message
        if let suggestedAction = error.suggestedAction {
            text += "\n\(suggestedAction)"
        }
        self.init(content: [.text(text)], isError: true, meta: [MetaKey.error: .object(error.json)])
    }
}
