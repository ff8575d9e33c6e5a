"""Public clients against the fixture server: the binary of GANTRY_EVERYTHING_BIN, over HTTP and as a child process.

suite.py has the tests. Each test_*.py has the connection of one client, which needs an environment of its own: run one
file at a time. Nothing is skipped when the variable is missing: the tests fail and say so.
"""

import os
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import asynccontextmanager
from itertools import product
from pathlib import Path

import anyio
import pytest

pytest.register_assert_rewrite("suite")


class Everything:
    """gantry-everything with some options: how to reach it over HTTP, and how to start it as a child process."""

    def __init__(self, options):
        self.binary = os.environ.get("GANTRY_EVERYTHING_BIN")
        if not self.binary:
            pytest.fail("GANTRY_EVERYTHING_BIN is not set: it names the executable gantry-everything.", pytrace=False)
        self.options = list(options)
        self.environment = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
        self.process = None

    def command(self, exit_code):
        """Starts a child that writes its exit code to a file when it ends by itself."""
        script = '"$@"; echo $? >"$0"'
        return ["/bin/sh", "-c", script, str(exit_code), self.binary, "--stdio", *self.options]

    @property
    def url(self):
        """The endpoint of a server that is started when somebody asks for the first time."""
        if self.process is None:
            self.start()
        return f"http://127.0.0.1:{self.port}/mcp"

    def start(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = tempfile.NamedTemporaryFile(prefix="gantry-everything-", suffix=".log")
        self.process = subprocess.Popen(
            [self.binary, "--port", str(self.port), *self.options],
            env=self.environment,
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

    def output(self):
        return Path(self.log.name).read_text(errors="replace")

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="session")
def servers():
    """Servers, one for each set of options."""
    made = {}

    def server(*options):
        return made.setdefault(options, Everything(options))

    yield server
    for one in made.values():
        one.stop()


@pytest.fixture(scope="session")
def anyio_backend():
    return "asyncio"


def pytest_generate_tests(metafunc):
    """Runs each test over both transports and in the eras that its class names."""
    if "connect" in metafunc.fixturenames:
        transports = getattr(metafunc.function, "transports", ("http", "stdio"))
        metafunc.parametrize("connect", list(product(transports, metafunc.cls.eras)), ids="-".join, indirect=True)


@pytest.fixture
def connect(request, servers, tmp_path):
    """Connects a client to a server. What happens meanwhile has to be over in 30 s."""
    transport, era = request.param

    @asynccontextmanager
    async def connected(user=None, options=()):
        from suite import User

        user = user or User()
        server = servers(*options)
        exit_code = tmp_path / f"exit-code-{time.monotonic_ns()}"
        target = server.url if transport == "http" else server.command(exit_code)
        with anyio.fail_after(30):
            async with request.module.connection(target, server.environment, era, user) as session:
                session.era, session.transport, session.user = era, transport, user
                yield session
        assert user.faults == []
        if transport == "stdio":
            assert exit_code.read_text() == "0\n"

    return connected
