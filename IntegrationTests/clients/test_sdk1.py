"""The last 1.x release of the official SDK, which speaks 2025-11-25."""

from contextlib import asynccontextmanager

from mcp import ClientSession, McpError, StdioServerParameters, types
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from official import OfficialSession, callbacks
from suite import Everywhere, Legacy, wire


class Session(OfficialSession):
    error = McpError

    def __init__(self, sdk, welcome):
        super().__init__(sdk, types)
        self.protocol_version = welcome.protocolVersion
        self.server_info = wire(welcome.serverInfo)
        self.instructions = welcome.instructions
        self.capabilities = wire(welcome.capabilities)

    async def page(self, kind, cursor=None):
        return wire(await self.lists[kind](params=types.PaginatedRequestParams(cursor=cursor) if cursor else None))

    async def begin_to_hang(self, group):
        async def hang():
            # The SDK tells nobody which id a request gets.
            self.hanging = self.sdk._request_id
            await self.sdk.call_tool("test_hang")

        group.start_soon(hang)

    async def cancel_the_hanging_call(self, group):
        params = types.CancelledNotificationParams(requestId=self.hanging, reason="The user is tired of it.")
        await self.sdk.send_notification(types.ClientNotification(types.CancelledNotification(params=params)))
        # A call that is cancelled is not answered, and the SDK would wait.
        group.cancel_scope.cancel()


@asynccontextmanager
async def connection(target, environment, era, user):
    if isinstance(target, str):
        streams = streamable_http_client(target)
    else:
        streams = stdio_client(StdioServerParameters(command=target[0], args=target[1:], env=environment))
    async with streams as (read, write, *_):
        async with ClientSession(read, write, **callbacks(user, types)) as sdk:
            yield Session(sdk, await sdk.initialize())


class TestEverywhere(Everywhere):
    eras = ["legacy"]


class TestLegacy(Legacy):
    pass
