"""What Scripts/test tells the tests, in a module of its own: several folders have a module named conftest."""

import os

import pytest


def needed(name):
    value = os.environ.get(name)
    if not value:
        pytest.fail(f"{name} is not set. Run the tests with: make test", pytrace=False)
    return value
