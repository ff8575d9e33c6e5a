"""Subscriptions at 2026-07-28: subscriptions/listen, its acknowledgement, its filter, and its end."""

import pytest
from messages import SUBSCRIPTION
from processes import until
from wire import Modern

WATCHED = "test://watched-resource"
QUIET = 0.4  # Seconds in which nothing more may come.


def methods(messages):
    return [message["method"] for message in messages]


def subscription(message):
    return message["params"]["_meta"][SUBSCRIPTION]


@pytest.mark.parametrize("id", [41, "listen-1", "41", 0], ids=repr)
def test_every_message_names_its_subscription(modern, id):
    with modern.listen(id=id, toolsListChanged=True) as stream:
        modern.call("test_trigger_tool_change")
        for message in (stream.acknowledged, modern.next_message(stream)):
            assert subscription(message) == id and type(subscription(message)) is type(id)


def test_the_acknowledgement_repeats_what_was_asked_for(modern):
    wanted = {
        "toolsListChanged": True,
        "promptsListChanged": True,
        "resourcesListChanged": True,
        "resourceSubscriptions": [WATCHED],
    }
    capabilities = modern.request("server/discover").result["capabilities"]
    assert capabilities["tools"]["listChanged"] is True
    assert capabilities["prompts"]["listChanged"] is True
    assert capabilities["resources"]["subscribe"] is True
    if not capabilities["resources"].get("listChanged"):
        del wanted["resourcesListChanged"]
    with modern.listen(**wanted, toolsUnheardOf=True) as stream:
        assert stream.acknowledged["params"]["notifications"] == wanted


def test_a_subscription_is_always_a_stream(modern):
    with modern.listen(toolsListChanged=True) as stream:
        assert stream.status == 200 and stream.is_stream
        assert stream.headers["X-Accel-Buffering"] == "no" and "no-cache" in stream.headers["Cache-Control"]


def test_nothing_is_sent_that_was_not_asked_for(modern):
    with modern.listen() as stream:
        assert stream.acknowledged["params"]["notifications"] == {}
        modern.call("test_trigger_tool_change")
        modern.call("test_trigger_prompt_change")
        modern.call("test_update_resource", {"uri": WATCHED})
        assert modern.messages_within(stream, QUIET) == []


@pytest.mark.parametrize("wanted", [None, [], "all"], ids=str)
def test_a_subscription_says_what_it_wants(modern, wanted):
    assert modern.request("subscriptions/listen").error["code"] == -32602
    assert modern.request("subscriptions/listen", {"notifications": wanted}).error["code"] == -32602


@pytest.mark.parametrize(
    "wanted",
    [{"toolsListChanged": "yes"}, {"resourceSubscriptions": WATCHED}, {"resourceSubscriptions": [7]}],
    ids=str,
)
def test_a_filter_has_types(modern, wanted):
    assert modern.request("subscriptions/listen", {"notifications": wanted}).error["code"] == -32602


@pytest.mark.parametrize(
    "wanted, other, change",
    [
        ("toolsListChanged", "promptsListChanged", "tool"),
        ("promptsListChanged", "toolsListChanged", "prompt"),
    ],
)
def test_changes_reach_those_who_asked_for_them(modern, wanted, other, change):
    with modern.listen(**{wanted: True}) as stream, modern.listen(**{other: True}) as another:
        modern.call(f"test_trigger_{change}_change")
        assert modern.next_message(stream, 1.5)["method"] == f"notifications/{change}s/list_changed"
        assert f"notifications/{change}s/list_changed" not in methods(modern.messages_within(another, QUIET))


def test_false_is_not_asking(modern):
    with modern.listen(toolsListChanged=False, promptsListChanged=True) as stream:
        assert stream.acknowledged["params"]["notifications"].get("toolsListChanged", False) is False
        modern.call("test_trigger_tool_change")
        assert modern.messages_within(stream, QUIET) == []


def test_several_subscriptions_of_a_client_get_their_own_messages(modern):
    streams = {id: modern.listen(id=id, toolsListChanged=True) for id in ("a", "b", "c")}
    modern.call("test_trigger_tool_change")
    for id, stream in streams.items():
        with stream:
            message = modern.next_message(stream)
            assert message["method"] == "notifications/tools/list_changed" and subscription(message) == id


def test_updates_of_watched_resources_are_sent(modern):
    with modern.listen(resourceSubscriptions=[WATCHED]) as stream:
        assert stream.acknowledged["params"]["notifications"]["resourceSubscriptions"] == [WATCHED]
        modern.call("test_update_resource", {"uri": "test://static-text"})
        modern.call("test_update_resource", {"uri": WATCHED})
        message = modern.next_message(stream)
        assert message["method"] == "notifications/resources/updated"
        assert message["params"]["uri"] == WATCHED
        assert modern.messages_within(stream, QUIET) == []


def test_a_subscriber_that_leaves_does_not_disturb_the_others(modern):
    leaving = modern.listen(toolsListChanged=True)
    with modern.listen(toolsListChanged=True) as staying:
        leaving.close()
        modern.call("test_trigger_tool_change")
        assert modern.next_message(staying)["method"] == "notifications/tools/list_changed"


def test_progress_and_log_messages_stay_on_their_own_streams(modern):
    with modern.listen(toolsListChanged=True, promptsListChanged=True, resourceSubscriptions=[WATCHED]) as stream:
        assert modern.call("test_tool_with_progress", token="t").notified("notifications/progress")
        modern.call("test_logging_tool", logLevel="debug")
        messages = modern.messages_within(stream, QUIET)
        assert not {"notifications/progress", "notifications/message"} & set(methods(messages))


def test_a_server_that_stops_ends_its_subscriptions(own_everything):
    client = Modern(own_everything)
    with client.listen(id="last", toolsListChanged=True) as stream:
        own_everything.terminate()
        message = client.next_message(stream)
        assert message["id"] == "last" and message["result"]["resultType"] == "complete"
        assert message["result"]["_meta"][SUBSCRIPTION] == "last"
        assert client.next_message(stream) is None
    assert own_everything.stop() == 0


def test_a_quiet_stream_is_kept_alive(everything_with):
    client = Modern(everything_with("--keep-alive-ms", "100"))
    with client.listen(toolsListChanged=True) as stream:
        for _ in range(3):
            event = stream.event(5)
            assert event.comment is not None and client.read(event) is None


def test_keeping_alive_does_not_break_messages(everything_with):
    client = Modern(everything_with("--keep-alive-ms", "100"))
    with client.listen(toolsListChanged=True) as stream:
        assert stream.event(5).comment is not None
        client.call("test_trigger_tool_change")
        assert client.next_message(stream)["method"] == "notifications/tools/list_changed"


def test_a_slow_call_is_kept_alive(everything_with):
    client = Modern(everything_with("--keep-alive-ms", "100"))
    with client.open("tools/call", {"name": "test_hang", "arguments": {}}) as exchange:
        until(lambda: exchange.started, "the stream begins", 20)
        assert exchange.event(5).comment is not None


def test_many_subscriptions_leave_the_server_usable(modern):
    streams = []
    try:
        for _ in range(50):
            exchange = modern.open("subscriptions/listen", {"notifications": {"toolsListChanged": True}})
            streams.append(exchange)
            assert exchange.is_stream or "error" in exchange.json
        assert not modern.call("test_simple_text").failed
    finally:
        for exchange in streams:
            exchange.close()
    assert not modern.call("test_simple_text").failed
