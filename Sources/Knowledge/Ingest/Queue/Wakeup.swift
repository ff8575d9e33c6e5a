public import Foundation
import Synchronization

/// Something that tasks wait for to happen again, or until a time.
public final class Wakeup: Sendable {
    private struct State {
        var generation: UInt64 = 0
        var nextID: UInt64 = 0
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    /// Creates something that hasn't happened.
    public init() {}

    /// How often it has happened.
    public var generation: UInt64 { self.state.withLock { $0.generation } }

    /// Lets all go on that wait.
    public func signal() {
        let waiters = self.state.withLock { state in
            state.generation += 1
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits until it has happened more often than that, until a time, or until the task is cancelled.
    public func wait(since generation: UInt64, until time: Date?) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait(since: generation) }
            if let time {
                group.addTask { try? await Task.sleep(for: .seconds(max(0, time.timeIntervalSinceNow))) }
            }
            await group.next()
            group.cancelAll()
        }
    }

    private func wait(since generation: UInt64) async {
        let id = self.state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = self.state.withLock { state in
                    if state.generation > generation || Task.isCancelled { return true }
                    state.waiters[id] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            self.state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
        }
    }
}
