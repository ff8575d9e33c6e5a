public import JSON

/// A JSON-RPC request that wants an answer.
public struct JSONRPCRequest: Sendable {
    public var id: RequestID
    public var method: String
    public var params: JSONObject

    public init(id: RequestID, method: String, params: JSONObject = [:]) {
        self.id = id
        self.method = method
        self.params = params
    }

    public var json: JSONValue {
        ["jsonrpc": "2.0", "id": self.id.json, "method": .string(self.method), "params": .object(self.params)]
    }
}

/// A JSON-RPC notification: nobody answers it.
public struct JSONRPCNotification: Sendable {
    public var method: String
    public var params: JSONObject

    public init(method: String, params: JSONObject = [:]) {
        self.method = method
        self.params = params
    }

    public var json: JSONValue {
        ["jsonrpc": "2.0", "method": .string(self.method), "params": .object(self.params)]
    }
}

/// The answer to a request: a result, or an error.
///
/// An error without id answers what could not be understood.
public struct JSONRPCResponse: Sendable {
    public var id: RequestID?
    public var result: Result<JSONValue, MCPError>

    public init(id: RequestID?, result: Result<JSONValue, MCPError>) {
        self.id = id
        self.result = result
    }

    /// Nothing but an error.
    public static func failure(_ error: MCPError, id: RequestID? = nil) -> Self {
        Self(id: id, result: .failure(error))
    }

    public var json: JSONValue {
        var object: JSONObject = ["jsonrpc": "2.0"]
        // The schema of every revision wants an id that is a string or a number, so an unknown one is left out.
        if let id {
            object["id"] = id.json
        }
        switch self.result {
        case .success(let value): object["result"] = value
        case .failure(let error): object["error"] = .object(error.json)
        }
        return .object(object)
    }
}

/// One JSON-RPC 2.0 message.
public enum JSONRPCMessage: Sendable {
    case request(JSONRPCRequest)
    case notification(JSONRPCNotification)
    case response(JSONRPCResponse)

    /// Why a value is not a message, with the id to answer it with when one could be read.
    public struct Malformed: Error, Sendable {
        public let id: RequestID?
        public let error: MCPError

        public init(id: RequestID? = nil, error: MCPError) {
            self.id = id
            self.error = error
        }
    }

    /// Reads a message.
    ///
    /// - Throws: ``Malformed`` with code `-32600`.
    public init(_ value: JSONValue) throws(Malformed) {
        guard let object = value.objectValue else {
            throw Self.malformed("A message is a JSON object; batches are not accepted here.", id: nil)
        }
        let id = object["id"].flatMap(RequestID.init)
        guard object["jsonrpc"] == "2.0" else {
            throw Self.malformed("A message has the member \"jsonrpc\" with the value \"2.0\".", id: id)
        }
        if object["id"] != nil, id == nil, object["error"] == nil {
            throw Self.malformed("The id of a request is a string or an integer, and not null.", id: nil)
        }
        if let methodValue = object["method"] {
            guard let method = methodValue.stringValue else {
                throw Self.malformed("The method of a request is a string.", id: id)
            }
            let params: JSONObject
            switch object["params"] {
            case nil: params = [:]
            case .object(let members): params = members
            default: throw Self.malformed("The params of a request are an object.", id: id)
            }
            if let id {
                self = .request(JSONRPCRequest(id: id, method: method, params: params))
            } else {
                self = .notification(JSONRPCNotification(method: method, params: params))
            }
            return
        }
        switch (object["result"], object["error"]) {
        case (let result?, nil):
            guard let id else { throw Self.malformed("A response has the id of its request.", id: nil) }
            self = .response(JSONRPCResponse(id: id, result: .success(result)))
        case (nil, let error?):
            guard let code = error["code"]?.intValue, let message = error["message"]?.stringValue else {
                throw Self.malformed("An error has a code and a message.", id: id)
            }
            self = .response(.failure(MCPError(.init(code), message, data: error["data"]), id: id))
        default:
            throw Self.malformed("A message has a method, or else exactly one of result and error.", id: id)
        }
    }

    private static func malformed(_ message: String, id: RequestID?) -> Malformed {
        Malformed(id: id, error: MCPError(.invalidRequest, message))
    }
}
