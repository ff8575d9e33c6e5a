import ArgumentParser
import Logging
import MCPHTTP
import MCPServer
import MCPStdio
import SharedState
import SharedStateRedis

/// A server with one of everything that the protocol knows, for the conformance suite and for tests of whole clients.
@main
struct Everything: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gantry-everything",
        abstract: "Serves one of everything that the Model Context Protocol knows."
    )

    @Option(help: "The port on 127.0.0.1 to listen on; the endpoint is /mcp.")
    var port = 8080

    @Flag(help: "Serve standard input and output.")
    var stdio = false

    @Flag(name: .customLong("http-sse"), help: "Offer the transport of 2024-11-05 too, on /sse and /messages.")
    var httpSSE = false

    @Option(help: "How long a stream is silent at most, in milliseconds.")
    var keepAliveMs = 15_000

    @Option(help: "How long a session that nobody uses is kept, in milliseconds.")
    var sessionIdleMs = 1_800_000

    @Option(help: "How many entries a page of a list has.")
    var pageSize = 1000

    @Option(help: "How long the answers to a question are accepted, in milliseconds.")
    var stateLifetimeMs = 900_000

    @Option(help: "How long a task is kept, in milliseconds.")
    var taskLifetimeMs = 3_600_000

    @Option(help: "How long a call with a key counts as running when its process is gone, in milliseconds.")
    var idempotencyLeaseMs = 15_000

    @Option(help: "The address of the Redis that several of these servers share.")
    var redis: String?

    @Option(help: "A text of at least 32 bytes with which is sealed what clients carry.")
    var sealingKey: String?

    func run() async throws {
        var logger = Logger(label: "gantry-everything", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = .warning
        let client = try self.redis.map {
            RedisClient(configuration: try RedisConfiguration(url: $0), logger: logger)
        }
        let server = self.makeServer(client.map { .redis($0) } ?? .inMemory(), logger)
        do {
            try await self.serve(server)
        } catch {
            await client?.shutdown()
            throw error
        }
        await client?.shutdown()
    }

    private func serve(_ server: MCPServer) async throws {
        if self.stdio {
            Allocator.keepFreedMemory()
            try await MCPStdio(server: server).run()
            return
        }
        var configuration = MCPEndpoint.Configuration()
        configuration.keepAliveInterval = .milliseconds(self.keepAliveMs)
        configuration.offersHTTPWithSSE = self.httpSSE
        var logger = Logger(label: "gantry-everything")
        logger.logLevel = .warning
        try await MCPHTTPServer(
            server: server,
            port: self.port,
            configuration: configuration,
            drainTime: .seconds(5),
            logger: logger
        ).run()
    }

    private func makeServer(_ stores: SharedStores, _ logger: Logger) -> MCPServer {
        var options = MCPServer.Options()
        options.instructions = "A server for tests: one of everything."
        options.defaultTimeout = .seconds(60)
        options.pageSize = self.pageSize
        options.sessionIdleLifetime = .milliseconds(self.sessionIdleMs)
        options.requestStateLifetime = .milliseconds(self.stateLifetimeMs)
        options.taskLifetime = .milliseconds(self.taskLifetimeMs)
        options.taskPollInterval = .milliseconds(50)
        options.maximumResultBytes = 16 << 20
        options.offersOperations = true
        options.idempotencyLease = .milliseconds(self.idempotencyLeaseMs)
        if let sealingKey { options.sealingKeys = [SealingKey(bytes: Array(sealingKey.utf8))] }
        let hangingCalls = HangingCalls(values: stores.values)
        return MCPServer(
            name: "gantry-everything",
            version: "1.0.0",
            options: options,
            logger: logger,
            stores: stores
        ) {
            SimpleText()
            ContentTools.all
            ReportingTools.all(hangingCalls)
            AskingTools.all
            InputRequiredTools.all
            TaskTools.all
            CountedWrite(values: stores.values)
            WriteCount(values: stores.values)
            StaticText()
            StaticBinary()
            WatchedResource()
            AppPage()
            TemplateData()
            PromptFixtures.all
        }
    }
}
