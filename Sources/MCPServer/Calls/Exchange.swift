public import MCP

/// Where the notifications of one request go.
public protocol MessageSink: Sendable {
    /// Sends a notification, or drops it when the client reads too slowly. It never waits.
    func send(_ notification: JSONRPCNotification)
}

/// A sink for clients that can't be told anything before the answer.
public struct NoMessages: MessageSink {
    public init() {}
    public func send(_ notification: JSONRPCNotification) {}
}

/// What a transport knows about the request that it hands to the server.
public struct Exchange: Sendable {
    /// The way in, for records: `http`, `stdio`, `in-process`.
    public var transport: String
    /// The id under which the log knows this request.
    public var requestID: String
    public var principal: Principal
    /// The revision that the answer is written in.
    public var revision: ProtocolRevision
    /// The session or connection within which request ids are unique; nothing where ids mean nothing beyond the request,
    /// as over HTTP on 2026-07-28, where knowing an id must not allow cancelling.
    public var scope: String?
    public var sink: any MessageSink

    public init(
        transport: String,
        requestID: String,
        principal: Principal,
        revision: ProtocolRevision,
        scope: String?,
        sink: any MessageSink
    ) {
        self.transport = transport
        self.requestID = requestID
        self.principal = principal
        self.revision = revision
        self.scope = scope
        self.sink = sink
    }
}
