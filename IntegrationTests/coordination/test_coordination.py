"""Calls that happen once, and claims of work, on two real replicas that share a real Redis and PostgreSQL."""

import base64
import json
import os
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException

import pytest

from databases import Postgres
from embedding_service import EmbeddingService
from environment import needed
from processes import until


@pytest.fixture
def shared(tmp_path):
    """What the settings of replicas have in common."""
    database = Postgres(tmp_path)
    # Tests share the Redis; their names and keys are their own.
    yield database.settings | {
        "REDIS_URL": needed("TEST_REDIS_URL"),
        "GANTRY_SEALING_KEYS": base64.b64encode(os.urandom(32)).decode(),
    }
    database.drop()


@pytest.fixture
def replicas(shared, make_gantry):
    return [make_gantry(**shared).start() for _ in range(2)]


@pytest.fixture
def services():
    """A service of embeddings for each replica, so that a test can see and stop what one of them does."""
    services = [EmbeddingService() for _ in range(2)]
    yield [service.start() for service in services]
    for service in services:
        service.stop()


def call(gantry, tool, arguments, timeout=60):
    """Calls a tool over REST and returns the status and the answer."""
    status, _, answer = gantry.post_json(f"/tools/{tool}", arguments, timeout=timeout)
    return status, answer


def call_mcp(gantry, tool, arguments):
    """Calls a tool over MCP, stateless, and returns the result."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    }
    message = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": tool, "arguments": arguments, "_meta": meta},
    }
    headers = {
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": "2026-07-28",
        "Mcp-Method": "tools/call",
        "Mcp-Name": tool,
    }
    status, _, answer = gantry.post_json("/mcp", message, headers)
    assert status == 200, answer
    return answer["result"]


def test_one_key_is_one_call_over_rest_mcp_and_the_command_line(replicas):
    one, other = replicas
    name = f"test:{uuid.uuid4()}"
    arguments = {"name": name, "note": "mine", "idempotency_key": f"key-{name}"}
    status, first = call(one, "work.claim", arguments)
    assert status == 200, first
    # Without the key, the same claim stands in its own way.
    status, refused = call(other, "work.claim", {"name": name})
    assert (status, refused["error"]["code"]) == (409, "conflict")
    # With it, it is the same claim, on every replica and by every way in, whatever the order of the arguments.
    assert call(other, "work.claim", dict(reversed(arguments.items()))) == (200, first)
    over_mcp = call_mcp(other, "work.claim", arguments)
    assert over_mcp["structuredContent"] == first
    assert over_mcp["_meta"]["dev.gantry/replayed"] is True
    done = other.run("call", "work.claim", json.dumps(arguments))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == first
    status, refused = call(other, "work.claim", arguments | {"note": "other"})
    assert (status, refused["error"]["code"]) == (422, "idempotency_mismatch")
    outcomes = [record["tool.outcome"] for record in one.log() + other.log() if record.get("message") == "tool call"]
    assert outcomes.count("ok") == 1 and outcomes.count("replayed") == 2


def test_calls_at_the_same_time_are_one_call(replicas):
    name = f"test:{uuid.uuid4()}"
    arguments = {"name": name, "idempotency_key": name}
    answers = []

    def work(number):
        answers.append(call(replicas[number % 2], "work.claim", arguments))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 20
    assert all(answer == answers[0] for answer in answers) and answers[0][0] == 200


def test_a_replica_that_is_killed_during_a_call_leaves_it_to_the_others(shared, services, make_gantry):
    one, other = (make_gantry(**shared, **service.settings).start() for service in services)
    identifier = f"tides/{uuid.uuid4()}"
    arguments = {"title": "Tides", "text": "The tide was high.", "document_id": identifier, "idempotency_key": identifier}
    answers = {}

    def work(gantry):
        try:
            answers[gantry] = call(gantry, "knowledge.add_document", arguments, timeout=120)
        except (OSError, HTTPException):
            answers[gantry] = None

    threads = [threading.Thread(target=work, args=(gantry,)) for gantry in (one, other)]
    # The one carries the call out, and hangs in the middle of it; the other has to wait for its lease.
    services[0].control(delay_ms=600_000)
    threads[0].start()
    until(lambda: services[0].requests, "the call is carried out")
    threads[1].start()
    one.kill()
    for thread in threads:
        thread.join()
    assert answers[one] is None
    status, first = answers[other]
    if status == 504:  # It waited for longer than a call may take, and comes again as a client would.
        status, first = call(other, "knowledge.add_document", arguments, timeout=120)
    assert status == 200, first
    assert call(other, "knowledge.add_document", arguments) == (200, first)
    listed = json.loads(other.request("GET", "/rag/documents")[2])
    assert [document["document_id"] for document in listed["documents"]] == [identifier]


def test_two_agents_never_hold_the_same_item(replicas):
    """Each makes 200 claims over 20 items, by its own replica, and pauses for longer than its claim now and then."""
    prefix = f"item:{uuid.uuid4()}:"
    spans, refusals, expired, lock = [], [0, 0], [0, 0], threading.Lock()

    def work(agent):
        for round in range(200):
            name = f"{prefix}{round * (7 + 4 * agent) % 20}"
            asked = time.monotonic()
            status, answer = call(
                replicas[agent], "work.claim", {"name": name, "agent": f"agent-{agent}", "lifetime_seconds": 1}
            )
            if status == 409:
                refusals[agent] += 1
                continue
            assert status == 200, answer
            held, token = time.monotonic(), answer["fencing_token"]
            pauses = round % 50 == 25
            if pauses:
                time.sleep(1.2)
            end = min(time.monotonic(), asked + 1)
            with lock:
                spans.append((name, token, held, max(held, end)))
            status, answer = call(replicas[agent], "work.release", {"name": name, "fencing_token": token})
            if pauses:
                assert (status, answer["error"]["code"]) == (409, "conflict")
                expired[agent] += 1
            elif time.monotonic() < asked + 1:
                assert status == 200, answer

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    assert sum(refusals) + len(spans) == 400 and all(expired)
    for name in {span[0] for span in spans}:
        mine = sorted(span[1:] for span in spans if span[0] == name)
        for earlier, later in zip(mine, mine[1:]):
            assert earlier[0] < later[0] and earlier[2] <= later[1], f"{name} was held twice at once"
