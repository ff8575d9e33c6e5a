"""Which revision a session speaks, and what a client of an older revision is spared."""

import json

import pytest
from messages import LATEST, LEGACY
from wire import CLIENT, Exchange, Legacy, Modern


@pytest.mark.parametrize("revision", LEGACY)
def test_a_revision_that_is_known_is_spoken(session, revision):
    client = session(revision)
    assert client.initialized["protocolVersion"] == revision
    assert client.request("ping").result == {}
    assert client.call("test_simple_text").text


@pytest.mark.parametrize("asked", ["2099-01-01", "1.0", "2024-10-07", "", LATEST])
def test_a_revision_that_has_no_sessions_is_answered_with_one_that_has(everything, asked):
    client = Legacy(everything)
    reply = client.request("initialize", client.hello() | {"protocolVersion": asked})
    assert reply.result["protocolVersion"] == LEGACY[-1]


@pytest.mark.parametrize("version", [*LEGACY, None])
def test_initialize_needs_no_version_header_and_tolerates_one(everything, version):
    client = Legacy(everything)
    reply = client.probe(client.message("initialize", client.hello()), MCP_Protocol_Version=version)
    assert reply.result["protocolVersion"] == "2025-11-25"


def test_initialize_with_a_modern_envelope_is_not_found(modern):
    reply = modern.request("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": CLIENT})
    assert reply.status == 404 and reply.error["code"] == -32601


@pytest.mark.parametrize(
    "change",
    [
        {"protocolVersion": None},
        {"protocolVersion": 20251125},
        {"capabilities": None},
        {"capabilities": []},
        {"clientInfo": None},
        {"clientInfo": {"name": "x"}},
    ],
    ids=str,
)
def test_initialize_must_be_whole(everything, change):
    client = Legacy(everything)
    params = {key: value for key, value in (client.hello() | change).items() if value is not None}
    reply = client.request("initialize", params)
    assert reply.error["code"] == -32602
    assert "Mcp-Session-Id" not in reply.headers


def test_unknown_capabilities_are_passed_over(session):
    client = session(capabilities={"experimental": {"x": {}}, "teleportation": {"distance": 7}})
    assert client.call("test_simple_text").text


def test_both_eras_live_side_by_side(everything, session):
    modern, old = Modern(everything), session("2025-03-26")
    for _ in range(2):
        assert not modern.call("test_simple_text").failed
        assert not old.call("test_simple_text").failed


def test_both_eras_give_the_same_instructions(legacy, modern):
    discovered = modern.request("server/discover").result
    assert legacy.initialized.get("instructions") == discovered.get("instructions")


@pytest.mark.parametrize("revision", LEGACY)
def test_a_missing_resource_has_its_own_code(session, revision):
    uri = "test://nonexistent-resource-for-conformance-testing"
    error = session(revision).request("resources/read", {"uri": uri}).error
    assert error["code"] == -32002 and error["data"]["uri"] == uri


@pytest.mark.parametrize("revision", LEGACY)
def test_audio_is_for_those_who_know_it(session, revision):
    content = session(revision).call("test_audio_content").result["content"]
    assert content
    assert ("audio" in {block["type"] for block in content}) == (revision != "2024-11-05")


@pytest.mark.parametrize("revision", LEGACY)
def test_structured_content_always_has_a_text(session, revision):
    assert '"count"' in session(revision).call("test_cancel_count").text


@pytest.mark.parametrize("revision", ["2024-11-05", "2025-03-26"])
def test_clients_before_elicitation_are_not_asked(session, revision):
    reply = session(revision).call("test_elicitation", {"message": "Who?"})
    assert reply.failed and reply.requests == []


@pytest.mark.parametrize("revision", ["2024-11-05", "2025-03-26", "2025-06-18"])
def test_clients_before_url_mode_are_not_asked_to_open_one(session, revision):
    client = session(revision, {"elicitation": {"form": {}, "url": {}}})
    reply = client.call("test_url_elicitation")
    assert reply.failed and reply.requests == []


@pytest.mark.parametrize("revision", LEGACY)
def test_every_session_can_sample(session, revision):
    answer = {"role": "assistant", "content": {"type": "text", "text": "Yes."}, "model": "test"}
    reply = session(revision).call("test_sampling", {"prompt": "Well?"}, answers={"sampling/createMessage": answer})
    assert "Yes." in reply.text and len(reply.requests) == 1


@pytest.mark.parametrize("revision", ["2025-06-18", "2025-11-25"])
def test_sessions_that_know_elicitation_elicit(session, revision):
    answer = {"action": "accept", "content": {"username": "ada", "email": "ada@example.com"}}
    client = session(revision)
    reply = client.call("test_elicitation", {"message": "Who?"}, answers={"elicitation/create": answer})
    assert "ada@example.com" in reply.text


@pytest.mark.parametrize("revision", LEGACY)
def test_completions_are_advertised_to_those_who_know_the_capability(session, revision):
    advertised = "completions" in session(revision).initialized["capabilities"]
    assert advertised == (revision != "2024-11-05")


@pytest.mark.parametrize("revision", LEGACY)
def test_methods_of_other_eras_are_not_found(session, revision):
    client = session(revision)
    for method in ("server/discover", "subscriptions/listen", "tasks/update", "unknown/method"):
        assert client.request(method).error["code"] == -32601


# Batches exist at 2025-03-26 only.


def answers_of(client, exchange):
    """The messages that answer a batch, which come as an array or as a stream."""
    with exchange:
        assert exchange.status == 200
        if not exchange.is_stream:
            assert isinstance(exchange.json, list)
            return [client.check(message) for message in exchange.json]
        messages = []
        while event := exchange.event():
            value = event.message
            messages += value if isinstance(value, list) else [] if value is None else [value]
        return [client.check(message) for message in messages]


def test_a_batch_gets_an_answer_for_each_request(session):
    client = session("2025-03-26")
    batch = [
        client.message("ping", id="a"),
        {"jsonrpc": "2.0", "method": "notifications/roots/list_changed"},
        client.message("tools/list", id=2),
        client.message("unknown/method", id="c"),
    ]
    answers = {answer["id"]: answer for answer in answers_of(client, client.send(batch))}
    assert answers.keys() == {"a", 2, "c"}
    assert answers["a"]["result"] == {}
    assert answers[2]["result"]["tools"]
    assert answers["c"]["error"]["code"] == -32601


def test_a_batch_of_notifications_gets_no_answer(session):
    client = session("2025-03-26")
    with client.send([{"jsonrpc": "2.0", "method": "notifications/roots/list_changed"}] * 2) as exchange:
        assert exchange.status == 202 and exchange.body == b""


def test_a_bad_message_does_not_spoil_its_batch(session):
    client = session("2025-03-26")
    answers = answers_of(client, client.send([client.message("ping", id="good"), 7]))
    good = [answer for answer in answers if answer.get("id") == "good"]
    bad = [answer for answer in answers if "error" in answer]
    assert good[0]["result"] == {} and bad[0]["error"]["code"] == -32600


def test_an_empty_batch_is_refused(session):
    client = session("2025-03-26")
    reply = client.finish(client.send([]))
    assert reply.status == 400 and reply.error["code"] == -32600


def test_initialize_must_stand_alone(everything):
    client = Legacy(everything, "2025-03-26")
    with client.send([client.message("initialize", client.hello())]) as exchange:
        assert exchange.status == 400
        assert "Mcp-Session-Id" not in exchange.headers


@pytest.mark.parametrize("revision", ["2025-06-18", "2025-11-25"])
def test_later_sessions_take_no_batches(session, revision):
    client = session(revision)
    reply = client.finish(client.send([client.message("ping")]))
    assert reply.status == 400 and reply.error["code"] == -32600


def test_the_modern_wire_takes_no_batches(modern):
    message = modern.message("tools/list")
    exchange = Exchange(modern.server, "POST", modern.headers(message), json.dumps([message]).encode())
    reply = modern.finish(exchange)
    assert reply.status == 400 and reply.error["code"] == -32600
