public import MCP

/// Where the messages of one request go, other than its answer.
public protocol MessageSink: Sendable {
    /// Sends a notification, or drops it when the client reads too slowly. It never waits.
    func send(_ notification: JSONRPCNotification)

    /// Sends a notification that makes an earlier one with the same key superfluous, if that still waits.
    func send(_ notification: JSONRPCNotification, replacing key: String)

    /// Sends a request to the client, which answers it with a message of its own.
    ///
    /// - Returns: Whether there is a way to send it.
    func send(_ request: JSONRPCRequest) -> Bool

    /// Closes the client's connection for now; the client asks for the rest after the given time.
    ///
    /// It does nothing where connections can't be resumed.
    func pause(retryAfter: Duration)
}

extension MessageSink {
    public func send(_ notification: JSONRPCNotification, replacing key: String) { self.send(notification) }
    public func send(_ request: JSONRPCRequest) -> Bool { false }
    public func pause(retryAfter: Duration) {}
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
    /// What the client can do: from its session, or from this request.
    public var client: ClientCapabilities
    /// The session, for revisions that have them.
    public var session: ClientSession?
    /// The session or connection within which request ids are unique; nothing where ids mean nothing beyond the request,
    /// as over HTTP on 2026-07-28, where knowing an id must not allow cancelling.
    public var scope: String?
    public var sink: any MessageSink
    /// The envelope of the request, if the transport has read it.
    public var meta: RequestMeta?
    /// Takes the answer to a tool call that ends before its handler: at its deadline, when it is cancelled or the server
    /// shuts down.
    ///
    /// A transport that sets it runs ``MCPServer/respond(to:_:)`` in a task of its own. It is to send this answer, cancel
    /// that task and drop what it answers later. It saves the server a task for each call.
    package var answerEarly: (@Sendable (JSONRPCResponse?) -> Void)?

    /// - Parameters:
    ///   - transport: The way in.
    ///   - requestID: The id under which the log knows this request.
    ///   - principal: Who asks.
    ///   - revision: The revision of the answer.
    ///   - client: What the client declared in this request.
    ///   - scope: Where request ids are unique.
    ///   - sink: Where messages go before the answer.
    public init(
        transport: String,
        requestID: String,
        principal: Principal,
        revision: ProtocolRevision,
        client: ClientCapabilities = ClientCapabilities(),
        scope: String?,
        sink: any MessageSink
    ) {
        self.transport = transport
        self.requestID = requestID
        self.principal = principal
        self.revision = revision
        self.client = client
        self.scope = scope
        self.sink = sink
    }

    /// An exchange within a session.
    public init(
        transport: String,
        requestID: String,
        principal: Principal,
        session: ClientSession,
        sink: any MessageSink
    ) {
        self.init(
            transport: transport,
            requestID: requestID,
            principal: principal,
            revision: session.revision,
            client: session.clientCapabilities,
            scope: session.id,
            sink: sink
        )
        self.session = session
    }
}
