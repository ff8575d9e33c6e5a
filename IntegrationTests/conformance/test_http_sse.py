"""The older HTTP transport with two endpoints, /sse and /messages (2024-11-05), which has to be switched on."""

import json

import pytest
from processes import until
from wire import Exchange, Legacy


class TwoEndpoints(Legacy):
    """A session whose answers all come on one stream."""

    def __init__(self, server, revision="2024-11-05", capabilities=None):
        super().__init__(server, revision, capabilities)
        self.stream = Exchange(server, "GET", {"Accept": "text/event-stream"}, path="/sse")
        assert self.stream.status == 200 and self.stream.is_stream
        first = self.stream.event()
        assert first.name == "endpoint"
        self.endpoint = first.data[0].removeprefix(f"http://127.0.0.1:{server.port}")
        assert self.endpoint.startswith("/messages")

    def __exit__(self, *_):
        self.stream.close()

    def post(self, body, **headers):
        headers = {"Content-Type": "application/json"} | headers
        return Exchange(self.server, "POST", headers, body, path=self.endpoint)

    def send(self, message):
        """Posts a message, and returns the stream that has the answers."""
        with self.post(json.dumps(message).encode()) as exchange:
            assert exchange.status == 202
        return self.stream

    def read(self, event):
        assert event.name in (None, "message") and event.id is None, event
        return super().read(event)

    def request(self, method, params=None, answers=None, **options):
        message = self.message(method, params, **options)
        received, questions, notifications = self.send(message), [], []
        while answer := self.next_message(received):
            if "method" not in answer:
                assert answer["id"] == message["id"]
                return answer.get("result", answer), questions, notifications
            if "id" in answer:
                questions.append(answer)
                reply = {"jsonrpc": "2.0", "id": answer["id"], "result": answers[answer["method"]]}
                self.send(reply)
            else:
                notifications.append(answer)
        raise AssertionError("the stream ended")

    def start(self):
        self.initialized, _, _ = self.request("initialize", self.hello())
        self.revision = self.initialized["protocolVersion"]
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return self


@pytest.fixture
def old(everything_with):
    with TwoEndpoints(everything_with("--http-sse")) as client:
        yield client


def test_a_session_works(old):
    assert old.initialized["protocolVersion"] == "2024-11-05"
    tools, _, _ = old.request("tools/list")
    assert "test_simple_text" in {tool["name"] for tool in tools["tools"]}
    result, _, _ = old.request("tools/call", {"name": "test_simple_text"})
    assert result["content"][0]["text"] == "This is a simple text response for testing."
    assert old.request("ping")[0] == {}


def test_progress_comes_before_the_result(old):
    params = {"name": "test_steps", "arguments": {"count": 3}}
    _, _, notifications = old.request("tools/call", params, token="t")
    steps = [n["params"]["progress"] for n in notifications if n["method"] == "notifications/progress"]
    assert steps and steps == sorted(set(steps))


def test_the_server_asks_on_the_same_stream(old):
    answer = {"role": "assistant", "content": {"type": "text", "text": "Yes."}, "model": "test"}
    params = {"name": "test_sampling", "arguments": {"prompt": "Well?"}}
    result, questions, _ = old.request("tools/call", params, {"sampling/createMessage": answer})
    assert len(questions) == 1 and "Yes." in result["content"][0]["text"]


def test_each_session_has_its_own_endpoint_and_answers(everything_with, old):
    with TwoEndpoints(everything_with("--http-sse")) as other:
        assert other.endpoint != old.endpoint
        assert len(other.endpoint.partition("?")[2]) >= 22
        assert other.request("ping")[0] == {}
        assert old.request("ping")[0] == {}


def test_an_unknown_session_is_refused(old):
    path, _, query = old.endpoint.partition("?")
    name = query.partition("=")[0]
    for endpoint in (path, f"{path}?{name}=no-such-session"):
        old.endpoint = endpoint
        with old.post(b'{"jsonrpc":"2.0","id":1,"method":"ping"}') as exchange:
            assert exchange.status in (400, 404)


def test_a_closed_stream_ends_the_session(old):
    old.stream.close()

    def refused():
        with old.post(b'{"jsonrpc":"2.0","id":1,"method":"ping"}') as exchange:
            return exchange.status in (400, 404, 410)

    until(refused, "the session ends")


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Host": "evil.example"}])
def test_foreign_origins_and_hosts_are_refused(everything_with, old, headers):
    accept = {"Accept": "text/event-stream"}
    with Exchange(everything_with("--http-sse"), "GET", accept | headers, path="/sse") as exchange:
        assert exchange.status == 403
    with old.post(b'{"jsonrpc":"2.0","id":1,"method":"ping"}', **headers) as exchange:
        assert exchange.status == 403


@pytest.mark.parametrize("body", [b"{", b'{"id":"\xff"}', b"[" * 100_000])
def test_bad_json_is_refused_and_the_session_goes_on(old, body):
    with old.post(body) as exchange:
        assert exchange.status == 400
    assert old.request("ping")[0] == {}


def test_the_older_transport_is_off_by_default(everything):
    with Exchange(everything, "GET", {"Accept": "text/event-stream"}, path="/sse") as exchange:
        assert exchange.status == 404


def test_the_newer_transport_works_beside_it(everything_with):
    with Legacy(everything_with("--http-sse")) as client:
        assert client.request("ping").result == {}
