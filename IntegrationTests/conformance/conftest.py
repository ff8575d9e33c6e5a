"""The server that the conformance tests talk to: the binary of GANTRY_EVERYTHING_BIN, on a free port of its own.

Nothing is skipped when the variable is missing: the tests fail and say so. They need the 2.x release of the official
SDK, for the models of the messages.
"""

import pytest

pytest.register_assert_rewrite("everything", "messages", "wire")

from everything import binary, new_server  # noqa: E402
from messages import LATEST  # noqa: E402
from processes import ENVIRONMENT  # noqa: E402
from wire import Legacy, Modern, Stdio  # noqa: E402


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
        made.append(Stdio(binary(), ENVIRONMENT, era, capabilities))
        return made[-1] if era == LATEST else made[-1].start()

    yield make
    for client in made:
        client.__exit__()
