import SharedState
import Synchronization

/// Keeps streams from expiring although nothing happens in them.
///
/// One timer serves all of them, and runs while there are any.
final class StreamKeeper: Sendable {
    private struct State {
        var keys: Set<String> = []
        var timer: Task<Void, Never>?
    }

    private let state = Mutex(State())
    private let log: any EventLog
    private let lifetime: Duration

    init(log: any EventLog, lifetime: Duration) {
        self.log = log
        self.lifetime = lifetime
    }

    deinit {
        self.state.withLock { $0.timer?.cancel() }
    }

    /// Keeps a stream from now on.
    func keep(_ key: String) {
        self.state.withLock { state in
            state.keys.insert(key)
            guard state.timer == nil else { return }
            state.timer = Task { [weak self, lifetime] in
                while true {
                    do {
                        try await Task.sleep(for: lifetime / 3)
                    } catch {
                        return
                    }
                    guard let self, await self.extendAll() else { return }
                }
            }
        }
    }

    /// Lets a stream expire.
    func release(_ key: String) {
        self.state.withLock { _ = $0.keys.remove(key) }
    }

    /// - Returns: Whether there are streams left.
    private func extendAll() async -> Bool {
        let keys = self.state.withLock { state in
            if state.keys.isEmpty { state.timer = nil }
            return state.keys
        }
        // A log that fails is tried again the next time.
        for key in keys { try? await self.log.extend(key, lifetime: self.lifetime) }
        return keys.isEmpty == false
    }
}
