import Knowledge
import MCPServer

extension ToolError {
    /// Says to an agent why the knowledge base couldn't answer, and what to do.
    init(knowledge error: KnowledgeError) {
        switch error.code {
        case .invalidArguments:
            self.init(.invalidArguments, error.message, suggestedAction: "Correct the arguments and call again.")
        case .cancelled:
            self.init(.cancelled, error.message, retryable: true)
        case .storeFailed, .embeddingFailed:
            self.init(
                .upstreamUnavailable,
                error.message,
                retryable: true,
                suggestedAction: "Try again; if it fails again, tell the operator to run gantry doctor.",
                cause: error.cause
            )
        default:
            self.init(
                .internal,
                error.message,
                suggestedAction: "Tell the operator; calling again doesn't help.",
                cause: error.cause
            )
        }
    }
}
