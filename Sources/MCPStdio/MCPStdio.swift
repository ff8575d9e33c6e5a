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
        let connection = ClientConnection(
            server: self.server,
            transport: "stdio",
            principal: self.principal,
            sink: writer
        )
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                for await line in reader.lines {
                    let step = await self.step(for: line, connection)
                    if let answer = step.answer { writer.write(answer) }
                    guard let work = step.work else {
                        reader.didFinishLine()
                        continue
                    }
                    // Begun at once, so that a cancellation on the next line finds it.
                    group.addImmediateTask {
                        if let answer = await work() { writer.write(answer) }
                        reader.didFinishLine()
                    }
                }
                await self.server.drain(within: self.configuration.drainTime)
                group.cancelAll()
            }
        } onCancel: {
            reader.stop()
        }
        await connection.close()
        await writer.finish()
    }

    private func step(for line: LineReader.Line, _ connection: ClientConnection) async -> ClientConnection.Step {
        let limits = JSONLimits(
            maximumDepth: self.configuration.maximumDepth,
            maximumBytes: self.configuration.maximumLineBytes
        )
        switch line {
        case .tooLong:
            let most = self.configuration.maximumLineBytes
            return .init(answer: ClientConnection.refusal(.invalidRequest, "A line may have \(most) bytes."))
        case .bytes(let bytes):
            do throws(JSONError) {
                return await connection.take(try JSONValue(parsing: bytes, limits: limits))
            } catch {
                let message = "The line is not JSON: \(error.message) (byte \(error.offset))."
                return .init(answer: ClientConnection.refusal(.parseError, message))
            }
        }
    }
}
