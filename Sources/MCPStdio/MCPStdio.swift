import JSON
import MCP
public import MCPServer

/// Serves one client over standard input and output: one JSON message per line.
///
/// The first request decides the era of the connection: an envelope means 2026-07-28, `initialize` means a session.
/// Requests run side by side and are answered in the order in which they finish.
///
/// Specification: 2026-07-28, basic/transports/stdio.
public struct MCPStdio: Sendable {
    /// What can be set about the transport.
    public struct Configuration: Sendable {
        /// The longest line that is read.
        public var maximumLineBytes = 4 << 20
        /// How deeply the JSON of a line may be nested.
        public var maximumDepth = 64
        /// How many requests of the client run at a time; further lines are read when one is done.
        public var maximumRequests = 128
        /// How long requests may go on after the client has closed its end.
        public var drainTime = Duration.seconds(2)

        public init() {}
    }

    /// What the connection turned out to speak.
    private enum Era {
        case undecided
        case modern
        case session(ClientSession)
    }

    private let server: MCPServer
    private let configuration: Configuration
    private let input: Int32
    private let output: Int32
    private let principal: Principal

    /// - Parameters:
    ///   - server: The server that answers.
    ///   - configuration: Limits.
    ///   - input: The file descriptor to read from. It is not closed.
    ///   - output: The file descriptor to write to. It is not closed.
    ///   - principal: On whose behalf calls run.
    public init(
        server: MCPServer,
        configuration: Configuration = Configuration(),
        input: Int32 = 0,
        output: Int32 = 1,
        principal: Principal = .local
    ) {
        self.server = server
        self.configuration = configuration
        self.input = input
        self.output = output
        self.principal = principal
    }

    /// Serves until the client closes its end or the task is cancelled.
    ///
    /// - Throws: ``StdioError`` if the descriptors can't be read or watched.
    public func run() async throws {
        let reader = try LineReader(
            descriptor: self.input,
            maximumBytes: self.configuration.maximumLineBytes,
            maximumWaiting: self.configuration.maximumRequests
        )
        let writer = LineWriter(descriptor: self.output)
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                var era = Era.undecided
                let scope = RandomID.make()
                for await line in reader.lines {
                    guard let request = await self.take(line, &era, scope, writer) else {
                        reader.didFinishLine()
                        continue
                    }
                    // Begun at once, so that a cancellation on the next line finds it.
                    group.addImmediateTask {
                        if let response = await self.server.respond(to: request.call, request.exchange) {
                            writer.write(response.json)
                        }
                        reader.didFinishLine()
                    }
                }
                await self.server.drain(within: self.configuration.drainTime)
            }
        } onCancel: {
            reader.stop()
        }
        await writer.finish()
    }

    private typealias Accepted = (call: JSONRPCRequest, exchange: Exchange)

    /// Handles what is answered at once, and returns a request that has to be run.
    private func take(
        _ line: LineReader.Line,
        _ era: inout Era,
        _ scope: String,
        _ writer: LineWriter
    ) async -> Accepted? {
        let message: JSONRPCMessage
        do {
            message = try self.parse(line)
        } catch {
            writer.write(JSONRPCResponse.failure(error.error, id: error.id).json)
            return nil
        }
        switch message {
        case .request(let call):
            do throws(MCPError) {
                let revision: ProtocolRevision
                (era, revision) = try await self.admit(call, era, writer)
                guard call.method != "initialize" else { return nil }
                return (call, self.exchange(revision, scope, writer))
            } catch {
                writer.write(JSONRPCResponse.failure(error, id: call.id).json)
                return nil
            }
        case .notification(let notification):
            self.server.receive(notification, self.exchange(.v2026_07_28, scope, writer))
            return nil
        case .response:
            // Nothing was asked of the client, so nobody waits for its answer.
            return nil
        }
    }

    private func parse(_ line: LineReader.Line) throws(JSONRPCMessage.Malformed) -> JSONRPCMessage {
        guard case .bytes(let bytes) = line else {
            let limit = self.configuration.maximumLineBytes
            throw JSONRPCMessage.Malformed(error: MCPError(.invalidRequest, "A line may have \(limit) bytes."))
        }
        let limits = JSONLimits(
            maximumDepth: self.configuration.maximumDepth,
            maximumBytes: self.configuration.maximumLineBytes
        )
        let value: JSONValue
        do {
            value = try JSONValue(parsing: bytes, limits: limits)
        } catch {
            throw JSONRPCMessage.Malformed(
                error: MCPError(.parseError, "The line is not JSON: \(error.message) (byte \(error.offset)).")
            )
        }
        return try JSONRPCMessage(value)
    }

    /// Finds the revision that a request is answered in, and answers `initialize`.
    private func admit(
        _ call: JSONRPCRequest,
        _ era: Era,
        _ writer: LineWriter
    ) async throws(MCPError) -> (Era, ProtocolRevision) {
        let isModern = RequestMeta.isModern(params: call.params) || call.method == "server/discover"
        switch era {
        case .session(let session) where isModern == false:
            guard call.method != "initialize" else {
                throw MCPError(.invalidRequest, "The session is initialized already.")
            }
            return (era, session.revision)
        case .session:
            throw MCPError(.invalidRequest, "This connection began with initialize; it has no per-request envelope.")
        case .undecided where isModern == false:
            guard call.method == "initialize" else {
                throw MCPError(.invalidRequest, "Send initialize first, or an envelope in params._meta.")
            }
            let (response, session) = await self.server.initialize(call, principal: self.principal, keepsSession: false)
            writer.write(response.json)
            guard let session else { return (.undecided, .v2025_11_25) }
            return (.session(session), session.revision)
        case .modern where call.method == "initialize" && isModern == false:
            throw self.server.unsupportedVersion(call.params["protocolVersion"]?.stringValue ?? "")
        case .undecided, .modern:
            let revision = try self.server.revision(for: try self.server.envelope(of: call))
            return (.modern, revision)
        }
    }

    private func exchange(_ revision: ProtocolRevision, _ scope: String, _ writer: LineWriter) -> Exchange {
        Exchange(
            transport: "stdio",
            requestID: RandomID.make(),
            principal: self.principal,
            revision: revision,
            scope: scope,
            sink: writer
        )
    }
}
