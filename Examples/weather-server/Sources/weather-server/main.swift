// Serves the weather over standard input and output with --stdio, else over HTTP on http://127.0.0.1:8000/mcp.
import MCPHTTP
import MCPServer
import MCPStdio
import WeatherServer

let server = MCPServer.weather()
if CommandLine.arguments.contains("--stdio") {
    try await MCPStdio(server: server).run()
} else {
    try await MCPHTTPServer(server: server, port: 8000).run()
}
