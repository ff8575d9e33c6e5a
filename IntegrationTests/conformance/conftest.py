"""The server that the conformance tests talk to: the binary of GANTRY_EVERYTHING_BIN, on a free port of its own.

Nothing is skipped when the variable is missing: the tests fail and say so. They need the 2.x release of the official
SDK, for the models of the messages.

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

pytest.register_assert_rewrite("messages", "wire")

from messages import LATEST  # noqa: E402
from round_robin import RoundRobin  # noqa: E402
from wire import Legacy, Modern, Stdio  # noqa: E402

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
        self.process = subprocess.Popen(
            [binary(), "--port", str(self.port), *options],
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

    def __init__(self, *options):
        redis = os.environ.get("TEST_REDIS_URL")
        if not redis:
            pytest.fail("TEST_REDIS_URL is not set: replicas share a Redis.", pytrace=False)
        options += ("--redis", redis, "--sealing-key", "the same key for all of the replicas")
        self.servers = [Everything(*options) for _ in range(REPLICAS)]
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


@pytest.fixture(scope="session")
def everything_with():
    """Servers with options, one for each set of options."""
    running = {}

    def start(*options):
        if options not in running or not running[options].is_running:
            running[options] = new_server(*options)
        return running[options]

    yield start
    for server in running.values():
        server.stop()


@pytest.fixture(scope="session")
def everything(everything_with):
    """The server without options."""
    return everything_with()


@pytest.fixture
def own_everything():
    """A server for one test, which may stop it."""
    server = new_server()
    yield server
    server.stop()


@pytest.fixture
def legacy(everything):
    """A session of 2025-11-25."""
    with Legacy(everything) as client:
        yield client


@pytest.fixture
def modern(everything):
    return Modern(everything)


@pytest.fixture(params=["2025-11-25", LATEST])
def client(request, everything):
    """A client of the newest revision of either era."""
    if request.param == LATEST:
        yield Modern(everything)
    else:
        with Legacy(everything, request.param) as client:
            yield client


@pytest.fixture
def session(everything):
    """Makes sessions of older revisions or with other capabilities."""
    made = []

    def make(revision="2025-11-25", capabilities=None, server=None):
        made.append(Legacy(server or everything, revision, capabilities))
        return made[-1].start()

    yield make
    for client in made:
        client.__exit__()


@pytest.fixture
def stdio():
    """Makes servers behind standard input and output."""
    made = []

    def make(era, capabilities=None):
        made.append(Stdio(binary(), environment(), era, capabilities))
        return made[-1] if era == LATEST else made[-1].start()

    yield make
    for client in made:
        client.__exit__()
