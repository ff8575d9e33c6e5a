import JSON
import MCP

/// A message that the server sent.
struct ServerMessage {
    let json: JSONValue
    var id: JSONValue? { self.json["id"] }
    var result: JSONValue? { self.json["result"] }
    var errorCode: Int? { self.json["error"]?["code"]?.intValue }
    /// It asks the client something.
    var isRequest: Bool { self.json["method"] != nil && self.id != nil }
    var isNotification: Bool { self.json["method"] != nil && self.id == nil }
    var isAnswer: Bool { self.json["method"] == nil }
    /// What kind of answer it is.
    var outcome: Outcome {
        var hasher = Hasher()
        hasher.combine(self.errorCode)
        // What is not JSON is for another target.
        if self.errorCode != MCPError.Code.parseError.value {
            hasher.combine(self.json["error"]?["message"]?.stringValue?.prefix(32))
        }
        hasher.combine(self.result?.objectValue.map { $0.keys.sorted() })
        hasher.combine(self.result?["content"]?[0]?["text"]?.stringValue?.prefix(32))
        return hasher.finalize()
    }

    /// Reads what was sent in one piece: a message, or the answers to a batch.
    ///
    /// - Throws: ``FuzzFailure`` if it is not what a server may send.
    static func all(in bytes: [UInt8]) throws -> [Self] {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: bytes, limits: JSONLimits(maximumDepth: 256))
        } catch {
            throw FuzzFailure(description: "The server sent what is not JSON: \(error).")
        }
        guard case .array(let messages) = value else { return [try Self(value)] }
        try expect(messages.isEmpty == false, "The server sent an empty batch.")
        let answers = try messages.map { try Self($0) }
        try expect(answers.allSatisfy(\.isAnswer), "Among the answers to a batch are others: \(value).")
        return answers
    }

    private init(_ json: JSONValue) throws {
        self.json = json
        try expect(json["jsonrpc"] == "2.0", "The server sent \(json), which is not JSON-RPC.")
        guard self.isAnswer else {
            let known = ["elicitation/create", "sampling/createMessage", "roots/list"]
            try expect(
                self.isNotification || known.contains(json["method"]?.stringValue ?? ""),
                "The server sent a request: \(json)."
            )
            return
        }
        let error = json["error"]
        try expect((self.result == nil) != (error == nil), "Neither or both of result and error: \(json).")
        if self.errorCode == MCPError.Code.internalError.value {
            let code = error?["data"]?["code"]?.stringValue ?? error?["message"]?.stringValue ?? ""
            try expect(Self.properFailures.contains(code), "The server failed: \(json).")
        }
        if let error {
            try expect(self.errorCode != nil && error["message"]?.stringValue != nil, "\(error) is not an error.")
        }
    }

    /// What handlers of prompts and resources may throw, that tasks which were cancelled may take a moment to end, and
    /// what is said when the server ends meanwhile.
    private static let properFailures: Set<String> = [
        "conflict", "upstream_error", "timeout", "rate_limited", "outcome_unknown",
        "The task was not over in time; ask again.", "The server was shut down before the task was done.",
    ]
}
