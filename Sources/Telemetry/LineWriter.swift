import Dispatch
import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Writes lines to a file descriptor without making the caller wait for it.
///
/// Lines are put into a buffer of limited size, which a thread outside the cooperative pool empties. A line is written
/// whole or not at all, and lines keep their order. When the reader of the descriptor stops reading (a full pipe, a
/// paused terminal), the buffer fills up; from then on new lines are dropped and counted, and once the reader goes on,
/// one line says how many are missing. The program itself is never slowed down. When the descriptor is closed or
/// broken, lines are discarded.
public final class LineWriter: Sendable {
    private struct State {
        var pending: [UInt8] = []
        var dropped = 0
        var isDraining = false
    }

    private let descriptor: Int32
    private let capacity: Int
    private let dropNotice: @Sendable (Int) -> [UInt8]
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "dev.gantry.log")

    /// Creates a writer.
    ///
    /// - Parameters:
    ///   - descriptor: The open file descriptor to write to. The writer doesn't close it.
    ///   - capacity: How many bytes may wait to be written.
    ///   - dropNotice: Makes the line, with its line end, that stands for the given number of dropped lines.
    public init(descriptor: Int32, capacity: Int = 1 << 20, dropNotice: @escaping @Sendable (Int) -> [UInt8]) {
        self.descriptor = descriptor
        self.capacity = capacity
        self.dropNotice = dropNotice
    }

    /// Adds a line, or drops it if there is no room.
    ///
    /// - Parameter line: The bytes of one line, with its line end.
    public func write(_ line: [UInt8]) {
        let mustStart = self.state.withLock { state in
            guard state.pending.count + line.count <= self.capacity else {
                state.dropped += 1
                return false
            }
            state.pending += line
            defer { state.isDraining = true }
            return !state.isDraining
        }
        if mustStart {
            self.queue.async { self.drain() }
        }
    }

    /// Waits until all lines that were added so far are written.
    ///
    /// This blocks its thread. It is for the end of the program and for tests.
    ///
    /// - Parameter seconds: How long to wait at most.
    /// - Returns: Whether everything was written in time.
    @discardableResult
    public func flush(timeout seconds: Double) -> Bool {
        let done = DispatchSemaphore(value: 0)
        self.queue.async { done.signal() }
        return done.wait(timeout: .now() + seconds) == .success
    }

    private func drain() {
        while let batch = self.nextBatch() {
            self.writeAll(batch)
        }
    }

    /// Takes everything that waits, and the notice of what was dropped after it.
    private func nextBatch() -> [UInt8]? {
        self.state.withLock { state in
            guard !state.pending.isEmpty || state.dropped > 0 else {
                state.isDraining = false
                return nil
            }
            var batch: [UInt8] = []
            swap(&batch, &state.pending)
            if state.dropped > 0 {
                batch += self.dropNotice(state.dropped)
                state.dropped = 0
            }
            return batch
        }
    }

    private func writeAll(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while let base = UnsafeRawBufferPointer(rebasing: rest).baseAddress, !rest.isEmpty {
                let written = systemWrite(self.descriptor, base, rest.count)
                if written >= 0 {
                    rest = rest.dropFirst(written)
                } else if errno == EAGAIN {
                    // Someone made the descriptor non-blocking (a terminal shared with another program): wait for room.
                    var request = pollfd(fd: self.descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = poll(&request, 1, -1)
                } else if errno != EINTR {
                    return
                }
            }
        }
    }
}

/// Gives `write(2)` a name that the methods of ``LineWriter`` don't hide.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
