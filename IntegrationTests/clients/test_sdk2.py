"""The 2.x release of the official SDK, in both eras: "auto" asks server/discover and speaks 2026-07-28."""

from contextlib import asynccontextmanager

import mcp_types as types
import pytest
from mcp import Client, MCPError, StdioServerParameters
from suite import LATEST, Everywhere, Latest, Legacy, wire


class Subscription:
    """A stream of changes, as the suite knows it."""

    def __init__(self, sdk):
        self.sdk = sdk
        self.honored = wire(sdk.honored)

    async def next(self):
        return repr(await anext(self.sdk))


class Session:
    """A connection, as the suite knows it."""

    error = MCPError

    def __init__(self, sdk):
        self.sdk = sdk
        self.protocol_version = sdk.protocol_version
        self.server_info = wire(sdk.server_info)
        self.instructions = sdk.instructions
        self.capabilities = wire(sdk.server_capabilities)

    async def page(self, kind, cursor=None):
        lists = {
            "tools": self.sdk.list_tools,
            "resources": self.sdk.list_resources,
            "templates": self.sdk.list_resource_templates,
            "prompts": self.sdk.list_prompts,
        }
        return wire(await lists[kind](cursor=cursor))

    async def call(self, name, arguments=None, progress=None):
        return wire(await self.sdk.call_tool(name, arguments, progress_callback=progress))

    async def begin_to_hang(self, group):
        group.start_soon(self.sdk.call_tool, "test_hang")

    async def cancel_the_hanging_call(self, group):
        group.cancel_scope.cancel()

    async def read(self, uri):
        return wire(await self.sdk.read_resource(uri))["contents"]

    async def prompt(self, name, arguments=None):
        return wire(await self.sdk.get_prompt(name, arguments))

    async def complete(self, reference, argument, value, others=None):
        kind = types.PromptReference if reference["type"] == "ref/prompt" else types.ResourceTemplateReference
        result = await self.sdk.complete(kind(**reference), {"name": argument, "value": value}, others)
        return wire(result)["completion"]

    async def ping(self):
        return await self.sdk.send_ping() is not None

    async def set_level(self, level):
        await self.sdk.set_logging_level(level)

    async def subscribe(self, uri):
        await self.sdk.subscribe_resource(uri)

    async def unsubscribe(self, uri):
        await self.sdk.unsubscribe_resource(uri)

    @asynccontextmanager
    async def listen(self, tools=False, prompts=False, uris=()):
        async with self.sdk.listen(
            tools_list_changed=tools, prompts_list_changed=prompts, resource_subscriptions=uris
        ) as subscription:
            yield Subscription(subscription)


@asynccontextmanager
async def connection(target, environment, era, user):
    async def elicit(context, params):
        return types.ElicitResult(**user.elicit(wire(params)))

    async def sample(context, params):
        answer = user.sample(wire(params))
        many = isinstance(answer["content"], list)
        return (types.CreateMessageResultWithTools if many else types.CreateMessageResult)(**answer)

    async def list_roots(context):
        return types.ListRootsResult(roots=[types.Root(uri=uri) for uri in user.roots])

    async def log(params):
        user.logs.append(wire(params))

    async def handle(message):
        if isinstance(message, Exception):
            user.faults.append(message)
        else:
            user.notifications.append(wire(message))

    if not isinstance(target, str):
        target = StdioServerParameters(command=target[0], args=target[1:], env=environment)
    async with Client(
        target,
        mode="auto" if era == LATEST else era,
        elicitation_callback=elicit if user.elicit_with else None,
        sampling_callback=sample if user.sample_with else None,
        sampling_capabilities=types.SamplingCapability(tools=types.SamplingToolsCapability()),
        list_roots_callback=list_roots if user.roots is not None else None,
        logging_callback=log,
        log_level=user.log_level,
        message_handler=handle,
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
