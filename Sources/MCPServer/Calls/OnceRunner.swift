import Crypto
import JSON
import Logging
import MCP
import SharedState

/// Carries out calls with an idempotency key once, on whatever replica they come in.
///
/// The first call begins, and keeps a lease on the key while it works. Those that come meanwhile wait for its answer, and
/// those that come within a day get it again. What has failed without changing anything leaves no trace, so that the key
/// can be used again, with other arguments, too. When the end of a call is not known, because its process died, its
/// time was up, or it failed in a way that it does not explain, the same call is not carried out again, unless
/// its tool says that repeating it does no harm (`.write(idempotent: true)`).
struct OnceRunner: Sendable {
    let store: any IdempotencyStore
    let bus: any EventBus
    /// How long a call that nobody hears of any more counts as running.
    let lease: Duration

    /// A tool's handler that runs once for all calls with the same key.
    func running(
        _ run: @escaping RegisteredTool.Run,
        _ request: OnceRequest,
        _ tool: RegisteredTool
    ) -> RegisteredTool.Run {
        { context in
            // Principals don't share keys, and neither do tools.
            let owner = Self.digest(context.principal.id)
            let key = IdempotencyKey(owner: owner, name: Self.digest("\(tool.name)\u{0}\(request.key)"))
            let operation = Operation(runner: self, key: key, attempt: RandomID.make(), tool: tool)
            return try await operation.perform(request.fingerprint, context, run)
        }
    }

    private static func digest(_ text: String) -> String {
        Hexadecimal.encode(Array(SHA256.hash(data: Array(text.utf8)).prefix(16)))
    }
}

/// One call with a key.
private struct Operation: Sendable {
    let runner: OnceRunner
    let key: IdempotencyKey
    let attempt: String
    let tool: RegisteredTool

    private var topic: String { "once:\(self.key.owner):\(self.key.name)" }

    func perform(
        _ fingerprint: [UInt8],
        _ context: ToolContext,
        _ run: RegisteredTool.Run
    ) async throws -> CallToolResult {
        var news: EventSubscription?
        while true {
            switch try await self.begin(fingerprint) {
            case .begun: return try await self.carryOut(context, run)
            case .finished(let answer): return try StoredResult.result(of: answer)
            case .running:
                guard let heard = news else {
                    // Whoever listens looks once more, so that the end of the other call is not missed.
                    news = try await self.listen()
                    continue
                }
                try await self.wait(for: heard)
                news = nil
            case .abandoned: throw Self.unknownOutcome
            case .otherRequest:
                throw ToolError(
                    .idempotencyMismatch,
                    "This idempotency_key came with other arguments before.",
                    suggestedAction: "For another call use a new key; to repeat the call, send the same arguments."
                )
            }
        }
    }

    private func begin(_ fingerprint: [UInt8]) async throws -> IdempotencyState {
        do throws(SharedStateError) {
            return try await self.runner.store.begin(
                self.key,
                fingerprint: fingerprint,
                attempt: self.attempt,
                lease: self.runner.lease,
                mayRepeat: self.tool.effect == .write(idempotent: true)
            )
        } catch {
            throw self.unavailable(error)
        }
    }

    private func listen() async throws -> EventSubscription {
        do throws(SharedStateError) {
            return try await self.runner.bus.subscribe(to: self.topic)
        } catch {
            throw self.unavailable(error)
        }
    }

    private func unavailable(_ error: SharedStateError) -> ToolError {
        if error.code == .full {
            return ToolError(
                .overloaded,
                "\(self.tool.definition.name) was not begun: \(error.message)",
                retryable: true,
                retryAfter: .seconds(60),
                suggestedAction: "Try again later, or call without idempotency_key, which may do it twice.",
                cause: error
            )
        }
        return ToolError(
            .upstreamUnavailable,
            "What is done once can't be noted now, so nothing is changed: \(self.tool.definition.name) was not begun.",
            retryable: true,
            retryAfter: .seconds(5),
            suggestedAction: "Try again later with the same idempotency_key.",
            cause: error
        )
    }

    private static var unknownOutcome: ToolError {
        ToolError(
            .outcomeUnknown,
            "An earlier call with this idempotency_key was begun, and how it ended is not known. It was not repeated.",
            suggestedAction: "Look whether it has happened. If it has not, call again with a new idempotency_key."
        )
    }

    /// Waits until the other call says that it is over, or it is time to look whether its lease has run out.
    private func wait(for news: EventSubscription) async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                var messages = news.makeAsyncIterator()
                _ = await messages.next()
            }
            group.addTask { try? await Task.sleep(for: self.runner.lease / 3) }
            await group.next()
            group.cancelAll()
        }
        try Task.checkCancellation()
    }

    private func carryOut(_ context: ToolContext, _ run: RegisteredTool.Run) async throws -> CallToolResult {
        do {
            let result = try await self.keepingLease { try await run(context) }
            await self.report(context) { () async throws(SharedStateError) in
                _ = try await self.runner.store.finish(
                    self.key,
                    attempt: self.attempt,
                    answer: StoredResult.bytes(of: result)
                )
            }
            return result
        } catch {
            await self.report(context) { () async throws(SharedStateError) in
                if Self.hasChangedNothing(error) {
                    try await self.runner.store.forget(self.key, attempt: self.attempt)
                } else {
                    try await self.runner.store.abandon(self.key, attempt: self.attempt)
                }
            }
            throw error
        }
    }

    /// Notes how the call ended, and tells those who wait.
    private func report(
        _ context: ToolContext,
        _ note: () async throws(SharedStateError) -> Void
    ) async {
        do throws(SharedStateError) {
            try await note()
            try await self.runner.bus.publish([], to: self.topic)
        } catch {
            // The lease runs out then. If the call was carried out, whoever asks again is told that nobody knows.
            context.logger.warning("end of a call not noted", metadata: ["error": "\(error.message)"])
        }
    }

    /// Whether an error says that nothing has happened.
    private static func hasChangedNothing(_ error: any Error) -> Bool {
        switch error {
        case let error as ToolError:
            [.outcomeUnknown, .timeout, .cancelled, .internal].contains(error.code) == false
        // The call comes again, with answers or as a task.
        case is InputRequired, is BecomesTask, is MCPError: true
        default: false
        }
    }

    private func keepingLease<T: Sendable>(_ body: () async throws -> T) async throws -> T {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while true {
                    guard (try? await Task.sleep(for: self.runner.lease / 3)) != nil else { return }
                    let isKept = try? await self.runner.store.keep(
                        self.key,
                        attempt: self.attempt,
                        lease: self.runner.lease
                    )
                    if isKept == false { return }
                }
            }
            defer { group.cancelAll() }
            return try await body()
        }
    }
}
