"""Several requests on one connection: whatever they are, they are answered completely and in order.

Tool calls of 2026-07-28 take a shorter way through the server than other requests; a client must not see that.
"""

import json
import socket

import pytest
from wire import Modern


class Connection:
    """Sends requests over one connection, and reads their answers when asked to."""

    def __init__(self, server):
        self.maker = Modern(server)
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        self.file = self.socket.makefile("rb")

    def request(self, method, params=None, **headers):
        message = self.maker.message(method, params)
        body = json.dumps(message).encode()
        fields = {"Host": "localhost", "Content-Length": str(len(body))} | self.maker.headers(message) | headers
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None)
        return f"POST /mcp HTTP/1.1\r\n{head}\r\n".encode() + body

    def echo(self, text, **headers):
        return self.request("tools/call", {"name": "echo", "arguments": {"text": text}}, **headers)

    def tool(self, name, **arguments):
        return self.request("tools/call", {"name": name, "arguments": arguments})

    def send(self, *requests):
        self.socket.sendall(b"".join(requests))

    def read(self):
        """The status, headers and body of the next answer."""
        status = int(self.file.readline().split()[1])
        headers = {}
        while (line := self.file.readline().strip()) != b"":
            name, value = line.decode().split(":", 1)
            headers[name.lower()] = value.strip()
        if headers.get("transfer-encoding") != "chunked":
            return status, headers, self.file.read(int(headers.get("content-length", 0)))
        body = b""
        while size := int(self.file.readline(), 16):
            body += self.file.read(size)
            self.file.readline()
        self.file.readline()
        return status, headers, body

    def text(self):
        status, headers, body = self.read()
        assert status == 200, body
        result = json.loads(body)["result"]
        return result["content"][0]["text"] if "content" in result else sorted(result)

    def is_closed(self):
        return self.file.read() == b""


@pytest.fixture
def connection(everything):
    made = Connection(everything)
    yield made
    made.file.close()
    made.socket.close()


def test_calls_and_other_requests_are_answered_in_the_order_in_which_they_came(connection):
    lists = connection.request("tools/list")
    connection.send(
        connection.echo("one"), connection.echo("two"), lists, connection.echo("three"), lists, lists,
        connection.echo("four"),
    )
    kinds = [connection.text() for _ in range(7)]
    assert [kind for kind in kinds if isinstance(kind, str)] == ["one", "two", "three", "four"]
    assert [isinstance(kind, list) for kind in kinds] == [False, False, True, False, True, True, False]


def test_many_calls_at_once_are_all_answered(connection):
    texts = [f"call {number} " + "x" * (number % 50) for number in range(300)]
    connection.send(*(connection.echo(text) for text in texts))
    assert [connection.text() for _ in texts] == texts


def test_what_follows_an_event_stream_is_answered_after_it(connection):
    connection.send(connection.tool("test_tool_with_logging"), connection.echo("after"))
    connection.send(connection.tool("test_tool_with_progress"), connection.request("tools/list"))
    connection.read()
    assert connection.text() == "after"
    connection.read()
    assert isinstance(connection.text(), list)


def test_a_call_may_come_in_pieces(connection):
    for byte in connection.echo("slowly"):
        connection.send(bytes([byte]))
    assert connection.text() == "slowly"


def test_garbage_after_a_call_does_not_spoil_its_answer(connection):
    connection.send(connection.echo("fine"), b"\x00\x01 nonsense\r\n\r\n")
    assert connection.text() == "fine"
    assert connection.read()[0] == 400
    assert connection.is_closed()


def test_a_connection_that_is_to_be_closed_is(connection):
    connection.send(connection.echo("last", Connection="close"))
    assert connection.text() == "last"
    assert connection.is_closed()


def test_a_connection_is_kept_if_the_client_says_so(connection):
    for text in ["one", "two"]:
        connection.send(connection.echo(text, Connection="Keep-Alive"))
        assert connection.text() == text


def test_a_body_in_chunks_is_taken(connection):
    request = connection.echo("chunked", **{"Content-Length": None, "Transfer-Encoding": "chunked"})
    head, body = request.split(b"\r\n\r\n")
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:9], body[9:])) + b"0\r\n\r\n"
    connection.send(head + b"\r\n\r\n" + chunks)
    assert connection.text() == "chunked"


@pytest.mark.parametrize("size", [65_000, 65_536, 70_000, 300_000])
def test_calls_of_any_size_are_answered(connection, size):
    connection.send(connection.echo("y" * size), connection.echo("z"))
    assert connection.text() == "y" * size
    assert connection.text() == "z"


def test_answers_tell_the_time(connection):
    connection.send(connection.echo("when"), connection.request("tools/list"))
    for _ in range(2):
        assert connection.read()[1]["date"].endswith(" GMT")


def test_the_headers_of_a_call_do_not_make_one_of_another_message(connection):
    connection.send(connection.request("tools/list", **{"Mcp-Method": "tools/call", "Mcp-Name": "echo"}))
    status, _, body = connection.read()
    assert status == 400 and "error" in json.loads(body)
    connection.send(connection.echo("still there"))
    assert connection.text() == "still there"


def test_a_refused_call_leaves_the_connection_usable(connection):
    connection.send(connection.echo("x", **{"Content-Type": "text/plain"}), connection.echo("x", Host="evil.example"))
    assert [connection.read()[0] for _ in range(2)] == [415, 403]
    connection.send(connection.echo("fine"))
    assert connection.text() == "fine"
