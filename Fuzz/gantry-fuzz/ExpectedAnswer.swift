import JSON
import MCP

/// What has to be answered to a message, found out without the transports.
enum ExpectedAnswer {
    /// An error with this code, and the id if it can be read.
    case error(MCPError.Code, RequestID?)
    /// A result or an error, with the id of the request.
    case answer(JSONRPCRequest)
    /// Nothing.
    case silence
    /// An array: what has to be answered to its messages, where arrays are taken, else an error.
    case batch([ExpectedAnswer])

    init(to bytes: [UInt8], maximumDepth: Int) {
        guard let value = try? JSONValue(parsing: bytes, limits: JSONLimits(maximumDepth: maximumDepth)) else {
            self = .error(.parseError, nil)
            return
        }
        if case .array(let messages) = value {
            self = .batch(messages.map { Self(inBatch: $0) })
        } else {
            self.init(to: value)
        }
    }

    private init(to value: JSONValue) {
        do throws(JSONRPCMessage.Malformed) {
            switch try JSONRPCMessage(value) {
            case .request(let call): self = .answer(call)
            case .notification, .response: self = .silence
            }
        } catch {
            self = .error(.invalidRequest, value["id"].flatMap(RequestID.init))
        }
    }

    /// A batch holds no batches, and nothing that opens a session.
    private init(inBatch value: JSONValue) {
        if value["method"] == "initialize" {
            self = .error(.invalidRequest, value["id"].flatMap(RequestID.init))
        } else {
            self.init(to: value)
        }
    }

    /// How many messages an array may hold.
    static let batchSizes = 1...100
}

/// The answers to several messages that may come in any order.
struct AnswerTally {
    private var expected: [JSONValue?: [Int?]] = [:]
    private var actual: [JSONValue?: [Int?]] = [:]

    /// How many answers are expected.
    var expectedCount: Int { self.expected.values.reduce(0) { $0 + $1.count } }

    /// Expects an answer, with the error that it has to be, if that is known.
    mutating func want(_ id: RequestID?, code: MCPError.Code? = nil) {
        self.expected[id?.json, default: []].append(code?.value)
    }

    mutating func add(_ message: ServerMessage) {
        self.actual[message.id, default: []].append(message.errorCode)
    }

    /// Checks that there are these answers and no others.
    ///
    /// - Parameter isExact: Whether none may be missing.
    /// - Throws: ``FuzzFailure``
    func check(isExact: Bool = true) throws {
        for id in Set(self.expected.keys).union(self.actual.keys) {
            let name = id?.description ?? "what has no id"
            let expected = self.expected[id] ?? []
            var actual = self.actual[id] ?? []
            try expect(actual.count <= expected.count, "There are too many answers to \(name): \(actual).")
            guard isExact else { continue }
            try expect(actual.count == expected.count, "There are answers missing to \(name): \(actual).")
            for code in expected where code != nil {
                guard let index = actual.firstIndex(of: code) else {
                    throw FuzzFailure(description: "No answer to \(name) has the code \(code ?? 0): \(actual).")
                }
                actual.remove(at: index)
            }
        }
    }
}
