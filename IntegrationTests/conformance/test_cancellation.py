"""What ends a call early: a closed stream at 2026-07-28, a notification before that, and never the other way round."""

import pytest
from processes import until
from wire import Modern

HANG = {"name": "test_hang", "arguments": {}}


def count(client, what="count"):
    return client.call("test_cancel_count").result["structuredContent"][what]


def hang(client):
    """Starts a call that does not end, and waits until the server carries it out."""
    before = count(client, "began")
    exchange = client.open("tools/call", HANG)
    until(lambda: count(client, "began") > before, "the call begins")
    return exchange


def test_closing_the_stream_cancels_a_modern_call(modern):
    before = count(modern)
    hang(modern).close()
    until(lambda: count(modern) == before + 1, "the call is cancelled")


def test_closing_one_stream_leaves_the_others(modern):
    before = count(modern)
    first, second = hang(modern), hang(modern)
    first.close()
    until(lambda: count(modern) == before + 1, "the first call is cancelled")
    second.close()
    until(lambda: count(modern) == before + 2, "the second call is cancelled")


def test_closing_a_stream_after_it_has_begun_cancels_the_call(everything_with):
    client = Modern(everything_with("--keep-alive-ms", "100"))
    before = count(client)
    with client.open("tools/call", HANG) as exchange:
        assert exchange.event(20).comment is not None
    until(lambda: count(client) == before + 1, "the call is cancelled")


def test_a_notification_cancels_nothing_on_the_modern_wire(modern):
    before = count(modern)
    with hang(modern) as exchange:
        message = modern.message("notifications/cancelled", {"requestId": exchange.message["id"]})
        del message["id"]
        with modern.send(message) as sent:
            assert sent.status in (202, 400, 404)
        assert modern.call("test_steps", {"count": 3}).text == "done"
        assert count(modern) == before
    until(lambda: count(modern) == before + 1, "the call is cancelled")


def test_a_notification_cancels_a_call_of_a_session(legacy):
    before = count(legacy)
    with hang(legacy) as exchange:
        params = {"requestId": exchange.message["id"], "reason": "The user went away."}
        assert legacy.notify("notifications/cancelled", params).status == 202
        until(lambda: count(legacy) == before + 1, "the call is cancelled")
        if exchange.started and exchange.is_stream:
            assert legacy.messages_within(exchange, 0.3) == []
        elif exchange.started:
            assert exchange.json is None


def test_closing_the_stream_does_not_cancel_a_call_of_a_session(legacy):
    before = count(legacy)
    exchange = hang(legacy)
    exchange.close()
    assert legacy.call("test_tool_with_progress").text  # Takes 100 ms: time enough to notice.
    assert legacy.call("test_tool_with_progress").text
    assert count(legacy) == before
    legacy.notify("notifications/cancelled", {"requestId": exchange.message["id"]})
    until(lambda: count(legacy) == before + 1, "the call is cancelled")


@pytest.mark.parametrize("params", [{"requestId": 4711}, {"requestId": "none"}, {"requestId": None}, {}], ids=str)
def test_cancelling_what_does_not_exist_is_harmless(legacy, params):
    assert legacy.notify("notifications/cancelled", params).status in (202, 400)
    assert not legacy.call("test_simple_text").failed


def test_cancelling_a_finished_call_is_harmless(legacy):
    exchange = legacy.open("tools/call", {"name": "test_simple_text"})
    assert not legacy.finish(exchange).failed
    assert legacy.notify("notifications/cancelled", {"requestId": exchange.message["id"]}).status == 202
    assert not legacy.call("test_simple_text").failed


def test_a_session_cannot_cancel_the_calls_of_another(session):
    first, second = session(), session()
    before = count(first)
    with hang(first) as exchange:
        second.notify("notifications/cancelled", {"requestId": exchange.message["id"]})
        assert second.call("test_tool_with_progress").text
        assert count(first) == before
        first.notify("notifications/cancelled", {"requestId": exchange.message["id"]})
        until(lambda: count(first) == before + 1, "the call is cancelled")


def test_the_end_of_a_session_cancels_its_calls(session):
    watcher, client = session(), session()
    before = count(watcher)
    with hang(client):
        with client.delete() as deleted:
            assert deleted.status in (200, 204)
        until(lambda: count(watcher) == before + 1, "the call is cancelled")
    client.session = None


def test_initialize_cannot_be_cancelled(legacy):
    legacy.notify("notifications/cancelled", {"requestId": 1})
    assert legacy.request("ping").result == {}
