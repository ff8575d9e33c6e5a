"""The official Python SDK as a client, in its two majors, over both transports and in both eras of the protocol.

Whatever the SDK, a test gets objects as they are on the wire (camelCase dictionaries).
"""

from contextlib import asynccontextmanager
from importlib.metadata import version

import anyio
import pytest

SDK_MAJOR = int(version("mcp").split(".")[0])
LATEST = "2026-07-28"
ERAS = ["legacy"] if SDK_MAJOR == 1 else ["legacy", LATEST]


class Session:
    """One connection to a server."""

    def __init__(self, sdk, protocol_version, server_name):
        self.sdk = sdk
        self.protocol_version = protocol_version
        self.server_name = server_name

    async def tools(self):
        tools, cursor = [], None
        while True:
            result = await (self.sdk.list_tools(cursor=cursor) if cursor else self.sdk.list_tools())
            wire = result.model_dump(by_alias=True, mode="json", exclude_none=True)
            tools += wire["tools"]
            cursor = wire.get("nextCursor")
            if not cursor:
                return tools

    async def call(self, name, arguments, progress=None):
        result = await self.sdk.call_tool(name, arguments, progress_callback=progress)
        return result.model_dump(by_alias=True, mode="json", exclude_none=True)


@asynccontextmanager
async def sdk1(server, transport, era):
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client
    from mcp.client.streamable_http import streamable_http_client

    if transport == "stdio":
        streams = stdio_client(StdioServerParameters(command=server.binary, args=["stdio"], env=server.environment))
    else:
        streams = streamable_http_client(server.url)
    async with streams as (read, write, *_), ClientSession(read, write) as session:
        result = await session.initialize()
        yield Session(session, result.protocolVersion, result.serverInfo.name)


@asynccontextmanager
async def sdk2(server, transport, era):
    from mcp import Client, StdioServerParameters

    target = server.url
    if transport == "stdio":
        target = StdioServerParameters(command=server.binary, args=["stdio"], env=server.environment)
    # "auto" asks server/discover first, which is what tells the client the server's name.
    async with Client(target, mode="auto" if era == LATEST else era) as client:
        yield Session(client, client.protocol_version, client.server_info.name if client.server_info else None)


@pytest.fixture(params=[(transport, era) for transport in ("http", "stdio") for era in ERAS], ids="-".join)
def connection(request, gantry):
    """Runs an async function with a session, and fails if it hangs."""
    transport, era = request.param
    connect = sdk1 if SDK_MAJOR == 1 else sdk2

    def run(body):
        async def main():
            with anyio.fail_after(60):
                async with connect(gantry, transport, era) as session:
                    return await body(session)

        return anyio.run(main)

    run.era = era
    run.transport = transport
    return run
