/// The keys of `_meta` that the specification reserves, and ours.
///
/// Specification: 2026-07-28, basic/index, "`_meta`".
public enum MetaKey {
    public static let protocolVersion = "io.modelcontextprotocol/protocolVersion"
    public static let clientCapabilities = "io.modelcontextprotocol/clientCapabilities"
    public static let clientInfo = "io.modelcontextprotocol/clientInfo"
    public static let logLevel = "io.modelcontextprotocol/logLevel"
    public static let serverInfo = "io.modelcontextprotocol/serverInfo"
    public static let subscriptionID = "io.modelcontextprotocol/subscriptionId"
    public static let progressToken = "progressToken"
    public static let traceparent = "traceparent"
    public static let relatedTask = "io.modelcontextprotocol/related-task"
    /// What went wrong in a tool, for programs: code, retryable, what to do next.
    public static let error = "dev.gantry/error"
    /// Whether the answer is that of an earlier call with the same idempotency key.
    public static let replayed = "dev.gantry/replayed"
}
