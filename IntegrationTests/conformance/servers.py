"""Running servers of gantry-everything: one, or several behind a proxy.

With GANTRY_TEST_REPLICAS=3 each server is three, which share the Redis at TEST_REDIS_URL, and every request goes to the
next of them. The tests are the same: nobody may notice.
"""

import os
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from round_robin import RoundRobin

REPLICAS = int(os.environ.get("GANTRY_TEST_REPLICAS", "1"))


def binary():
    path = os.environ.get("GANTRY_EVERYTHING_BIN")
    if not path:
        pytest.fail("GANTRY_EVERYTHING_BIN is not set: it names the executable gantry-everything.", pytrace=False)
    return path


def environment():
    return {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "TMPDIR", "LANG")}


class Everything:
    """A running gantry-everything."""

    def __init__(self, *options):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = tempfile.NamedTemporaryFile(prefix="gantry-everything-", suffix=".log")
        self.options = options
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [binary(), "--port", str(self.port), *self.options],
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
        )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                pytest.fail(f"gantry-everything ended with {self.process.returncode}:\n{self.output()}")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        self.stop()
        pytest.fail(f"gantry-everything did not listen in 30 s:\n{self.output()}")

    @property
    def is_running(self):
        return self.process.poll() is None

    def kill(self):
        """Ends it at once, as a crash would; it can be started again."""
        self.process.kill()
        self.process.wait()

    def output(self):
        return Path(self.log.name).read_text(errors="replace")

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def stop(self, seconds=15):
        """Asks the server to stop and returns its exit code, or None if it had to be killed."""
        if self.process.poll() is None:
            self.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None


class Replicas:
    """Several of them behind a proxy, which look like one."""

    def __init__(self, *options, count=REPLICAS, redis=None):
        redis = redis or os.environ.get("TEST_REDIS_URL")
        if not redis:
            pytest.fail("TEST_REDIS_URL is not set: replicas share a Redis.", pytrace=False)
        options += ("--redis", redis, "--sealing-key", "the same key for all of the replicas")
        self.servers = [Everything(*options) for _ in range(count)]
        self.proxy = RoundRobin(server.port for server in self.servers)
        self.port = self.proxy.port

    @property
    def is_running(self):
        return all(server.is_running for server in self.servers)

    def terminate(self):
        for server in self.servers:
            server.terminate()

    def stop(self):
        """Asks all to stop and returns 0 if all did so in order."""
        codes = [server.stop() for server in self.servers]
        self.proxy.stop()
        return next((code for code in codes if code != 0), 0)


def new_server(*options):
    return Everything(*options) if REPLICAS == 1 else Replicas(*options)
