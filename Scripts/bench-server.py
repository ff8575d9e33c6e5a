"""A server of the official Python SDK with a tool like k8s.generate_manifest, as a user would write it."""

import sys

import uvicorn
from mcp.server.mcpserver import MCPServer
from starlette.responses import PlainTextResponse

server = MCPServer("python")


@server.custom_route("/livez", methods=["GET"])
async def livez(_):
    return PlainTextResponse("alive")


@server.tool(name="k8s.generate_manifest")
def generate_manifest(app_name: str, image: str, container_port: int, replicas: int = 2) -> dict[str, str]:
    """Writes a Deployment."""
    return {
        "manifest": f"""apiVersion: apps/v1
kind: Deployment
metadata:
  name: {app_name}-deployment
spec:
  replicas: {replicas}
  template:
    spec:
      containers:
        - name: {app_name}
          image: {image}
          ports:
            - containerPort: {container_port}
"""
    }


uvicorn.run(
    server.streamable_http_app(json_response=True, stateless_http=True),
    host="127.0.0.1",
    port=int(sys.argv[1]),
    log_level="warning",
)
