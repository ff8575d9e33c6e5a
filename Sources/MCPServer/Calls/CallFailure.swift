import MCP

/// Why a request has no result, or none yet.
enum CallFailure: Error {
    /// A tool could not do what was asked; the model reads why.
    case tool(ToolError)
    /// The request made no sense.
    case protocolError(MCPError)
    /// The client has to answer questions first.
    case inputRequired(InputRequired)
    /// It goes on as a task.
    case becomesTask(BecomesTask)
    /// It was interrupted, answered and recorded while its handler went on.
    case answered

    /// The word for it in records.
    var outcome: String {
        switch self {
        case .tool(let error): error.code.rawValue
        case .protocolError(let error): "error \(error.code.value)"
        case .inputRequired: "input_required"
        case .becomesTask: "task"
        case .answered: "answered"
        }
    }

    /// The nearest tool error, for ways in that know nothing else.
    var toolError: ToolError {
        switch self {
        case .tool(let error): error
        case .protocolError(let error): ToolError(.invalidArguments, error.message)
        case .inputRequired, .becomesTask, .answered:
            ToolError(.conflict, "The tool wants to ask the user, who can't be asked this way.")
        }
    }

    /// The nearest JSON-RPC error, for requests that are no tool calls.
    var mcpError: MCPError {
        switch self {
        case .protocolError(let error): error
        case .tool(let error):
            switch error.code {
            case .invalidArguments, .notFound: MCPError(.invalidParams, error.message)
            default: MCPError(.internalError, error.message)
            }
        case .inputRequired, .becomesTask, .answered:
            MCPError(.internalError, "The request needs more than this client can do.")
        }
    }
}
