"""What every client is asked to do. The messages are as they are on the wire: camelCase dictionaries."""

import base64
import json

import anyio
import pytest

LEGACY = "2025-11-25"
LATEST = "2026-07-28"
WATCHED = "test://watched-resource"
PICTURE = b"\x89PNG\r\n\x1a\n"


def http_only(function):
    """For tests that need two clients of one server."""
    function.transports = ("http",)
    return function


def wire(model):
    """An SDK's object as the server has sent it."""
    return model.model_dump(by_alias=True, mode="json", exclude_unset=True)


def text_of(result):
    return "".join(block["text"] for block in result["content"] if block["type"] == "text")


def names(items):
    return [item["name"] for item in items]


class User:
    """Who sits behind a client: answers what the server asks, and keeps what it tells."""

    def __init__(self, elicit=None, sample=None, roots=None, log_level=None):
        self.elicit_with = elicit
        self.sample_with = sample
        self.roots = roots
        self.log_level = log_level
        self.asked = []
        self.logs = []
        self.notifications = []
        self.faults = []

    def elicit(self, params):
        self.asked.append(params)
        return self.elicit_with(params) if callable(self.elicit_with) else self.elicit_with

    def sample(self, params):
        self.asked.append(params)
        content = self.sample_with
        if isinstance(content, str):
            content = {"type": "text", "text": content}
        return {"role": "assistant", "model": "parrot-1", "content": content}

    def told(self, method):
        """The parameters of the notifications of a method."""
        return [notice.get("params") or {} for notice in self.notifications if notice["method"] == method]

    async def hears(self, method, trigger):
        """Triggers a notification until it comes: a client has connected before it listens."""
        before = len(self.told(method))
        while True:
            await trigger()
            with anyio.move_on_after(1):
                while len(self.told(method)) == before:
                    await anyio.sleep(0.02)
                return self.told(method)[before:]


def fills_in(**content):
    return {"action": "accept", "content": content}


def by_name(params):
    """Fills in whatever a form asks for."""
    answers = {"name": "Ada", "color": "green", "context": "the sea", "ok": True, "confirm": True}
    return fills_in(**{name: answers[name] for name in params["requestedSchema"]["properties"]})


@pytest.mark.anyio
class Everywhere:
    """What works in both eras."""

    async def test_learns_who_the_server_is(self, connect):
        async with connect() as session:
            assert session.protocol_version == (LATEST if session.era == LATEST else LEGACY)
            assert session.server_info == {"name": "gantry-everything", "version": "1.0.0"}
            assert session.instructions == "A server for tests: one of everything."
            assert session.capabilities["tools"] == {"listChanged": True}
            assert session.capabilities["prompts"] == {"listChanged": True}
            assert session.capabilities["resources"] == {"subscribe": True, "listChanged": True}
            assert session.capabilities["logging"] == {}
            assert session.capabilities["completions"] == {}

    # Tools

    async def test_lists_the_tools(self, connect):
        async with connect() as session:
            page = await session.page("tools")
        assert page.get("nextCursor") is None
        tools = {tool["name"]: tool for tool in page["tools"]}
        assert len(tools) == len(page["tools"]) > 40
        assert page["tools"][0]["name"] == "test_simple_text"
        echo = tools["echo"]["inputSchema"]
        assert echo["properties"] == {"text": {"type": "string", "description": "What to answer"}}
        assert echo["required"] == ["text"]
        assert tools["echo"]["annotations"]["readOnlyHint"] is True
        assert tools["test_cancel_count"]["outputSchema"]["properties"]["count"]["type"] == "integer"
        schema = tools["json_schema_2020_12_tool"]["inputSchema"]
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert schema["$defs"]["address"]["$anchor"] == "addressDef"
        assert schema["properties"]["address"] == {"$ref": "#/$defs/address"}
        assert schema["allOf"] == [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}]
        assert schema["then"] == {"required": ["phone"]}

    @pytest.mark.parametrize(
        "text",
        ["", "hello", "Grüße, 世界 👋🏽\n\t\"\\\u2028\u0000", "x" * 500_000],
        ids=["empty", "plain", "unicode", "long"],
    )
    async def test_calls_a_tool(self, connect, text):
        async with connect() as session:
            result = await session.call("echo", {"text": text})
        assert not result.get("isError")
        assert result["content"] == [{"type": "text", "text": text}]

    async def test_gets_every_kind_of_content(self, connect):
        async with connect() as session:
            image = (await session.call("test_image_content"))["content"]
            audio = (await session.call("test_audio_content"))["content"]
            resource = (await session.call("test_embedded_resource"))["content"]
            mixed = (await session.call("test_multiple_content_types"))["content"]
        assert [image[0]["type"], image[0]["mimeType"]] == ["image", "image/png"]
        assert base64.b64decode(image[0]["data"]).startswith(PICTURE)
        assert [audio[0]["type"], audio[0]["mimeType"]] == ["audio", "audio/wav"]
        assert base64.b64decode(audio[0]["data"]).startswith(b"RIFF")
        assert resource[0]["resource"] == {
            "uri": "test://embedded-resource",
            "mimeType": "text/plain",
            "text": "This is an embedded resource content.",
        }
        assert [block["type"] for block in mixed] == ["text", "image", "resource"]
        assert json.loads(mixed[2]["resource"]["text"]) == {"test": "data", "value": 123}

    async def test_gets_structured_output(self, connect):
        async with connect() as session:
            result = await session.call("test_cancel_count")
        assert set(result["structuredContent"]) == {"began", "count"}
        assert json.loads(text_of(result)) == result["structuredContent"]

    async def test_sends_arguments_in_headers_too(self, connect):
        async with connect() as session:
            await session.page("tools")
            result = await session.call("test_x_mcp_header", {"region": "Öst 1", "count": 3, "urgent": False})
            without = await session.call("test_x_mcp_header")
        assert text_of(result) == "Region: Öst 1"
        assert text_of(without) == "Region: none"

    async def test_a_failed_tool_is_a_result(self, connect):
        async with connect() as session:
            result = await session.call("test_error_handling")
        assert result["isError"] is True
        assert text_of(result) == "This tool intentionally returns an error for testing"

    async def test_bad_arguments_are_a_result(self, connect):
        async with connect() as session:
            result = await session.call("echo", {"text": 7})
        assert result["isError"] is True
        assert "/text" in text_of(result)

    async def test_an_unknown_tool_is_an_error(self, connect):
        async with connect() as session:
            with pytest.raises(session.error) as raised:
                await session.call("lost_tool")
            assert raised.value.error.code == -32602
            assert "lost_tool" in raised.value.error.message
            assert text_of(await session.call("echo", {"text": "still here"})) == "still here"

    async def test_calls_run_side_by_side(self, connect):
        answers = {}

        async with connect() as session:

            async def call(text):
                answers[text] = text_of(await session.call("echo", {"text": text}))

            async with anyio.create_task_group() as group:
                for number in range(20):
                    group.start_soon(call, f"call {number}")
        assert answers == {f"call {number}": f"call {number}" for number in range(20)}

    # Resources

    async def test_lists_the_resources(self, connect):
        async with connect() as session:
            resources = {item["uri"]: item for item in (await session.page("resources"))["resources"]}
            templates = (await session.page("templates"))["resourceTemplates"]
        assert list(resources) == ["test://static-text", "test://static-binary", WATCHED, "ui://fixtures/app.html"]
        assert resources["test://static-binary"] == {
            "uri": "test://static-binary",
            "name": "Static picture",
            "description": "A picture of one pixel.",
            "mimeType": "image/png",
        }
        assert resources[WATCHED]["annotations"] == {"audience": ["user"], "priority": 0.5}
        assert resources["ui://fixtures/app.html"]["mimeType"] == "text/html;profile=mcp-app"
        assert templates == [
            {
                "uriTemplate": "test://template/{id}/data",
                "name": "Template data",
                "description": "Data by id.",
                "mimeType": "application/json",
            }
        ]

    async def test_reads_resources(self, connect):
        async with connect() as session:
            text = await session.read("test://static-text")
            picture = await session.read("test://static-binary")
            page = await session.read("ui://fixtures/app.html")
            data = await session.read("test://template/a%20%C3%B6%3F/data")
        assert text == [
            {
                "uri": "test://static-text",
                "mimeType": "text/plain",
                "text": "This is the content of the static text resource.",
            }
        ]
        assert base64.b64decode(picture[0]["blob"]).startswith(PICTURE)
        assert picture[0]["mimeType"] == "image/png" and "text" not in picture[0]
        assert page[0]["_meta"] == {"ui": {"csp": {"connectDomains": []}}}
        assert json.loads(data[0]["text"])["id"] == "a ö?"

    async def test_a_missing_resource_is_an_error(self, connect):
        async with connect() as session:
            with pytest.raises(session.error) as raised:
                await session.read("test://lost")
            assert raised.value.error.code == (-32602 if session.era == LATEST else -32002)
            assert raised.value.error.data == {"uri": "test://lost"}

    # Prompts and completion

    async def test_lists_the_prompts(self, connect):
        async with connect() as session:
            prompts = (await session.page("prompts"))["prompts"]
        assert names(prompts) == [
            "test_simple_prompt",
            "test_prompt_with_arguments",
            "test_prompt_with_embedded_resource",
            "test_prompt_with_image",
            "test_input_required_result_prompt",
        ]
        assert prompts[1]["arguments"] == [
            {"name": "arg1", "description": "The first argument", "required": True},
            {"name": "arg2", "description": "The second argument", "required": True},
        ]

    async def test_gets_prompts(self, connect):
        async with connect() as session:
            simple = await session.prompt("test_simple_prompt")
            arguments = await session.prompt("test_prompt_with_arguments", {"arg1": "é", "arg2": "'"})
            resource = await session.prompt("test_prompt_with_embedded_resource", {"resourceUri": "test://a"})
            image = await session.prompt("test_prompt_with_image")
        assert simple["messages"] == [
            {"role": "user", "content": {"type": "text", "text": "This is a simple prompt for testing."}}
        ]
        assert arguments["messages"][0]["content"]["text"] == "Prompt with arguments: arg1='é', arg2='''"
        assert resource["messages"][0]["content"]["resource"]["uri"] == "test://a"
        assert resource["messages"][1]["content"]["text"] == "Please process the embedded resource above."
        assert base64.b64decode(image["messages"][0]["content"]["data"]).startswith(PICTURE)

    async def test_wrong_prompts_are_errors(self, connect):
        async with connect() as session:
            incomplete = ("test_prompt_with_arguments", {"arg1": "a"}, "arg2")
            for name, arguments, word in [("lost", None, "lost"), incomplete]:
                with pytest.raises(session.error) as raised:
                    await session.prompt(name, arguments)
                assert raised.value.error.code == -32602
                assert word in raised.value.error.message

    async def test_completes_arguments(self, connect):
        prompt = {"type": "ref/prompt", "name": "test_prompt_with_arguments"}
        template = {"type": "ref/resource", "uri": "test://template/{id}/data"}
        async with connect() as session:
            first = await session.complete(prompt, "arg1", "te")
            second = await session.complete(prompt, "arg2", "", {"arg1": "x"})
            third = await session.complete(template, "id", "12")
            none = await session.complete(template, "id", "9")
        assert first["values"] == ["test", "test-1", "test-2"]
        assert second["values"] == ["xa", "xb"]
        assert third["values"] == ["123", "124"]
        assert none["values"] == [] and not none.get("hasMore")

    # Pagination

    @pytest.mark.parametrize("kind", ["tools", "resources", "prompts"])
    async def test_walks_through_pages(self, connect, kind):
        async with connect() as session:
            whole = names((await session.page(kind))[kind])
        async with connect(options=("--page-size", "2")) as session:
            pages = [await session.page(kind)]
            while cursor := pages[-1].get("nextCursor"):
                pages.append(await session.page(kind, cursor))
            with pytest.raises(session.error) as raised:
                await session.page(kind, "nonsense")
        assert [name for page in pages for name in names(page[kind])] == whole
        assert [len(page[kind]) for page in pages[:-1]] == [2] * ((len(whole) - 1) // 2)
        assert raised.value.error.code == -32602

    # While a call runs

    async def test_hears_of_progress(self, connect):
        seen = []

        async def progress(done, total, message):
            seen.append((done, total, message))

        async with connect() as session:
            result = await session.call("test_tool_with_progress", {}, progress)
            assert text_of(result) == "Progress has been reported."
        assert seen == [(done, 100, f"Completed {done} of 100") for done in (0, 50, 100)]

    async def test_cancels_a_call(self, connect):
        async def calls():
            result = (await session.call("test_cancel_count"))["structuredContent"]
            return result["began"], result["count"]

        async with connect() as session:
            began, cancelled = await calls()
            async with anyio.create_task_group() as group:
                await session.begin_to_hang(group)
                while await calls() == (began, cancelled):
                    await anyio.sleep(0.02)
                assert await calls() == (began + 1, cancelled)
                await session.cancel_the_hanging_call(group)
            while await calls() == (began + 1, cancelled):
                await anyio.sleep(0.02)
            assert await calls() == (began + 1, cancelled + 1)

    # What the server asks

    @pytest.mark.parametrize(
        "answer, text",
        [
            (fills_in(username="ada", email="ada@example.com"), "accept"),
            ({"action": "decline"}, "decline"),
            ({"action": "cancel"}, "cancel"),
        ],
        ids=["accept", "decline", "cancel"],
    )
    async def test_answers_a_form(self, connect, answer, text):
        user = User(elicit=answer)
        async with connect(user) as session:
            result = await session.call("test_elicitation", {"message": "Who are you?"})
        assert not result.get("isError")
        action, _, content = text_of(result).removeprefix("User response: ").partition(", ")
        assert action == text
        assert (json.loads(content) if content else None) == answer.get("content")
        assert len(user.asked) == 1
        assert user.asked[0]["message"] == "Who are you?"
        assert user.asked[0].get("mode", "form") == "form"
        assert user.asked[0]["requestedSchema"]["required"] == ["username", "email"]

    async def test_sees_defaults_and_choices(self, connect):
        user = User(elicit={"action": "decline"})
        async with connect(user) as session:
            await session.call("test_elicitation_sep1034_defaults")
            await session.call("test_elicitation_sep1330_enums")
        defaults, choices = (question["requestedSchema"]["properties"] for question in user.asked)
        assert {name: schema["default"] for name, schema in defaults.items()} == {
            "name": "John Doe",
            "age": 30,
            "score": 95.5,
            "status": "active",
            "verified": True,
        }
        assert choices["titledSingle"]["oneOf"][0] == {"const": "value1", "title": "First Option"}
        assert choices["legacyEnum"]["enumNames"] == ["Option One", "Option Two", "Option Three"]
        assert choices["untitledMulti"]["items"]["enum"] == ["option1", "option2", "option3"]
        assert choices["titledMulti"]["items"]["anyOf"][2] == {"const": "value3", "title": "Third Option"}

    @pytest.mark.parametrize("action", ["accept", "decline", "cancel"])
    async def test_is_sent_to_a_page(self, connect, action):
        user = User(elicit={"action": action})
        async with connect(user) as session:
            result = await session.call("test_url_elicitation")
            has_id = bool(user.asked[0].get("elicitationId"))
            assert has_id == (session.era == "legacy")
        assert text_of(result) == f"User response: {action}"
        assert len(user.asked) == 1
        assert user.asked[0]["mode"] == "url"
        assert user.asked[0]["url"] == "https://example.com/authorize"
        assert user.asked[0]["message"] == "Please sign in."

    async def test_asks_its_model(self, connect):
        user = User(sample="Paris")
        async with connect(user) as session:
            result = await session.call("test_sampling", {"prompt": "What is the capital of France?"})
        assert text_of(result) == "LLM response: Paris"
        assert user.asked[0]["maxTokens"] == 100
        messages = user.asked[0]["messages"]
        assert [message["role"] for message in messages] == ["user"]
        blocks = messages[0]["content"] if isinstance(messages[0]["content"], list) else [messages[0]["content"]]
        assert blocks == [{"type": "text", "text": "What is the capital of France?"}]

    async def test_its_model_calls_tools(self, connect):
        call = {"type": "tool_use", "id": "1", "name": "get_weather", "input": {"city": "Oslo"}}
        user = User(sample=[{"type": "text", "text": "Let me look."}, call])
        async with connect(user) as session:
            result = await session.call("test_sampling_with_tools", {"prompt": "Weather in Oslo?"})
        assert text_of(result) == "LLM response: Let me look. [calls get_weather]"
        assert names(user.asked[0]["tools"]) == ["get_weather"]
        assert user.asked[0]["toolChoice"] == {"mode": "auto"}

    async def test_shows_its_roots(self, connect):
        async with connect(User(roots=["file:///srv/one", "file:///srv/two%20words"])) as session:
            result = await session.call("test_input_required_result_list_roots")
        assert text_of(result) == "Roots: file:///srv/one, file:///srv/two%20words"

    async def test_answers_several_questions(self, connect):
        user = User(elicit=by_name, sample="Ahoy", roots=["file:///a", "file:///b"])
        async with connect(user) as session:
            at_once = await session.call("test_input_required_result_multiple_inputs")
            in_turn = await session.call("test_input_required_result_multi_round")
            prompt = await session.prompt("test_input_required_result_prompt")
            state = await session.call("test_input_required_result_request_state")
            both = await session.call("test_input_required_result_capabilities")
        assert text_of(at_once) == "Ahoy Ada, you work on 2 roots."
        assert text_of(in_turn) == "Ada likes green."
        assert prompt["messages"][0]["content"]["text"] == "Context: the sea"
        assert text_of(state) == "state-ok"
        assert text_of(both) == "Answers: greeting, user_name"

    async def test_is_asked_only_what_it_can_answer(self, connect):
        async with connect(User(sample="Hello")) as session:
            assert text_of(await session.call("test_input_required_result_capabilities")) == "Answers: greeting"

    async def test_calls_a_tool_that_could_be_a_task(self, connect):
        async with connect(User(elicit=by_name)) as session:
            assert text_of(await session.call("confirm_delete", {"filename": "a.txt"})) == "Deleted a.txt."

    async def test_asks_while_it_reports_progress(self, connect):
        seen = []

        async def progress(done, total, message):
            seen.append((done, total))

        async with connect(User(elicit=fills_in(ok=True))) as session:
            result = await session.call("test_streaming_elicitation", {}, progress)
        assert json.loads(text_of(result).removeprefix("User response: accept, ")) == {"ok": True}
        assert seen and set(seen) == {(1, 2)}


@pytest.mark.anyio
class Legacy:
    """What works in the era of sessions."""

    eras = ["legacy"]

    async def test_a_client_that_cannot_be_asked_gets_a_result(self, connect):
        async with connect() as session:
            result = await session.call("test_elicitation", {"message": "Who are you?"})
        assert result["isError"] is True
        assert "elicitation" in text_of(result)

    async def test_pings(self, connect):
        async with connect() as session:
            assert await session.ping()

    async def test_sets_the_level_of_the_log(self, connect):
        user = User()
        async with connect(user) as session:
            await session.set_level("warning")
            await session.call("test_tool_with_logging")
            assert user.logs == []
            await session.set_level("info")
            await session.call("test_tool_with_logging")
            await session.call("test_logging_tool")
        assert [entry["data"] for entry in user.logs] == [
            "Tool execution started",
            "Tool processing data",
            "Tool execution completed",
            "This is logged if the client wants it.",
        ]
        assert {entry["level"] for entry in user.logs} == {"info"}
        assert user.logs[3]["logger"] == "fixtures"

    @pytest.mark.parametrize("kind", ["tool", "prompt"])
    async def test_hears_of_changed_lists(self, connect, kind):
        user = User()
        async with connect(user) as session:
            await user.hears(
                f"notifications/{kind}s/list_changed", lambda: session.call(f"test_trigger_{kind}_change")
            )
        assert {notice["method"] for notice in user.notifications} == {f"notifications/{kind}s/list_changed"}

    async def test_subscribes_to_a_resource(self, connect):
        user = User()
        updated = "notifications/resources/updated"
        async with connect(user) as session:

            async def update(uri=WATCHED):
                await session.call("test_update_resource", {"uri": uri})

            async def change():
                await session.call("test_trigger_tool_change")

            await session.subscribe(WATCHED)
            assert {notice["uri"] for notice in await user.hears(updated, update)} == {WATCHED}
            await user.hears("notifications/tools/list_changed", change)
            heard = len(user.told(updated))
            await update("test://static-text")
            await session.unsubscribe(WATCHED)
            await update()
            # What came of the two updates would have come before this.
            await user.hears("notifications/tools/list_changed", change)
            assert len(user.told(updated)) == heard

    @http_only
    async def test_hears_of_updates_by_others(self, connect):
        user = User()
        async with connect(user) as session, connect() as other:
            await session.subscribe(WATCHED)
            notices = await user.hears(
                "notifications/resources/updated", lambda: other.call("test_update_resource", {"uri": WATCHED})
            )
        assert notices[0]["uri"] == WATCHED
        assert other.user.told("notifications/resources/updated") == []


@pytest.mark.anyio
class Latest:
    """What works in the era without sessions."""

    eras = [LATEST]

    @pytest.mark.parametrize(
        "tool, arguments, needed",
        [
            ("test_missing_capability", {}, {"sampling": {}}),
            ("test_sampling", {"prompt": "?"}, {"sampling": {}}),
            ("test_elicitation", {"message": "?"}, {"elicitation": {}}),
            ("test_input_required_result_list_roots", {}, {"roots": {}}),
        ],
        ids=["checked", "sampling", "elicitation", "roots"],
    )
    async def test_a_client_that_cannot_be_asked_learns_what_is_needed(self, connect, tool, arguments, needed):
        async with connect() as session:
            with pytest.raises(session.error) as raised:
                await session.call(tool, arguments)
            assert raised.value.error.code == -32021
            assert raised.value.error.data == {"requiredCapabilities": needed}

    async def test_gets_the_log_that_it_wants(self, connect):
        user = User(log_level="info")
        async with connect(user) as session:
            await session.call("test_tool_with_logging")
            await session.call("test_logging_tool")
        assert [entry["data"] for entry in user.logs] == [
            "Tool execution started",
            "Tool processing data",
            "Tool execution completed",
            "This is logged if the client wants it.",
        ]
        assert {entry["level"] for entry in user.logs} == {"info"}
        assert user.logs[3]["logger"] == "fixtures"

    async def test_listens_to_changes(self, connect):
        async with connect() as session:
            async with session.listen(tools=True, prompts=True, uris=[WATCHED]) as subscription:
                assert subscription.honored == {
                    "toolsListChanged": True,
                    "promptsListChanged": True,
                    "resourceSubscriptions": [WATCHED],
                }
                await session.call("test_trigger_tool_change")
                assert await subscription.next() == "ToolsListChanged()"
                await session.call("test_trigger_prompt_change")
                assert await subscription.next() == "PromptsListChanged()"
                await session.call("test_update_resource", {"uri": "test://static-text"})
                await session.call("test_update_resource", {"uri": WATCHED})
                assert await subscription.next() == f"ResourceUpdated(uri='{WATCHED}')"

    async def test_hears_only_what_it_listens_to(self, connect):
        async with connect() as session:
            async with session.listen(prompts=True) as prompts, session.listen(tools=True) as tools:
                assert tools.honored == {"toolsListChanged": True}
                await session.call("test_trigger_tool_change")
                await session.call("test_update_resource", {"uri": WATCHED})
                await session.call("test_trigger_prompt_change")
                assert await tools.next() == "ToolsListChanged()"
                assert await prompts.next() == "PromptsListChanged()"

    async def test_can_listen_again(self, connect):
        async with connect() as session:
            for _ in range(3):
                async with session.listen(uris=[WATCHED]) as subscription:
                    await session.call("test_update_resource", {"uri": WATCHED})
                    assert await subscription.next() == f"ResourceUpdated(uri='{WATCHED}')"

    @http_only
    async def test_hears_of_updates_by_others(self, connect):
        async with connect() as session, connect() as other, session.listen(uris=[WATCHED]) as subscription:
            await other.call("test_update_resource", {"uri": WATCHED})
            assert await subscription.next() == f"ResourceUpdated(uri='{WATCHED}')"
