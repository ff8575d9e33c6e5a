"""AWS as moto plays it, a Jira that takes one token, and an issuer of tokens."""

import sys
from pathlib import Path

import pytest

for folder in (Path(__file__).parent, Path(__file__).parent.parent / "access"):
    sys.path.insert(0, str(folder))
from cloud import Cloud, Gate, Jira  # noqa: E402
from issuer import Issuer  # noqa: E402


@pytest.fixture(scope="session")
def running_cloud(tmp_path_factory):
    with (tmp_path_factory.mktemp("moto") / "log").open("wb") as log:
        cloud = Cloud(log)
        yield cloud
        cloud.close()


@pytest.fixture
def cloud(running_cloud):
    running_cloud.reset()
    yield running_cloud
    running_cloud.reset()


@pytest.fixture
def jira():
    made = Jira("first-jira-token")
    yield made
    made.close()


@pytest.fixture
def gate(cloud):
    made = Gate(cloud.url)
    yield made
    made.close()


@pytest.fixture
def issuer():
    made = Issuer()
    yield made
    made.close()
