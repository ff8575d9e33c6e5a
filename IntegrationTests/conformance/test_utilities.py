"""Arguments, progress, completion and pagination, beyond the one case of each that the conformance suite looks at."""

import pytest
from messages import LATEST
from wire import Legacy, Modern

LISTS = [
    ("tools/list", "tools"),
    ("prompts/list", "prompts"),
    ("resources/list", "resources"),
    ("resources/templates/list", "resourceTemplates"),
]


@pytest.mark.parametrize(
    "arguments", [{}, {"count": "three"}, {"count": 1.5}, {"count": None}, {"count": [1]}, None], ids=str
)
def test_wrong_arguments_fail_the_tool_and_say_why(client, arguments):
    result = client.call("test_steps", arguments).result
    assert result["isError"] is True
    assert "count" in str(result["content"])


def test_every_wrong_argument_fails_the_tool(client):
    for name in ("test_update_resource", "test_sampling_with_tools", "test_elicitation"):
        assert client.call(name, {"uri": 7, "prompt": 7, "message": 7}).result["isError"] is True


@pytest.mark.parametrize("name", ["test_lost", "TEST_SIMPLE_TEXT", "test_simple_text/"])
def test_an_unknown_tool_is_a_protocol_error(client, name):
    assert client.call(name, {}).error["code"] == -32602


@pytest.mark.parametrize("arguments", [[], "x", 7, True], ids=repr)
def test_arguments_that_are_no_object_are_a_protocol_error(client, arguments):
    assert client.call("test_simple_text", arguments).error["code"] == -32602


@pytest.mark.parametrize("params", [{}, {"name": None}, {"name": 7}], ids=str)
def test_a_call_without_a_name_is_refused(client, params):
    reply = client.finish(client.send(client.message("tools/call", params)))
    assert reply.error["code"] in (-32602, -32020) if client.revision == LATEST else reply.error["code"] == -32602


@pytest.mark.parametrize("params", [{}, {"uri": None}, {"uri": 7}, {"uri": ""}], ids=str)
def test_a_read_without_a_uri_is_refused(client, params):
    reply = client.finish(client.send(client.message("resources/read", params)))
    assert reply.error["code"] in (-32602, -32020, -32002)


@pytest.mark.parametrize("count", [0, 1, 25])
def test_progress_only_moves_forward(client, count):
    reply = client.call("test_steps", {"count": count}, token="steps")
    assert reply.text == "done"
    steps = [(step["progress"], step["total"]) for step in reply.notified("notifications/progress")]
    # A server may leave steps out to limit its rate, but never the order.
    assert steps == sorted(set(steps)) and set(steps) <= {(step, count) for step in range(1, count + 1)}
    assert bool(steps) == bool(count)


@pytest.mark.parametrize("token", ["", 0, -1, 2**53 - 1, "ключ"], ids=repr)
def test_tokens_come_back_as_they_are(client, token):
    steps = client.call("test_steps", {"count": 2}, token=token).notified("notifications/progress")
    assert steps
    assert all(step["progressToken"] == token and type(step["progressToken"]) is type(token) for step in steps)


def test_without_a_token_there_is_no_progress(client):
    assert client.call("test_steps", {"count": 5}).notifications == []


def test_progress_goes_to_the_call_that_asked_for_it(client):
    calls = [client.open("tools/call", {"name": "test_steps", "arguments": {"count": 10}}, token=t) for t in "abc"]
    for token, exchange in zip("abc", calls, strict=True):
        steps = client.finish(exchange, exchange.message["id"]).notified("notifications/progress")
        assert steps and {step["progressToken"] for step in steps} == {token}


def completing(ref=None, name="arg1", value="", **more):
    ref = ref or {"type": "ref/prompt", "name": "test_prompt_with_arguments"}
    return {"ref": ref, "argument": {"name": name, "value": value}} | more


@pytest.mark.parametrize(
    "params",
    [
        completing(value=""),
        completing(value="x" * 1000),
        completing(value="t", context={"arguments": {"arg2": "other"}}),
        completing(name="arg2"),
        completing({"type": "ref/resource", "uri": "test://template/{id}/data"}, "id", "1"),
    ],
    ids=["empty", "long", "context", "second", "template"],
)
def test_completions_are_limited(client, params):
    completion = client.request("completion/complete", params).result["completion"]
    assert len(completion["values"]) <= 100
    assert completion.get("total", len(completion["values"])) >= len(completion["values"])
    if completion.get("hasMore"):
        assert completion.get("total", 101) > len(completion["values"])


@pytest.mark.parametrize(
    "params",
    [
        completing({"type": "ref/prompt", "name": "test_lost"}),
        completing({"type": "ref/resource", "uri": "test://lost/{id}"}, "id"),
        completing({"type": "ref/tool", "name": "test_simple_text"}),
        completing(name="arg3"),
        completing(value=7),
        {"ref": {"type": "ref/prompt", "name": "test_prompt_with_arguments"}},
        {},
    ],
    ids=["prompt", "template", "type", "argument", "value", "no argument", "nothing"],
)
def test_what_cannot_be_completed_is_refused(client, params):
    assert client.request("completion/complete", params).error["code"] == -32602


@pytest.fixture(params=["2025-11-25", LATEST])
def paged(request, everything_with):
    """A client of a server whose pages hold two items."""
    server = everything_with("--page-size", "2")
    if request.param == LATEST:
        yield Modern(server)
    else:
        with Legacy(server) as client:
            yield client


@pytest.mark.parametrize("method, key", LISTS)
def test_pages_hold_everything_once(paged, everything, method, key):
    pages = paged.all_pages(method, key)
    assert all(len(page[key]) <= 2 for page in pages)
    items = [item for page in pages for item in page[key]]
    if paged.revision == LATEST:
        assert items == Modern(everything).all_of(method, key)
    else:
        with Legacy(everything) as whole:
            assert items == whole.all_of(method, key)


def test_lists_have_several_pages(paged):
    for method, key in LISTS[:3]:
        assert len(paged.all_pages(method, key)) > 1


@pytest.mark.parametrize("method, key", LISTS)
@pytest.mark.parametrize("cursor", ["no-such-cursor", "LTE=", "-1", "9" * 30, "x" * 10_000], ids=range(5))
def test_a_bad_cursor_is_refused(paged, method, key, cursor):
    assert paged.request(method, {"cursor": cursor}).error["code"] == -32602


@pytest.mark.parametrize("cursor", [7, [], {}], ids=repr)
def test_a_cursor_is_a_string(paged, cursor):
    assert paged.request("tools/list", {"cursor": cursor}).error["code"] == -32602


def test_a_cursor_can_be_used_again(paged):
    cursor = paged.request("tools/list").result["nextCursor"]
    pages = [paged.request("tools/list", {"cursor": cursor}).result["tools"] for _ in range(2)]
    assert pages[0] == pages[1]


def test_every_page_may_be_kept_by_the_same_people(everything_with):
    client = Modern(everything_with("--page-size", "2"))
    for method, key in LISTS:
        assert len({page["cacheScope"] for page in client.all_pages(method, key)}) == 1
