import Foundation
import JSON
import MCP
import MCPServer
import Synchronization

/// Writes messages, each on a line of its own, so that a client that does not read holds up nobody else.
///
/// A short message that the system takes at once is written by whoever sends it, which saves the change of threads; all
/// else is written by a thread of its own, which may wait. What waits is bounded: responses by the number of requests that
/// run, notifications by ``maximumWaitingBytes``, beyond which they are dropped.
final class LineWriter: MessageSink {
    static let maximumWaitingBytes = 1 << 20

    private struct State {
        var waiting: [UInt8] = []
        /// Whether the thread is writing what it took.
        var isWriting = false
        var isFinished = false
        var isBroken = false
        var whenDone: CheckedContinuation<Void, Never>?
        var isDone = false
    }

    private let state = Mutex(State())
    private let changed = DispatchSemaphore(value: 0)
    private let descriptor: Int32

    init(descriptor: Int32) {
        self.descriptor = descriptor
        // A client that went away shows as an error of write, and does not end the process.
        signal(SIGPIPE, SIG_IGN)
        let thread = Thread { [self] in self.run() }
        thread.name = "mcp-stdio-writer"
        thread.start()
    }

    /// Queues a message.
    func write(_ message: JSONValue) {
        self.enqueue(message, limit: .max)
    }

    func send(_ notification: JSONRPCNotification) {
        self.enqueue(notification.json, limit: Self.maximumWaitingBytes)
    }

    func send(_ request: JSONRPCRequest) -> Bool {
        self.enqueue(request.json, limit: .max)
    }

    @discardableResult
    private func enqueue(_ message: JSONValue, limit: Int) -> Bool {
        let (isTaken, isForThread) = self.state.withLock { state in
            // After the end the descriptor may belong to somebody else.
            guard state.isBroken == false, state.isFinished == false, state.waiting.count < limit else {
                return (false, false)
            }
            let isFirst = state.waiting.isEmpty && state.isWriting == false
            message.write(to: &state.waiting)
            state.waiting.append(0x0a)
            if isFirst { self.writeAtOnce(&state.waiting) }
            return (true, state.waiting.isEmpty == false)
        }
        if isForThread { self.changed.signal() }
        return isTaken
    }

    /// Writes what is so short that it can't block, if there is room for it.
    ///
    /// Where `poll` finds room in a pipe, `PIPE_BUF` bytes fit (POSIX, write). Errors are left to the thread.
    private func writeAtOnce(_ bytes: inout [UInt8]) {
        var output = pollfd(fd: self.descriptor, events: Int16(POLLOUT), revents: 0)
        guard bytes.count <= Int(PIPE_BUF), poll(&output, 1, 0) == 1, output.revents == Int16(POLLOUT) else { return }
        let count = bytes.withUnsafeBytes { Foundation.write(self.descriptor, $0.baseAddress, $0.count) }
        if count > 0 { bytes.removeFirst(count) }
    }

    /// Waits until everything is written, or can't be.
    func finish() async {
        self.state.withLock { $0.isFinished = true }
        self.changed.signal()
        await withCheckedContinuation { continuation in
            let isDone = self.state.withLock { state in
                if state.isDone == false { state.whenDone = continuation }
                return state.isDone
            }
            if isDone { continuation.resume() }
        }
    }

    private func run() {
        while true {
            self.changed.wait()
            let (bytes, isLast) = self.state.withLock { state in
                let bytes = state.waiting
                state.waiting = []
                state.isWriting = true
                return (bytes, state.isFinished)
            }
            let isWritten = Self.write(bytes, to: self.descriptor)
            self.state.withLock { state in
                state.isWriting = false
                if isWritten == false { state.isBroken = true }
            }
            if isLast || isWritten == false { break }
        }
        let whenDone = self.state.withLock { state in
            state.isDone = true
            return state.whenDone
        }
        whenDone?.resume()
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while rest.isEmpty == false {
                let count = Foundation.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0 {
                    guard errno == EINTR else { return false }
                    continue
                }
                rest = rest.dropFirst(count)
            }
            return true
        }
    }
}
