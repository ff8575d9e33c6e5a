"""Public clients against the fixture server: the binary of GANTRY_EVERYTHING_BIN, over HTTP and as a child process.

suite.py has the tests. Each test_*.py has the connection of one client, which needs an environment of its own: run one
file at a time. Nothing is skipped when the variable is missing: the tests fail and say so.
"""

import time
from contextlib import asynccontextmanager
from itertools import product

import anyio
import pytest
from everything import Everything

pytest.register_assert_rewrite("suite")


class Server(Everything):
    """How to reach it over HTTP, and how to start one like it as a child process."""

    def child(self, exit_code):
        """Starts a child that writes its exit code to a file when it ends by itself."""
        script = '"$@"; echo $? >"$0"'
        return ["/bin/sh", "-c", script, str(exit_code), *self.command, "--stdio"]

    @property
    def url(self):
        """The endpoint of a server that is started when somebody asks for the first time."""
        if self.process is None:
            self.start()
        return f"http://127.0.0.1:{self.port}/mcp"


@pytest.fixture(scope="session")
def servers():
    """Servers, one for each set of options."""
    made = {}

    def server(*options):
        return made.setdefault(options, Server(*options))

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
        target = server.url if transport == "http" else server.child(exit_code)
        with anyio.fail_after(30):
            async with request.module.connection(target, server.environment, era, user) as session:
                session.era, session.transport, session.user = era, transport, user
                yield session
        assert user.faults == []
        if transport == "stdio":
            assert exit_code.read_text() == "0\n"

    return connected
