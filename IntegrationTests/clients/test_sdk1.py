"""The last 1.x release of the official SDK, which speaks 2025-11-25."""

from contextlib import asynccontextmanager

from mcp import ClientSession, McpError, StdioServerParameters, types
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from suite import Everywhere, Legacy, wire


class Session:
    """A connection, as the suite knows it."""

    error = McpError

    def __init__(self, sdk, welcome):
        self.sdk = sdk
        self.protocol_version = welcome.protocolVersion
        self.server_info = wire(welcome.serverInfo)
        self.instructions = welcome.instructions
        self.capabilities = wire(welcome.capabilities)

    async def page(self, kind, cursor=None):
        lists = {
            "tools": self.sdk.list_tools,
            "resources": self.sdk.list_resources,
            "templates": self.sdk.list_resource_templates,
            "prompts": self.sdk.list_prompts,
        }
        return wire(await lists[kind](params=types.PaginatedRequestParams(cursor=cursor) if cursor else None))

    async def call(self, name, arguments=None, progress=None):
        return wire(await self.sdk.call_tool(name, arguments, progress_callback=progress))

    async def begin_to_hang(self, group):
        # The SDK tells nobody which id a request gets.
        self.hanging = self.sdk._request_id
        group.start_soon(self.sdk.call_tool, "test_hang")

    async def cancel_the_hanging_call(self, group):
        params = types.CancelledNotificationParams(requestId=self.hanging, reason="The user is tired of it.")
        await self.sdk.send_notification(types.ClientNotification(types.CancelledNotification(params=params)))
        # A call that is cancelled is not answered, and the SDK would wait.
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
        elif isinstance(message, types.ServerNotification):
            user.notifications.append(wire(message.root))

    if isinstance(target, str):
        streams = streamable_http_client(target)
    else:
        streams = stdio_client(StdioServerParameters(command=target[0], args=target[1:], env=environment))
    async with streams as (read, write, *_):
        async with ClientSession(
            read,
            write,
            elicitation_callback=elicit if user.elicit_with else None,
            sampling_callback=sample if user.sample_with else None,
            sampling_capabilities=types.SamplingCapability(tools=types.SamplingToolsCapability()),
            list_roots_callback=list_roots if user.roots is not None else None,
            logging_callback=log,
            message_handler=handle,
        ) as sdk:
            yield Session(sdk, await sdk.initialize())


class TestEverywhere(Everywhere):
    eras = ["legacy"]


class TestLegacy(Legacy):
    pass
