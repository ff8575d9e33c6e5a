"""A server of the official Python SDK with an echo tool, in its fastest mode. Arguments: PORT, or stdio."""

import sys

import uvicorn
from mcp.server.mcpserver import MCPServer

server = MCPServer("python")


@server.tool(name="echo", structured_output=False)
def echo(text: str) -> str:
    """Answers with its argument."""
    return text


if sys.argv[1] == "stdio":
    server.run("stdio")
else:
    application = server.streamable_http_app(json_response=True, stateless_http=True)
    uvicorn.run(application, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
