import Synchronization

/// A number of places for work that may run at the same time; who comes later waits, in order.
public final class Slots: Sendable {
    private struct State {
        var free: Int
        var nextID: UInt64 = 0
        /// In the order in which they came.
        var waiters: [(id: UInt64, continuation: CheckedContinuation<Void, any Error>)] = []
    }

    private let state: Mutex<State>

    /// Creates a number of places, at least one.
    public init(_ count: Int) { self.state = Mutex(State(free: max(1, count))) }

    /// Does something once there is a place for it.
    ///
    /// - Throws: `CancellationError` if the task is cancelled while it waits, or what the body throws.
    public func withSlot<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        try await self.acquire()
        defer { self.release() }
        return try await body()
    }

    private func acquire() async throws {
        let id = self.state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let mayGo: Result<Void, any Error>? = self.state.withLock { state in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.free > 0 {
                        state.free -= 1
                        return .success(())
                    }
                    state.waiters.append((id, continuation))
                    return nil
                }
                if let mayGo { continuation.resume(with: mayGo) }
            }
        } onCancel: {
            let waiter = self.state.withLock { state -> CheckedContinuation<Void, any Error>? in
                guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return nil }
                return state.waiters.remove(at: index).continuation
            }
            waiter?.resume(throwing: CancellationError())
        }
    }

    private func release() {
        let next = self.state.withLock { state -> CheckedContinuation<Void, any Error>? in
            guard !state.waiters.isEmpty else {
                state.free += 1
                return nil
            }
            return state.waiters.removeFirst().continuation
        }
        next?.resume()
    }
}
