import JSON
import MCP

/// What has to be answered to some bytes, found out without the transports.
enum ExpectedAnswer {
    /// An error with this code, and the id if it can be read.
    case error(MCPError.Code, RequestID?)
    /// A result or an error, with the id of the request.
    case answer(JSONRPCRequest)
    /// Nothing.
    case silence
    /// This is not for us to say: batches, and requests that are answered when the client ends them.
    case unknown

    private static let endless: Set<String> = ["subscriptions/listen"]

    init(to bytes: [UInt8], maximumDepth: Int) {
        guard let value = try? JSONValue(parsing: bytes, limits: JSONLimits(maximumDepth: maximumDepth)) else {
            self = .error(.parseError, nil)
            return
        }
        if case .array = value {
            self = .unknown
            return
        }
        do throws(JSONRPCMessage.Malformed) {
            switch try JSONRPCMessage(value) {
            case .request(let call): self = Self.endless.contains(call.method) ? .unknown : .answer(call)
            case .notification, .response: self = .silence
            }
        } catch {
            self = .error(.invalidRequest, value["id"].flatMap(RequestID.init))
        }
    }
}

/// A message that the server sent.
struct ServerMessage {
    let json: JSONValue
    var id: JSONValue? { self.json["id"] }
    var errorCode: Int? { self.json["error"]?["code"]?.intValue }
    var isNotification: Bool { self.json["method"] != nil }
    /// What kind of answer it is.
    var outcome: Outcome {
        let result = self.json["result"]
        var hasher = Hasher()
        hasher.combine(self.errorCode)
        // What is not JSON is for another target.
        if self.errorCode != MCPError.Code.parseError.value {
            hasher.combine(self.json["error"]?["message"]?.stringValue?.prefix(32))
        }
        hasher.combine(result?.objectValue.map { $0.keys.sorted() })
        hasher.combine(result?["content"]?[0]?["text"]?.stringValue?.prefix(32))
        return hasher.finalize()
    }

    /// Reads a message.
    ///
    /// - Throws: ``FuzzFailure`` if it is not what a server may send.
    init(_ bytes: [UInt8]) throws {
        do {
            self.json = try JSONValue(parsing: bytes, limits: JSONLimits(maximumDepth: 256))
        } catch {
            throw FuzzFailure(description: "The server sent what is not JSON: \(error).")
        }
        try expect(self.json["jsonrpc"] == "2.0", "The server sent \(self.json), which is not JSON-RPC.")
        guard self.isNotification == false else {
            try expect(self.json["id"] == nil, "The server sent a request: \(self.json).")
            return
        }
        let (result, error) = (self.json["result"], self.json["error"])
        try expect((result == nil) != (error == nil), "Neither or both of result and error: \(self.json).")
        try expect(self.errorCode != MCPError.Code.internalError.value, "The server failed: \(self.json).")
        if let error {
            try expect(self.errorCode != nil && error["message"]?.stringValue != nil, "\(error) is not an error.")
        }
    }
}
