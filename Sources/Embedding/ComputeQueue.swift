import Dispatch
import Synchronization

/// Runs long computations on threads of its own, so that they don't keep Swift's cooperative threads from other work.
///
/// A fixed number of them run at once; the others wait for their turn, first come first served. Every caller waits for
/// one computation at a time, so the queue is as long as there are callers.
final class ComputeQueue: Sendable {
    private struct State {
        var running = 0
        var nextTicket = 0
        var waiting: [(ticket: Int, continuation: CheckedContinuation<Void, any Error>)] = []
    }

    private let width: Int
    private let state = Mutex(State())
    private let threads = DispatchQueue(label: "gantry.embedding", attributes: .concurrent)

    /// - Parameter width: How many computations run at once.
    init(width: Int) { self.width = width }

    /// Runs a computation when its turn comes.
    ///
    /// - Throws: `CancellationError` if the task is cancelled while it waits. A computation that has begun is finished.
    func run<Result: Sendable>(_ computation: @escaping @Sendable () -> Result) async throws -> Result {
        try await self.enter()
        defer { self.leave() }
        return await withCheckedContinuation { continuation in
            self.threads.async { continuation.resume(returning: computation()) }
        }
    }

    private func enter() async throws {
        let ticket = self.state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let answer: Swift.Result<Void, any Error>? = self.state.withLock { state in
                    // Looked at under the lock: a cancellation after it finds the ticket in the queue.
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.running < self.width {
                        state.running += 1
                        return .success(())
                    }
                    state.waiting.append((ticket, continuation))
                    return nil
                }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            let waiting = self.state.withLock { state in
                state.waiting.firstIndex { $0.ticket == ticket }.map { state.waiting.remove(at: $0).continuation }
            }
            waiting?.resume(throwing: CancellationError())
        }
    }

    private func leave() {
        // The next one takes over the place of the one that leaves.
        let next = self.state.withLock { state in
            if state.waiting.isEmpty {
                state.running -= 1
                return nil
            }
            return state.waiting.removeFirst().continuation as CheckedContinuation<Void, any Error>?
        }
        next?.resume()
    }
}
