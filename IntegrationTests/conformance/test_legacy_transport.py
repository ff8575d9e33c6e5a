"""Sessions over HTTP before 2026-07-28: their id, their own stream, their end, and the scenario session-lifecycle."""

import re
import time

import pytest
from messages import LEGACY
from processes import until
from wire import ACCEPT, Exchange, Legacy


@pytest.mark.parametrize("revision", LEGACY)
def test_a_session_lives_until_it_is_deleted(everything, revision):
    client = Legacy(everything, revision).start()
    assert client.request("tools/list").result["tools"]
    with client.delete() as exchange:
        assert exchange.status in (200, 204)
    for exchange in (client.send(client.message("tools/list")), client.get(), client.delete()):
        with exchange:
            assert exchange.status == 404


def test_ids_of_sessions_cannot_be_guessed(session):
    ids = {session().session for _ in range(5)}
    assert len(ids) == 5
    assert all(re.fullmatch(r"[\x21-\x7e]{22,}", id) for id in ids)


@pytest.mark.parametrize("revision", LEGACY)
def test_requests_need_a_session(everything, revision):
    client = Legacy(everything, revision)
    version = revision if revision >= "2025-06-18" else None
    with client.send(client.message("tools/list"), MCP_Protocol_Version=version) as exchange:
        assert exchange.status == 400
    with client.get(MCP_Protocol_Version=version) as exchange:
        assert exchange.status == 400
    with client.delete(MCP_Protocol_Version=version) as exchange:
        assert exchange.status == 400


@pytest.mark.parametrize("id", ["no-such-session", "x" * 5000])
def test_an_unknown_session_is_not_found(legacy, id):
    for exchange in (
        legacy.send(legacy.message("tools/list"), Mcp_Session_Id=id),
        legacy.get(Mcp_Session_Id=id),
        legacy.delete(Mcp_Session_Id=id),
    ):
        with exchange:
            assert exchange.status in ((404,) if len(id) < 100 else (400, 404, 431))
    assert legacy.request("ping").result == {}


def test_a_session_is_initialized_once(legacy):
    reply = legacy.request("initialize", legacy.hello())
    assert reply.error["code"] == -32600
    assert legacy.request("ping").result == {}


@pytest.mark.parametrize("version", ["2099-01-01", "nonsense", "", "2024-10-07"])
def test_an_unsupported_version_header_is_refused(legacy, version):
    with legacy.send(legacy.message("ping"), MCP_Protocol_Version=version) as exchange:
        assert exchange.status == 400


def test_the_version_header_may_be_left_out(legacy):
    message = legacy.message("ping")
    assert legacy.probe(message, MCP_Protocol_Version=None).result == {}


@pytest.mark.parametrize("method", ["notifications/initialized", "notifications/roots/list_changed", "notifications/x"])
def test_notifications_are_taken_without_an_answer(legacy, method):
    reply = legacy.notify(method)
    assert reply.status == 202 and reply.message is None


def test_an_answer_to_no_question_is_harmless(legacy):
    assert legacy.respond("no-such-request", {}).status in (202, 400)
    assert legacy.respond(4711, error={"code": -1, "message": "no"}).status in (202, 400)
    assert legacy.request("ping").result == {}


def test_a_question_cannot_be_answered_by_another_session(session):
    asked, other = session(), session()
    answer = {"action": "accept", "content": {"username": "mallory", "email": "mallory@example.com"}}
    right = {"action": "accept", "content": {"username": "ada", "email": "ada@example.com"}}
    with asked.open("tools/call", {"name": "test_elicitation", "arguments": {"message": "Who?"}}) as exchange:
        question = asked.next_message(exchange)
        other.respond(question["id"], answer)
        assert asked.respond(question["id"], right).status == 202
        assert "ada" in str(asked.next_message(exchange)["result"]["content"])


def test_a_question_is_answered_once(legacy):
    first = {"action": "accept", "content": {"username": "ada", "email": "ada@example.com"}}
    with legacy.open("tools/call", {"name": "test_elicitation", "arguments": {"message": "Who?"}}) as exchange:
        question = legacy.next_message(exchange)
        assert legacy.respond(question["id"], first).status == 202
        assert legacy.respond(question["id"], {"action": "decline"}).status in (202, 400)
        assert "ada" in str(legacy.next_message(exchange)["result"]["content"])


def test_the_own_stream_of_a_session_is_exclusive(legacy):
    with legacy.own_stream():
        with legacy.get() as second:
            assert second.status == 409

    def reopened():
        with legacy.get() as again:
            return again.status == 200

    until(reopened, "the stream is free again")


def test_sessions_do_not_share_their_streams(session):
    first, second = session(), session()
    with first.own_stream(), second.own_stream():
        assert first.request("ping").result == second.request("ping").result == {}


def test_the_own_stream_is_a_stream(legacy):
    with legacy.get(Accept="application/json") as exchange:
        assert exchange.status in (405, 406)
    with legacy.own_stream() as exchange:
        assert "no-cache" in exchange.headers["Cache-Control"]


def test_the_own_stream_ends_with_the_session(everything):
    client = Legacy(everything).start()
    with client.own_stream() as own:
        with client.delete() as exchange:
            assert exchange.status in (200, 204)
        assert client.next_message(own) is None


def test_responses_do_not_come_on_the_own_stream(legacy):
    with legacy.own_stream() as own:
        assert legacy.call("test_steps", {"count": 3}, token="t").notified("notifications/progress")
        assert legacy.messages_within(own, 0.3) == []


def test_a_quiet_own_stream_is_kept_alive(everything_with, session):
    client = session(server=everything_with("--keep-alive-ms", "100"))
    with client.own_stream() as own:
        comments = 0
        while comments < 3:
            event = own.event(5)
            assert client.read(event) is None
            comments += event.comment is not None


@pytest.mark.parametrize("accept", [ACCEPT, "*/*", "text/event-stream, application/json;q=0.1", None])
def test_what_a_client_accepts_is_read_kindly(legacy, accept):
    assert legacy.probe(legacy.message("ping"), Accept=accept).result == {}


def test_only_json_is_taken(legacy):
    with legacy.send(legacy.message("ping"), Content_Type="text/plain") as exchange:
        assert exchange.status == 415


@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
def test_other_verbs_are_not_allowed(legacy, verb):
    with Exchange(legacy.server, verb, legacy.headers(), b"{}") as exchange:
        assert exchange.status == 405
        assert {"POST", "GET", "DELETE"} <= {part.strip() for part in exchange.headers["Allow"].split(",")}


def test_an_id_in_use_does_not_spoil_later_requests(legacy):
    """The client must not do this. What it gets is its own affair."""
    with (
        legacy.open("tools/call", {"name": "test_tool_with_progress"}, id="same") as first,
        legacy.open("tools/call", {"name": "test_simple_text"}, id="same") as second,
    ):
        assert first.status < 500 and second.status < 500
    assert legacy.request("ping").result == {}


def test_a_forgotten_session_ends(everything_with, session):
    client = session(server=everything_with("--session-idle-ms", "700"))
    for _ in range(8):  # Longer than the limit, but never idle for so long.
        time.sleep(0.2)
        assert client.request("ping").result == {}
    time.sleep(2)
    with client.send(client.message("ping")) as exchange:
        assert exchange.status == 404
    client.session = None


def test_a_session_with_an_open_stream_is_not_forgotten(everything_with, session):
    client = session(server=everything_with("--session-idle-ms", "700"))
    with client.own_stream():
        time.sleep(2)
        assert client.request("ping").result == {}


def test_a_server_that_stops_ends_its_streams(own_everything):
    client = Legacy(own_everything).start()
    with client.own_stream() as own:
        own_everything.terminate()
        assert client.next_message(own) is None
    assert own_everything.stop() == 0
