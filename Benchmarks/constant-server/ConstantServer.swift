import ArgumentParser
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// Answers every request with the same bytes: what Hummingbird costs by itself, as the measure for what MCP adds.
@main
struct ConstantServer: AsyncParsableCommand {
    @Option(help: "The port on 127.0.0.1 to listen on.")
    var port = 8080

    func run() async throws {
        let answer = ByteBuffer(
            string:
                #"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":[{"type":"text","text":"hi"}]}}"#
        )
        let router = Router()
        router.post("/mcp") { request, _ in
            _ = try await request.body.collect(upTo: 4 << 20)
            return Response(
                status: .ok,
                headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: answer)
            )
        }
        var logger = Logger(label: "constant-server")
        logger.logLevel = .warning
        let application = Application(
            router: router,
            configuration: .init(address: .hostname("127.0.0.1", port: self.port)),
            logger: logger
        )
        try await application.runService()
    }
}
