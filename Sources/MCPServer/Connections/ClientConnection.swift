public import JSON
public import MCP
import SharedState
import Synchronization

/// One connection on which messages flow both ways, such as standard input and output.
///
/// The first request decides the era of the connection: an envelope means 2026-07-28, `initialize` means a session. The
/// transport reads messages and hands them over one after the other; what has to run, it runs side by side.
///
/// Specification: 2026-07-28, basic/transports/stdio, basic/versioning.
public final class ClientConnection: Sendable {
    /// What a message leads to.
    public struct Step: Sendable {
        /// What is sent at once.
        public var answer: JSONValue?
        /// What has to run, and yields an answer unless nobody wants one any more.
        public var work: (@Sendable () async -> JSONValue?)?

        public init(answer: JSONValue? = nil, work: (@Sendable () async -> JSONValue?)? = nil) {
            self.answer = answer
            self.work = work
        }

        static func answer(_ response: JSONRPCResponse) -> Self { Self(answer: response.json) }
    }

    /// How many messages an array may hold.
    public static let maximumBatch = 100

    /// What the connection turned out to speak.
    private enum Era {
        case undecided
        case modern
        case session(ClientSession)
    }

    private enum Hearing {
        case notYet
        case listener(UInt64)
        case closed
    }

    private let server: MCPServer
    private let transport: String
    private let principal: Principal
    private let sink: any MessageSink
    /// Request ids are unique within it.
    private let scope = RandomID.make()
    private let era = Mutex(Era.undecided)
    /// How the connection hears of what happens on the server, from `initialize` on.
    private let hearing = Mutex(Hearing.notYet)
    private let allowsModern: Bool

    /// - Parameters:
    ///   - server: The server that answers.
    ///   - transport: The way in, for records.
    ///   - principal: On whose behalf calls run.
    ///   - sink: Where messages other than answers go.
    ///   - allowsModern: Whether the connection may speak 2026-07-28 and later.
    ///   - session: The session that the connection belongs to, if it has one already.
    public init(
        server: MCPServer,
        transport: String,
        principal: Principal,
        sink: any MessageSink,
        allowsModern: Bool = true,
        session: ClientSession? = nil
    ) {
        self.server = server
        self.transport = transport
        self.principal = principal
        self.sink = sink
        self.allowsModern = allowsModern
        if let session { self.era.withLock { $0 = .session(session) } }
    }

    /// The answer to something that could not be read.
    public static func refusal(_ code: MCPError.Code, _ message: String) -> JSONValue {
        JSONRPCResponse.failure(MCPError(code, message)).json
    }

    /// Takes a message.
    public func take(_ value: JSONValue) async -> Step {
        if case .array(let messages) = value, let session = self.session, session.revision.supports(.batching) {
            return await self.take(messages)
        }
        let message: JSONRPCMessage
        do {
            message = try JSONRPCMessage(value)
        } catch {
            return .answer(.failure(error.error, id: error.id))
        }
        switch message {
        case .request(let call):
            do throws(MCPError) {
                return try await self.take(call)
            } catch {
                return .answer(.failure(error, id: call.id))
            }
        case .notification(let notification):
            await self.server.receive(
                notification,
                self.exchange(self.session?.revision ?? .v2026_07_28, RequestMeta(params: [:]))
            )
            return Step()
        case .response(let response):
            if let session = self.session { await self.server.receive(response, in: session) }
            return Step()
        }
    }

    /// The end of the connection: its session is over.
    public func close() async {
        let hearing = self.hearing.withLock { hearing in
            defer { hearing = .closed }
            return hearing
        }
        if case .listener(let id) = hearing { self.server.announcer.remove(id) }
        guard let session = self.session else { return }
        try? await self.server.close(session)
    }

    private var session: ClientSession? {
        self.era.withLock { if case .session(let session) = $0 { session } else { nil } }
    }

    /// Specification: 2025-03-26, basic/index, "Batching".
    private func take(_ messages: [JSONValue]) async -> Step {
        guard (1...Self.maximumBatch).contains(messages.count) else {
            return .answer(
                .failure(MCPError(.invalidRequest, "A batch has 1 to \(Self.maximumBatch) messages."))
            )
        }
        var answers: [JSONValue] = []
        var work: [@Sendable () async -> JSONValue?] = []
        for message in messages {
            guard message["method"] != "initialize" else {
                answers.append(
                    JSONRPCResponse.failure(
                        MCPError(.invalidRequest, "initialize can't be part of a batch."),
                        id: message["id"].flatMap(RequestID.init)
                    ).json
                )
                continue
            }
            // An array within the array is no message.
            let step = message.arrayValue == nil ? await self.take(message) : .answer(Self.nestedBatch)
            if let answer = step.answer { answers.append(answer) }
            if let job = step.work { work.append(job) }
        }
        let (done, jobs) = (answers, work)
        return Step(work: {
            let results = await withTaskGroup(of: JSONValue?.self) { group in
                for job in jobs { group.addTask { await job() } }
                var results = done
                for await result in group { if let result { results.append(result) } }
                return results
            }
            return results.isEmpty ? nil : .array(results)
        })
    }

    private static var nestedBatch: JSONRPCResponse {
        .failure(MCPError(.invalidRequest, "A batch holds messages, and no batches."))
    }

    private func take(_ call: JSONRPCRequest) async throws(MCPError) -> Step {
        let era = self.era.withLock { $0 }
        var isModern = RequestMeta.isModern(params: call.params)
        if case .undecided = era, call.method == "server/discover" { isModern = true }
        switch era {
        case .session(let session) where isModern == false:
            guard call.method != "initialize" else {
                throw MCPError(.invalidRequest, "The session is initialized already.")
            }
            return self.run(call, try await self.exchange(session))
        case .session:
            throw MCPError(.invalidRequest, "This connection began with initialize; it has no per-request envelope.")
        case .undecided where isModern == false || self.allowsModern == false:
            guard call.method == "initialize" else {
                // Clients that look for the era of a server ask whether it is alive before anything else.
                if call.method == "ping" { return .answer(JSONRPCResponse(id: call.id, result: .success([:]))) }
                throw MCPError(.invalidRequest, "Send initialize first, or an envelope in params._meta.")
            }
            return await self.initialize(call)
        case .modern where call.method == "initialize" && isModern == false:
            throw self.server.unsupportedVersion(call.params["protocolVersion"]?.stringValue ?? "")
        case .undecided, .modern:
            let meta = try self.server.envelope(of: call)
            let revision = try self.server.revision(for: meta)
            self.era.withLock { $0 = .modern }
            return self.run(call, self.exchange(revision, meta))
        }
    }

    private func initialize(_ call: JSONRPCRequest) async -> Step {
        let (response, session) = await self.server.initialize(call, principal: self.principal)
        guard let session else { return .answer(response) }
        // Before the answer, so that whatever the client then subscribes to is heard.
        do throws(SharedStateError) {
            let id = try await self.server.addListener(for: session, to: self.sink)
            let isOpen = self.hearing.withLock { hearing in
                if case .closed = hearing { return false }
                hearing = .listener(id)
                return true
            }
            if isOpen == false { self.server.announcer.remove(id) }
        } catch {
            try? await self.server.close(session)
            let failure = MCPError(.internalError, "\(error.message) Try again later.")
            return .answer(.failure(failure, id: call.id))
        }
        self.era.withLock { $0 = .session(session) }
        return .answer(response)
    }

    private func run(_ call: JSONRPCRequest, _ exchange: Exchange) -> Step {
        Step(work: { [server] in await server.respond(to: call, exchange)?.json })
    }

    private func exchange(_ revision: ProtocolRevision, _ meta: RequestMeta) -> Exchange {
        Exchange(
            transport: self.transport,
            requestID: RandomID.make(),
            principal: self.principal,
            revision: revision,
            client: ClientCapabilities(meta.clientCapabilities ?? [:]),
            scope: self.session?.id ?? self.scope,
            sink: self.sink
        )
    }

    /// The session as it is now.
    ///
    /// As long as the connection is open, it does not expire.
    private func exchange(_ session: ClientSession) async throws(MCPError) -> Exchange {
        let current: ClientSession
        do {
            current = try await self.server.sessions.renewed(session)
        } catch {
            throw MCPError.unavailable("The session can't be looked up now; try again later.")
        }
        self.era.withLock { $0 = .session(current) }
        return Exchange(
            transport: self.transport,
            requestID: RandomID.make(),
            principal: self.principal,
            session: current,
            sink: self.sink
        )
    }
}
