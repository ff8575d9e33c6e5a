import Hummingbird
import JSON
import Logging
import MCP
import MCPServer

/// The answer to a request that is not let in.
struct Refusal: Error {
    var response: Response
}

/// Who may send what, before the protocol has a say.
extension MCPEndpoint {
    /// Who sends a request.
    ///
    /// - Throws: ``Refusal`` if its host may not ask or its sender is not known.
    nonisolated(nonsending) func sender(
        of request: Request,
        _ headers: MessageHeaders
    ) async throws(Refusal) -> Principal {
        if let refusal = self.configuration.hostGuard.refusal(of: request, origin: headers.origin) {
            throw Refusal(response: .error(MCPError(.invalidRequest, refusal), status: .forbidden))
        }
        guard let principal = self.principal else { return .local }
        do {
            return try await principal(request)
        } catch {
            throw self.refusal(error)
        }
    }

    /// Lets the requests of a body pass that may have several messages.
    nonisolated(nonsending) func authorize(
        _ batch: [JSONValue],
        _ principal: Principal,
        _ request: Request
    ) async throws(Refusal) {
        guard self.authorize != nil else { return }
        for message in batch {
            // What is no message is refused later, whoever sends it.
            guard let message = try? JSONRPCMessage(message) else { continue }
            try await self.authorize(message, principal, request)
        }
    }

    /// Lets a message pass; only requests are asked about.
    nonisolated(nonsending) func authorize(
        _ message: JSONRPCMessage,
        _ principal: Principal,
        _ request: Request
    ) async throws(Refusal) {
        guard let authorize = self.authorize, case .request(let call) = message else { return }
        do {
            try await authorize(call, principal, request)
        } catch {
            throw self.refusal(error)
        }
    }

    private func refusal(_ error: any Error) -> Refusal {
        guard let error = error as? HTTPError else {
            self.server.logger.error("the sender of a request can't be found out", metadata: ["error": "\(error)"])
            return Refusal(
                response: .error(MCPError(.internalError, "The sender of the request can't be found out now."))
            )
        }
        let message = error.body ?? error.status.reasonPhrase
        return Refusal(
            response: .error(MCPError(.invalidRequest, message), status: error.status, headers: error.headers)
        )
    }
}
