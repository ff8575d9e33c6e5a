"""Running servers of gantry-everything, the binary of GANTRY_EVERYTHING_BIN: one, or several behind a proxy.

With GANTRY_TEST_REPLICAS=3 each server is three, which share the Redis at TEST_REDIS_URL, and every request goes to the
next of them. The tests are the same: nobody may notice.
"""

import os

from environment import needed
from processes import Endpoint, ServerProcess
from round_robin import RoundRobin

REPLICAS = int(os.environ.get("GANTRY_TEST_REPLICAS", "1"))


def binary():
    return needed("GANTRY_EVERYTHING_BIN")


class Everything(ServerProcess):
    """A gantry-everything with some options."""

    def __init__(self, *options):
        super().__init__([binary(), *options])


class Replicas(Endpoint):
    """Several of them behind a proxy, which look like one."""

    def __init__(self, *options, count=REPLICAS, redis=None):
        redis = redis or needed("TEST_REDIS_URL")
        options += ("--redis", redis, "--sealing-key", "the same key for all of the replicas")
        self.servers = [Everything(*options) for _ in range(count)]

    def start(self):
        for server in self.servers:
            server.start()
        self.proxy = RoundRobin(server.port for server in self.servers)
        self.port = self.proxy.port
        return self

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
    return (Everything(*options) if REPLICAS == 1 else Replicas(*options)).start()
