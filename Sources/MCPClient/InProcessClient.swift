public import JSON
public import MCP
public import MCPServer
import Synchronization

/// A client in the same process as its server, for tests and for the command line.
///
/// It speaks one revision, and speaks it in full: what it sends and gets are the messages of that revision.
public final class InProcessClient: Sendable {
    private let server: MCPServer
    private let revision: ProtocolRevision
    private let principal: Principal
    private let scope = RandomID.make()
    private let lastID = Atomic(0)

    public init(server: MCPServer, revision: ProtocolRevision = .v2026_07_28, principal: Principal = .local) {
        self.server = server
        self.revision = revision
        self.principal = principal
    }

    /// Sends a request.
    ///
    /// - Parameters:
    ///   - method: The method.
    ///   - params: Its parameters; the envelope is added for revisions that want one.
    ///   - progress: Takes the progress notifications, if they are wanted.
    /// - Returns: The result.
    /// - Throws: ``MCPError`` if the server answers with one, `CancellationError` if the task is cancelled.
    public func request(
        _ method: String,
        _ params: JSONObject = [:],
        progress: (@Sendable (JSONObject) -> Void)? = nil
    ) async throws -> JSONObject {
        let id = RequestID.integer(self.lastID.add(1, ordering: .relaxed).newValue)
        var meta = params["_meta"]?.objectValue ?? [:]
        if self.revision.supports(.statelessEnvelope) {
            meta[MetaKey.protocolVersion] = .string(self.revision.name)
            meta[MetaKey.clientCapabilities] = [:]
        }
        if progress != nil {
            meta[MetaKey.progressToken] = id.json
        }
        var params = params
        if meta.isEmpty == false {
            params["_meta"] = .object(meta)
        }
        let exchange = Exchange(
            transport: "in-process",
            requestID: RandomID.make(),
            principal: self.principal,
            revision: self.revision,
            scope: self.scope,
            sink: ProgressSink(handler: progress)
        )
        let call = JSONRPCRequest(id: id, method: method, params: params)
        guard let response = await self.server.respond(to: call, exchange) else { throw CancellationError() }
        return try response.result.get().objectValue ?? [:]
    }

    /// The tools that the server lists.
    public func listTools() async throws -> [JSONValue] {
        try await self.request("tools/list")["tools"]?.arrayValue ?? []
    }

    /// Calls a tool.
    public func callTool(
        _ name: String,
        _ arguments: JSONObject = [:],
        progress: (@Sendable (JSONObject) -> Void)? = nil
    ) async throws -> JSONObject {
        try await self.request(
            "tools/call",
            ["name": .string(name), "arguments": .object(arguments)],
            progress: progress
        )
    }
}

private struct ProgressSink: MessageSink {
    let handler: (@Sendable (JSONObject) -> Void)?

    func send(_ notification: JSONRPCNotification) {
        guard notification.method == "notifications/progress" else { return }
        self.handler?(notification.params)
    }
}
