import Synchronization

/// Looks at a dependency for all who ask at the same time, and lets none of them wait longer than they want.
///
/// What hangs is looked at once, however many ask.
final class Probe<Value: Sendable>: Sendable {
    private struct State {
        var task: Task<Void, Never>?
        var waiting: [UInt64: AsyncStream<Value>.Continuation] = [:]
        var lastID: UInt64 = 0
    }

    private let state = Mutex(State())
    private let look: @Sendable () async -> Value

    /// - Parameter look: Looks at the dependency; it has to end by itself.
    init(_ look: @escaping @Sendable () async -> Value) {
        self.look = look
    }

    deinit {
        self.state.withLock { $0.task?.cancel() }
    }

    /// What is seen, or nothing if it takes longer than the limit.
    func value(within limit: Duration) async -> Value? {
        let (stream, continuation) = AsyncStream<Value>.makeStream()
        let id = self.state.withLock { state in
            state.lastID += 1
            state.waiting[state.lastID] = continuation
            if state.task == nil {
                state.task = Task { [weak self, look] in
                    let value = await look()
                    self?.finish(value)
                }
            }
            return state.lastID
        }
        defer { self.state.withLock { _ = $0.waiting.removeValue(forKey: id) } }
        return await withTaskGroup(of: Value?.self) { group in
            group.addTask { await stream.first { _ in true } }
            group.addTask {
                try? await Task.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }

    private func finish(_ value: Value) {
        let waiting = self.state.withLock { state in
            state.task = nil
            return state.waiting.values.map { $0 }
        }
        for continuation in waiting {
            continuation.yield(value)
            continuation.finish()
        }
    }
}
