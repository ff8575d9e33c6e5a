public import Foundation
import JSON
public import Logging
public import MCPServer
import Synchronization

/// Takes the records of calls to the audit store: one record per call.
///
/// What changes something is noted in the store before it runs, and does not run if that fails: there is no change that
/// nobody can account for. Everything else is written behind the calls, in order, and read-only calls go on while the
/// store is away; what there was no room to keep is counted and recorded as lost.
public final class AuditLog: CallRecorder {
    /// How many records wait at most.
    static let maximumWaiting = 10_000
    /// How many are written at a time.
    private static let batch = 500
    /// How long records gather before they are written: many cost the store little more than one.
    private static let gathering = Duration.milliseconds(10)
    /// How long the next attempt waits after a failure, at first and at most.
    private static let backoff = (first: Duration.seconds(1), most: Duration.seconds(30))
    /// The tool of records that say that others were lost.
    public static let lostTool = "audit.lost"

    private struct State {
        var waiting: [AuditRecord] = []
        /// What is being written; it waits again if that fails.
        var writing: [AuditRecord] = []
        var lost = 0
        var isWriting = false
        var prunedAt = 0
    }

    private let store: any AuditStore
    private let logger: Logger
    private let replica: String
    /// In milliseconds; nothing keeps records for ever.
    private let retention: Int?
    private let now: @Sendable () -> Int
    private let state = Mutex(State())
    private let wake: AsyncStream<Void>
    private let waker: AsyncStream<Void>.Continuation

    /// - Parameters:
    ///   - store: Where records are kept.
    ///   - replica: The name of this process.
    ///   - retentionDays: How long they are kept; for ever without.
    ///   - logger: Where it is logged that the store can't be written.
    ///   - now: The time, in milliseconds since 1970.
    public init(
        store: any AuditStore,
        replica: String,
        retentionDays: Int?,
        logger: Logger,
        now: @escaping @Sendable () -> Int = { Int(Date().timeIntervalSince1970 * 1000) }
    ) {
        self.store = store
        self.replica = replica
        self.retention = retentionDays.map { $0 * 86_400_000 }
        self.logger = logger
        self.now = now
        (self.wake, self.waker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    public func willRun(_ record: CallRecord) async throws(ToolError) {
        do {
            try await self.store.begin(self.make(record))
        } catch {
            self.logger.error("audit store unavailable; the call is refused", metadata: ["error": "\(error)"])
            throw ToolError(
                .upstreamUnavailable,
                "The audit log can't be written now, so nothing is changed: \(record.tool) was not begun.",
                retryable: true,
                retryAfter: .seconds(5),
                suggestedAction: "Try again later. Tools that only read still work.",
                cause: error
            )
        }
    }

    public func record(_ record: CallRecord) {
        let made = self.make(record)
        let isFirst = self.state.withLock { state in
            guard state.waiting.count + state.writing.count < Self.maximumWaiting else {
                state.lost += 1
                return false
            }
            state.waiting.append(made)
            return state.waiting.count == 1 && state.isWriting == false
        }
        // Whoever writes goes on until nothing waits.
        if isFirst { self.waker.yield() }
    }

    /// Writes records until the task is cancelled, and what is left then.
    public func run() async {
        var backoff = Self.backoff.first
        for await _ in self.wake {
            try? await Task.sleep(for: Self.gathering)
            while await self.write() == false, Task.isCancelled == false {
                try? await Task.sleep(for: backoff)
                backoff = min(backoff * 2, Self.backoff.most)
            }
            backoff = Self.backoff.first
        }
        // A task that is cancelled can't wait for a store; a new one can.
        await Task { await self.flush() }.value
    }

    /// Writes all records that wait.
    public func flush() async {
        // What could not be written is the business of `run` again.
        if await self.write() == false { self.waker.yield() }
    }

    /// Records calls that were begun by a process that is no more, as calls whose outcome nobody knows.
    public func recover() async {
        do {
            var records = try await self.store.unfinished(before: self.now() - 600_000)
            for index in records.indices { records[index].outcome = "outcome_unknown" }
            if records.isEmpty == false { try await self.store.append(records) }
        } catch {
            self.logger.warning("audit notes not looked through", metadata: ["error": "\(error)"])
        }
    }

    /// - Returns: Whether all is written.
    private func write() async -> Bool {
        while true {
            let (batch, lost) = self.state.withLock { state -> ([AuditRecord], Int) in
                guard state.isWriting == false else { return ([], 0) }
                if state.waiting.count <= Self.batch {
                    swap(&state.writing, &state.waiting)
                } else {
                    state.writing = Array(state.waiting.prefix(Self.batch))
                    state.waiting.removeFirst(Self.batch)
                }
                state.isWriting = state.writing.isEmpty == false || state.lost > 0
                return (state.writing, state.lost)
            }
            guard batch.isEmpty == false || lost > 0 else { return true }
            do {
                try await self.store.append(lost > 0 ? batch + [self.lost(lost)] : batch)
                self.state.withLock { state in
                    state.isWriting = false
                    state.writing = []
                    state.lost -= lost
                }
                await self.pruneIfDue()
            } catch {
                self.state.withLock { state in
                    state.isWriting = false
                    state.waiting = state.writing + state.waiting
                    state.writing = []
                }
                self.logger.error(
                    "audit records not written",
                    metadata: ["audit.waiting": "\(batch.count)", "error": "\(error)"]
                )
                return false
            }
        }
    }

    /// Removes what is old, and looks for calls that were never over, once an hour.
    private func pruneIfDue() async {
        let now = self.now()
        let isDue = self.state.withLock { state in
            guard now - state.prunedAt >= 3_600_000 else { return false }
            state.prunedAt = now
            return true
        }
        guard isDue else { return }
        await self.recover()
        guard let retention else { return }
        do {
            let count = try await self.store.prune(before: now - retention)
            if count > 0 {
                self.logger.info("audit records removed by retention", metadata: ["audit.count": "\(count)"])
            }
        } catch {
            self.logger.warning("audit records not removed", metadata: ["error": "\(error)"])
        }
    }

    private func lost(_ count: Int) -> AuditRecord {
        let (text, digest) = Redaction.redacted(["count": .integer(count)])
        return AuditRecord(
            id: RandomID.make(),
            timestamp: self.now(),
            user: "system",
            roles: "",
            tool: Self.lostTool,
            permission: "",
            effect: "read",
            targets: "",
            arguments: text,
            argumentsDigest: digest,
            outcome: "lost",
            message: "\(count) records of calls could not be kept: the audit store was away for too long.",
            durationMilliseconds: 0,
            requestID: "",
            transport: "",
            replica: self.replica
        )
    }

    private func make(_ record: CallRecord) -> AuditRecord {
        let (text, digest) = Redaction.redacted(record.arguments)
        return AuditRecord(
            id: record.callID,
            timestamp: self.now(),
            user: record.principal.id,
            roles: record.principal.roles.joined(separator: " "),
            tool: record.tool,
            permission: record.permission.rawValue,
            effect: record.effect.word,
            targets: record.targets.map(\.description).joined(separator: ","),
            arguments: text,
            argumentsDigest: digest,
            outcome: record.outcome,
            message: record.message.map { Redaction.clean(.string($0)).stringValue ?? "" },
            upstreamStatus: record.upstreamStatus,
            durationMilliseconds: Int(record.duration / .milliseconds(1)),
            traceID: record.traceparent.flatMap(Self.traceID),
            requestID: record.requestID,
            transport: record.transport,
            replica: self.replica
        )
    }

    /// The trace id of a `traceparent` (W3C Trace Context, section 3.2.2).
    private static func traceID(_ traceparent: String) -> String? {
        let parts = traceparent.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[1].utf8.count == 32 else { return nil }
        return String(parts[1])
    }
}

extension Effect {
    fileprivate var word: String {
        switch self {
        case .read: "read"
        case .write: "write"
        case .destructive: "destructive"
        }
    }
}
