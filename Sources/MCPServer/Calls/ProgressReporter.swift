import MCP
import Synchronization

/// Sends progress notifications for one call, each ahead of the one before.
///
/// Specification: 2026-07-28, basic/patterns/progress.
final class ProgressReporter: Sendable {
    private let last = Mutex(-Double.infinity)
    private let token: ProgressToken
    private let codec: Codec
    private let sink: any MessageSink

    init(token: ProgressToken, codec: Codec, sink: any MessageSink) {
        self.token = token
        self.codec = codec
        self.sink = sink
    }

    func report(_ done: Double, total: Double?, message: String?) {
        // The lock is held while sending, so that two reports can't overtake each other.
        self.last.withLock { last in
            guard done > last else { return }
            last = done
            self.sink.send(self.codec.progress(done, total: total, message: message, token: self.token))
        }
    }

    /// Nothing is sent after the answer.
    func finish() {
        self.last.withLock { $0 = .infinity }
    }
}
