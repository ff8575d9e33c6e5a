"""Streams of a session that break off and go on: event ids, Last-Event-ID, and the scenario server-sse-polling."""

import pytest
from messages import LATEST
from wire import Modern

QUIET = 0.3
STEPS = {"name": "test_steps", "arguments": {"count": 5}}


def resume(client, last_id):
    exchange = client.get(Last_Event_ID=last_id)
    assert exchange.status == 200 and exchange.is_stream
    return exchange


def rest(client, exchange, id):
    """The messages up to the response to a request."""
    messages = []
    while message := client.next_message(exchange):
        messages.append(message)
        if message.get("id") == id:
            return messages
    raise AssertionError(f"the stream ended without the response: {messages}")


def tokens(messages):
    return {message["params"]["progressToken"] for message in messages if "method" in message}


def test_a_stream_begins_with_an_id_and_nothing_else(legacy):
    first = legacy.call("test_steps", {"count": 3}, token="t").events[0]
    assert first.id and first.message is None


@pytest.mark.parametrize("revision", ["2024-11-05", "2025-03-26", "2025-06-18"])
def test_older_clients_get_no_empty_events(session, revision):
    events = session(revision).call("test_steps", {"count": 3}, token="t").events
    assert events
    assert all(event.message is not None for event in events if event.comment is None)


def test_no_event_id_comes_twice(legacy):
    with legacy.own_stream():
        replies = [legacy.call("test_steps", {"count": 5}, token=token) for token in "ab"]
    ids = [event.id for reply in replies for event in reply.events if event.id]
    assert ids and len(ids) == len(set(ids))
    for reply in replies:
        assert all(event.id for event in reply.events if event.message is not None)


def test_a_stream_that_broke_off_goes_on(legacy):
    exchange = legacy.open("tools/call", {"name": "test_tool_with_progress"}, token="t")
    with exchange:
        priming = exchange.event()
    assert priming.id and priming.message is None
    with resume(legacy, priming.id) as resumed:
        messages = rest(legacy, resumed, exchange.message["id"])
    assert [m["params"]["progress"] for m in messages if "method" in m] == [0, 50, 100]
    assert messages[-1]["result"]["content"]


def test_only_what_is_new_is_repeated(legacy):
    exchange = legacy.open("tools/call", STEPS, token="t")
    with exchange:
        events = []
        while event := exchange.event():
            events.append(event)
    seen = [event for event in events if event.message is not None]
    assert len(seen) >= 2
    with resume(legacy, seen[0].id) as resumed:
        messages = rest(legacy, resumed, exchange.message["id"])
    assert messages == [event.message for event in seen[1:]]


def test_a_stream_can_be_resumed_more_than_once(legacy):
    exchange = legacy.open("tools/call", {"name": "test_tool_with_progress"}, token="t")
    with exchange:
        last = exchange.event().id
    with resume(legacy, last) as resumed:
        while (event := resumed.event()).message is None:
            pass
        last, first = event.id, event.message
    with resume(legacy, last) as resumed:
        messages = rest(legacy, resumed, exchange.message["id"])
    assert first not in messages and messages[-1]["result"]["content"]


def test_each_stream_goes_on_for_itself(legacy):
    calls = {t: legacy.open("tools/call", {"name": "test_tool_with_progress"}, token=t) for t in ("a", "b", "c")}
    last = {}
    for token, exchange in calls.items():
        with exchange:
            last[token] = exchange.event().id
    for token in ("b", "c", "a"):
        with resume(legacy, last[token]) as resumed:
            messages = rest(legacy, resumed, calls[token].message["id"])
            assert tokens(messages) == {token}
            assert {m["id"] for m in messages if "id" in m} == {calls[token].message["id"]}


def test_the_own_stream_goes_on(legacy):
    watched = {"uri": "test://watched-resource"}
    legacy.request("resources/subscribe", watched)
    with legacy.own_stream() as own:
        legacy.call("test_update_resource", watched)
        while (event := own.event()).message is None:
            pass
        assert event.id
    legacy.call("test_update_resource", watched)
    with resume(legacy, event.id) as resumed:
        assert legacy.next_message(resumed)["method"] == "notifications/resources/updated"
        assert legacy.messages_within(resumed, QUIET) == []


def test_a_resumed_stream_of_a_call_holds_nothing_of_the_session(legacy):
    watched = {"uri": "test://watched-resource"}
    legacy.request("resources/subscribe", watched)
    exchange = legacy.open("tools/call", {"name": "test_tool_with_progress"}, token="t")
    with exchange:
        last = exchange.event().id
    legacy.call("test_update_resource", watched)
    with resume(legacy, last) as resumed:
        methods = {m.get("method") for m in rest(legacy, resumed, exchange.message["id"])}
    assert methods == {"notifications/progress", None}


def test_a_session_cannot_resume_the_streams_of_another(session):
    first, second = session(), session()
    exchange = first.open("tools/call", STEPS, token="t")
    with exchange:
        last = exchange.event().id
    with second.get(Last_Event_ID=last) as foreign:
        assert foreign.status < 500
        if foreign.status == 200:
            assert second.messages_within(foreign, QUIET) == []


@pytest.mark.parametrize("id", ["nonsense", "-1", "9" * 30, "x" * 2000])
def test_an_event_that_never_was_is_harmless(legacy, id):
    with legacy.get(Last_Event_ID=id) as exchange:
        assert exchange.status == 200 or 400 <= exchange.status < 500
        if exchange.status == 200:
            assert legacy.messages_within(exchange, QUIET) == []
    assert legacy.request("ping").result == {}


def test_a_question_survives_a_broken_stream(legacy):
    params = {"name": "test_elicitation", "arguments": {"message": "Who are you?"}}
    exchange = legacy.open("tools/call", params)
    with exchange:
        last = exchange.event().id
    answer = {"action": "accept", "content": {"username": "ada", "email": "ada@example.com"}}
    with resume(legacy, last) as resumed:
        question = legacy.next_message(resumed)
        assert question["method"] == "elicitation/create"
        assert legacy.respond(question["id"], answer).status == 202
        assert "ada@example.com" in str(rest(legacy, resumed, exchange.message["id"])[-1]["result"])


def test_a_tool_may_end_its_stream_and_let_the_client_come_back(legacy):
    exchange = legacy.open("tools/call", {"name": "test_reconnection"})
    with exchange:
        assert exchange.is_stream
        events = []
        while event := exchange.event():
            events.append(event)
    assert events[0].id and events[0].message is None
    assert all(event.message is None for event in events)
    assert any(event.retry and event.retry.isdecimal() for event in events)
    last = [event.id for event in events if event.id][-1]
    with resume(legacy, last) as resumed:
        message = legacy.next_message(resumed, 5)
    assert message["id"] == exchange.message["id"]
    assert message["result"]["content"][0]["text"] == "Reconnection test completed"


def test_the_modern_wire_resumes_nothing(everything):
    client = Modern(everything)
    reply = client.call("test_steps", {"count": 3}, token="t")
    assert reply.streamed and all(event.id is None for event in reply.events)
    headers = {"MCP-Protocol-Version": LATEST, "Last_Event_ID": "1"}
    message = client.message("tools/list")
    assert client.probe(message, **headers).result["tools"]
