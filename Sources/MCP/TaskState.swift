public import JSON

/// Where a task stands.
///
/// Specification: the tasks extension, "Task Status"; 2025-11-25, basic/utilities/tasks.
public enum TaskStatus: String, Sendable, Hashable {
    case working
    /// It waits for answers of the client.
    case inputRequired = "input_required"
    case completed
    case failed
    case cancelled

    /// Whether nothing will change any more.
    public var isTerminal: Bool {
        switch self {
        case .completed, .failed, .cancelled: true
        case .working, .inputRequired: false
        }
    }
}

/// A task as clients see it, before a revision's codec gives it its shape.
public struct TaskState: Sendable {
    public var id: String
    public var status: TaskStatus
    public var statusMessage: String?
    /// ISO 8601.
    public var createdAt: String
    /// ISO 8601.
    public var lastUpdatedAt: String
    /// How long it is kept, from its creation on.
    public var ttlMilliseconds: Int
    /// How often to ask about it at most.
    public var pollMilliseconds: Int
    /// What the client is asked, by key: `method` and `params` each.
    public var inputRequests: JSONObject
    /// The result of the request, once completed.
    public var result: JSONObject?
    /// The JSON-RPC error, once failed.
    public var error: MCPError?

    public init(
        id: String,
        status: TaskStatus,
        statusMessage: String? = nil,
        createdAt: String,
        lastUpdatedAt: String,
        ttlMilliseconds: Int,
        pollMilliseconds: Int,
        inputRequests: JSONObject = [:],
        result: JSONObject? = nil,
        error: MCPError? = nil
    ) {
        self.id = id
        self.status = status
        self.statusMessage = statusMessage
        self.createdAt = createdAt
        self.lastUpdatedAt = lastUpdatedAt
        self.ttlMilliseconds = ttlMilliseconds
        self.pollMilliseconds = pollMilliseconds
        self.inputRequests = inputRequests
        self.result = result
        self.error = error
    }
}

extension Codec {
    /// The members that describe a task.
    ///
    /// - Parameters:
    ///   - task: The task.
    ///   - isDetailed: Whether questions, result and error are wanted too, as `tasks/get` of the extension has them.
    /// - Returns: The members.
    public func json(_ task: TaskState, isDetailed: Bool) -> JSONObject {
        let isExtension = self.revision.supports(.tasksExtension)
        var status = task.status
        // The experimental tasks of 2025-11-25 call a task failed whose tool answered with an error.
        if isExtension == false, status == .completed, task.result?["isError"] == true { status = .failed }
        var object: JSONObject = ["taskId": .string(task.id), "status": .string(status.rawValue)]
        if let message = task.statusMessage { object["statusMessage"] = .string(message) }
        object["createdAt"] = .string(task.createdAt)
        object["lastUpdatedAt"] = .string(task.lastUpdatedAt)
        object[isExtension ? "ttlMs" : "ttl"] = .integer(task.ttlMilliseconds)
        object[isExtension ? "pollIntervalMs" : "pollInterval"] = .integer(task.pollMilliseconds)
        guard isExtension, isDetailed else { return object }
        switch task.status {
        case .inputRequired: object["inputRequests"] = .object(task.inputRequests)
        case .completed: object["result"] = .object(task.result ?? [:])
        case .failed: object["error"] = .object((task.error ?? MCPError(.internalError, "The task failed.")).json)
        case .working, .cancelled: break
        }
        return object
    }
}
