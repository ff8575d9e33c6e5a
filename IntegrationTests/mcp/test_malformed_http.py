"""Sends what no SDK would send, as raw bytes over HTTP."""

import json
import socket

import pytest

LATEST = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": LATEST,
    "io.modelcontextprotocol/clientInfo": {"name": "raw", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json, text/event-stream",
    "MCP-Protocol-Version": LATEST,
    "Mcp-Method": "tools/list",
}


def message(**changes):
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": META}} | changes


def post(gantry, body, **headers):
    status, _, answer = gantry.request("POST", "/mcp", body, HEADERS | headers)
    return status, json.loads(answer) if answer else None


def test_a_well_formed_request_works(gantry):
    status, answer = post(gantry, json.dumps(message()).encode())
    assert status == 200
    assert len(answer["result"]["tools"]) >= 3


@pytest.mark.parametrize(
    "body, code",
    [
        (b"", -32700),
        (b"{", -32700),
        (b"hello", -32700),
        (b'{"jsonrpc":"2.0",}', -32700),
        (json.dumps(message()).encode() + b"x", -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/\xff\xfe"}', -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"\\ud800"}', -32700),
        (b"[" * 100_000, -32700),
        (b'{"a":' * 1000 + b"1" + b"}" * 1000, -32700),
        (b"[]", -32600),
        (json.dumps([message()]).encode(), -32600),
        (b"1", -32600),
        (b"null", -32600),
        (json.dumps(message(jsonrpc="1.0")).encode(), -32600),
        (json.dumps(message(id={})).encode(), -32600),
        (json.dumps(message(id=None)).encode(), -32600),
        (json.dumps(message(id=1.5)).encode(), -32600),
        (json.dumps(message(method=7)).encode(), -32600),
    ],
    ids=range(18),
)
def test_malformed_messages_are_refused(gantry, body, code):
    status, answer = post(gantry, body)
    assert status == 400
    assert answer["error"]["code"] == code
    assert answer["error"]["message"]


@pytest.mark.parametrize("params", [[], "x", 1])
def test_params_must_be_an_object(gantry, params):
    status, answer = post(gantry, json.dumps(message(params=params)).encode())
    assert status == 400
    assert answer["error"]["code"] in (-32600, -32602)


def test_an_unknown_method_is_named(gantry):
    status, answer = post(gantry, json.dumps(message(method="tools/lost")).encode(), **{"Mcp-Method": "tools/lost"})
    assert status == 404
    assert answer["id"] == 1
    assert answer["error"]["code"] == -32601


def test_a_body_that_is_too_large_is_refused(gantry):
    padding = "x" * (5 << 20)
    try:
        status, _ = post(gantry, json.dumps(message(padding=padding)).encode())
    except (BrokenPipeError, ConnectionResetError):
        pytest.fail("the server closed the connection before it had answered")
    assert status == 413


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
def test_only_json_is_taken(gantry, content_type):
    status, _ = post(gantry, json.dumps(message()).encode(), **{"Content-Type": content_type})
    assert status == 415


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}])
@pytest.mark.parametrize("path", ["/mcp", "/rag/query", "/tools/k8s.generate_manifest", "/rag/upload"])
def test_foreign_hosts_and_origins_are_refused(gantry, path, headers):
    status, _, _ = gantry.request("POST", path, json.dumps(message()).encode(), HEADERS | headers)
    assert status == 403


def test_the_server_survives_garbage_before_http(gantry):
    with socket.create_connection(("127.0.0.1", gantry.port), timeout=10) as connection:
        connection.sendall(b"\x16\x03\x01 not http at all\r\n\r\n")
        connection.recv(4096)
    assert gantry.request("GET", "/livez")[0] == 200


def test_a_body_that_breaks_off_harms_nobody(gantry):
    with socket.create_connection(("127.0.0.1", gantry.port), timeout=10) as connection:
        connection.sendall(b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n")
        connection.sendall(b'Content-Length: 1000\r\n\r\n{"jsonrpc"')
    assert gantry.request("GET", "/livez")[0] == 200
