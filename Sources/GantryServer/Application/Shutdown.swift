import Logging
import MCPServer
import ServiceLifecycle
import Synchronization

/// Ends tool calls before the transports end.
///
/// It runs until the server is told to stop. Then no call begins any more, and those that run may finish; the ones that
/// take longer get an error that says so. The service group stops it first, while the transport still carries answers.
final class Shutdown: Service {
    /// How long calls may go on after the server has been told to stop.
    static let drainTime = Duration.seconds(10)

    private let server: MCPServer
    private let logger: Logger
    private let begun = Atomic(false)

    init(server: MCPServer, logger: Logger) {
        self.server = server
        self.logger = logger
    }

    /// Whether the server has been told to stop.
    var hasBegun: Bool { self.begun.load(ordering: .relaxed) }

    func run() async throws {
        try? await gracefulShutdown()
        self.begun.store(true, ordering: .relaxed)
        self.logger.info("draining", metadata: ["limit_s": .stringConvertible(Self.drainTime.components.seconds)])
        await self.server.drain(within: Self.drainTime)
    }
}
