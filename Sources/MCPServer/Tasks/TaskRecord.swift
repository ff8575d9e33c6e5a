import FoundationEssentials
import JSON
import MCP

/// A task as it is stored: what clients see, and to whom it belongs.
struct TaskRecord: Sendable {
    var principalID: String
    var tool: String
    var state: TaskState
    /// Answers that the handler has not taken yet, by key.
    var answers: JSONObject = [:]
    /// The process that does the work.
    var runner: String?

    var json: JSONObject {
        var object: JSONObject = [
            "principal": .string(self.principalID), "tool": .string(self.tool), "id": .string(self.state.id),
            "status": .string(self.state.status.rawValue), "created": .string(self.state.createdAt),
            "updated": .string(self.state.lastUpdatedAt), "ttl": .integer(self.state.ttlMilliseconds),
            "poll": .integer(self.state.pollMilliseconds), "questions": .object(self.state.inputRequests),
            "answers": .object(self.answers),
        ]
        if let runner { object["runner"] = .string(runner) }
        if let message = self.state.statusMessage { object["message"] = .string(message) }
        if let result = self.state.result { object["result"] = .object(result) }
        if let error = self.state.error { object["error"] = .object(error.json) }
        return object
    }

    init(principalID: String, tool: String, state: TaskState) {
        self.principalID = principalID
        self.tool = tool
        self.state = state
    }

    init?(_ json: JSONObject) {
        guard let principalID = json["principal"]?.stringValue, let tool = json["tool"]?.stringValue,
            let id = json["id"]?.stringValue, let status = json["status"]?.stringValue.flatMap(TaskStatus.init),
            let created = json["created"]?.stringValue, let updated = json["updated"]?.stringValue,
            let ttl = json["ttl"]?.intValue, let poll = json["poll"]?.intValue
        else { return nil }
        self.init(
            principalID: principalID,
            tool: tool,
            state: TaskState(
                id: id,
                status: status,
                statusMessage: json["message"]?.stringValue,
                createdAt: created,
                lastUpdatedAt: updated,
                ttlMilliseconds: ttl,
                pollMilliseconds: poll,
                inputRequests: json["questions"]?.objectValue ?? [:],
                result: json["result"]?.objectValue
            )
        )
        self.answers = json["answers"]?.objectValue ?? [:]
        self.runner = json["runner"]?.stringValue
        if let error = json["error"], let code = error["code"]?.intValue, let message = error["message"]?.stringValue {
            self.state.error = MCPError(MCPError.Code(code), message, data: error["data"])
        }
    }

    init?(stored: [UInt8]) {
        guard let object = (try? JSONValue(parsing: stored))?.objectValue else { return nil }
        self.init(object)
    }
}

/// The time in the form that the protocol uses.
enum Timestamp {
    /// ISO 8601 in UTC, with milliseconds.
    static func now() -> String {
        Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    /// How long ago a time was, in seconds.
    static func seconds(since time: String) -> Double {
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        guard let date = try? style.parse(time) else { return 0 }
        return Date.now.timeIntervalSince(date)
    }

    /// Seconds since 1970.
    static var seconds: Int {
        Int(Date.now.timeIntervalSince1970)
    }
}
