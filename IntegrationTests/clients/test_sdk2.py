"""The 2.x release of the official SDK, in both eras: "auto" asks server/discover and speaks 2026-07-28."""

from contextlib import asynccontextmanager

import mcp_types as types
import pytest
from mcp import Client, MCPError, StdioServerParameters
from official import OfficialSession, Subscription, callbacks
from suite import LATEST, Everywhere, Latest, Legacy, wire


class Session(OfficialSession):
    error = MCPError

    def __init__(self, sdk):
        super().__init__(sdk, types)
        self.protocol_version = sdk.protocol_version
        self.server_info = wire(sdk.server_info)
        self.instructions = sdk.instructions
        self.capabilities = wire(sdk.server_capabilities)

    async def page(self, kind, cursor=None):
        return wire(await self.lists[kind](cursor=cursor))

    async def begin_to_hang(self, group):
        group.start_soon(self.sdk.call_tool, "test_hang")

    async def cancel_the_hanging_call(self, group):
        group.cancel_scope.cancel()

    @asynccontextmanager
    async def listen(self, tools=False, prompts=False, uris=()):
        async with self.sdk.listen(
            tools_list_changed=tools, prompts_list_changed=prompts, resource_subscriptions=uris
        ) as subscription:
            yield Subscription(subscription)


@asynccontextmanager
async def connection(target, environment, era, user):
    if not isinstance(target, str):
        target = StdioServerParameters(command=target[0], args=target[1:], env=environment)
    async with Client(
        target,
        mode="auto" if era == LATEST else era,
        log_level=user.log_level,
        **callbacks(user, types),
    ) as sdk:
        yield Session(sdk)


class TestEverywhere(Everywhere):
    eras = ["legacy", LATEST]


class TestLegacy(Legacy):
    pytestmark = pytest.mark.filterwarnings("ignore::mcp.MCPDeprecationWarning")


class TestLatest(Latest):
    @pytest.mark.anyio
    async def test_gets_no_log_unless_it_wants_one(self, connect):
        async with connect() as session:
            await session.call("test_tool_with_logging")
        assert session.user.logs == []
