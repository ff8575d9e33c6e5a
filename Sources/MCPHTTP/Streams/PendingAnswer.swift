import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// The answer to a request that is worked on in one task, on its way to whoever waits for it.
///
/// The task need not live until the answer is given, nor end with it: a call that hangs is answered at its deadline.
final class PendingAnswer: Sendable {
    /// What the client gets.
    enum Content: Sendable {
        /// JSON.
        case whole(HTTPResponse.Status, ByteBuffer)
        /// An event stream, or whatever else writes its body itself.
        case response(Response)

        /// The same for the web framework.
        var response: Response {
            switch self {
            case .whole(let status, let json): .json(json, status: status)
            case .response(let response): response
            }
        }
    }

    private struct State {
        var isGiven = false
        var isCancelled = false
        var task: Task<Void, Never>?
    }

    private let state = Mutex(State())
    private let take: @Sendable (Content) -> Void

    /// - Parameter take: Takes the answer; called once, on any thread.
    init(_ take: @escaping @Sendable (Content) -> Void) {
        self.take = take
    }

    /// Gives the answer.
    ///
    /// The first one counts.
    func give(_ content: Content) {
        let isFirst = self.state.withLock { state in
            defer { state.isGiven = true }
            return state.isGiven == false
        }
        if isFirst { self.take(content) }
    }

    /// Names the task that works on the answer.
    func attach(_ task: Task<Void, Never>) {
        let isCancelled = self.state.withLock { state in
            state.task = task
            return state.isCancelled
        }
        if isCancelled { task.cancel() }
    }

    /// Cancels the task that works on the answer.
    func cancel() {
        let task = self.state.withLock { state in
            state.isCancelled = true
            return state.task
        }
        task?.cancel()
    }
}
