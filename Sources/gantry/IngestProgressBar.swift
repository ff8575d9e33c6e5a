import Foundation
import Knowledge
import Synchronization

/// Shows how far an ingestion is: a bar that is drawn over on a terminal, a line per document elsewhere.
final class IngestProgressBar: Sendable {
    /// The time between two drawings: a terminal is slower than an ingestion of small files.
    private static let interval = Duration.milliseconds(80)
    private static let width = 30

    private let isTerminal: Bool
    private let lastDrawn = Mutex<ContinuousClock.Instant?>(nil)

    init(isTerminal: Bool) {
        self.isTerminal = isTerminal
    }

    func show(_ progress: IngestProgress) {
        self.show(
            done: progress.done,
            total: progress.total,
            line: "\(progress.result.outcome.name) \(progress.result.source)"
        )
    }

    /// - Parameters:
    ///   - done: How much is done.
    ///   - total: How much there is.
    ///   - line: What to write where there is no terminal.
    func show(done: Int, total: Int, line: String) {
        guard self.isTerminal else {
            Self.write("[\(done)/\(total)] \(line)\n")
            return
        }
        let isDue = self.lastDrawn.withLock { last in
            let now = ContinuousClock.now
            if let last, now - last < Self.interval, done < total { return false }
            last = now
            return true
        }
        if isDue { Self.write("\r\u{1B}[K" + Self.bar(done: done, total: total)) }
    }

    /// Ends the line of the bar.
    func finish() {
        if self.lastDrawn.withLock({ $0 != nil }) { Self.write("\n") }
    }

    static func bar(done: Int, total: Int) -> String {
        let filled = total > 0 ? min(Self.width, Self.width * done / total) : Self.width
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: Self.width - filled)
        return "\(bar) \(done)/\(total)"
    }

    private static func write(_ text: String) {
        FileHandle.standardError.write(Data(text.utf8))
    }
}
