import Synchronization

/// Reminds all open streams, from one timer, to show their clients that they are alive.
///
/// The timer runs while there are streams. Each stream is reminded for the first time after one to two intervals.
final class KeepAlive: Sendable {
    private struct State {
        var mailboxes: [UInt64: (mailbox: Mailbox, isNew: Bool)] = [:]
        var lastID: UInt64 = 0
        var timer: Task<Void, Never>?
    }

    private let state = Mutex(State())
    private let interval: Duration

    init(interval: Duration) {
        self.interval = interval
    }

    deinit {
        self.state.withLock { $0.timer?.cancel() }
    }

    /// Reminds a stream from now on.
    ///
    /// - Returns: What to stop it with.
    func add(_ mailbox: Mailbox) -> UInt64 {
        self.state.withLock { state in
            state.lastID += 1
            state.mailboxes[state.lastID] = (mailbox, true)
            if state.timer == nil {
                state.timer = Task { [weak self, interval] in
                    while true {
                        do {
                            try await Task.sleep(for: interval)
                        } catch {
                            return
                        }
                        guard let self, self.remind() else { return }
                    }
                }
            }
            return state.lastID
        }
    }

    func remove(_ id: UInt64) {
        self.state.withLock { $0.mailboxes[id] = nil }
    }

    /// - Returns: Whether there are streams left.
    private func remind() -> Bool {
        let due = self.state.withLock { state -> [Mailbox]? in
            if state.mailboxes.isEmpty {
                state.timer = nil
                return nil
            }
            var due: [Mailbox] = []
            for (id, entry) in state.mailboxes {
                if entry.isNew { state.mailboxes[id]?.isNew = false } else { due.append(entry.mailbox) }
            }
            return due
        }
        for mailbox in due ?? [] { mailbox.keepAlive() }
        return due != nil
    }
}
