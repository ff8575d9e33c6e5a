import Foundation
import HTTPTypes
import JSON
import MCP
import MCPHTTP

/// The body of a request over HTTP, in both eras, with the headers that an honest client would send.
///
/// Every answer is JSON-RPC with the id of the request and the status that belongs to it, and nothing else is answered.
struct HTTPBodyTarget: FuzzTarget {
    static let name = "http-body"
    static let dictionary = messageDictionary

    private let endpoint: MCPEndpoint
    private let sessionID: String

    init() async throws {
        self.endpoint = MCPEndpoint(server: FuzzServer.make())
        let initialize =
            #"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}"#
        let answer = try await self.endpoint.answer(Array(initialize.utf8), headers: Self.headers)
        self.sessionID = try require(answer.headers[.mcpSessionID], "There is no session.")
    }

    func run(_ input: [UInt8]) async throws -> Outcome {
        let expected = ExpectedAnswer(to: input, maximumDepth: 64)
        var headers = Self.headers
        headers[.mcpSessionID] = self.sessionID
        var isModern = false
        if case .unknown = expected { return 0 }
        if case .answer(let call) = expected {
            isModern = RequestMeta.isModern(params: call.params) || call.method == "server/discover"
            if isModern { Self.addRouting(call, to: &headers) }
        }
        let answer = try await self.endpoint.answer(input, headers: headers)
        let messages = try answer.messages()
        try self.check(answer.status, messages, expected, isModern: isModern)
        var hasher = Hasher()
        hasher.combine(answer.status)
        hasher.combine(messages.last?.outcome)
        hasher.combine(messages.count > 1)
        hasher.combine(isModern)
        return hasher.finalize()
    }

    private func check(
        _ status: Int,
        _ messages: [ServerMessage],
        _ expected: ExpectedAnswer,
        isModern: Bool
    ) throws {
        let codes = messages.map { $0.errorCode ?? 0 }
        try expect(messages.dropLast().allSatisfy(\.isNotification), "There is an answer before the last message.")
        switch expected {
        case .error(let code, let id):
            try expect(status == 400 && codes == [code.value], "\(status) \(codes) instead of 400 \(code.value).")
            try expect(messages.last?.id == id?.json, "The id is not that of the request.")
        case .silence:
            try expect(status == 202 && messages.isEmpty, "What wants no answer was answered with \(status).")
        case .answer(let call):
            let message = try require(messages.last, "The request was not answered, but \(status).")
            try expect(message.isNotification == false, "The last message is no answer.")
            try expect(message.id == call.id.json, "The id is not that of the request.")
            let code = message.errorCode.map(MCPError.Code.init)
            let proper: Set<Int> =
                if let code {
                    isModern ? [messages.count > 1 ? 200 : MCPError(code, "").httpStatus] : [200, 400]
                } else {
                    [200]
                }
            try expect(proper.contains(status), "The status is \(status) with the code \(codes).")
        case .unknown: break
        }
    }

    private static let headers: HTTPFields = [
        .contentType: "application/json", .accept: "application/json, text/event-stream",
    ]

    /// Adds the headers that repeat what the body says.
    private static func addRouting(_ call: JSONRPCRequest, to headers: inout HTTPFields) {
        headers[.mcpProtocolVersion] = RequestMeta(params: call.params).protocolVersion
        headers[.mcpMethod] = call.method
        let name = call.params["name"] ?? call.params["uri"] ?? call.params["taskId"]
        headers[.mcpName] = name?.stringValue.map { "=?base64?\(Data($0.utf8).base64EncodedString())?=" }
    }
}
