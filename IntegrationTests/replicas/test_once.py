"""A write with a key happens once, whatever is killed: the tool counts, and doing it twice would show."""

import json
import uuid

from everything import Replicas
from wire import Modern
from writers import UNKNOWN, Writers

WRITE = "test_counted_write"


class KeyedWriters(Writers):
    """Each write has a key. The answer is "done" or UNKNOWN."""

    def write(self, name):
        client = Modern(None)
        arguments = {"name": name, "idempotency_key": name}
        message = client.message("tools/call", {"name": WRITE, "arguments": arguments})
        reply = self.post("/mcp", json.dumps(message), client.headers(message))
        if reply is None:
            return None
        status, text = reply
        assert status == 200, (status, text)
        # An answer that takes long comes as a stream.
        if not text.startswith("{"):
            lines = [line for line in text.splitlines() if line.startswith("data:")]
            if not lines:
                return self.fail("a stream without an answer")
            text = lines[-1][5:]
        result = client.check(json.loads(text))["result"]
        if not result.get("isError"):
            assert result["content"] == [{"type": "text", "text": f"{name} is done."}], result
            return "done"
        error = result["_meta"]["dev.gantry/error"]
        if error["code"] == UNKNOWN:
            return UNKNOWN
        assert error["retryable"], error
        return self.fail(error["code"])


def test_nothing_acknowledged_is_lost_or_done_twice_when_replicas_are_killed(stores):
    replicas = Replicas("--idempotency-lease-ms", "1000", count=3, redis=stores["redis"].url).start()
    try:
        with KeyedWriters(replicas.port, uuid.uuid4().hex) as writers:
            for server in replicas.servers:
                for _ in range(2):
                    writers.progress(20)
                    server.kill()
                    writers.progress(20)
                    server.start()
            writers.progress(20)
        client = Modern(replicas)

        def count(name):
            return client.call("test_write_count", {"name": name}).result["structuredContent"]["count"]

        assert len(writers.acknowledged) >= 260
        # Six writes at a time were under way when a replica was killed: some of them must have been noticed.
        assert writers.failures
        for name, (answer, _) in writers.answers.items():
            assert count(name) in ((0, 1) if answer == UNKNOWN else (1,)), f"the answer for {name} was {answer}"
        print(f"{len(writers.acknowledged)} of {len(writers.answers)} acknowledged, failures: {writers.failures}")
    finally:
        replicas.stop()
