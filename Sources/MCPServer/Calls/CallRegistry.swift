import MCP
import Synchronization

/// Names a call that a client may cancel.
struct CallKey: Hashable, Sendable {
    var scope: String
    var id: RequestID
}

/// Why a call ended before its tool was done.
enum CallInterruption: Error, Sendable, Hashable {
    /// The client cancelled it, or went away.
    case cancelled
    /// Its time was up.
    case deadline
    /// The server is being shut down.
    case shutdown
    /// As many calls as the server runs at a time are running; this one was not begun.
    case overloaded
    /// The server is being shut down; this one was not begun.
    case draining
    /// The client is using the id of a call that is still running.
    case duplicateID
}

/// Owns the tasks of all running calls: bounds their number, ends them at their deadline, cancels them, and waits for
/// them at shutdown.
///
/// A call is answered as soon as it is interrupted, even if its tool does not heed cancellation. Such a tool keeps its
/// place among the running calls until it returns, so that what hangs is bounded too.
final class CallRegistry: Sendable {
    private struct Call {
        /// Nothing until the call has suspended for the first time.
        var task: Task<Void, Never>?
        var key: CallKey?
        var deadline: ContinuousClock.Instant
        var interrupt: @Sendable (CallInterruption) -> Void
        var isInterrupted = false
    }

    private struct State {
        var calls: [UInt64: Call] = [:]
        var ids: [CallKey: UInt64] = [:]
        var isDraining = false
        var drained: [CheckedContinuation<Void, Never>] = []
        /// The task that sleeps until deadlines are to be looked at.
        var sleeper: Task<Void, Never>?
        /// When it wakes up.
        ///
        /// Apart from it, so that a look at the time does not touch the task's reference count.
        var wakeTime: ContinuousClock.Instant?
    }

    /// Deadlines are looked at this much later, so that many calls share one wake-up.
    private static let tick = Duration.milliseconds(20)

    private let state = Mutex(State())
    private let lastID = Atomic<UInt64>(0)
    private let maximumCalls: Int

    init(maximumCalls: Int) {
        self.maximumCalls = maximumCalls
    }

    deinit {
        self.state.withLock { $0.sleeper?.cancel() }
    }

    var count: Int {
        self.state.withLock { $0.calls.count }
    }

    /// Runs a call in a task of its own and waits for it, but not beyond its deadline.
    ///
    /// - Throws: ``CallInterruption``, or what the operation throws.
    func run<T: Sendable>(
        key: CallKey?,
        timeout: Duration,
        _ operation: @escaping @Sendable (CallHandle) async throws -> T
    ) async throws -> T {
        let id = self.makeID()
        return try await withTaskCancellationHandler {
            // Resumed once and only once: FirstOutcome sees to that.
            try await withUnsafeThrowingContinuation { continuation in
                self.begin(id, key, timeout, FirstOutcome(continuation), operation)
                if Task.isCancelled {
                    self.interrupt(id, .cancelled)
                }
            }
        } onCancel: {
            self.interrupt(id, .cancelled)
        }
    }

    private func makeID() -> UInt64 { self.lastID.add(1, ordering: .relaxed).newValue }

    private func begin<T: Sendable>(
        _ id: UInt64,
        _ key: CallKey?,
        _ timeout: Duration,
        _ outcome: FirstOutcome<T>,
        _ operation: @escaping @Sendable (CallHandle) async throws -> T
    ) {
        do throws(CallInterruption) {
            try self.admit(id, key, timeout) { outcome.resume(.failure($0)) }
        } catch {
            outcome.resume(.failure(error))
            return
        }
        // Not begun on this thread: a handler that computes for long must hold up neither whoever reads the next message
        // nor its own deadline.
        let task = Task {
            let result: Result<T, any Error>
            do {
                result = .success(try await operation(CallHandle(registry: self, id: id)))
            } catch {
                result = .failure(error)
            }
            self.end(id)
            outcome.resume(result)
        }
        let isInterrupted = self.state.withLock { state in
            state.calls[id]?.task = task
            return state.calls[id]?.isInterrupted ?? false
        }
        if isInterrupted { task.cancel() }
    }

    /// Gives a call its place, or throws why there is none.
    private func admit(
        _ id: UInt64,
        _ key: CallKey?,
        _ timeout: Duration,
        _ interrupt: @escaping @Sendable (CallInterruption) -> Void
    ) throws(CallInterruption) {
        try self.state.withLock { state throws(CallInterruption) in
            if state.isDraining { throw .draining }
            if state.calls.count >= self.maximumCalls { throw .overloaded }
            if let key {
                guard state.ids[key] == nil else { throw .duplicateID }
                state.ids[key] = id
            }
            let deadline = ContinuousClock.now + timeout
            state.calls[id] = Call(task: nil, key: key, deadline: deadline, interrupt: interrupt)
            self.wake(at: deadline, &state)
        }
    }

    /// - Returns: Whether the call was not interrupted.
    @discardableResult
    private func end(_ id: UInt64) -> Bool {
        let (isWhole, drained) = self.state.withLock { state -> (Bool, [CheckedContinuation<Void, Never>]) in
            guard let call = state.calls.removeValue(forKey: id) else { return (false, []) }
            if let key = call.key, state.ids[key] == id {
                state.ids[key] = nil
            }
            let isWhole = call.isInterrupted == false
            guard state.calls.isEmpty, state.drained.isEmpty == false else { return (isWhole, []) }
            defer { state.drained = [] }
            return (isWhole, state.drained)
        }
        for continuation in drained {
            continuation.resume()
        }
        return isWhole
    }

    // MARK: Calls that run in the task of their caller

    /// Gives a call a place, and a deadline, that runs in the current task.
    ///
    /// - Parameters:
    ///   - key: The name under which the client may cancel it.
    ///   - timeout: How long it may take.
    ///   - interrupt: Called at most once, and only before ``leave(_:)``: answers for the call and cancels its task.
    /// - Returns: The call, which has to leave.
    /// - Throws: ``CallInterruption`` if there is no place.
    func enter(
        key: CallKey?,
        timeout: Duration,
        interrupt: @escaping @Sendable (CallInterruption) -> Void
    ) throws(CallInterruption) -> CallHandle {
        let id = self.makeID()
        try self.admit(id, key, timeout, interrupt)
        return CallHandle(registry: self, id: id)
    }

    /// Gives the place of a call free.
    ///
    /// - Returns: Whether the call was not interrupted; else somebody has answered for it.
    func leave(_ call: CallHandle) -> Bool {
        self.end(call.id)
    }

    /// Ends a call because its task is cancelled.
    func cancel(_ call: CallHandle) {
        self.interrupt(call.id, .cancelled)
    }

    /// Ends a call that the client no longer wants.
    ///
    /// - Returns: Whether it was running.
    @discardableResult
    func cancel(_ key: CallKey) -> Bool {
        guard let id = self.state.withLock({ $0.ids[key] }) else { return false }
        return self.interrupt(id, .cancelled)
    }

    /// Ends all calls of a session that is over.
    func cancelAll(in scope: String) {
        let ids = self.state.withLock { state in state.ids.filter { $0.key.scope == scope }.map(\.value) }
        for id in ids {
            self.interrupt(id, .cancelled)
        }
    }

    @discardableResult
    private func interrupt(_ id: UInt64, _ reason: CallInterruption) -> Bool {
        let call: Call? = self.state.withLock { state in
            guard let call = state.calls[id], call.isInterrupted == false else { return nil }
            state.calls[id]?.isInterrupted = true
            // The id may be used again from now on: the client has, or will have, its answer.
            if let key = call.key { state.ids[key] = nil }
            return call
        }
        guard let call else { return false }
        call.interrupt(reason)
        call.task?.cancel()
        return true
    }

    /// Begins no more calls, waits for those that run, and ends those that take longer.
    func drain(within limit: Duration) async {
        self.state.withLock { $0.isDraining = true }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.waitUntilEmpty() }
            group.addTask {
                try? await Task.sleep(for: limit)
                let running = self.state.withLock { Array($0.calls.keys) }
                for id in running {
                    self.interrupt(id, .shutdown)
                }
                // Whoever waits is let go, even if a tool does not heed its cancellation.
                let waiting = self.state.withLock { state in
                    defer { state.drained = [] }
                    return state.drained
                }
                for continuation in waiting {
                    continuation.resume()
                }
            }
            await group.next()
            group.cancelAll()
        }
    }

    private func waitUntilEmpty() async {
        await withCheckedContinuation { continuation in
            let isEmpty = self.state.withLock { state in
                if state.calls.isEmpty == false { state.drained.append(continuation) }
                return state.calls.isEmpty
            }
            if isEmpty { continuation.resume() }
        }
    }

    // MARK: Deadlines

    /// Moves the deadline of a call.
    ///
    /// - Returns: What it was.
    fileprivate func setDeadline(of id: UInt64, to deadline: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        self.state.withLock { state in
            guard let old = state.calls[id]?.deadline else { return nil }
            state.calls[id]?.deadline = deadline
            self.wake(at: deadline, &state)
            return old
        }
    }

    /// Sees to it that deadlines are looked at when one is reached.
    ///
    /// One task sleeps until the next deadline, and there is none while nothing runs. A later deadline is noticed when
    /// the sleeper wakes up and finds nothing due.
    private func wake(at deadline: ContinuousClock.Instant, _ state: inout State) {
        if let wakeTime = state.wakeTime, wakeTime <= deadline + Self.tick { return }
        state.sleeper?.cancel()
        let instant = deadline + Self.tick
        let task = Task { [weak self] in
            do {
                try await ContinuousClock().sleep(until: instant)
            } catch {
                return
            }
            self?.expire()
        }
        state.sleeper = task
        state.wakeTime = instant
    }

    private func expire() {
        let now = ContinuousClock.now
        let due: [UInt64] = self.state.withLock { state in
            state.sleeper = nil
            state.wakeTime = nil
            let waiting = state.calls.filter { $0.value.isInterrupted == false }
            if let next = waiting.values.map(\.deadline).filter({ $0 > now }).min() {
                self.wake(at: next, &state)
            }
            return waiting.filter { $0.value.deadline <= now }.map(\.key)
        }
        for id in due {
            self.interrupt(id, .deadline)
        }
    }
}

/// A running call, for what it may do about its own deadline.
struct CallHandle: Sendable {
    fileprivate let registry: CallRegistry
    fileprivate let id: UInt64

    /// Runs something whose time does not count against the call's deadline, but has a limit of its own.
    func pausingDeadline<T: Sendable>(for limit: Duration, _ operation: () async throws -> T) async throws -> T {
        let start = ContinuousClock.now
        guard let old = self.registry.setDeadline(of: self.id, to: start + limit) else { throw CancellationError() }
        defer { _ = self.registry.setDeadline(of: self.id, to: max(old, start) + (ContinuousClock.now - start)) }
        return try await operation()
    }
}

/// Resumes a continuation with the first outcome, and drops those that come after.
private final class FirstOutcome<T: Sendable>: Sendable {
    private let continuation: Mutex<UnsafeContinuation<T, any Error>?>

    init(_ continuation: UnsafeContinuation<T, any Error>) {
        self.continuation = Mutex(continuation)
    }

    func resume(_ result: sending Result<T, any Error>) {
        let continuation = self.continuation.withLock { held in
            defer { held = nil }
            return held
        }
        continuation?.resume(with: result)
    }
}
