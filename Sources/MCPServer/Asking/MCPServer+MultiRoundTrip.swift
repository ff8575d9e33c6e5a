import JSON
import MCP

/// Questions that end a request, and the request that comes back with the answers.
///
/// What has been answered in earlier rounds travels in `requestState`, sealed for this principal and for this request:
/// the same method, name and arguments.
///
/// Specification: 2026-07-28, basic/patterns/mrtr.
extension MCPServer {
    /// The answers that come with a request; nothing in revisions where the client is asked while the call runs.
    ///
    /// - Throws: ``MCPError`` with `-32602` if the state is not one that this server gave for this request, or is too old.
    func replayedInput(_ request: JSONRPCRequest, _ exchange: Exchange) throws(MCPError) -> ReplayedInput? {
        guard exchange.revision.supports(.multiRoundTrip) else { return nil }
        var earlier: JSONObject = [:]
        if let state = request.params["requestState"] {
            guard let text = state.stringValue,
                let opened = self.sealer.open(
                    text,
                    now: Timestamp.seconds,
                    context: Self.sealingContext(request, exchange)
                )
            else {
                throw MCPError(
                    .invalidParams,
                    "The requestState is not one that this server gave for this request, or it has expired. Begin anew, without it."
                )
            }
            earlier = opened["answers"]?.objectValue ?? [:]
        }
        let latest: JSONObject
        switch request.params["inputResponses"] {
        case nil: latest = [:]
        case .object(let answers): latest = answers
        default: throw MCPError(.invalidParams, "inputResponses is an object of answers by key.")
        }
        return ReplayedInput(
            client: exchange.client,
            revision: exchange.revision,
            earlier: earlier,
            latest: latest
        )
    }

    /// The answer that asks the client something.
    func ask(_ required: InputRequired, _ request: JSONRPCRequest, _ exchange: Exchange) throws(MCPError) -> Answer {
        let codec = Codec(exchange.revision)
        var questions: JSONObject = [:]
        for question in required.questions { questions[question.key] = question.request.json(codec) }
        let state: String
        do {
            state = try self.sealer.seal(
                ["answers": .object(required.answers)],
                expiry: Timestamp.seconds + Int(self.options.requestStateLifetime / .seconds(1)),
                context: Self.sealingContext(request, exchange)
            )
        } catch {
            throw MCPError(.internalError, "The server failed.")
        }
        guard state.utf8.count <= Sealer.maximumTextBytes else {
            throw MCPError(.invalidParams, "The answers together are larger than \(Sealer.maximumTextBytes) bytes.")
        }
        return Answer(
            ["inputRequests": .object(questions), "requestState": .string(state)],
            resultType: "input_required"
        )
    }

    /// For whom, and for which request, a state is sealed.
    private static func sealingContext(_ request: JSONRPCRequest, _ exchange: Exchange) -> [UInt8] {
        var params = request.params
        // What differs from round to round.
        for key in ["_meta", "inputResponses", "requestState"] { params[key] = nil }
        // Arguments that are left out are none.
        if params["arguments"] == nil { params["arguments"] = [:] }
        return Array("state\0\(exchange.principal.id)\0\(request.method)\0".utf8) + JSONValue.object(params).digest
    }
}
