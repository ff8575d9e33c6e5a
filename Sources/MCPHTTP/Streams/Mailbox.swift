import JSON
import MCP
import MCPServer
import Synchronization

/// The messages of one stream on their way to a client that may read slowly.
///
/// What waits is bounded. Progress and log messages that find no room are dropped, which the specification allows. Of
/// notifications that say the same, one waits. When there is no room for what must not be lost, the mailbox closes:
/// the client notices that the stream has ended, and begins anew.
final class Mailbox: MessageSink {
    /// What a reader finds.
    enum Item: Sendable {
        case message(JSONValue)
        /// The stream is silent; a comment shows that it is alive.
        case keepAlive
        /// The connection is to be closed for now.
        case pause(retryAfter: Duration)
    }

    static let maximumWaiting = 256

    private struct Waiting {
        var item: Item
        var key: String?
    }

    private struct State {
        var items: [Waiting] = []
        var isFinished = false
        var isAnswered = false
        var response: JSONRPCResponse?
        var reader: CheckedContinuation<Void, Never>?
        /// Called once there is something to read, instead of a reader.
        var onFirst: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    // MARK: Sending

    func send(_ notification: JSONRPCNotification) {
        self.add(Waiting(item: .message(notification.json))) { _ in false }
    }

    func send(_ notification: JSONRPCNotification, replacing key: String) {
        self.add(Waiting(item: .message(notification.json), key: key)) { state in
            if state.items.contains(where: { $0.key == key }) { return false }
            // Dropping it would hide a change, so the stream ends instead.
            state.isFinished = true
            return false
        }
    }

    func send(_ request: JSONRPCRequest) -> Bool {
        // As many as there are calls that ask; the bound is for tools that ask without end.
        self.add(Waiting(item: .message(request.json))) { $0.items.count < Self.maximumWaiting * 4 }
    }

    /// Sends the answer to a request; as many can wait as there are requests.
    func answer(_ answer: JSONValue) {
        self.add(Waiting(item: .message(answer))) { _ in true }
    }

    func pause(retryAfter: Duration) {
        self.add(Waiting(item: .pause(retryAfter: retryAfter))) { _ in true }
    }

    /// Shows the client that the stream is alive, unless something waits for it anyway.
    func keepAlive() {
        self.add(Waiting(item: .keepAlive, key: "keep-alive")) { _ in false }
    }

    /// - Parameters:
    ///   - waiting: What is added.
    ///   - isAddedAnyway: Whether it is, when there is no room.
    /// - Returns: Whether it was.
    @discardableResult
    private func add(_ waiting: Waiting, whenFull isAddedAnyway: (inout State) -> Bool) -> Bool {
        let (wake, isAdded) = self.state.withLock { state -> (Wake, Bool) in
            guard state.isFinished == false else { return (Wake(), false) }
            if let key = waiting.key, state.items.contains(where: { $0.key == key }) { return (Wake(), true) }
            let isAdded = state.items.count < Self.maximumWaiting || isAddedAnyway(&state)
            if isAdded { state.items.append(waiting) }
            return (Self.takeWake(&state), isAdded)
        }
        wake.up()
        return isAdded
    }

    /// Whether the request is answered and nothing was sent before.
    var isOnlyAnswered: Bool {
        self.state.withLock { $0.isFinished && $0.items.isEmpty }
    }

    /// Calls a function as soon as there is something to read; who reads then reads with ``next()``.
    ///
    /// It is called once, by whoever sends.
    func onFirst(_ function: @escaping @Sendable () -> Void) {
        self.state.withLock { $0.onFirst = function }
    }

    /// What the request was answered with, once the mailbox is finished.
    var response: JSONRPCResponse? {
        self.state.withLock { $0.response }
    }

    /// Nothing more will come but the answer.
    ///
    /// The first answer counts.
    func finish(with response: JSONRPCResponse? = nil) {
        let wake = self.state.withLock { state -> Wake in
            guard state.isAnswered == false else { return Wake() }
            state.isFinished = true
            state.isAnswered = true
            state.response = response
            return Self.takeWake(&state)
        }
        wake.up()
    }

    /// Whoever is to be told, outside of the lock.
    private struct Wake {
        var reader: CheckedContinuation<Void, Never>?
        var onFirst: (@Sendable () -> Void)?

        func up() {
            self.reader?.resume()
            self.onFirst?()
        }
    }

    private static func takeWake(_ state: inout State) -> Wake {
        defer { state.onFirst = nil }
        return Wake(reader: self.takeReader(&state), onFirst: state.onFirst)
    }

    private static func takeReader(_ state: inout State) -> CheckedContinuation<Void, Never>? {
        defer { state.reader = nil }
        return state.reader
    }

    // MARK: Reading

    /// All that waits, as soon as there is something.
    ///
    /// One reader reads.
    ///
    /// - Returns: Nothing once the mailbox is finished and empty, or the reader is cancelled.
    func next() async -> [Item]? {
        while true {
            let (items, isFinished) = self.state.withLock { state in
                defer { state.items = [] }
                return (state.items.map(\.item), state.isFinished)
            }
            if items.isEmpty == false { return items }
            if isFinished || Task.isCancelled { return nil }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let isReady = self.state.withLock { state in
                        guard state.items.isEmpty, state.isFinished == false, Task.isCancelled == false else {
                            return true
                        }
                        state.reader = continuation
                        return false
                    }
                    if isReady { continuation.resume() }
                }
            } onCancel: {
                self.state.withLock { Self.takeReader(&$0) }?.resume()
            }
        }
    }
}
