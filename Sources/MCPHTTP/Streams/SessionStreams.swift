import Hummingbird
import JSON
import MCP
import MCPServer
import NIOCore
import SharedState
import Synchronization

/// The event streams of legacy sessions, which outlive their connections.
///
/// All events of a stream go into a log, and what is sent over a connection is read from there. So a client whose
/// connection broke gets the rest on another one, and the work goes on meanwhile.
///
/// Specification: 2025-11-25, basic/transports, "Resumability and Redelivery".
final class SessionStreams: Sendable {
    /// Where an event stands: the stream, and the number of the event in it.
    struct EventID {
        var stream: String
        var sequence: Int

        init(stream: String, sequence: Int) {
            self.stream = stream
            self.sequence = sequence
        }

        init?(_ text: String) {
            guard let dash = text.lastIndex(of: "-"), let sequence = Int(text[text.index(after: dash)...]),
                sequence >= 0, text.utf8.count <= 64
            else { return nil }
            self.init(stream: String(text[..<dash]), sequence: sequence)
        }

        var text: String { "\(self.stream)-\(self.sequence)" }
    }

    /// The stream of messages that belong to no request.
    static let standalone = "0"

    let log: any EventLog
    let keepAliveInterval: Duration
    /// How long a stream is kept after its last event.
    let lifetime: Duration
    private let keeper: StreamKeeper
    /// The calls whose answers go to the log, so that they have an owner when their connection is gone.
    private let running = Mutex<[String: Task<Void, Never>]>([:])

    init(log: any EventLog, keepAliveInterval: Duration, lifetime: Duration) {
        self.log = log
        self.keepAliveInterval = keepAliveInterval
        self.lifetime = lifetime
        self.keeper = StreamKeeper(log: log, lifetime: lifetime)
    }

    deinit {
        for task in self.running.withLock({ $0.values }) { task.cancel() }
    }

    func key(_ session: ClientSession, _ stream: String) -> String { "mcp:events:\(session.id):\(stream)" }

    // MARK: Calls

    /// Runs a request of a session.
    ///
    /// Its connection may break; the request goes on.
    ///
    /// - Parameters:
    ///   - session: The session.
    ///   - run: Runs the request with a place for its messages.
    ///   - plain: Makes the answer of a request that sent no message before it.
    /// - Returns: The stream, or what `plain` makes.
    func response(
        in session: ClientSession,
        running run: @escaping @Sendable (any MessageSink) async -> JSONRPCResponse?,
        plain: (JSONRPCResponse?) -> Response
    ) async -> Response {
        let mailbox = Mailbox()
        let stream = RandomID.make()
        let pauses = Pauses()
        let (isStreaming, begin) = AsyncStream<Bool>.makeStream()
        let work: @Sendable () async -> Void = {
            // Whoever waits below gets either the stream or the plain answer.
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    mailbox.finish(with: await run(mailbox))
                }
                var hasBegun = false
                while let items = await mailbox.next() {
                    for item in items {
                        switch item {
                        case .message(let message):
                            await self.append(message, to: self.key(session, stream))
                        case .pause(let delay):
                            // The client can come back only to a stream that is there.
                            if hasBegun == false { await self.open(self.key(session, stream)) }
                            pauses.pause(retryAfter: delay)
                        case .keepAlive: continue
                        }
                        if hasBegun == false {
                            hasBegun = true
                            begin.yield(true)
                            self.keeper.keep(self.key(session, stream))
                        }
                    }
                }
                if hasBegun {
                    self.keeper.release(self.key(session, stream))
                    await self.append(mailbox.response?.json, to: self.key(session, stream), isLast: true)
                } else {
                    begin.yield(false)
                }
                begin.finish()
            }
            self.running.withLock { $0[stream] = nil }
        }
        // The task waits for this lock when it ends, so that it can't end before it is entered here.
        self.running.withLock { $0[stream] = Task { await work() } }
        for await isStreaming in isStreaming {
            guard isStreaming else { break }
            return self.read(session, EventID(stream: stream, sequence: 0), pauses: pauses)
        }
        return plain(mailbox.response)
    }

    /// A message, or the end of a stream whose request was cancelled.
    private func append(_ message: JSONValue?, to key: String, isLast: Bool = false) async {
        // A log that fails costs the client its answer; it will ask again.
        _ = try? await self.log.append(
            message?.serialized() ?? [],
            to: key,
            isLast: isLast,
            lifetime: self.lifetime
        )
    }

    /// Makes a stream that has no messages yet.
    func open(_ key: String) async {
        await self.append(nil, to: key)
    }

    /// Logs the messages of a mailbox until it is finished.
    func log(_ mailbox: Mailbox, to key: String) async {
        while let items = await mailbox.next() {
            for case .message(let message) in items { await self.append(message, to: key) }
        }
    }

    // MARK: The stream that belongs to no request

    /// Sends a session what happens on the server, until the client goes or the session ends.
    func standalone(
        _ session: ClientSession,
        after start: EventID?,
        _ lease: StreamLease,
        _ server: MCPServer
    ) async -> Response {
        let key = self.key(session, Self.standalone)
        await self.record(session, server)
        // A new stream has nothing to do with what was sent on an older one.
        let newest = (try? await self.log.events(in: key, after: 0, waitingFor: .zero))?.events.last?.sequence
        let from = start ?? EventID(stream: Self.standalone, sequence: newest ?? 0)
        let body = ResponseBody { writer in
            let box = WriterBox(writer)
            do {
                try await ConnectionWatch.cancelling {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask { try await self.follow(session, from, nil, box) }
                        group.addTask { await lease.keep() }
                        // The session is over, or the client is gone.
                        defer { group.cancelAll() }
                        try await group.next()
                    }
                }
            } catch is CancellationError {
                // The client has gone.
            }
            await lease.end()
            try await box.writer.finish(nil)
        }
        return Response(status: .ok, headers: ServerSentEvents.headers, body: body)
    }

    /// Logs what happens on the server for a session, from now on until the session ends or its client has been away
    /// for as long as events are kept.
    ///
    /// One replica does it.
    private func record(_ session: ClientSession, _ server: MCPServer) async {
        let key = self.key(session, Self.standalone)
        guard let lease = await server.leaseLog(of: session, for: self.keepAliveInterval * 3) else { return }
        let mailbox = Mailbox()
        let (isListening, ready) = AsyncStream<Never>.makeStream()
        let work: @Sendable () async -> Void = { [log = self.log, lifetime = self.lifetime] in
            _ = try? await log.append([], to: key, isLast: false, lifetime: lifetime)
            self.keeper.keep(key)
            try? await server.sendingEvents(of: session, to: mailbox, onEnd: { mailbox.finish() }) {
                ready.finish()
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { await self.log(mailbox, to: key) }
                    group.addTask { await lease.keep() }
                    group.addTask { await self.waitUntilAbandoned(session, server) }
                    await group.next()
                    group.cancelAll()
                }
            }
            ready.finish()
            mailbox.finish()
            self.keeper.release(key)
            _ = try? await log.append([], to: key, isLast: true, lifetime: lifetime)
            await lease.end()
            self.running.withLock { $0[key] = nil }
        }
        self.running.withLock { $0[key] = Task { await work() } }
        for await _ in isListening {}
    }

    private func waitUntilAbandoned(_ session: ClientSession, _ server: MCPServer) async {
        var missed = 0
        while missed < 2 {
            do {
                try await Task.sleep(for: self.lifetime / 2)
            } catch {
                return
            }
            missed = await server.hasStream(session) ? 0 : missed + 1
        }
    }

    /// Whether a stream is kept.
    func exists(_ session: ClientSession, _ id: EventID) async -> Bool {
        let found = try? await self.log.events(
            in: self.key(session, id.stream),
            after: id.sequence,
            waitingFor: .zero
        )
        return found.flatMap(\.self) != nil
    }

    // MARK: Reading

    /// The events after one, and those to come, until the stream ends, pauses, or the client goes.
    func read(_ session: ClientSession, _ start: EventID, pauses: Pauses? = nil) -> Response {
        let body = ResponseBody { writer in
            let box = WriterBox(writer)
            try await self.follow(session, start, pauses, box)
            try await box.writer.finish(nil)
        }
        return Response(status: .ok, headers: ServerSentEvents.headers, body: body)
    }

    /// Writes the events of a stream as they come.
    func follow(
        _ session: ClientSession,
        _ start: EventID,
        _ pauses: Pauses?,
        _ box: WriterBox
    ) async throws {
        var position = start
        if start.sequence == 0, session.revision.supports(.resumableFromStart) {
            try await box.writer.write(ServerSentEvents.priming(id: start.text))
        }
        // A log does not say that its reader was cancelled: it has no events for it, at once, again and again.
        while Task.isCancelled == false {
            let waited = await self.events(self.key(session, start.stream), position.sequence, pauses)
            switch waited {
            case .closed: return
            case .pause(let delay):
                try await box.writer.write(ServerSentEvents.retry(after: delay))
                return
            case .events(let found):
                for (sequence, event) in found.events {
                    position.sequence = sequence
                    if event.isEmpty { continue }
                    try await box.writer.write(ServerSentEvents.event(event, id: position.text))
                }
                if found.isLast { return }
                if found.events.isEmpty { try await box.writer.write(ServerSentEvents.comment) }
            }
        }
    }

    private enum Waited: Sendable {
        case events(LoggedEvents)
        case pause(retryAfter: Duration)
        case closed
    }

    /// Waits for events, a pause, or the end of the connection.
    private func events(_ key: String, _ sequence: Int, _ pauses: Pauses?) async -> Waited {
        if let delay = pauses?.current { return .pause(retryAfter: delay) }
        do {
            return try await ConnectionWatch.cancelling {
                try await withThrowingTaskGroup(of: Waited.self) { group in
                    group.addTask {
                        let found = try await self.log.events(
                            in: key,
                            after: sequence,
                            waitingFor: self.keepAliveInterval
                        )
                        return found.map(Waited.events) ?? .closed
                    }
                    if let pauses {
                        group.addTask {
                            await pauses.wait()
                            return pauses.current.map(Waited.pause) ?? .closed
                        }
                    }
                    defer { group.cancelAll() }
                    return try await group.next() ?? .closed
                }
            }
        } catch {
            return .closed
        }
    }
}

/// Lends the one writer of a body to the one task that writes.
final class WriterBox: Sendable {
    // Hummingbird's writers are not Sendable, although they may be handed on: one task of the group writes, and the body
    // itself only once the group has ended.
    nonisolated(unsafe) var writer: any ResponseBodyWriter  // Safe: one task at a time has it.

    init(_ writer: any ResponseBodyWriter) {
        self.writer = writer
    }
}

/// Tells the connection of a stream that it is to be closed for now.
final class Pauses: Sendable {
    private struct State {
        var delay: Duration?
        var reader: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// When to come back, once the connection is to be closed.
    var current: Duration? { self.state.withLock { $0.delay } }

    func pause(retryAfter delay: Duration) {
        let reader = self.state.withLock { state in
            state.delay = delay
            return Self.takeReader(&state)
        }
        reader?.resume()
    }

    /// Waits until the connection is to be closed, or the task is cancelled.
    ///
    /// One reader waits.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDone = self.state.withLock { state in
                    guard state.delay == nil, Task.isCancelled == false else { return true }
                    state.reader = continuation
                    return false
                }
                if isDone { continuation.resume() }
            }
        } onCancel: {
            self.state.withLock { Self.takeReader(&$0) }?.resume()
        }
    }

    private static func takeReader(_ state: inout State) -> CheckedContinuation<Void, Never>? {
        defer { state.reader = nil }
        return state.reader
    }
}
