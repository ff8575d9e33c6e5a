public import JSON
public import MCP
public import MCPServer
import Synchronization

/// Talks to a server in the same process: for tests, and for the command line.
///
/// It speaks one revision, and speaks it in full: what it sends and gets are the messages of that revision.
///
/// ```swift
/// let client = InProcessClient(server: server) { question in
///     ["action": "accept", "content": ["name": "Ada"]]
/// }
/// let result = try await client.callTool("greet")
/// ```
public final class InProcessClient: Sendable {
    /// Something that the server asks.
    public struct Question: Sendable {
        /// `elicitation/create`, `sampling/createMessage` or `roots/list`.
        public let method: String
        /// The parameters of the question: `message` and `requestedSchema` of a form.
        public let params: JSONObject
    }

    /// Answers what the server asks.
    public typealias Answering = @Sendable (Question) async throws -> JSONObject

    /// How often a request may come back with questions.
    private static let maximumRounds = 10

    private let server: MCPServer
    private let revision: ProtocolRevision
    private let principal: Principal
    private let capabilities: JSONObject
    private let answering: Answering?
    private let onNotification: @Sendable (JSONRPCNotification) -> Void
    private let scope = RandomID.make()
    private let lastID = Atomic(0)
    private let session = Mutex<ClientSession?>(nil)

    /// - Parameters:
    ///   - server: The server.
    ///   - revision: What the client speaks.
    ///   - principal: Who it is.
    ///   - capabilities: What it declares; without it, all that `answering` may be asked.
    ///   - answering: Answers what the server asks; without it, nothing can be asked.
    ///   - onNotification: Takes what the server tells, other than progress.
    public init(
        server: MCPServer,
        revision: ProtocolRevision = .v2026_07_28,
        principal: Principal = .local,
        capabilities: JSONObject? = nil,
        answering: Answering? = nil,
        onNotification: @escaping @Sendable (JSONRPCNotification) -> Void = { _ in }
    ) {
        self.server = server
        self.revision = revision
        self.principal = principal
        self.answering = answering
        self.onNotification = onNotification
        let everything: JSONObject = [
            "elicitation": ["form": [:], "url": [:]], "sampling": ["tools": [:]], "roots": [:],
        ]
        self.capabilities = capabilities ?? (answering == nil ? [:] : everything)
    }

    /// Sends a request, and answers what the server asks until there is a result.
    ///
    /// - Parameters:
    ///   - method: The method.
    ///   - params: Its parameters; the envelope is added for revisions that want one.
    ///   - progress: Takes the progress notifications, if they are wanted.
    /// - Returns: The result.
    /// - Throws: `MCPError` if the server answers with one, `CancellationError` if the task is cancelled.
    public func request(
        _ method: String,
        _ params: JSONObject = [:],
        progress: (@Sendable (JSONObject) -> Void)? = nil
    ) async throws -> JSONObject {
        var params = params
        for _ in 0..<Self.maximumRounds {
            let result = try await self.send(method, params, progress)
            guard result["resultType"] == "input_required", let answering else { return result }
            var answers: JSONObject = [:]
            for (key, question) in result["inputRequests"]?.objectValue ?? [:] {
                answers[key] = .object(
                    try await answering(
                        Question(
                            method: question["method"]?.stringValue ?? "",
                            params: question["params"]?.objectValue ?? [:]
                        )
                    )
                )
            }
            params["inputResponses"] = .object(answers)
            params["requestState"] = result["requestState"]
        }
        throw MCPError(.internalError, "The server asked more than \(Self.maximumRounds) times.")
    }

    private func send(
        _ method: String,
        _ params: JSONObject,
        _ progress: (@Sendable (JSONObject) -> Void)?
    ) async throws -> JSONObject {
        let id = RequestID.integer(self.lastID.add(1, ordering: .relaxed).newValue)
        var meta = params["_meta"]?.objectValue ?? [:]
        if self.revision.supports(.statelessEnvelope) {
            meta[MetaKey.protocolVersion] = .string(self.revision.name)
            meta[MetaKey.clientCapabilities] = .object(self.capabilities)
        }
        if progress != nil {
            meta[MetaKey.progressToken] = id.json
        }
        var params = params
        if meta.isEmpty == false {
            params["_meta"] = .object(meta)
        }
        let sink = ClientSink(progress: progress, onNotification: self.onNotification)
        let exchange = try await self.exchange(sink)
        let call = JSONRPCRequest(id: id, method: method, params: params)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.answer(sink.requests, exchange) }
            defer { group.cancelAll() }
            guard let response = await self.server.respond(to: call, exchange) else { throw CancellationError() }
            return try response.result.get().objectValue ?? [:]
        }
    }

    /// Answers the requests of the server on a session.
    private func answer(_ requests: AsyncStream<JSONRPCRequest>, _ exchange: Exchange) async throws {
        for await request in requests {
            guard let session = exchange.session else { continue }
            let result: Result<JSONValue, MCPError>
            do {
                guard let answering else { throw MCPError(.methodNotFound, "The client answers nothing.") }
                let question = Question(method: request.method, params: request.params)
                result = .success(.object(try await answering(question)))
            } catch {
                result = .failure(error as? MCPError ?? MCPError(.internalError, "The client failed."))
            }
            await self.server.receive(JSONRPCResponse(id: request.id, result: result), in: session)
        }
    }

    private func exchange(_ sink: ClientSink) async throws -> Exchange {
        guard self.revision.supports(.initializeHandshake) else {
            return Exchange(
                transport: "in-process",
                requestID: RandomID.make(),
                principal: self.principal,
                revision: self.revision,
                client: ClientCapabilities(self.capabilities),
                scope: self.scope,
                sink: sink
            )
        }
        return Exchange(
            transport: "in-process",
            requestID: RandomID.make(),
            principal: self.principal,
            session: try await self.openedSession(),
            sink: sink
        )
    }

    /// The session, opened with the first request; what the client has set for it since is looked up.
    private func openedSession() async throws -> ClientSession {
        if let session = self.session.withLock({ $0 }) {
            return try await self.server.session(session.id, for: self.principal) ?? session
        }
        let params: JSONObject = [
            "protocolVersion": .string(self.revision.name), "capabilities": .object(self.capabilities),
            "clientInfo": ["name": "in-process", "version": "1"],
        ]
        let (response, session) = await self.server.initialize(
            JSONRPCRequest(id: .integer(0), method: "initialize", params: params),
            principal: self.principal
        )
        guard let session else {
            _ = try response.result.get()
            throw MCPError(.internalError, "The server opened no session.")
        }
        self.session.withLock { $0 = session }
        return session
    }

    /// The tools that the server lists, of all pages.
    public func listTools() async throws -> [JSONValue] {
        var tools: [JSONValue] = []
        var cursor: JSONValue?
        repeat {
            let page = try await self.request("tools/list", cursor.map { ["cursor": $0] } ?? [:])
            tools += page["tools"]?.arrayValue ?? []
            cursor = page["nextCursor"]
        } while cursor != nil
        return tools
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

/// Takes what the server says during one request.
private final class ClientSink: MessageSink {
    let requests: AsyncStream<JSONRPCRequest>
    private let continuation: AsyncStream<JSONRPCRequest>.Continuation
    private let progress: (@Sendable (JSONObject) -> Void)?
    private let onNotification: @Sendable (JSONRPCNotification) -> Void

    init(
        progress: (@Sendable (JSONObject) -> Void)?,
        onNotification: @escaping @Sendable (JSONRPCNotification) -> Void
    ) {
        self.progress = progress
        self.onNotification = onNotification
        (self.requests, self.continuation) = AsyncStream.makeStream()
    }

    func send(_ notification: JSONRPCNotification) {
        if notification.method == "notifications/progress" {
            self.progress?(notification.params)
        } else {
            self.onNotification(notification)
        }
    }

    func send(_ request: JSONRPCRequest) -> Bool {
        self.continuation.yield(request)
        return true
    }
}
