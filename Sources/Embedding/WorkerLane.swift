import Foundation
import Synchronization

/// Threads that do long computations, one after the other in the order in which they are asked for, so that nothing
/// waits in Swift's cooperative pool.
///
/// The threads end with the object.
final class WorkerLane: Sendable {
    /// What waits, and whether more may come.
    ///
    /// Threads hold this, not the lane, so that the lane can end.
    private final class Queue: Sendable {
        private struct State {
            var waiting: [@Sendable () -> Void] = []
            var next = 0
            var isClosed = false
        }

        private let state = Mutex(State())
        /// Counts what waits; a closed queue lets everybody through.
        private let changed = DispatchSemaphore(value: 0)
        private let limit: Int

        init(limit: Int) { self.limit = limit }

        /// Returns whether there was room.
        func append(_ work: @escaping @Sendable () -> Void) -> Bool {
            let hasRoom = self.state.withLock { state in
                guard state.waiting.count - state.next < self.limit else { return false }
                state.waiting.append(work)
                return true
            }
            if hasRoom { self.changed.signal() }
            return hasRoom
        }

        /// Waits for work; there is none any more when the queue is closed and empty.
        func first() -> (@Sendable () -> Void)? {
            while true {
                self.changed.wait()
                let (work, isClosed) = self.state.withLock { state -> ((@Sendable () -> Void)?, Bool) in
                    guard state.next < state.waiting.count else { return (nil, state.isClosed) }
                    let work = state.waiting[state.next]
                    state.next += 1
                    // What is done goes when it is the greater part, so that each costs little and memory is bounded.
                    if 2 * state.next >= state.waiting.count {
                        state.waiting.removeFirst(state.next)
                        state.next = 0
                    }
                    return (work, state.isClosed)
                }
                if isClosed { self.changed.signal() }
                if work != nil || isClosed { return work }
            }
        }

        func close() {
            self.state.withLock { $0.isClosed = true }
            self.changed.signal()
        }
    }

    let threadCount: Int
    private let queue: Queue

    /// Starts the threads.
    ///
    /// - Parameters:
    ///   - name: What the threads are called.
    ///   - threads: How many computations run at a time.
    ///   - niceness: How far the threads step back behind others of this process, from 0 to 19.
    ///   - limit: How many computations may wait.
    init(name: String, threads: Int, niceness: Int32, limit: Int) {
        self.threadCount = threads
        self.queue = Queue(limit: limit)
        for _ in 0..<threads {
            let thread = Thread { [queue] in
                // On Linux this is for the calling thread alone. Without the right to it nothing is lost but order.
                if niceness > 0 { _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, niceness) }
                while let work = queue.first() { work() }
            }
            thread.name = name
            thread.stackSize = 512 << 10
            thread.start()
        }
    }

    deinit { self.queue.close() }

    /// Runs a computation on one of the threads.
    ///
    /// - Throws: ``EmbeddingError/Code/overloaded`` if too many wait; `CancellationError` if the task is cancelled before
    ///   the computation has begun.
    func run<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async throws -> Result {
        let isCancelled = Atomic(false)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let accepted = self.queue.append {
                    guard !isCancelled.load(ordering: .relaxed) else {
                        continuation.resume(throwing: CancellationError())
                        return
                    }
                    continuation.resume(returning: work())
                }
                guard !accepted else { return }
                continuation.resume(
                    throwing: EmbeddingError(.overloaded, "Too many texts wait to be embedded; try again later.")
                )
            }
        } onCancel: {
            isCancelled.store(true, ordering: .relaxed)
        }
    }
}
