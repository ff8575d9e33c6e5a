"""What a server must bear over HTTP: large and malformed bodies, odd ids, foreign hosts and origins."""

import json
import socket

import pytest
from messages import LATEST
from wire import Exchange, Legacy, Modern


class Raw:
    """Posts bytes as they are, with the headers of a tools/list request in either era."""

    def __init__(self, client):
        self.client = client

    def headers(self, **changes):
        message = self.client.message("tools/list")
        headers = self.client.headers(message) if isinstance(self.client, Modern) else self.client.headers()
        return {name: value for name, value in (headers | changes).items() if value is not None}

    def message(self, **changes):
        return self.client.message("tools/list") | changes

    def post(self, body, **headers):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        return Exchange(self.client.server, "POST", self.headers(**headers), body)

    def answer(self, body, **headers):
        return self.client.finish(self.post(body, **headers))

    def works(self):
        return bool(self.client.request("tools/list").result["tools"])


@pytest.fixture
def raw(client):
    raw = Raw(client)
    yield raw
    assert raw.works(), "the server did not survive"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"hello",
        b'{"jsonrpc":"2.0",}',
        b'{"jsonrpc":"2.0","id":1,"method":"tools/\xff\xfe"}',
        b'{"jsonrpc":"2.0","id":1,"method":"\xc0\xaf"}',
        b'{"jsonrpc":"2.0","id":1,"method":"\xed\xa0\x80"}',
        b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}x',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a":' * 2000 + b"1" + b"}" * 2000,
    ],
    ids=range(11),
)
def test_what_is_no_json_is_refused(raw, body):
    reply = raw.answer(body)
    assert reply.status == 400 and reply.error["code"] == -32700
    assert "id" not in reply.message


@pytest.mark.parametrize("body", [b"7", b"null", b'"x"', b"true", b"{}", b"[]"], ids=repr)
def test_what_is_no_message_is_refused(raw, body):
    reply = raw.answer(body)
    assert reply.status == 400 and reply.error["code"] == -32600


@pytest.mark.parametrize(
    "change",
    [{"jsonrpc": "1.0"}, {"jsonrpc": 2.0}, {"jsonrpc": None}, {"method": 7}, {"method": None}],
    ids=str,
)
def test_a_message_has_a_shape(raw, change):
    reply = raw.answer(raw.message(**change))
    assert reply.status == 400 and reply.error["code"] == -32600


@pytest.mark.parametrize("params", [[], "x", 7], ids=repr)
def test_params_are_an_object(raw, params):
    reply = raw.answer(raw.message(params=params))
    assert reply.status == 400 and reply.error["code"] in (-32600, -32602)


@pytest.mark.parametrize("id", [None, True, 1.5, {}, [], [1]], ids=repr)
def test_an_id_is_a_string_or_an_integer(raw, id):
    reply = raw.answer(raw.message(id=id))
    assert reply.status == 400 and reply.error["code"] == -32600


@pytest.mark.parametrize("id", ["a", "", "7", "ключ", "x" * 500, 0, -1, 2**31, 2**53 + 1, -(2**63)], ids=range(10))
def test_ids_come_back_as_they_are(client, id):
    answer = client.request("tools/list", id=id).message
    assert answer["id"] == id and type(answer["id"]) is type(id)


def test_a_deep_argument_is_answered(raw):
    deep = value = {}
    for _ in range(60):
        value["a"] = {}
        value = value["a"]
    reply = raw.client.call("test_steps", {"count": deep})
    assert reply.failed


def test_a_body_that_is_too_large_is_refused(raw):
    with raw.post(raw.message(padding="x" * (5 << 20))) as exchange:
        assert exchange.status == 413


def test_a_body_of_a_megabyte_is_taken(raw):
    assert raw.answer(raw.message(padding="x" * (1 << 20))).result["tools"]


def test_text_comes_back_as_it_was(client):
    words = "Grüße 世界 🛠️ \u2028 \\u0000 \"quoted\" \n line"
    params = {"name": "test_prompt_with_arguments", "arguments": {"arg1": words, "arg2": ""}}
    assert words in str(client.request("prompts/get", params).result["messages"][0]["content"]["text"])


def test_a_newline_in_the_text_stays_on_one_line_of_the_stream(legacy):
    answer = {"action": "accept", "content": {"username": "a\r\nb", "email": "ada@example.com"}}
    reply = legacy.call("test_elicitation", {"message": "one\ntwo"}, answers={"elicitation/create": answer})
    assert reply.requests[0]["params"]["message"] == "one\ntwo"
    assert all(len(event.data) == 1 for event in reply.events if event.message is not None)


def test_a_header_that_is_too_large_is_refused(raw):
    with raw.post(raw.message(), **{"X-Padding": "x" * 200_000}) as exchange:
        assert 400 <= exchange.status < 500


EVIL = [
    {"Origin": "null"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://evil.example.com", "Host": "evil.example.com"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "http://127.0.0.1.evil.example:{port}"},
    {"Origin": "http://127.0.0.1:{port}@evil.example"},
    {"Origin": "http://evil.example#localhost"},
    {"Origin": "file://"},
    {"Origin": "nonsense"},
    {"Host": "evil.example"},
    {"Host": "evil.example:{port}"},
    {"Host": "127.0.0.1.evil.example:{port}"},
    {"Host": "localhost.evil.example"},
    {"Host": "192.168.1.1:{port}"},
    {"Host": "[2001:db8::1]:{port}"},
]
FRIENDLY = [
    {},
    {"Host": "127.0.0.1:{port}"},
    {"Host": "localhost:{port}"},
    {"Host": "LOCALHOST:{port}"},
    {"Host": "[::1]:{port}"},
    {"Host": "localhost:{port}", "Origin": "http://localhost:{port}"},
    {"Host": "127.0.0.1:{port}", "Origin": "http://127.0.0.1:{port}"},
    {"Host": "[::1]:{port}", "Origin": "http://[::1]:{port}"},
]


@pytest.fixture
def filled(everything):
    def fill(headers):
        return {name: value.replace("{port}", str(everything.port)) for name, value in headers.items()}

    return fill


@pytest.mark.parametrize("headers", EVIL, ids=str)
@pytest.mark.parametrize("era", ["2025-11-25", LATEST])
def test_foreign_hosts_and_origins_are_refused(everything, filled, era, headers):
    if era == LATEST:
        client = Modern(everything)
        exchange = client.send(client.message("server/discover"), **filled(headers))
    else:
        client = Legacy(everything)
        # The suite sends this header of the other era along.
        exchange = client.send(client.message("initialize", client.hello()), Mcp_Method="initialize", **filled(headers))
    with exchange:
        assert exchange.status == 403
        assert "Mcp-Session-Id" not in exchange.headers


@pytest.mark.parametrize("headers", FRIENDLY, ids=str)
@pytest.mark.parametrize("era", ["2025-11-25", LATEST])
def test_local_hosts_and_origins_are_welcome(everything, filled, era, headers):
    if era == LATEST:
        client = Modern(everything)
        exchange = client.send(client.message("server/discover"), **filled(headers))
    else:
        client = Legacy(everything)
        version = {"MCP_Protocol_Version": "2025-11-25", "Mcp_Method": "initialize"}
        exchange = client.send(client.message("initialize", client.hello()), **version | filled(headers))
    with exchange:
        assert exchange.status == 200


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Host": "evil.example"}], ids=str)
def test_streams_and_sessions_are_guarded_too(legacy, headers):
    for exchange in (legacy.get(**headers), legacy.delete(**headers)):
        with exchange:
            assert exchange.status == 403
    assert legacy.request("ping").result == {}


def test_a_request_without_a_host_is_refused(everything, raw):
    with socket.create_connection(("127.0.0.1", everything.port), timeout=10) as connection:
        connection.sendall(b"POST /mcp HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
        status = connection.recv(4096).split(b" ")[1]
    assert status in (b"400", b"403")


@pytest.mark.parametrize("path", ["/", "/mcp/other", "/MCP", "/mcp/../etc/passwd"])
def test_other_paths_are_not_found(everything, modern, path):
    message = modern.message("tools/list")
    with Exchange(everything, "POST", modern.headers(message), json.dumps(message).encode(), path=path) as exchange:
        assert exchange.status == 404
