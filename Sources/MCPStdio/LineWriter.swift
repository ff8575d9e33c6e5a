import Foundation
import JSON
import MCP
import MCPServer
import Synchronization

/// Writes messages, each on a line of its own, on a thread of its own, so that a client that does not read holds up
/// nobody else.
///
/// What waits is bounded: responses by the number of requests that run, notifications by ``maximumWaitingBytes``, beyond
/// which they are dropped.
final class LineWriter: MessageSink {
    static let maximumWaitingBytes = 1 << 20

    private struct State {
        var waiting: [UInt8] = []
        var isFinished = false
        var isBroken = false
        var whenDone: CheckedContinuation<Void, Never>?
        var isDone = false
    }

    private let state = Mutex(State())
    private let changed = DispatchSemaphore(value: 0)

    init(descriptor: Int32) {
        // A client that went away shows as an error of write, and does not end the process.
        signal(SIGPIPE, SIG_IGN)
        let thread = Thread { [self] in self.run(descriptor) }
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
        let isQueued = self.state.withLock { state in
            guard state.isBroken == false, state.waiting.count < limit else { return false }
            message.write(to: &state.waiting)
            state.waiting.append(0x0a)
            return true
        }
        if isQueued { self.changed.signal() }
        return isQueued
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

    private func run(_ descriptor: Int32) {
        while true {
            self.changed.wait()
            let (bytes, isLast) = self.state.withLock { state in
                let bytes = state.waiting
                state.waiting = []
                return (bytes, state.isFinished)
            }
            let isWritten = Self.write(bytes, to: descriptor)
            if isWritten == false {
                self.state.withLock { $0.isBroken = true }
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
