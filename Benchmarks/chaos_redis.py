"""Kills, freezes and pauses Redis while Gantry answers calls, and says what the callers saw.

Usage: chaos_redis.py GANTRY DIRECTORY-OF-REDIS URL. Scripts/chaos-redis starts Redis. It fails if a call that needs no
Redis fails or hangs, if readiness doesn't tell, or if something doesn't come back by itself.
"""

import base64
import collections
import http.client
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

GANTRY, SERVER, URL = sys.argv[1:]
ROOT = Path(__file__).resolve().parent.parent
CALLERS = int(os.environ.get("CHAOS_CALLERS", "3"))  # Of each kind.
ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "1"))
DOWN_SECONDS = float(os.environ.get("CHAOS_DOWN_SECONDS", "30"))
# A call may take this long before it counts as hanging: the time for an answer of Redis, more than once, on busy processors.
BOUND_SECONDS = float(os.environ.get("CHAOS_BOUND_SECONDS", "15"))
LATEST = "2026-07-28"


def control(action):
    subprocess.run([str(ROOT / "Scripts/redis"), action, SERVER], check=True, capture_output=True)


def pause():
    """Redis takes connections and commands, and answers nothing."""
    port = int(URL.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port)) as redis:
        redis.sendall(f"CLIENT PAUSE {int(DOWN_SECONDS * 1000)} ALL\r\n".encode())
        assert redis.recv(100).startswith(b"+OK")


class Caller:
    """Makes one call after the other; each kind needs something else."""

    def __init__(self, port, number):
        self.port, self.number, self.count = port, number, 0

    def send(self, verb, path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=BOUND_SECONDS + 30)
        try:
            fields = {name.replace("_", "-"): value for name, value in headers.items()}
            if body is not None:
                fields |= {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
            connection.request(verb, path, None if body is None else json.dumps(body), fields)
            response = connection.getresponse()
            text = response.read().decode()
            self.headers = response.headers
            if text.startswith(("id:", "data:", ":")):
                text = [line for line in text.splitlines() if line.startswith("data:")][-1][5:]
            return response.status, json.loads(text) if text else None
        finally:
            connection.close()

    def ask(self):
        """Makes a call; returns what went wrong, or None."""
        self.count += 1
        try:
            return self.call()
        except (OSError, ValueError, http.client.HTTPException) as error:
            return f"no answer ({type(error).__name__})"

    @staticmethod
    def problem(status, answer):
        error = answer.get("error") if isinstance(answer, dict) else None
        if error is None and isinstance(answer, dict) and (answer.get("result") or {}).get("isError"):
            error = answer["result"]["_meta"]["dev.gantry/error"]
        if error is None:
            return None if status == 200 else f"{status}"
        data = error.get("data") or error
        retry = ", retryable" if data.get("retryable") else ""
        return f"{status} {data.get('code', error.get('code'))}{retry}"


class Rest(Caller):
    kind = "reads over REST"

    def call(self):
        return self.problem(*self.send("POST", "/tools/knowledge.list_documents", {"limit": 5}))


class Modern(Caller):
    kind = f"reads over MCP {LATEST}"

    def call(self):
        meta = {"protocolVersion": LATEST, "clientInfo": {"name": "chaos", "version": "1"}, "clientCapabilities": {}}
        name = "knowledge.query"
        params = {"name": name, "arguments": {"query": f"case {self.number}-{self.count}"}}
        params["_meta"] = {f"io.modelcontextprotocol/{key}": value for key, value in meta.items()}
        message = {"jsonrpc": "2.0", "id": self.count, "method": "tools/call", "params": params}
        headers = {"MCP_Protocol_Version": LATEST, "Mcp_Method": "tools/call", "Mcp_Name": name}
        return self.problem(*self.send("POST", "/mcp", message, **headers))


class Session(Caller):
    kind = "sessions (2025-11-25)"
    session = None

    def call(self):
        if self.session is None:
            params = {
                "protocolVersion": "2025-11-25",
                "capabilities": {},
                "clientInfo": {"name": "chaos", "version": "1"},
            }
            message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
            status, answer = self.send("POST", "/mcp", message)
            self.session = self.headers["Mcp-Session-Id"]
            return self.problem(status, answer)
        message = {"jsonrpc": "2.0", "id": self.count, "method": "tools/list"}
        status, answer = self.send("POST", "/mcp", message, Mcp_Session_Id=self.session)
        if status == 404:
            self.session = None
            return "404 session lost"
        return self.problem(status, answer)


class Write(Caller):
    kind = "writes"

    def call(self):
        name = f"chaos/{self.number}-{self.count}"
        arguments = {"document_id": name, "title": name, "text": f"Number {self.count}."}
        return self.problem(*self.send("POST", "/tools/knowledge.add_document", arguments))


class OnceWrite(Write):
    kind = "writes with a key"

    def call(self):
        name = f"chaos/once/{self.number}-{self.count}"
        key = f"{os.getpid()}-{self.number}-{self.count}"
        arguments = {"document_id": name, "title": name, "text": f"Number {self.count}.", "idempotency_key": key}
        return self.problem(*self.send("POST", "/tools/knowledge.add_document", arguments))


class Health(Caller):
    kind = "/health"

    def call(self):
        time.sleep(0.05)
        status, _ = self.send("GET", "/health")
        return None if status == 200 else f"{status}"


# Those that go on without Redis.
INDEPENDENT = [Rest, Modern, Write, Health]
KINDS = [Rest, Modern, Session, Write, OnceWrite, Health]


class Load:
    def __init__(self, port, kinds):
        self.lock = threading.Lock()
        self.events = []  # (end, duration, kind, number, None or what went wrong)
        self.stopping = threading.Event()
        number = itertools.count()
        callers = [kind(port, next(number)) for kind in kinds for _ in range(CALLERS)]
        self.threads = [threading.Thread(target=self.run, args=(caller,)) for caller in callers]
        self.kinds = kinds
        for thread in self.threads:
            thread.start()

    def run(self, caller):
        while not self.stopping.is_set():
            start = time.monotonic()
            failure = caller.ask()
            end = time.monotonic()
            with self.lock:
                self.events.append((end, end - start, type(caller), caller.number, failure))
            time.sleep(0.02 if failure is None else 0.05)

    def wait_for(self, successes, since, seconds=90):
        """Waits until each caller has so many successes since a time."""
        deadline = time.monotonic() + seconds
        while True:
            with self.lock:
                good = collections.Counter(e[3] for e in self.events if e[4] is None and e[0] - e[1] > since)
            if len(good) == len(self.threads) and min(good.values()) >= successes:
                return
            if time.monotonic() > deadline:
                sys.exit(f"error: not all came back within {seconds} s: {good}")
            time.sleep(0.02)

    def take(self):
        with self.lock:
            events, self.events = self.events, []
            return events

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()


def readiness(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=BOUND_SECONDS)
    connection.request("GET", "/readyz")
    response = connection.getresponse()
    return response.status, json.loads(response.read())["status"]


def strike(load, port, action, wrong):
    """Does one thing to Redis under load; returns the rows of the table."""
    load.wait_for(5, time.monotonic())
    load.take()
    if action == "kill":
        control("kill")
    elif action == "freeze":
        control("freeze")
    else:
        pause()
    began = time.monotonic()
    # It is told at once or after the time for an answer, as long as it lasts.
    seen = set()
    while time.monotonic() < began + DOWN_SECONDS:
        seen.add(readiness(port))
        time.sleep(0.1)
    if seen - {(200, "degraded"), (200, "ready")} or (200, "degraded") not in seen:
        wrong.append(f"{action}: readiness said {sorted(seen)}")
    if action == "kill":
        control("resume")
    elif action == "freeze":
        control("thaw")
    back = time.monotonic()
    load.wait_for(10, back)
    deadline = time.monotonic() + 30
    while readiness(port) != (200, "ready"):
        if time.monotonic() > deadline:
            wrong.append(f"{action}: readiness did not come back")
            break
        time.sleep(0.05)
    events = load.take()
    rows = []
    for kind in load.kinds:
        own = [event for event in events if event[2] is kind]
        failures = collections.Counter(event[4] for event in own if event[4])
        last = max((event[0] for event in own if event[4]), default=back)
        rows.append((action, kind, len(own) - sum(failures.values()), failures, max(e[1] for e in own), last - back))
    return rows


def main():
    wrong = []
    with tempfile.TemporaryDirectory(prefix="gantry-chaos-") as directory:
        environment = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ} | {
            "GANTRY_DATA_DIR": f"{directory}/data",
            "REDIS_URL": URL,
            "GANTRY_SEALING_KEYS": base64.b64encode(os.urandom(32)).decode(),
            # Counted with every call, and never reached.
            "LIMITS_PRINCIPAL": "100000/s concurrent=1000 100000000/day",
            "LOG_FORMAT": "json",
        }
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        log = (Path(directory) / "gantry.log").open("wb")
        server = subprocess.Popen([GANTRY, "serve", "--port", str(port)], env=environment, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    if server.poll() is not None or time.monotonic() > deadline:
                        sys.exit("error: gantry serve did not start:\n" + Path(log.name).read_text())
                    time.sleep(0.05)
            tools = subprocess.run([GANTRY, "tools", "--json"], env=environment, check=True, capture_output=True).stdout
            add = next(tool for tool in json.loads(tools) if tool["name"] == "knowledge.add_document")
            has_keys = "idempotency_key" in add["inputSchema"]["properties"]
            kinds = [kind for kind in KINDS if kind is not OnceWrite or has_keys]
            load = Load(port, kinds)
            try:
                rows = []
                for action in ["kill", "freeze", "pause"] * ROUNDS:
                    rows += strike(load, port, action, wrong)
            finally:
                load.stop()
        finally:
            server.send_signal(signal.SIGTERM)
            code = server.wait(60)
    print(f"Redis away for {DOWN_SECONDS:.0f} s; {CALLERS} callers of each kind.\n")
    print("| what | calls | answers | failures | longest call s | last failure after its return s |")
    print("| --- | --- | ---: | --- | ---: | ---: |")
    for action, kind, good, failures, longest, last in rows:
        what = ", ".join(f"{count} × {failure}" for failure, count in failures.most_common()) or "none"
        print(f"| {action} | {kind.kind} | {good} | {what} | {longest:.2f} | {max(last, 0):.2f} |")
        if longest > BOUND_SECONDS:
            wrong.append(f"{action}: one of the {kind.kind} took {longest:.1f} s")
        if failures and kind in INDEPENDENT:
            wrong.append(f"{action}: {kind.kind} failed: {what}")
        for failure in failures:
            if "retryable" not in failure:
                wrong.append(f"{action}: {kind.kind} failed with {failure}")
    if code != 0:
        wrong.append(f"gantry serve ended with {code}")
    for line in wrong:
        print(f"wrong: {line}")
    sys.exit(1 if wrong else 0)


main()
