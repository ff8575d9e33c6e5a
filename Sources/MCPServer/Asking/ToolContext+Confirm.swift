import JSON
import MCP

extension ToolContext {
    /// Makes sure that a person wants something that can't be undone.
    ///
    /// The user is asked wherever the client can ask: as a request of the server on a session, and as `input_required`
    /// since 2026-07-28. Then `alreadyAgreed` counts for nothing, since a model may claim it. Clients that can't ask
    /// have to say so themselves, with an argument of the tool.
    ///
    /// Call it before anything that must not happen twice: since 2026-07-28 the handler runs again after the answer.
    ///
    /// - Parameters:
    ///   - message: What will happen, as a question.
    ///   - alreadyAgreed: The argument of the tool by which a client that can't ask says that the user agreed.
    ///   - argument: The name of that argument, for the error.
    /// - Throws: ``ToolError`` with `conflict` if the user doesn't agree, or can't be asked and hasn't agreed before.
    public func confirm(_ message: String, alreadyAgreed: Bool, argument: String = "confirm") async throws {
        let schema: JSONObject = [
            "type": "object",
            "properties": [
                "confirm": [
                    "type": "boolean", "title": "Yes, do it", "description": .string(message), "default": false,
                ]
            ],
            "required": ["confirm"],
        ]
        guard self.canAsk(.form(message: message, schema: schema)) else {
            guard alreadyAgreed else {
                throw ToolError(
                    .conflict,
                    "This can't be undone, and the user can't be asked through this client.",
                    suggestedAction: "Ask the user yourself; once they agree, call again with \(argument): true."
                )
            }
            return
        }
        let answer = try await self.ask(message, schema: schema, key: "confirm")
        guard case .accepted(let content) = answer, content["confirm"] == true else {
            throw ToolError(
                .conflict,
                "The user did not agree; nothing was changed.",
                suggestedAction: "Don't call again unless the user asks for it."
            )
        }
    }
}
