"""Sends what no SDK would send, as raw lines over standard input."""

import json
import subprocess

import pytest

LATEST = "2026-07-28"
META = {"io.modelcontextprotocol/protocolVersion": LATEST, "io.modelcontextprotocol/clientCapabilities": {}}
LIST = json.dumps({"jsonrpc": "2.0", "id": "last", "method": "tools/list", "params": {"_meta": META}}).encode()


def exchange(gantry, data):
    """Gives all input to a server at once and returns its messages. Its standard output must hold nothing else."""
    done = subprocess.run(
        [gantry.binary, "stdio"], input=data, env=gantry.environment, capture_output=True, timeout=60
    )
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    "line, code",
    [
        (b"{", -32700),
        (b"hello", -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"\xff"}', -32700),
        (b"[" * 100_000, -32700),
        (b"[]", -32600),
        (b"1", -32600),
        (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":{},"method":"ping"}', -32600),
        (b"x" * (5 << 20), None),
    ],
    ids=range(9),
)
def test_a_bad_line_gets_an_error_and_the_next_line_its_answer(gantry, line, code):
    messages = exchange(gantry, line + b"\n" + LIST + b"\n")
    answers = [message for message in messages if message.get("id") == "last"]
    assert len(answers) == 1 and len(answers[0]["result"]["tools"]) >= 3
    errors = [message["error"] for message in messages if "error" in message]
    assert len(errors) == 1
    assert code is None or errors[0]["code"] == code


def test_empty_lines_and_a_missing_last_line_end_are_fine(gantry):
    messages = exchange(gantry, b"\n\r\n" + LIST)
    assert [message["id"] for message in messages] == ["last"]


def test_no_input_ends_the_server(gantry):
    assert exchange(gantry, b"") == []
