"""Kills, freezes and pauses Redis while Gantry answers calls, and says what the callers saw.

Usage: chaos_redis.py GANTRY DIRECTORY-OF-REDIS URL. Scripts/chaos-redis starts Redis. It fails if a call that needs no
Redis fails or hangs, if readiness doesn't tell, or if something doesn't come back by itself.
"""

import base64
import collections
import json
import os
import socket
import sys
import tempfile
import time

from chaos import RETURNS, Caller, Load, NotBack, control, end, told
from processes import ENVIRONMENT, ServerProcess

GANTRY, SERVER, URL = sys.argv[1:]
CALLERS = int(os.environ.get("CHAOS_CALLERS", "3"))  # Of each kind.
ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "1"))
DOWN_SECONDS = float(os.environ.get("CHAOS_DOWN_SECONDS", "30"))
# A call may take this long before it counts as hanging: the time for an answer of Redis, more than once, on busy processors.
BOUND_SECONDS = float(os.environ.get("CHAOS_BOUND_SECONDS", "15"))
LATEST = "2026-07-28"


def pause():
    """Redis takes connections and commands, and answers nothing."""
    port = int(URL.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port)) as redis:
        redis.sendall(f"CLIENT PAUSE {int(DOWN_SECONDS * 1000)} ALL\r\n".encode())
        assert redis.recv(100).startswith(b"+OK")


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


def readiness(server):
    status, _, body = server.request("GET", "/readyz", timeout=BOUND_SECONDS)
    return status, json.loads(body)["status"]


def strike(load, server, action, wrong):
    """Does one thing to Redis under load; returns the rows of the table."""
    load.wait_for(5)
    load.take()
    if action == "pause":
        pause()
    else:
        control("redis", action, SERVER)
    began = time.monotonic()
    # It is told at once or after the time for an answer, as long as it lasts.
    seen = set()
    while time.monotonic() < began + DOWN_SECONDS:
        seen.add(readiness(server))
        time.sleep(0.1)
    if seen - {(200, "degraded"), (200, "ready")} or (200, "degraded") not in seen:
        wrong.append(f"{action}: readiness said {sorted(seen)}")
    if action in RETURNS:
        control("redis", RETURNS[action], SERVER)
    back = time.monotonic()
    load.wait_for(10)
    deadline = time.monotonic() + 30
    while readiness(server) != (200, "ready"):
        if time.monotonic() > deadline:
            wrong.append(f"{action}: readiness did not come back")
            break
        time.sleep(0.05)
    events = load.take()
    rows = []
    for kind in KINDS:
        own = [event for event in events if type(event.caller) is kind]
        failures = collections.Counter(event.failure for event in own if event.failure)
        last = max((event.end for event in own if event.failure), default=back)
        longest = max(event.seconds for event in own)
        rows.append((action, kind, len(own) - failures.total(), failures, longest, last - back))
    return rows


def main():
    rows, wrong = [], []
    with tempfile.TemporaryDirectory(prefix="gantry-chaos-") as directory:
        environment = ENVIRONMENT | {
            "GANTRY_DATA_DIR": f"{directory}/data",
            "REDIS_URL": URL,
            "GANTRY_SEALING_KEYS": base64.b64encode(os.urandom(32)).decode(),
            # Counted with every call, and never reached.
            "LIMITS_PRINCIPAL": "100000/s concurrent=1000 100000000/day",
            "LOG_FORMAT": "json",
        }
        server = ServerProcess([GANTRY, "serve"], environment, f"{directory}/gantry.log").start()
        try:
            with Load(server.port, KINDS, CALLERS, BOUND_SECONDS + 30) as load:
                for action in ["kill", "freeze", "pause"] * ROUNDS:
                    rows += strike(load, server, action, wrong)
        except NotBack as error:
            wrong.append(str(error))
        finally:
            server.terminate()
        print(f"Redis away for {DOWN_SECONDS:.0f} s; {CALLERS} callers of each kind.\n")
        print("| what | calls | answers | failures | longest call s | last failure after its return s |")
        print("| --- | --- | ---: | --- | ---: | ---: |")
        for action, kind, good, failures, longest, last in rows:
            what = told(failures)
            print(f"| {action} | {kind.kind} | {good} | {what} | {longest:.2f} | {max(last, 0):.2f} |")
            if longest > BOUND_SECONDS:
                wrong.append(f"{action}: one of the {kind.kind} took {longest:.1f} s")
            if failures and kind in INDEPENDENT:
                wrong.append(f"{action}: {kind.kind} failed: {what}")
            for failure in failures:
                if "retryable" not in failure:
                    wrong.append(f"{action}: {kind.kind} failed with {failure}")
        end(server, wrong)


main()
