import JSON
import MCP
import Synchronization

/// The client's side of one request: what it can be told and asked while the request is worked on.
final class Interaction: Sendable {
    let input: any InputSource
    let codec: Codec
    let sink: any MessageSink
    /// The least level of the log messages that the client wants; none if it wants none.
    let logLevel: LoggingLevel?
    /// Makes the call a task, where a tool decides that by itself.
    let taskStart: TaskStart?
    private let questions = Mutex(0)
    private let isOver = Atomic(false)

    init(
        input: any InputSource,
        codec: Codec,
        sink: any MessageSink,
        logLevel: LoggingLevel? = nil,
        taskStart: TaskStart? = nil
    ) {
        self.input = input
        self.codec = codec
        self.sink = sink
        self.logLevel = logLevel
        self.taskStart = taskStart
    }

    func nextKey() -> String {
        self.questions.withLock { count in
            count += 1
            return "question-\(count)"
        }
    }

    func log(_ level: LoggingLevel, _ data: JSONValue, logger: String?) {
        guard let logLevel, level >= logLevel, self.isOver.load(ordering: .relaxed) == false else { return }
        self.sink.send(self.codec.logMessage(level, data, logger: logger))
    }

    /// Nothing is sent after the answer.
    func finish() {
        self.isOver.store(true, ordering: .relaxed)
    }
}

/// Thrown through a handler that has become a task: it is run again, as the task.
struct BecomesTask: Error {
    /// What has been answered so far, by key.
    var answers: JSONObject
}

/// Whether a handler that asks to become a task has to end for it.
enum TaskStart: Sendable {
    /// It has; what was answered so far goes along.
    case throwing(ReplayedInput)
}
