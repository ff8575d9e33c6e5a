"""Three replicas of `gantry serve` on one PostgreSQL and one Redis, behind a proxy that gives every request to the next.

The clients are those of conformance/, which check every message; so these tests need the environment of that folder.
"""

import base64
import os
import subprocess
import sys
import tempfile

import pytest

from processes import ROOT, Endpoint
from round_robin import RoundRobin

sys.path.append(str(ROOT / "IntegrationTests/conformance"))
pytest.register_assert_rewrite("messages", "wire", "writers")


def control(program, action, directory):
    """Runs Scripts/redis or Scripts/postgres, and returns what it prints."""
    done = subprocess.run([ROOT / "Scripts" / program, action, directory], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class Store:
    """A PostgreSQL or a Redis of the tests' own, which they may kill and freeze."""

    def __init__(self, program, directory):
        self.program, self.directory = program, str(directory)
        self.url = control(program, "start", self.directory)

    def do(self, action):
        control(self.program, action, self.directory)


@pytest.fixture(scope="session")
def stores():
    with tempfile.TemporaryDirectory(prefix="gantry-replicas-") as directory:
        # The servers run as a user of their own and have to reach their directories.
        os.chmod(directory, 0o711)
        made = {program: Store(program, f"{directory}/{program}") for program in ("postgres", "redis")}
        try:
            yield made
        finally:
            for store in made.values():
                store.do("kill")


class Cluster(Endpoint):
    """Some replicas and the proxy before them. Clients see one server, at `port`."""

    def __init__(self, make, stores, count=3, **more):
        key = base64.b64encode(b"the same key for all replicas...").decode()
        shared = {"DATABASE_URL": stores["postgres"].url, "REDIS_URL": stores["redis"].url, "GANTRY_SEALING_KEYS": key}
        self.replicas = [make(**(shared | more)).start() for _ in range(count)]
        self.proxy = RoundRobin(replica.port for replica in self.replicas)
        self.port = self.proxy.port


@pytest.fixture
def make_cluster(make_gantry, stores):
    made = []

    def make(**more):
        made.append(Cluster(make_gantry, stores, **more))
        return made[-1]

    yield make
    for cluster in made:
        cluster.proxy.stop()


@pytest.fixture
def cluster(make_cluster):
    return make_cluster()
