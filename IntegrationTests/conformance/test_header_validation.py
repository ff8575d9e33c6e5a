"""The headers that repeat what a 2026-07-28 request says (http-header-validation and its custom headers)."""

import json

import pytest
from messages import LATEST
from wire import ACCEPT, META, Exchange, Modern

TEXT = {"name": "test_simple_text", "arguments": {}}


@pytest.fixture
def listing(modern):
    return modern.message("tools/list")


@pytest.fixture
def calling(modern):
    return modern.message("tools/call", TEXT)


def refused(reply, code=-32020):
    return reply.status == 400 and reply.error["code"] == code


@pytest.mark.parametrize("value", ["tools/call", "TOOLS/LIST", "", None, "=?base64?dG9vbHMvbGlzdA==?="])
def test_the_method_must_be_repeated(modern, listing, value):
    reply = modern.probe(listing, Mcp_Method=value)
    assert refused(reply) and reply.message["id"] == listing["id"]


@pytest.mark.parametrize("value", ["test_image_content", "TEST_SIMPLE_TEXT", "", None])
def test_the_name_must_be_repeated(modern, calling, value):
    assert refused(modern.probe(calling, Mcp_Name=value))


@pytest.mark.parametrize("value", ["2025-11-25", "v999.0.0", "", None])
def test_the_version_must_be_repeated(modern, listing, value):
    assert refused(modern.probe(listing, MCP_Protocol_Version=value))


@pytest.mark.parametrize(
    "method, params, wrong",
    [
        ("prompts/get", {"name": "test_simple_prompt"}, "test_prompt_with_image"),
        ("resources/read", {"uri": "test://static-text"}, "test://static-binary"),
    ],
)
@pytest.mark.parametrize("given", [False, True], ids=["missing", "wrong"])
def test_prompts_and_resources_are_named_too(modern, method, params, wrong, given):
    assert modern.request(method, params).result
    assert refused(modern.probe(modern.message(method, params), Mcp_Name=wrong if given else None))


@pytest.mark.parametrize("convert", [str.lower, str.upper])
def test_the_case_of_header_names_does_not_matter(everything, modern, calling, convert):
    headers = {convert(name): value for name, value in modern.headers(calling).items()}
    exchange = Exchange(everything, "POST", headers, json.dumps(calling).encode())
    assert not modern.finish(exchange, calling["id"]).failed


@pytest.mark.parametrize("value", ["  test_simple_text", "test_simple_text  ", "\t test_simple_text \t"], ids=repr)
def test_blanks_around_values_do_not_matter(modern, calling, value):
    assert not modern.probe(calling, Mcp_Name=value).failed


def test_blanks_around_the_method_do_not_matter(modern, listing):
    assert modern.probe(listing, Mcp_Method=" tools/list ").result


@pytest.mark.parametrize("name", ["MCP-Protocol-Version", "Mcp-Method", "Mcp-Name"])
@pytest.mark.parametrize("same", [True, False], ids=["same", "different"])
def test_a_header_must_not_come_twice(everything, modern, calling, name, same):
    headers = modern.headers(calling)
    pairs = [*headers.items(), (name, headers[name] if same else "other")]
    assert refused(modern.finish(Exchange(everything, "POST", pairs, json.dumps(calling).encode()), calling["id"]))


def test_a_name_may_be_encoded(modern, calling):
    assert not modern.probe(calling, Mcp_Name="=?base64?dGVzdF9zaW1wbGVfdGV4dA==?=").failed


@pytest.mark.parametrize(
    "value",
    ["=?base64?dGVzdF9zaW1wbGVfdGV4dA?=", "=?base64?dGVzdF9z!W1wbGVfdGV4dA==?=", "=?BASE64?dGVzdF9zaW1wbGVfdGV4dA==?="],
    ids=["padding", "alphabet", "marker"],
)
def test_a_name_must_be_encoded_strictly(modern, calling, value):
    assert refused(modern.probe(calling, Mcp_Name=value))


# The order of the checks: each request has two mistakes.


def test_a_missing_envelope_is_noticed_before_the_headers(modern, listing):
    del listing["params"]["_meta"][META + "clientCapabilities"]
    assert refused(modern.probe(listing, Mcp_Method="tools/call"), -32602)


def test_the_headers_are_checked_before_the_version(everything, modern):
    future = Modern(everything, revision="v999.0.0")
    message = future.message("tools/list")
    assert refused(modern.finish(future.send(message, Mcp_Method="tools/call"), message["id"]), -32020)


def test_the_version_is_checked_before_the_method(everything, modern):
    future = Modern(everything, revision="v999.0.0")
    message = future.message("unknown/method")
    assert refused(modern.finish(future.send(message), message["id"]), -32022)


def test_the_headers_are_checked_before_the_method(modern):
    assert refused(modern.probe(modern.message("unknown/method"), Mcp_Method="tools/list"), -32020)


def test_a_modern_body_without_a_version_header_is_not_taken_for_an_old_one(modern):
    message = modern.message("server/discover")
    assert refused(modern.probe(message, MCP_Protocol_Version=None), -32020)


@pytest.mark.parametrize("value", ["text/plain", "application/x-www-form-urlencoded", None])
def test_only_json_is_taken(modern, listing, value):
    with modern.send(listing, Content_Type=value) as exchange:
        assert exchange.status == 415


@pytest.mark.parametrize("value", ["application/json; charset=utf-8", "Application/JSON"])
def test_content_types_may_have_parameters(modern, listing, value):
    assert modern.probe(listing, Content_Type=value).result


@pytest.mark.parametrize("value", ["text/html", "application/json", "text/event-stream"])
def test_a_client_must_accept_both_kinds_of_answers(modern, listing, value):
    with modern.send(listing, Accept=value) as exchange:
        assert exchange.status == 406


@pytest.mark.parametrize(
    "value",
    [
        "text/event-stream, application/json",
        "application/json;q=0.5, text/event-stream;q=0.9",
        "APPLICATION/JSON,TEXT/EVENT-STREAM",
    ],
)
def test_the_order_and_weight_of_accepted_types_do_not_matter(modern, listing, value):
    assert modern.probe(listing, Accept=value).result


def test_accept_may_come_in_several_lines(everything, modern, listing):
    pairs = [pair for pair in modern.headers(listing).items() if pair[0] != "Accept"]
    pairs += [("Accept", part) for part in ACCEPT.split(", ")]
    exchange = Exchange(everything, "POST", pairs, json.dumps(listing).encode())
    assert modern.finish(exchange, listing["id"]).result


@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
def test_other_verbs_are_not_allowed(everything, modern, listing, verb):
    with Exchange(everything, verb, modern.headers(listing), json.dumps(listing).encode()) as exchange:
        assert exchange.status == 405
        assert "POST" in exchange.headers["Allow"]


@pytest.mark.parametrize("verb", ["GET", "DELETE"])
def test_the_modern_wire_has_no_streams_of_sessions(everything, verb):
    headers = {"Accept": "text/event-stream", "MCP-Protocol-Version": LATEST}
    with Exchange(everything, verb, headers) as exchange:
        assert 400 <= exchange.status < 500


# Parameters that a tool wants to see in a header.


@pytest.fixture
def parameter(modern):
    """Calls a tool with an x-mcp-header parameter: with a value in the body, and another one in the header."""
    for tool in modern.tools().values():
        fields = tool["inputSchema"].get("properties", {})
        marked = {name: field for name, field in fields.items() if "x-mcp-header" in field}
        if marked and next(iter(marked.values()))["type"] == "string":
            break
    else:
        pytest.fail("no tool has a string parameter with x-mcp-header")
    name, field = next(iter(marked.items()))
    defaults = {"integer": 0, "number": 0, "boolean": False, "string": "test-default"}
    others = {
        other: defaults[fields[other]["type"]] for other in tool["inputSchema"].get("required", []) if other != name
    }
    header = f"Mcp-Param-{field['x-mcp-header']}"

    def call(value, sent, **more):
        arguments = others | ({name: value} if value is not None else {})
        message = modern.message("tools/call", {"name": tool["name"], "arguments": arguments})
        return modern.probe(message, **{header: sent}, **more)

    return call


@pytest.mark.parametrize(
    "value, sent",
    [
        ("us-west1", "us-west1"),
        ("us-west1", " us-west1 "),
        ("Hello", "=?base64?SGVsbG8=?="),
        ("Grüße, 世界", "=?base64?R3LDvMOfZSwg5LiW55WM?="),
        ("SGVsbG8=", "SGVsbG8="),
        ("=?base64?SGVsbG8=", "=?base64?SGVsbG8="),
    ],
)
def test_a_parameter_may_be_repeated_plain_or_encoded(parameter, value, sent):
    assert not parameter(value, sent).failed


@pytest.mark.parametrize(
    "value, sent",
    [
        ("Hello", "=?base64?SGVsbG8?="),
        ("Hello", "=?base64?SGVs!!!bG8=?="),
        ("Hello", "SGVsbG8="),
        ("Hello", "hello"),
        ("Hello", ""),
        ("Hello", None),
        (None, "Hello"),
    ],
    ids=["padding", "alphabet", "not marked", "case", "empty", "absent", "without value"],
)
def test_a_parameter_that_is_repeated_wrongly_is_refused(parameter, value, sent):
    assert refused(parameter(value, sent))


def test_headers_of_unknown_parameters_are_passed_over(parameter):
    assert not parameter("Hello", "Hello", Mcp_Param_Unknown="x").failed
