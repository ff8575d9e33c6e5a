"""Standard input and output in both eras: order, cancellation, questions, and the end."""

import json
import signal

import pytest
from messages import LATEST, LEGACY, SUBSCRIPTION
from processes import until
from wire import META

HANG = {"name": "test_hang", "arguments": {}}
BOTH = pytest.mark.parametrize("era", ["2025-11-25", LATEST])


def count(client, what="count"):
    return client.call("test_cancel_count").result["structuredContent"][what]


def hang(client):
    """Starts a call that does not end, and waits until the server carries it out."""
    before = count(client, "began")
    message = start(client, "tools/call", HANG)
    until(lambda: count(client, "began") > before, "the call begins")
    return message


def start(client, method, params, **options):
    message = client.message(method, params, **options)
    client.send(message)
    return message


@pytest.mark.parametrize("revision", LEGACY)
def test_sessions_of_every_revision_work(stdio, revision):
    client = stdio(revision)
    assert client.revision == revision
    assert client.request("ping").result == {}
    assert client.call("test_simple_text").text == "This is a simple text response for testing."


def test_the_modern_era_needs_no_handshake(stdio):
    client = stdio(LATEST)
    assert LATEST in client.request("server/discover").result["supportedVersions"]
    assert client.call("test_simple_text").text == "This is a simple text response for testing."


@BOTH
def test_the_same_things_work_as_over_http(stdio, modern, session, era):
    here, there = stdio(era), modern if era == LATEST else session(era)
    assert here.all_of("tools/list", "tools") == there.all_of("tools/list", "tools")
    assert here.call("test_error_handling").result["isError"] is True
    assert here.call("test_lost", {}).error["code"] == -32602
    assert here.request("resources/read", {"uri": "test://static-text"}).result["contents"]
    assert here.request("prompts/get", {"name": "test_simple_prompt"}).result["messages"]


@BOTH
def test_progress_comes_before_the_result(stdio, era):
    reply = stdio(era).call("test_steps", {"count": 3}, token="steps")
    assert reply.text == "done"
    steps = [step["progress"] for step in reply.notified("notifications/progress")]
    assert steps and steps == sorted(set(steps))


@BOTH
def test_requests_do_not_wait_for_each_other(stdio, era):
    client = stdio(era)
    hanging = hang(client)
    client.cancel(hanging)


@BOTH
def test_many_requests_at_once_get_each_their_answer(stdio, era):
    client = stdio(era)
    sent = [client.message("tools/call", {"name": "test_simple_text"}, id=f"r{number}") for number in range(50)]
    client.write(b"".join(json.dumps(message).encode() + b"\n" for message in sent))
    answers = [client.receive() for _ in sent]
    assert {answer["id"] for answer in answers} == {message["id"] for message in sent}
    assert all(answer["result"]["content"] for answer in answers)


@BOTH
def test_a_cancelled_call_gets_no_answer(stdio, era):
    client = stdio(era)
    before = count(client)
    hanging = hang(client)
    client.cancel(hanging)
    until(lambda: count(client) == before + 1, "the call is cancelled")  # Fails on any other answer.
    assert client.received_within(0.3) == []


@BOTH
def test_cancelling_what_does_not_exist_is_harmless(stdio, era):
    client = stdio(era)
    client.cancel({"id": "none"})
    assert client.call("test_simple_text").text


@BOTH
@pytest.mark.parametrize("id", ["text", "", 0, -7, 2**53 + 1], ids=repr)
def test_ids_come_back_as_they_are(stdio, era, id):
    client = stdio(era)
    answer = client.request("tools/list", id=id).message
    assert answer["id"] == id and type(answer["id"]) is type(id)


@BOTH
def test_input_that_ends_ends_the_server(stdio, era):
    client = stdio(era)
    assert client.call("test_simple_text").text
    assert client.end() == 0
    assert client.receive() is None


@BOTH
def test_input_that_ends_during_a_call_ends_the_server(stdio, era):
    client = stdio(era)
    start(client, "tools/call", HANG)
    assert client.call("test_simple_text").text
    assert client.end() == 0


@BOTH
def test_a_request_before_the_end_of_input_is_answered(stdio, era):
    client = stdio(era)
    message = start(client, "tools/call", {"name": "test_simple_text"})
    assert client.end() == 0
    assert client.receive()["id"] == message["id"]
    assert client.receive() is None


@BOTH
def test_a_signal_ends_the_server(stdio, era):
    client = stdio(era)
    assert client.call("test_simple_text").text
    client.process.send_signal(signal.SIGTERM)
    assert client.process.wait(10) in (0, -signal.SIGTERM, 128 + signal.SIGTERM)


@BOTH
@pytest.mark.parametrize(
    "line, code",
    [
        (b"{", -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"\xff\xfe"}', -32700),
        (b"[" * 100_000, -32700),
        (b"7", -32600),
        (b"[]", -32600),
        (b'{"jsonrpc":"2.0","id":null,"method":"tools/list"}', -32600),
        (b'{"jsonrpc":"2.0","id":1.5,"method":"tools/list"}', -32600),
        (b'{"jsonrpc":"2.0","id":true,"method":"tools/list"}', -32600),
        (b'{"jsonrpc":"1.0","id":"x","method":"tools/list"}', -32600),
    ],
    ids=range(9),
)
def test_a_bad_line_gets_an_error_and_the_next_line_its_answer(stdio, era, line, code):
    client = stdio(era)
    assert client.call("test_simple_text").text
    client.write(line + b"\n")
    assert client.receive()["error"]["code"] == code
    assert client.call("test_simple_text").text


@BOTH
def test_notifications_are_never_answered(stdio, era):
    client = stdio(era)
    assert client.call("test_simple_text").text
    client.notify("notifications/unheard-of", {})
    client.notify("tools/list", {})
    assert client.call("test_simple_text").text  # Fails if anything else is answered first.


def test_the_server_asks_on_the_same_channel(stdio):
    client = stdio("2025-11-25")
    answer = {"action": "accept", "content": {"username": "ada", "email": "ada@example.com"}}
    reply = client.call("test_elicitation", {"message": "Who are you?"}, answers={"elicitation/create": answer})
    assert "ada@example.com" in reply.text and len(reply.requests) == 1


def test_log_messages_come_on_the_same_channel(stdio):
    client = stdio("2025-11-25")
    client.request("logging/setLevel", {"level": "debug"})
    assert len(client.call("test_tool_with_logging").notified("notifications/message")) == 3


def test_updates_come_on_the_same_channel(stdio):
    client = stdio("2025-11-25")
    watched = {"uri": "test://watched-resource"}
    client.request("resources/subscribe", watched)
    message = start(client, "tools/call", {"name": "test_update_resource", "arguments": watched})
    received = [client.receive(), client.receive()]
    assert {one.get("method", "answer") for one in received} == {"notifications/resources/updated", "answer"}
    assert message["id"] in [one.get("id") for one in received]


def test_a_question_needs_a_second_request_in_the_modern_era(stdio):
    client = stdio(LATEST)
    tool = "test_input_required_result_elicitation"
    assert client.call(tool).result["resultType"] == "input_required"
    answers = {"user_name": {"action": "accept", "content": {"name": "Alice"}}}
    assert client.call(tool, {}, more={"inputResponses": answers}).text == "Hello, Alice!"


def test_a_missing_capability_is_named(stdio):
    error = stdio(LATEST, {}).call("test_missing_capability").error
    assert error["code"] == -32021 and error["data"]["requiredCapabilities"] == {"sampling": {}}


def test_an_unsupported_version_is_named(stdio):
    error = stdio(LATEST).request("tools/list", protocolVersion="v999.0.0").error
    assert error["code"] == -32022 and error["data"]["requested"] == "v999.0.0"


def test_the_envelope_must_be_whole(stdio):
    client = stdio(LATEST)
    assert client.call("test_simple_text").text
    message = client.message("tools/list")
    del message["params"]["_meta"][META + "clientCapabilities"]
    client.send(message)
    assert client.finish(message).error["code"] == -32602


def test_a_subscription_shares_the_channel(stdio):
    client = stdio(LATEST)
    listening = start(client, "subscriptions/listen", {"notifications": {"toolsListChanged": True}}, id="listen")
    acknowledged = client.receive()
    assert acknowledged["method"] == "notifications/subscriptions/acknowledged"
    assert acknowledged["params"]["_meta"][SUBSCRIPTION] == "listen"
    changing = start(client, "tools/call", {"name": "test_trigger_tool_change", "arguments": {}})
    received = [client.receive()]
    while not {"answer", "notifications/tools/list_changed"} <= {one.get("method", "answer") for one in received}:
        received.append(client.receive())
    assert changing["id"] in [one.get("id") for one in received]
    client.cancel(listening)
    assert client.call("test_simple_text").text
    again = client.call("test_trigger_tool_change")
    assert not again.failed and again.notifications == []


def test_an_unknown_method_is_answered_at_once(stdio):
    assert stdio("2025-11-25").request("server/discover").error["code"] == -32601
    assert stdio(LATEST).request("unknown/method").error["code"] == -32601


def test_a_modern_connection_takes_no_initialize(stdio):
    client = stdio(LATEST)
    assert client.call("test_simple_text").text
    message = {"jsonrpc": "2.0", "id": "late", "method": "initialize"}
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    client.send(message | {"params": hello})
    assert client.finish(message).error["code"] in (-32600, -32601, -32602, -32022)
    assert client.call("test_simple_text").text


def test_a_session_takes_no_modern_requests(stdio):
    client = stdio("2025-11-25")
    envelope = {META + "protocolVersion": LATEST, META + "clientCapabilities": {}}
    reply = client.request("server/discover", {"_meta": envelope})
    assert reply.error["code"] in (-32600, -32601, -32022)
    assert client.request("ping").result == {}


def test_a_session_begins_with_initialize(stdio):
    client = stdio(LATEST)  # No handshake.
    message = {"jsonrpc": "2.0", "id": "early", "method": "tools/list"}
    client.send(message)
    assert client.finish(message).error["code"] in (-32600, -32602)


def test_batches_belong_to_one_revision(stdio):
    client = stdio("2025-03-26")
    batch = [client.message("ping", id="a"), client.message("ping", id="b")]
    client.send(batch)
    received = client.receive()
    answers = received if isinstance(received, list) else [received, client.receive()]
    assert {answer["id"] for answer in answers} == {"a", "b"}
    later = stdio("2025-06-18")
    later.send([later.message("ping")])
    assert later.receive()["error"]["code"] == -32600
