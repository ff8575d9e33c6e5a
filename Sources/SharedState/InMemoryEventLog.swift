import Synchronization

/// A log for one process: bounded in the events and bytes of a stream, and in the bytes of all streams.
public final class InMemoryEventLog: EventLog {
    /// How much is kept.
    public struct Limits: Sendable {
        /// The most events of one stream.
        public var eventsPerStream = 1024
        /// The most bytes of one stream; its newest event is kept whatever its size.
        public var bytesPerStream = 4 << 20
        /// The most bytes of all streams; those that were written to longest ago go first.
        public var bytes = 64 << 20

        public init() {}
    }

    private struct Stream {
        var events: [(sequence: Int, event: [UInt8])] = []
        var bytes = 0
        var last = 0
        var isLast = false
        var expiry: ContinuousClock.Instant
        var waiting: [UInt64: CheckedContinuation<Void, Never>] = [:]
    }

    private struct State {
        var streams: [String: Stream] = [:]
        var bytes = 0
        var lastWaiter: UInt64 = 0
        var sweepAt = 64
    }

    private let state = Mutex(State())
    private let limits: Limits
    private let now: @Sendable () -> ContinuousClock.Instant

    /// - Parameters:
    ///   - limits: How much is kept.
    ///   - now: The time, for tests.
    public init(
        limits: Limits = Limits(),
        now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }
    ) {
        self.limits = limits
        self.now = now
    }

    /// How many streams are kept, and their bytes.
    public var size: (streams: Int, bytes: Int) {
        self.state.withLock { ($0.streams.count, $0.bytes) }
    }

    public func append(
        _ event: [UInt8],
        to stream: String,
        isLast: Bool,
        lifetime: Duration
    ) async throws(SharedStateError) -> Int {
        let now = self.now()
        let (sequence, waiting) = self.state.withLock { state in
            self.makeRoom(for: event.count, sparing: stream, now, &state)
            var entry = state.streams.removeValue(forKey: stream) ?? Stream(expiry: now)
            entry.last += 1
            entry.events.append((entry.last, event))
            entry.bytes += event.count
            entry.isLast = isLast
            entry.expiry = now + lifetime
            var dropped = 0
            while entry.events.count - dropped > 1,
                entry.events.count - dropped > self.limits.eventsPerStream || entry.bytes > self.limits.bytesPerStream
            {
                entry.bytes -= entry.events[dropped].event.count
                state.bytes -= entry.events[dropped].event.count
                dropped += 1
            }
            entry.events.removeFirst(dropped)
            state.bytes += event.count
            let waiting = entry.waiting.values
            entry.waiting = [:]
            state.streams[stream] = entry
            return (entry.last, Array(waiting))
        }
        for continuation in waiting {
            continuation.resume()
        }
        return sequence
    }

    public func extend(_ stream: String, lifetime: Duration) async throws(SharedStateError) {
        let expiry = self.now() + lifetime
        self.state.withLock { $0.streams[stream]?.expiry = expiry }
    }

    /// Drops what has expired, now and then, and the streams written to longest ago when there is no room.
    private func makeRoom(for bytes: Int, sparing: String, _ now: ContinuousClock.Instant, _ state: inout State) {
        let isCrowded = state.bytes + bytes > self.limits.bytes
        guard isCrowded || state.streams.count >= state.sweepAt else { return }
        for (name, stream) in state.streams where stream.expiry <= now && stream.waiting.isEmpty {
            Self.remove(name, &state)
        }
        state.sweepAt = max(64, state.streams.count * 2)
        guard state.bytes + bytes > self.limits.bytes else { return }
        for (name, stream) in state.streams.sorted(by: { $0.value.expiry < $1.value.expiry })
        where name != sparing && stream.waiting.isEmpty {
            Self.remove(name, &state)
            // Some more than needed, so that the next event does not search again.
            if state.bytes + bytes <= self.limits.bytes / 4 * 3 { return }
        }
    }

    private static func remove(_ name: String, _ state: inout State) {
        state.bytes -= state.streams.removeValue(forKey: name)?.bytes ?? 0
    }

    public func events(
        in stream: String,
        after sequence: Int,
        waitingFor wait: Duration
    ) async throws(SharedStateError) -> LoggedEvents? {
        if let found = self.read(stream, sequence), found.events.isEmpty == false || found.isLast || wait <= .zero {
            return found
        }
        guard self.state.withLock({ $0.streams[stream] != nil }) else { return nil }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.waitForEvent(in: stream, after: sequence) }
            group.addTask { try? await Task.sleep(for: wait) }
            await group.next()
            group.cancelAll()
        }
        return self.read(stream, sequence)
    }

    private func read(_ name: String, _ sequence: Int) -> LoggedEvents? {
        let now = self.now()
        return self.state.withLock { state in
            guard let stream = state.streams[name] else { return nil }
            if stream.expiry <= now, stream.waiting.isEmpty {
                Self.remove(name, &state)
                return nil
            }
            let events = stream.events.filter { $0.sequence > sequence }
            let first = events.first?.sequence ?? stream.last + 1
            return LoggedEvents(events: events, isLast: stream.isLast, hasGap: first > sequence + 1)
        }
    }

    private func waitForEvent(in stream: String, after sequence: Int) async {
        let id = self.state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDone = self.state.withLock { state in
                    guard let entry = state.streams[stream], entry.last <= sequence, Task.isCancelled == false else {
                        return true
                    }
                    state.streams[stream]?.waiting[id] = continuation
                    return false
                }
                if isDone { continuation.resume() }
            }
        } onCancel: {
            let continuation = self.state.withLock { $0.streams[stream]?.waiting.removeValue(forKey: id) }
            continuation?.resume()
        }
    }
}
