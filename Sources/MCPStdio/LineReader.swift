import Foundation
import Synchronization

/// Reads lines on a thread of its own, so that waiting for input holds up nobody else.
///
/// The thread sleeps in `poll` until there is input or the reader is stopped. It reads no further while as many lines as
/// allowed are being worked on, so that a client can't fill the memory.
package final class LineReader: Sendable {
    /// What was read.
    package enum Line: Sendable, Equatable {
        case bytes([UInt8])
        /// The line was longer than allowed; it was read to its end and thrown away.
        case tooLong
    }

    let lines: AsyncStream<Line>
    private let continuation: AsyncStream<Line>.Continuation
    private let slots: DispatchSemaphore
    private let isStopped = Atomic(false)
    /// Written to in order to wake the thread.
    private let wake: (read: Int32, write: Int32)

    /// - Throws: ``StdioError`` if the system has no more descriptors.
    init(descriptor: Int32, maximumBytes: Int, maximumWaiting: Int) throws(StdioError) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else {
            throw StdioError(message: "No pipe can be opened: \(String(cString: strerror(errno))).")
        }
        self.wake = (ends[0], ends[1])
        self.slots = DispatchSemaphore(value: maximumWaiting)
        (self.lines, self.continuation) = AsyncStream.makeStream()
        let thread = Thread { [self] in
            self.read(descriptor, maximumBytes)
            self.continuation.finish()
        }
        thread.name = "mcp-stdio-reader"
        thread.start()
    }

    deinit {
        close(self.wake.read)
        close(self.wake.write)
    }

    /// Says that a line has been worked on.
    func didFinishLine() {
        self.slots.signal()
    }

    /// Ends the stream of lines.
    func stop() {
        self.isStopped.store(true, ordering: .releasing)
        var byte: UInt8 = 0
        _ = write(self.wake.write, &byte, 1)
        self.slots.signal()
    }

    private func read(_ descriptor: Int32, _ maximumBytes: Int) {
        var splitter = LineSplitter(maximumBytes: maximumBytes)
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while self.waitForInput(descriptor) {
            let count = buffer.withUnsafeMutableBytes { Foundation.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0 else { break }
            let lines = buffer.withUnsafeBytes { splitter.lines(in: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            guard lines.allSatisfy(self.deliver) else { return }
        }
        if let last = splitter.rest() {
            _ = self.deliver(last)
        }
    }

    /// - Returns: Whether the reader goes on.
    private func deliver(_ line: Line) -> Bool {
        self.slots.wait()
        guard self.isStopped.load(ordering: .acquiring) == false else { return false }
        self.continuation.yield(line)
        return true
    }

    /// - Returns: Whether there is input, or its end; not if the reader was stopped.
    private func waitForInput(_ descriptor: Int32) -> Bool {
        var watched = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: self.wake.read, events: Int16(POLLIN), revents: 0),
        ]
        while poll(&watched, 2, -1) < 0 {
            guard errno == EINTR else { return false }
        }
        return self.isStopped.load(ordering: .acquiring) == false
    }
}

/// Cuts bytes into lines, whatever the pieces in which they arrive.
///
/// Every byte is looked at once.
package struct LineSplitter {
    private let maximumBytes: Int
    private var partial: [UInt8] = []
    private var isSkipping = false

    package init(maximumBytes: Int) {
        self.maximumBytes = maximumBytes
    }

    /// The lines that end in a piece.
    ///
    /// Empty lines are left out.
    package mutating func lines(in piece: UnsafeRawBufferPointer) -> [LineReader.Line] {
        var lines: [LineReader.Line] = []
        var rest = piece[...]
        while let base = rest.baseAddressIfNotEmpty, let newline = memchr(base, 0x0a, rest.count) {
            let length = UnsafeRawPointer(newline) - base
            self.append(rest.prefix(length))
            if let line = self.rest() {
                lines.append(line)
            }
            rest = rest.dropFirst(length + 1)
        }
        self.append(rest)
        return lines
    }

    /// What has come since the last line, and begins anew.
    package mutating func rest() -> LineReader.Line? {
        defer {
            self.partial = []
            self.isSkipping = false
        }
        if self.isSkipping { return .tooLong }
        if self.partial.last == 0x0d {
            self.partial.removeLast()
        }
        return self.partial.isEmpty ? nil : .bytes(self.partial)
    }

    private mutating func append(_ bytes: Slice<UnsafeRawBufferPointer>) {
        guard self.isSkipping == false else { return }
        guard self.partial.count + bytes.count <= self.maximumBytes else {
            self.partial = []
            self.isSkipping = true
            return
        }
        self.partial.append(contentsOf: bytes)
    }
}

extension Slice<UnsafeRawBufferPointer> {
    fileprivate var baseAddressIfNotEmpty: UnsafeRawPointer? {
        self.isEmpty ? nil : UnsafeRawBufferPointer(rebasing: self).baseAddress
    }
}
