"""A write with a key happens once, whatever is killed: the tool counts, and doing it twice would show."""

import http.client
import json
import threading
import time
import uuid

from servers import Replicas
from wire import Modern, until

WRITE = "test_counted_write"


class Writers:
    """Threads that write one thing after the other with a key for each, and repeat what was not answered."""

    COUNT = 6

    def __init__(self, port, prefix):
        self.port, self.prefix = port, prefix
        self.lock = threading.Lock()
        self.acknowledged, self.unknown, self.failures = [], [], []
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(number,)) for number in range(self.COUNT)]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        count = 0
        while not self.stopping.is_set():
            count += 1
            name = f"{self.prefix}/{number}/{count}"
            while (answer := self.write(name)) is None:
                time.sleep(0.05)
            with self.lock:
                answer.append(name)

    def write(self, name):
        """Asks once; returns the list that the name belongs in, or None if it has to be asked again."""
        client = Modern(None)
        arguments = {"name": name, "idempotency_key": name}
        message = client.message("tools/call", {"name": WRITE, "arguments": arguments})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("POST", "/mcp", json.dumps(message), client.headers(message))
            response = connection.getresponse()
            status, text = response.status, response.read().decode()
        except (OSError, http.client.HTTPException) as error:
            return self.fail(type(error).__name__)
        finally:
            connection.close()
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
            return self.acknowledged
        error = result["_meta"]["dev.gantry/error"]
        if error["code"] == "outcome_unknown":
            return self.unknown
        assert error["retryable"], error
        return self.fail(error["code"])

    def fail(self, what):
        with self.lock:
            self.failures.append(what)

    def progress(self, more):
        target = len(self.acknowledged) + more
        until(lambda: len(self.acknowledged) >= target, f"{more} writes", 60)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(90)
            assert not thread.is_alive()


def test_nothing_acknowledged_is_lost_or_done_twice_when_replicas_are_killed(stores):
    prefix = uuid.uuid4().hex
    replicas = Replicas("--idempotency-lease-ms", "1000", count=3, redis=stores["redis"].url)
    try:
        writers = Writers(replicas.port, prefix)
        try:
            for server in replicas.servers:
                for _ in range(2):
                    writers.progress(20)
                    server.kill()
                    writers.progress(20)
                    server.start()
            writers.progress(20)
        finally:
            writers.stop()
        client = Modern(replicas)

        def count(name):
            return client.call("test_write_count", {"name": name}).result["structuredContent"]["count"]

        assert len(writers.acknowledged) >= 260
        # Six writes at a time were under way when a replica was killed: some of them must have been noticed.
        assert writers.failures
        for name in writers.acknowledged:
            assert count(name) == 1, f"{name} was acknowledged"
        for name in writers.unknown:
            assert count(name) in (0, 1), f"{name} was told to be unknown"
        print(f"{len(writers.acknowledged)} acknowledged, {len(writers.unknown)} unknown, failures: {writers.failures}")
    finally:
        replicas.stop()
