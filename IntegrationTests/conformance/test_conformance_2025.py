"""The scenarios that the conformance suite runs only at 2025-11-25, and what belongs to them."""

import re

import pytest

PROFILE = {"username": "ada", "email": "ada@example.com"}


def accepting(content):
    return {"elicitation/create": {"action": "accept", "content": content}}


def sampled(text):
    answer = {"role": "assistant", "content": {"type": "text", "text": text}, "model": "test", "stopReason": "endTurn"}
    return {"sampling/createMessage": answer}


def test_initializes(legacy):
    assert legacy.initialized["protocolVersion"] == "2025-11-25"
    assert legacy.initialized["serverInfo"]["name"] and legacy.initialized["serverInfo"]["version"]
    assert re.fullmatch(r"[\x21-\x7e]{16,}", legacy.session)


def test_advertises_what_it_serves(legacy):
    capabilities = legacy.initialized["capabilities"]
    assert {"completions", "logging", "prompts", "resources", "tools"} <= capabilities.keys()
    assert capabilities["resources"]["subscribe"] is True


@pytest.mark.parametrize(
    "method, params",
    [
        ("ping", None),
        ("logging/setLevel", {"level": "info"}),
        ("resources/subscribe", {"uri": "test://watched-resource"}),
        ("resources/unsubscribe", {"uri": "test://watched-resource"}),
    ],
)
def test_answers_an_empty_object(legacy, method, params):
    assert legacy.request(method, params).result == {}


def test_log_messages_come_on_the_stream_of_the_call(legacy):
    legacy.request("logging/setLevel", {"level": "debug"})
    reply = legacy.call("test_tool_with_logging")
    assert reply.text
    messages = reply.notified("notifications/message")
    assert [message["level"] for message in messages] == ["info"] * 3
    texts = [str(message["data"]) for message in messages]
    for text, expected in zip(texts, ["execution started", "processing data", "execution completed"], strict=True):
        assert expected in text


def test_samples(legacy):
    reply = legacy.call("test_sampling", {"prompt": "What is 2 + 2?"}, answers=sampled("Four, I think."))
    assert reply.text.startswith("LLM response: ") and "Four, I think." in reply.text
    [request] = reply.requests
    assert request["params"]["maxTokens"] == 100
    [message] = request["params"]["messages"]
    assert message["role"] == "user"
    block = message["content"][0] if isinstance(message["content"], list) else message["content"]
    assert block == {"type": "text", "text": "What is 2 + 2?"}


def test_elicits(legacy):
    reply = legacy.call("test_elicitation", {"message": "Who are you?"}, answers=accepting(PROFILE))
    assert reply.text.startswith("User response:")
    assert "accept" in reply.text and "ada@example.com" in reply.text
    [request] = reply.requests
    assert request["params"]["message"] == "Who are you?"
    assert request["params"].get("mode", "form") == "form"
    schema = request["params"]["requestedSchema"]
    assert schema["type"] == "object"
    assert {name: field["type"] for name, field in schema["properties"].items()} == dict.fromkeys(PROFILE, "string")
    assert set(schema["required"]) == set(PROFILE)


def test_elicitation_has_defaults_of_every_type(legacy):
    content = {"name": "Ada", "age": 36, "score": 1.5, "status": "pending", "verified": False}
    reply = legacy.call("test_elicitation_sep1034_defaults", answers=accepting(content))
    assert not reply.failed
    [request] = reply.requests
    fields = request["params"]["requestedSchema"]["properties"]
    assert {name: (field["type"], field["default"]) for name, field in fields.items()} == {
        "name": ("string", "John Doe"),
        "age": ("integer", 30),
        "score": ("number", 95.5),
        "status": ("string", "active"),
        "verified": ("boolean", True),
    }
    assert fields["verified"]["default"] is True
    assert fields["status"]["enum"] == ["active", "inactive", "pending"]


def test_elicitation_has_enums_of_every_shape(legacy):
    chosen = {}

    def choose(params):
        fields = params["requestedSchema"]["properties"]
        assert fields.keys() == {"untitledSingle", "titledSingle", "legacyEnum", "untitledMulti", "titledMulti"}
        untitled, titled, old = fields["untitledSingle"], fields["titledSingle"], fields["legacyEnum"]
        assert untitled["type"] == titled["type"] == old["type"] == "string"
        assert untitled["enum"] and not untitled.keys() & {"oneOf", "enumNames"}
        assert all(choice.keys() >= {"const", "title"} for choice in titled["oneOf"]) and "enum" not in titled
        assert len(old["enum"]) == len(old["enumNames"]) == 3
        several, entitled = fields["untitledMulti"], fields["titledMulti"]
        assert several["type"] == entitled["type"] == "array"
        assert several["items"]["type"] == "string" and several["items"]["enum"] and "anyOf" not in several["items"]
        assert all(choice.keys() >= {"const", "title"} for choice in entitled["items"]["anyOf"])
        assert "enum" not in entitled["items"]
        chosen.update(
            untitledSingle=untitled["enum"][0],
            titledSingle=titled["oneOf"][0]["const"],
            legacyEnum=old["enum"][0],
            untitledMulti=several["items"]["enum"][:1],
            titledMulti=[choice["const"] for choice in entitled["items"]["anyOf"]][:2],
        )
        return {"action": "accept", "content": chosen}

    reply = legacy.call("test_elicitation_sep1330_enums", answers={"elicitation/create": choose})
    assert len(reply.requests) == 1 and not reply.failed
    assert str(chosen["untitledSingle"]) in reply.text


def test_questions_come_on_the_stream_of_the_call_even_when_another_is_open(legacy):
    with legacy.own_stream() as own:
        reply = legacy.call("test_elicitation", {"message": "Who are you?"}, answers=accepting(PROFILE))
        assert len(reply.requests) == 1 and not reply.failed
        assert legacy.messages_within(own, 0.3) == []


def test_a_refusal_to_sample_fails_the_tool(legacy):
    refusal = {"error": {"code": -1, "message": "User rejected sampling request"}}
    reply = legacy.call("test_sampling", {"prompt": "Hello"}, answers={"sampling/createMessage": refusal})
    assert reply.failed


@pytest.mark.parametrize("action", ["decline", "cancel"])
def test_a_user_who_says_no_gets_an_answer(legacy, action):
    reply = legacy.call("test_elicitation", {"message": "Who?"}, answers={"elicitation/create": {"action": action}})
    assert "User response:" in reply.text and action in reply.text


@pytest.mark.parametrize("content", [{}, {"username": "ada"}, PROFILE | {"email": 7}], ids=["empty", "half", "number"])
def test_answers_that_do_not_fit_the_form_are_not_taken(legacy, content):
    assert legacy.call("test_elicitation", {"message": "Who?"}, answers=accepting(content)).failed


@pytest.mark.parametrize("tool", ["test_elicitation", "test_sampling"])
def test_a_client_is_not_asked_for_what_it_cannot_do(session, tool):
    client = session(capabilities={})
    reply = client.call(tool, {"message": "Who?", "prompt": "Hello"})
    assert reply.failed and reply.requests == []


@pytest.mark.parametrize("action", ["accept", "decline", "cancel"])
def test_asks_to_open_a_url(session, action):
    client = session(capabilities={"elicitation": {"form": {}, "url": {}}})
    reply = client.call("test_url_elicitation", answers={"elicitation/create": {"action": action}})
    assert reply.text == f"User response: {action}"
    [request] = reply.requests
    assert request["params"]["mode"] == "url"
    assert request["params"]["url"] == "https://example.com/authorize"
    assert request["params"]["message"] and request["params"]["elicitationId"]


@pytest.mark.parametrize("capabilities", [{"elicitation": {}}, {"elicitation": {"form": {}}}, {}], ids=str)
def test_a_client_without_url_mode_is_not_asked_to_open_one(session, capabilities):
    reply = session(capabilities=capabilities).call("test_url_elicitation")
    assert reply.failed and reply.requests == []


def test_samples_with_tools(session):
    client = session(capabilities={"sampling": {"tools": {}}})
    reply = client.call("test_sampling_with_tools", {"prompt": "How warm is it?"}, answers=sampled("18 degrees"))
    assert reply.text.startswith("LLM response: ") and "18 degrees" in reply.text
    [request] = reply.requests
    assert [tool["name"] for tool in request["params"]["tools"]] == ["get_weather"]
    assert request["params"]["toolChoice"] == {"mode": "auto"}


def test_a_client_without_tools_is_not_asked_to_sample_with_them(session):
    reply = session(capabilities={"sampling": {}}).call("test_sampling_with_tools", {"prompt": "How warm is it?"})
    assert reply.failed and reply.requests == []


@pytest.mark.parametrize("level, count", [("info", 3), ("warning", 0), ("emergency", 0)])
def test_messages_below_the_level_are_not_sent(legacy, level, count):
    assert legacy.request("logging/setLevel", {"level": level}).result == {}
    assert len(legacy.call("test_tool_with_logging").notified("notifications/message")) == count


@pytest.mark.parametrize("level", ["loud", "INFO", 3, None])
def test_an_unknown_level_is_refused(legacy, level):
    assert legacy.request("logging/setLevel", {"level": level}).error["code"] == -32602


def test_the_level_belongs_to_the_session(session):
    quiet, loud = session(), session()
    quiet.request("logging/setLevel", {"level": "emergency"})
    loud.request("logging/setLevel", {"level": "debug"})
    assert quiet.call("test_tool_with_logging").notified("notifications/message") == []
    assert len(loud.call("test_tool_with_logging").notified("notifications/message")) == 3


def test_updates_go_to_subscribers_on_the_stream_of_the_session(legacy):
    watched = {"uri": "test://watched-resource"}
    with legacy.own_stream() as own:
        legacy.request("resources/subscribe", watched)
        legacy.call("test_update_resource", watched)
        message = legacy.next_message(own)
        assert message["method"] == "notifications/resources/updated" and message["params"]["uri"] == watched["uri"]
        legacy.call("test_update_resource", {"uri": "test://static-text"})
        legacy.request("resources/unsubscribe", watched)
        legacy.call("test_update_resource", watched)
        assert legacy.messages_within(own, 0.3) == []


def test_updates_stay_within_the_session_that_subscribed(session):
    subscriber, other = session(), session()
    watched = {"uri": "test://watched-resource"}
    subscriber.request("resources/subscribe", watched)
    with subscriber.own_stream() as own, other.own_stream() as foreign:
        other.call("test_update_resource", watched)
        assert subscriber.next_message(own)["params"]["uri"] == watched["uri"]
        assert other.messages_within(foreign, 0.3) == []
