"""A Gantry that asks for tokens of an issuer that the tests play."""

import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from issuer import Issuer  # noqa: E402


@pytest.fixture(scope="session")
def issuer():
    made = Issuer()
    yield made
    made.close()


@pytest.fixture(scope="session")
def guarded(gantry_class, issuer):
    """A server that takes the issuer's tokens."""
    with tempfile.TemporaryDirectory(prefix="gantry-access-") as directory:
        server = gantry_class(directory, **issuer.settings())
        server.start()
        try:
            yield server
        finally:
            server.stop()
