"""What the integration tests share: a running Gantry, and how to talk to it without an SDK.

Scripts/test sets GANTRY_BIN (the binary), GANTRY_TEST_JIRA_URL (the Jira stand-in) and GANTRY_TEST_MODELS (the directory
with the embedding model). Nothing is skipped when one of them is missing: the tests fail and say so.
"""

import json
import subprocess
import tempfile
from pathlib import Path

import pytest

from environment import needed
from processes import ENVIRONMENT, ServerProcess

DOCUMENT = """# Vacuum pump manual

{purpose}

## Changing the oil

The zephyr pump needs fresh oil every 500 hours. Drain the old oil while the pump is warm.
{steps}

## Noise

A rattling zephyr pump usually has a loose exhaust filter.
{sounds}
""".format(  # Long enough for each section to be a passage of its own.
    purpose="This manual is for the people who look after the machines of the laboratory on the second floor. " * 5,
    steps="Put a tray below the valve, open it slowly, and wipe the seal with a clean cloth before closing it. " * 8,
    sounds="Tighten every screw of the housing by hand, start the motor again, and listen from a safe distance. " * 8,
)


def settings(directory, **more):
    """The environment of a Gantry of its own."""
    data = Path(directory) / "data"
    data.mkdir(exist_ok=True)
    models = data / "models"
    if not models.exists():
        models.symlink_to(needed("GANTRY_TEST_MODELS"))
    own = {
        "GANTRY_DATA_DIR": str(data),
        "JIRA_URL": needed("GANTRY_TEST_JIRA_URL"),
        "JIRA_USER": "test@example.com",
        "JIRA_TOKEN": "test-token",
        "LOG_FORMAT": "json",
    }
    return ENVIRONMENT | own | more


class Gantry(ServerProcess):
    """A `gantry serve` with its own data directory."""

    def __init__(self, directory, **more):
        self.binary = needed("GANTRY_BIN")
        super().__init__([self.binary, "serve"], settings(directory, **more), Path(directory) / "gantry.log")
        self.url = f"http://127.0.0.1:{self.port}/mcp"

    def listens(self):
        try:
            return self.request("GET", "/livez")[0] == 200
        except OSError:
            return False

    def run(self, *arguments, timeout=120):
        """Runs another command of the binary on the same data."""
        return subprocess.run(
            [self.binary, *arguments], env=self.environment, capture_output=True, text=True, timeout=timeout
        )

    def log(self):
        """The records of the server's log so far."""
        return [json.loads(line) for line in self.log_path.read_text().splitlines()]


@pytest.fixture(scope="session")
def gantry():
    """A server whose knowledge base holds DOCUMENT."""
    with tempfile.TemporaryDirectory(prefix="gantry-test-") as directory:
        server = Gantry(directory)
        document = Path(directory) / "pump.md"
        document.write_text(DOCUMENT)
        done = server.run("ingest", str(document))
        assert done.returncode == 0, done.stderr
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture
def make_gantry(tmp_path):
    """Makes servers of a test's own, not started yet, and stops them afterwards."""
    made = []

    def make(**more):
        directory = tmp_path / str(len(made))
        directory.mkdir()
        made.append(Gantry(directory, **more))
        return made[-1]

    yield make
    for server in made:
        server.stop()


@pytest.fixture(scope="session")
def gantry_class():
    """The class of server processes, for fixtures that live longer than a test."""
    return Gantry
