"""The scenario server-stateless and its neighbours at 2026-07-28: discovery, the envelope, caching, missing methods."""

import pytest
from messages import LATEST, TASKS
from processes import until
from wire import META, Modern

REMOVED = [
    ("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}),
    ("ping", {}),
    ("logging/setLevel", {"level": "info"}),
    ("resources/subscribe", {"uri": "test://watched-resource"}),
    ("resources/unsubscribe", {"uri": "test://watched-resource"}),
    ("unknown/method", {}),
]


def test_discovers(modern):
    result = modern.request("server/discover").result
    assert LATEST in result["supportedVersions"]
    assert {"completions", "prompts", "resources", "tools"} <= result["capabilities"].keys()
    assert result["capabilities"]["extensions"][TASKS] == {}
    assert "tasks" not in result["capabilities"]
    assert "serverInfo" not in result


@pytest.mark.parametrize("method", ["server/discover", "tools/list", "prompts/list", "resources/list"])
def test_results_say_who_answers(modern, method):
    info = modern.request(method).result["_meta"][META + "serverInfo"]
    assert info["name"] and info["version"]


@pytest.mark.parametrize("method", ["server/discover", "tools/list", "tools/call"])
@pytest.mark.parametrize("missing", ["protocolVersion", "clientCapabilities"])
def test_the_envelope_must_be_whole(modern, method, missing):
    message = modern.message(method, {"name": "test_simple_text"} if method == "tools/call" else {})
    del message["params"]["_meta"][META + missing]
    reply = modern.probe(message)
    assert reply.status == 400 and reply.error["code"] == -32602
    assert reply.message["id"] == message["id"]


@pytest.mark.parametrize("params", [{}, {"_meta": {}}, None], ids=["no _meta", "empty _meta", "no params"])
def test_a_request_without_envelope_is_refused(modern, params):
    message = modern.message("server/discover")
    if params is None:
        del message["params"]
    else:
        message["params"] = params
    reply = modern.probe(message)
    assert reply.status == 400 and reply.error["code"] == -32602
    assert reply.message["id"] == message["id"]


@pytest.mark.parametrize(
    "name, value", [("protocolVersion", 7), ("clientCapabilities", []), ("clientCapabilities", "x")]
)
def test_the_envelope_has_types(modern, name, value):
    reply = modern.request("tools/list", **{name: value})
    assert reply.status == 400 and reply.error["code"] in (-32602, -32020)


def test_a_client_need_not_say_who_it_is(modern):
    assert modern.request("tools/list", clientInfo=None).result["tools"]


def test_an_unsupported_version_is_named_with_those_that_work(everything, modern):
    supported = modern.request("server/discover").result["supportedVersions"]
    future = Modern(everything, revision="v999.0.0")
    message = future.message("server/discover")
    exchange = future.send(message)
    reply = modern.finish(exchange, message["id"])
    assert reply.status == 400 and reply.error["code"] == -32022
    assert reply.error["data"]["requested"] == "v999.0.0"
    assert set(reply.error["data"]["supported"]) <= set(supported)


def test_a_version_that_differs_from_the_header_is_refused_before_it_is_looked_up(modern):
    reply = modern.probe(modern.message("server/discover", protocolVersion="v999.0.0"))
    assert reply.status == 400 and reply.error["code"] == -32020


def test_a_missing_capability_is_named(modern):
    reply = modern.call("test_missing_capability", capabilities={})
    assert reply.status == 400 and reply.error["code"] == -32021
    assert reply.error["data"]["requiredCapabilities"] == {"sampling": {}}
    assert not modern.call("test_missing_capability", capabilities={"sampling": {}}).failed


def test_capabilities_are_not_remembered(modern):
    assert not modern.call("test_missing_capability").failed
    assert modern.call("test_missing_capability", capabilities={}).error["code"] == -32021


@pytest.mark.parametrize("method, params", REMOVED, ids=[method for method, _ in REMOVED])
def test_methods_that_do_not_exist_are_not_found(modern, method, params):
    message = modern.message(method, params)
    reply = modern.probe(message)
    assert reply.status == 404 and reply.error["code"] == -32601
    assert reply.message["id"] == message["id"]


def test_a_stream_holds_no_requests(modern):
    exchange = modern.open(
        "tools/call", {"name": "test_streaming_elicitation", "arguments": {}}, capabilities={"elicitation": {}}
    )
    assert not modern.finish(exchange, exchange.message["id"]).failed


@pytest.mark.parametrize("tool", ["test_streaming_elicitation", "test_logging_tool"])
def test_an_answer_begins_soon(modern, tool):
    with modern.open("tools/call", {"name": tool, "arguments": {}}) as exchange:
        until(lambda: exchange.started, "the answer begins", 0.5)
        assert exchange.status == 200


def test_nothing_is_logged_unless_asked_for(modern):
    reply = modern.call("test_logging_tool")
    assert not reply.failed
    assert reply.notified("notifications/message") == []


@pytest.mark.parametrize("level", ["debug", "info"])
def test_messages_are_logged_when_asked_for(modern, level):
    reply = modern.call("test_logging_tool", logLevel=level)
    assert not reply.failed
    assert reply.notified("notifications/message")


def test_messages_below_the_level_are_not_sent(modern):
    reply = modern.call("test_logging_tool", logLevel="emergency")
    assert not reply.failed
    assert reply.notified("notifications/message") == []


def test_the_level_of_one_request_is_not_remembered(modern):
    assert modern.call("test_logging_tool", logLevel="debug").notified("notifications/message")
    assert modern.call("test_logging_tool").notified("notifications/message") == []


@pytest.mark.parametrize("level", ["loud", "INFO", 3])
def test_an_unknown_level_is_refused(modern, level):
    assert modern.call("test_logging_tool", logLevel=level).error["code"] == -32602


@pytest.mark.parametrize(
    "method, params",
    [
        ("server/discover", {}),
        ("tools/list", {}),
        ("prompts/list", {}),
        ("resources/list", {}),
        ("resources/templates/list", {}),
        ("resources/read", {"uri": "test://static-text"}),
    ],
)
def test_results_say_how_long_they_may_be_kept(modern, method, params):
    result = modern.request(method, params).result
    assert isinstance(result["ttlMs"], int) and result["ttlMs"] >= 0
    assert result["cacheScope"] in ("public", "private")


@pytest.mark.parametrize(
    "uri", ["test://nonexistent-resource-for-conformance-testing", "test://template/123/other", "file:///etc/passwd"]
)
def test_an_unknown_resource_is_an_invalid_parameter(modern, uri):
    reply = modern.request("resources/read", {"uri": uri})
    assert reply.error["code"] == -32602
    assert reply.error["data"]["uri"] == uri


def test_streams_are_not_cached_or_buffered(modern):
    reply = modern.call("test_tool_with_progress", token="t")
    assert reply.streamed
    assert "no-cache" in reply.headers["Cache-Control"]
    assert reply.headers["X-Accel-Buffering"] == "no"


def test_there_are_no_sessions(modern):
    message = modern.message("tools/list")
    reply = modern.probe(message, Mcp_Session_Id="nobody-knows-me", Last_Event_ID="7")
    assert reply.result["tools"]
    assert "Mcp-Session-Id" not in reply.headers


@pytest.mark.parametrize(
    "meta",
    [
        {"traceparent": f"00-{'4b' * 16}-{'f0' * 8}-01", "tracestate": "a=1", "baggage": "b=2"},
        {"traceparent": "nonsense"},
        {"com.example/unknown": {"deep": [1, None]}},
    ],
    ids=["trace context", "bad trace context", "unknown"],
)
def test_other_meta_is_passed_over(modern, meta):
    assert not modern.call("test_simple_text", more={"_meta": meta, "unknown": True}).failed


def test_a_notification_is_taken_without_an_answer(modern):
    message = modern.message("notifications/cancelled", {"requestId": "none"})
    del message["id"]
    with modern.send(message) as exchange:
        assert exchange.status == 202 and exchange.body == b""


@pytest.mark.parametrize("answer", [{"result": {}}, {"error": {"code": -1, "message": "no"}}], ids=list)
def test_a_response_of_the_client_is_refused(modern, answer):
    reply = modern.finish(modern.send({"jsonrpc": "2.0", "id": 1} | answer))
    assert reply.status == 400
