"""What the majors of the official SDK have in common. `types` is the module of its types, which differs."""

from suite import wire


class OfficialSession:
    """A connection, as the suite knows it."""

    def __init__(self, sdk, types):
        self.sdk, self.types = sdk, types
        self.lists = {
            "tools": sdk.list_tools,
            "resources": sdk.list_resources,
            "templates": sdk.list_resource_templates,
            "prompts": sdk.list_prompts,
        }

    async def call(self, name, arguments=None, progress=None):
        return wire(await self.sdk.call_tool(name, arguments, progress_callback=progress))

    async def read(self, uri):
        return wire(await self.sdk.read_resource(uri))["contents"]

    async def prompt(self, name, arguments=None):
        return wire(await self.sdk.get_prompt(name, arguments))

    async def complete(self, reference, argument, value, others=None):
        kinds = {"ref/prompt": self.types.PromptReference, "ref/resource": self.types.ResourceTemplateReference}
        reference = kinds[reference["type"]](**reference)
        result = await self.sdk.complete(reference, {"name": argument, "value": value}, others)
        return wire(result)["completion"]

    async def ping(self):
        return await self.sdk.send_ping() is not None

    async def set_level(self, level):
        await self.sdk.set_logging_level(level)

    async def subscribe(self, uri):
        await self.sdk.subscribe_resource(uri)

    async def unsubscribe(self, uri):
        await self.sdk.unsubscribe_resource(uri)


class Subscription:
    """A stream of changes, as the suite knows it."""

    def __init__(self, sdk):
        self.sdk = sdk
        self.honored = wire(sdk.honored)

    async def next(self):
        return repr(await anext(self.sdk))


def callbacks(user, types):
    """What the SDK asks of the user, and tells him."""

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

    return {
        "elicitation_callback": elicit if user.elicit_with else None,
        "sampling_callback": sample if user.sample_with else None,
        "sampling_capabilities": types.SamplingCapability(tools=types.SamplingToolsCapability()),
        "list_roots_callback": list_roots if user.roots is not None else None,
        "logging_callback": log,
        "message_handler": handle,
    }
