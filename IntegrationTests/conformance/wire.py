"""HTTP, server-sent events and standard input as they are, and a client for each era of the protocol on top.

Everything that the clients receive goes through check_message.
"""

import http.client
import json
import queue
import subprocess
import threading
import time
from dataclasses import dataclass, field

from messages import LATEST, check_message, is_id

PATH = "/mcp"
ACCEPT = "application/json, text/event-stream"
WAIT = 10  # Seconds that an answer may take, unless the test is about time.
META = "io.modelcontextprotocol/"
CLIENT = {"name": "conformance", "version": "1"}
# The parameter that Mcp-Name repeats.
ROUTED = {
    "tools/call": "name",
    "prompts/get": "name",
    "resources/read": "uri",
    "tasks/get": "taskId",
    "tasks/update": "taskId",
    "tasks/cancel": "taskId",
}


@dataclass
class Event:
    """One server-sent event, or one comment between events."""

    data: list = field(default_factory=list)
    id: str | None = None
    name: str | None = None
    retry: str | None = None
    comment: str | None = None

    @property
    def message(self):
        """The JSON of the event, or None when it carries none (a comment, a priming event)."""
        text = "\n".join(self.data)
        return json.loads(text) if text else None


def parse_events(chunks):
    """Cuts the bytes of a stream into events and comments, as they arrive."""
    rest, event = b"", Event()
    for chunk in chunks:
        rest += chunk
        while b"\n" in rest:
            line, _, rest = rest.partition(b"\n")
            text = line.removesuffix(b"\r").decode()
            if text.startswith(":"):
                yield Event(comment=text[1:].strip())
                continue
            if not text:
                if event != Event():
                    yield event
                event = Event()
                continue
            name, _, value = text.partition(":")
            value = value.removeprefix(" ")
            match name:
                case "data":
                    event.data.append(value)
                case "id":
                    event.id = value
                case "event":
                    event.name = value
                case "retry":
                    event.retry = value


class Exchange:
    """One HTTP request and what comes back. A thread reads, so that every wait can have a limit."""

    def __init__(self, server, verb, headers, body=None, path=PATH):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self.connection.connect()
        self.socket = self.connection.sock
        pairs = list(headers.items()) if isinstance(headers, dict) else list(headers)
        names = {name.lower() for name, _ in pairs}
        self.connection.putrequest(verb, path, skip_host="host" in names, skip_accept_encoding=True)
        for name, value in pairs:
            self.connection.putheader(name, value)
        if body is not None:
            self.connection.putheader("Content-Length", str(len(body)))
        self.connection.endheaders(body)
        self._started = threading.Event()
        self._arrived = queue.Queue()
        self._failure = None
        self._response = None
        self._body = b""
        self._ended = False
        self._closed = False
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Closes the connection, whatever the server is doing."""
        self._closed = True
        try:
            self.socket.shutdown(2)
        except OSError:
            pass
        self.socket.close()

    def _read(self):
        try:
            self._response = response = self.connection.getresponse()
            if self._is_stream():
                self._started.set()
                for event in parse_events(iter(lambda: response.read1(65536), b"")):
                    self._arrived.put(event)
            else:
                self._body = response.read()
        except Exception as error:  # A broken stream is reported to whoever waits for it.
            self._failure = error
        self._arrived.put(None)
        self._started.set()

    def _is_stream(self):
        return self._response.headers.get_content_type() == "text/event-stream"

    @property
    def started(self):
        """Whether an answer has begun, or can't come any more."""
        return self._started.is_set()

    def _head(self, seconds=WAIT):
        assert self._started.wait(seconds), f"no answer within {seconds} s"
        assert self._response is not None, f"no answer: {self._failure!r}"
        return self._response

    @property
    def status(self):
        return self._head().status

    @property
    def headers(self):
        return self._head().headers

    @property
    def is_stream(self):
        self._head()
        return self._is_stream()

    @property
    def body(self):
        assert not self.is_stream, "the answer is a stream"
        return self._body

    @property
    def json(self):
        return json.loads(self.body) if self.body else None

    def event(self, seconds=WAIT):
        """The next event or comment of the stream, or None when the server has ended it."""
        assert self._head(seconds) and self._is_stream(), f"no stream: {self._response.status} {self._body!r}"
        if self._ended:
            return None
        try:
            event = self._arrived.get(timeout=seconds)
        except queue.Empty:
            raise AssertionError(f"nothing on the stream for {seconds} s") from None
        if event is None:
            self._ended = True
            assert self._failure is None or self._closed, f"the stream broke off: {self._failure!r}"
        return event

    def events_within(self, seconds):
        """What arrives on the stream in a length of time. For tests that say what must not happen, or when."""
        deadline = time.monotonic() + seconds
        events = []
        while (left := deadline - time.monotonic()) > 0:
            try:
                event = self._arrived.get(timeout=left)
            except queue.Empty:
                break
            if event is None:
                self._ended = True
                break
            events.append(event)
        return events


@dataclass
class Reply:
    """The answer to a request and what came before it."""

    status: int
    headers: http.client.HTTPMessage
    message: dict | None = None
    notifications: list = field(default_factory=list)
    requests: list = field(default_factory=list)
    events: list = field(default_factory=list)
    streamed: bool = False

    @property
    def result(self):
        assert self.message and "result" in self.message, f"HTTP {self.status}: {self.message}"
        assert self.status == 200, f"HTTP {self.status}: {self.message}"
        return self.message["result"]

    @property
    def error(self):
        assert self.message and "error" in self.message, f"HTTP {self.status}: {self.message}"
        return self.message["error"]

    @property
    def failed(self):
        """Whether the request did not work, be it by a protocol error or by a failed tool result."""
        return "error" in self.message or self.message["result"].get("isError") is True

    @property
    def text(self):
        return text_of(self.result)

    def notified(self, method):
        return [message["params"] for message in self.notifications if message["method"] == method]


def text_of(result):
    return "".join(block["text"] for block in result["content"] if block["type"] == "text")


class Client:
    """What the clients of both eras share: ids, checks, and reading an answer to its end."""

    def __init__(self, server, revision):
        self.server = server
        self.revision = revision
        self.sent = {}  # The method of every request, by its id.
        self._last_id = 0

    def next_id(self):
        self._last_id += 1
        return self._last_id

    def check(self, message):
        method = None
        if isinstance(message, dict) and is_id(message.get("id")) and "method" not in message:
            method = self.sent.get(message["id"])
        check_message(self.revision, method, message)
        return message

    def open(self, method, params=None, **options):
        """Sends a request and does not wait for the answer. The exchange has the message as `message`."""
        message = self.message(method, params, **options)
        exchange = self.send(message)
        exchange.message = message
        return exchange

    def request(self, method, params=None, answers=None, **options):
        """Sends a request and reads its answer to the end."""
        message = self.message(method, params, **options)
        return self.finish(self.send(message), message["id"], answers)

    def call(self, name, arguments=None, **options):
        params = {"name": name} if arguments is None else {"name": name, "arguments": arguments}
        return self.request("tools/call", params | options.pop("more", {}), **options)

    def next_message(self, exchange, seconds=WAIT):
        """The next message on a stream, checked, or None when the stream has ended."""
        while event := exchange.event(seconds):
            if (message := self.read(event)) is not None:
                return message
        return None

    def messages_within(self, exchange, seconds):
        return [message for event in exchange.events_within(seconds) if (message := self.read(event)) is not None]

    def read(self, event):
        return None if event.message is None else self.check(event.message)

    def finish(self, exchange, id=None, answers=None):
        """Reads an answer to its end, answering the server's own questions on the way."""
        with exchange:
            reply = Reply(exchange.status, exchange.headers, streamed=exchange.is_stream)
            if not reply.streamed:
                if exchange.body:
                    reply.message = self.check(exchange.json)
            else:
                self._finish_stream(exchange, reply, answers or {})
            if reply.message and id is not None and "id" in reply.message:
                assert reply.message["id"] == id and type(reply.message["id"]) is type(id), reply.message
            return reply

    def _finish_stream(self, exchange, reply, answers):
        while event := exchange.event():
            reply.events.append(event)
            message = self.read(event)
            if message is None:
                continue
            assert reply.message is None, f"after the response: {message}"
            if "method" not in message:
                reply.message = message
            elif "id" in message:
                reply.requests.append(message)
                self.answer(message, answers)
            else:
                reply.notifications.append(message)

    def all_pages(self, method, key):
        """Every page of a list."""
        pages, cursor = [], None
        while True:
            result = self.request(method, {"cursor": cursor} if cursor is not None else {}).result
            pages.append(result)
            assert result[key] or cursor is None, "an empty page"
            cursor = result.get("nextCursor")
            if cursor is None:
                return pages
            assert len(pages) < 1000, "the list does not end"

    def all_of(self, method, key):
        return [item for page in self.all_pages(method, key) for item in page[key]]

    def tools(self):
        return {tool["name"]: tool for tool in self.all_of("tools/list", "tools")}


class Modern(Client):
    """A client of 2026-07-28: every request stands alone."""

    CAPABILITIES = {"sampling": {}, "elicitation": {}, "roots": {"listChanged": True}}

    def __init__(self, server, capabilities=None, revision=LATEST):
        super().__init__(server, revision)
        self.capabilities = self.CAPABILITIES if capabilities is None else capabilities

    def envelope(self, capabilities=None, **meta):
        """The _meta of a request. Names are short: logLevel instead of io.modelcontextprotocol/logLevel."""
        values = {
            "protocolVersion": self.revision,
            "clientInfo": CLIENT,
            "clientCapabilities": self.capabilities if capabilities is None else capabilities,
        } | meta
        return {META + name: value for name, value in values.items() if value is not None}

    def message(self, method, params=None, id=None, capabilities=None, token=None, **meta):
        envelope = self.envelope(capabilities, **meta)
        if token is not None:
            envelope["progressToken"] = token
        message = {
            "jsonrpc": "2.0",
            "id": self.next_id() if id is None else id,
            "method": method,
            "params": (params or {}) | {"_meta": envelope | (params or {}).get("_meta", {})},
        }
        self.sent[message["id"]] = method
        return message

    def headers(self, message):
        params = message.get("params") or {}
        headers = {
            "Content-Type": "application/json",
            "Accept": ACCEPT,
            "MCP-Protocol-Version": self.revision,
        }
        if method := message.get("method"):
            headers["Mcp-Method"] = method
            if name := params.get(ROUTED.get(method)):
                headers["Mcp-Name"] = name
        return headers

    def send(self, message, **headers):
        """Posts a message. A header given as None is left out."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        both = {
            name: value
            for name, value in self.headers(message).items()
            if name.lower() not in {other.lower() for other in named}
        }
        both |= {name: value for name, value in named.items() if value is not None}
        return Exchange(self.server, "POST", both, json.dumps(message).encode())

    def probe(self, message, **headers):
        """Posts a message as it is and returns the answer."""
        return self.finish(self.send(message, **headers), message.get("id"))

    def listen(self, id=None, **notifications):
        """Opens a subscription, and returns its stream after the acknowledgement."""
        exchange = self.open("subscriptions/listen", {"notifications": notifications}, id=id)
        exchange.acknowledged = self.next_message(exchange)
        assert exchange.acknowledged, "the stream ended at once"
        assert exchange.acknowledged["method"] == "notifications/subscriptions/acknowledged"
        return exchange

    def read(self, event):
        assert event.id is None and event.retry is None, f"streams can't be resumed at {LATEST}: {event}"
        assert event.comment is not None or len(event.data) == 1, f"not one line of data: {event}"
        return super().read(event)

    def answer(self, message, answers):
        raise AssertionError(f"a server must not send requests at {LATEST}: {message}")


class Legacy(Client):
    """A session of a revision that begins with initialize."""

    CAPABILITIES = {"sampling": {}, "elicitation": {}}

    def __init__(self, server, revision="2025-11-25", capabilities=None):
        super().__init__(server, revision)
        self.capabilities = self.CAPABILITIES if capabilities is None else capabilities
        self.session = None
        self.initialized = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.session:
            with self.delete() as exchange:
                assert exchange.status

    def start(self):
        """Starts the session. Its first result is in `initialized`."""
        reply = self.request("initialize", self.hello())
        self.initialized = reply.result
        self.session = reply.headers["Mcp-Session-Id"]
        self.revision = self.initialized["protocolVersion"]
        assert self.notify("notifications/initialized").status == 202
        return self

    def hello(self, version=None):
        """The parameters of initialize."""
        return {
            "protocolVersion": version or self.revision,
            "capabilities": self.capabilities,
            "clientInfo": CLIENT,
        }

    def message(self, method, params=None, id=None, token=None):
        message = {"jsonrpc": "2.0", "id": self.next_id() if id is None else id, "method": method}
        params = dict(params or {})
        if token is not None:
            params["_meta"] = {"progressToken": token}
        if params:
            message["params"] = params
        self.sent[message["id"]] = method
        return message

    def headers(self, **changes):
        headers = {"Content-Type": "application/json", "Accept": ACCEPT}
        if self.session:
            headers["Mcp-Session-Id"] = self.session
            if self.revision >= "2025-06-18":
                headers["MCP-Protocol-Version"] = self.revision
        headers |= {name.replace("_", "-"): value for name, value in changes.items()}
        return {name: value for name, value in headers.items() if value is not None}

    def send(self, message, **headers):
        """Posts a message, or a list of messages. A header given as None is left out."""
        return Exchange(self.server, "POST", self.headers(**headers), json.dumps(message).encode())

    def probe(self, message, **headers):
        return self.finish(self.send(message, **headers), message.get("id"))

    def notify(self, method, params=None):
        message = {"jsonrpc": "2.0", "method": method}
        if params is not None:
            message["params"] = params
        return self.probe(message)

    def respond(self, id, result=None, error=None):
        answer = {"error": error} if error else {"result": result}
        return self.probe({"jsonrpc": "2.0", "id": id} | answer)

    def answer(self, message, answers):
        """Answers a request of the server with what the test has for its method: a result, or {"error": ...}."""
        assert message["method"] in answers, f"nobody expected {message}"
        answer = answers[message["method"]]
        if callable(answer):
            answer = answer(message["params"])
        reply = self.respond(message["id"], **({"error": answer["error"]} if "error" in answer else {"result": answer}))
        assert reply.status == 202 and reply.message is None, reply

    def get(self, **headers):
        """Opens the session's own stream, or resumes another one with Last_Event_ID."""
        stream = {"Accept": "text/event-stream", "Content_Type": None}
        return Exchange(self.server, "GET", self.headers(**stream | headers))

    def own_stream(self):
        """The open stream of the session, for what belongs to no request."""
        exchange = self.get()
        assert exchange.status == 200 and exchange.is_stream
        return exchange

    def delete(self, **headers):
        return Exchange(self.server, "DELETE", self.headers(**{"Content_Type": None} | headers))


class Stdio(Client):
    """A server of its own behind standard input and output, in either era."""

    def __init__(self, binary, environment, era, capabilities=None):
        super().__init__(None, LATEST if era == LATEST else era)
        maker = Modern if era == LATEST else Legacy
        self._maker = maker(None, revision=era, capabilities=capabilities)
        self.process = subprocess.Popen(
            [binary, "--stdio"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()

    def start(self):
        reply = self.request("initialize", self._maker.hello())
        self.initialized = reply.result
        self.revision = self.initialized["protocolVersion"]
        self.notify("notifications/initialized")
        return self

    def message(self, method, params=None, **options):
        options.setdefault("id", self.next_id())
        message = self._maker.message(method, params, **options)
        self.sent[message["id"]] = method
        return message

    def write(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, message):
        self.write(json.dumps(message).encode() + b"\n")

    def notify(self, method, params=None):
        self.send({"jsonrpc": "2.0", "method": method} | ({} if params is None else {"params": params}))

    def cancel(self, message):
        params = {"requestId": message["id"]}
        self.notify("notifications/cancelled", params | ({"_meta": self._maker.envelope()} if self.is_modern else {}))

    @property
    def is_modern(self):
        return isinstance(self._maker, Modern)

    def receive(self, seconds=WAIT):
        """The next message, checked, or None when the server has closed its output."""
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            raise AssertionError(f"nothing on standard output for {seconds} s") from None
        if line is None:
            return None
        assert line.endswith(b"\n"), f"no whole line: {line!r}"
        message = json.loads(line)
        for one in message if isinstance(message, list) else [message]:
            self.check(one)
        return message

    def received_within(self, seconds):
        deadline = time.monotonic() + seconds
        messages = []
        while (left := deadline - time.monotonic()) > 0:
            try:
                messages.append(self.check(json.loads(self._lines.get(timeout=left))))
            except queue.Empty:
                break
        return messages

    def request(self, method, params=None, answers=None, **options):
        message = self.message(method, params, **options)
        self.send(message)
        return self.finish(message, answers)

    def finish(self, message, answers=None):
        """Reads up to the response to a message."""
        reply = Reply(200, None)
        while received := self.receive():
            if received.get("id") == message["id"] and "method" not in received:
                reply.message = received
                return reply
            if "method" not in received:
                raise AssertionError(f"the answer to another request: {received}")
            if "id" not in received:
                reply.notifications.append(received)
                continue
            reply.requests.append(received)
            assert not self.is_modern, f"a server must not send requests at {LATEST}: {received}"
            self.send({"jsonrpc": "2.0", "id": received["id"], "result": (answers or {})[received["method"]]})
        raise AssertionError("the server closed its output")

    def end(self, seconds=WAIT):
        """Closes standard input and returns the exit code."""
        self.process.stdin.close()
        return self.process.wait(seconds)
