"""FastMCP's client, in both eras: "auto" asks server/discover and speaks 2026-07-28."""

from contextlib import asynccontextmanager

import mcp_types as types
import pytest
from fastmcp import Client
from fastmcp.client.transports import StdioTransport
from fastmcp.exceptions import ToolError
from mcp import MCPError
from mcp.client.subscriptions import listen
from official import Subscription
from suite import LATEST, Everywhere, Latest, Legacy, wire


class Session:
    """A connection, as the suite knows it."""

    error = MCPError

    def __init__(self, client):
        self.client = client
        self.protocol_version = client.protocol_version
        self.server_info = wire(client.server_info)
        self.instructions = client.instructions
        self.capabilities = wire(client.server_capabilities)

    async def page(self, kind, cursor=None):
        lists = {
            "tools": self.client.list_tools_mcp,
            "resources": self.client.list_resources_mcp,
            "templates": self.client.list_resource_templates_mcp,
            "prompts": self.client.list_prompts_mcp,
        }
        return wire(await lists[kind](cursor=cursor))

    async def call(self, name, arguments=None, progress=None):
        return wire(await self.client.call_tool_mcp(name, arguments or {}, progress_handler=progress))

    async def begin_to_hang(self, group):
        group.start_soon(self.client.call_tool, "test_hang")

    async def cancel_the_hanging_call(self, group):
        group.cancel_scope.cancel()

    async def read(self, uri):
        return [wire(contents) for contents in await self.client.read_resource(uri)]

    async def prompt(self, name, arguments=None):
        return wire(await self.client.get_prompt(name, arguments))

    async def complete(self, reference, argument, value, others=None):
        kind = types.PromptReference if reference["type"] == "ref/prompt" else types.ResourceTemplateReference
        return wire(await self.client.complete(kind(**reference), {"name": argument, "value": value}, others))

    async def ping(self):
        return await self.client.ping()

    async def set_level(self, level):
        await self.client.set_logging_level(level)

    # FastMCP has no methods of its own for subscriptions, but shows the SDK's session.

    async def subscribe(self, uri):
        await self.client.session.subscribe_resource(uri)

    async def unsubscribe(self, uri):
        await self.client.session.unsubscribe_resource(uri)

    @asynccontextmanager
    async def listen(self, tools=False, prompts=False, uris=()):
        async with listen(
            self.client.session,
            tools_list_changed=tools,
            prompts_list_changed=prompts,
            resource_subscriptions=uris,
        ) as subscription:
            yield Subscription(subscription)


@asynccontextmanager
async def connection(target, environment, era, user):
    async def elicit(message, response_type, params, context):
        asked = wire(params)
        assert message == asked["message"]
        assert (response_type is None) == (asked.get("mode") == "url")
        return types.ElicitResult(**user.elicit(asked))

    async def sample(messages, params, context):
        answer = user.sample(wire(params))
        if isinstance(answer["content"], list):
            return types.CreateMessageResultWithTools(**answer)
        return answer["content"]["text"]

    async def log(message):
        user.logs.append(wire(message))

    async def handle(message):
        if isinstance(message, Exception):
            user.faults.append(message)
        else:
            user.notifications.append(wire(message))

    if not isinstance(target, str):
        target = StdioTransport(command=target[0], args=target[1:], env=environment, keep_alive=False)
    async with Client(
        target,
        mode="auto" if era == LATEST else era,
        elicitation_handler=elicit if user.elicit_with else None,
        sampling_handler=sample if user.sample_with else None,
        sampling_capabilities=types.SamplingCapability(tools=types.SamplingToolsCapability()),
        roots=user.roots,
        log_handler=log,
        message_handler=handle,
    ) as client:
        yield Session(client)


@pytest.mark.anyio
class TestEverywhere(Everywhere):
    eras = ["legacy", LATEST]

    async def test_returns_data(self, connect):
        async with connect() as session:
            result = await session.client.call_tool("test_cancel_count")
        assert result.data.count == result.structured_content["count"]
        assert result.is_error is False

    async def test_raises_what_a_tool_says(self, connect):
        async with connect() as session:
            with pytest.raises(ToolError, match="This tool intentionally returns an error for testing"):
                await session.client.call_tool("test_error_handling")

    async def test_collects_all_pages(self, connect):
        async with connect() as session:
            whole = await session.client.list_tools()
        async with connect(options=("--page-size", "2")) as session:
            pages = await session.client.list_tools()
            assert len(await session.client.list_resources()) == 4
            assert len(await session.client.list_prompts()) == 5
        assert [tool.name for tool in pages] == [tool.name for tool in whole]


class TestLegacy(Legacy):
    pytestmark = pytest.mark.filterwarnings("ignore::mcp.MCPDeprecationWarning")


class TestLatest(Latest):
    # FastMCP always asks for the whole log, so there is no test of a request without one. It declares tasks only with
    # the package fastmcp-tasks, which there is none of for this release.
    pass
