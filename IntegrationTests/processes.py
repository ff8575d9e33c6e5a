"""Servers as processes of their own: each on a free port, waited for, and stopped. Benchmarks use this module, too, so it
needs nothing but Python."""

import http.client
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What a process gets of the outer environment: no setting of a developer may leak in.
ENVIRONMENT = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}


def free_port():
    """A port of the loopback address that nobody uses now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def listens(port):
    """Whether a connection to the port is taken."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def until(condition, what, seconds=10):
    """Asks again and again until the condition holds, and returns what it answered."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {seconds} s")


class Endpoint:
    """Whatever listens on `port` of the loopback address, and how to talk to it without an SDK."""

    def request(self, method, path, body=None, headers=None, timeout=30):
        """Sends one HTTP request as it is and returns status, headers and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def post_json(self, path, value, headers=None, timeout=30):
        body = json.dumps(value).encode()
        headers = {"Content-Type": "application/json"} | (headers or {})
        status, answer_headers, answer = self.request("POST", path, body, headers, timeout)
        return status, answer_headers, json.loads(answer)


class ServerProcess(Endpoint):
    """A program that takes `--port` and listens on it. What it prints goes to its log, anew with each start."""

    def __init__(self, command, environment=ENVIRONMENT, log_path=None):
        self.command, self.environment = list(map(str, command)), environment
        if log_path is None:
            self.log_file = tempfile.NamedTemporaryFile(prefix="gantry-", suffix=".log")
            log_path = self.log_file.name
        self.log_path = Path(log_path)
        self.port = free_port()
        self.process = None

    def start(self):
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [*self.command, "--port", str(self.port)],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            until(lambda: not self.is_running or self.listens(), f"{self.command[0]} listens", 30)
        except AssertionError as error:
            self.kill()
            raise AssertionError(f"{error}\n{self.output()}") from None
        assert self.is_running, f"{' '.join(self.command)} ended with {self.process.returncode}:\n{self.output()}"
        return self

    def listens(self):
        return listens(self.port)

    @property
    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def output(self):
        return self.log_path.read_text(errors="replace")

    def terminate(self):
        """Asks it to stop, and doesn't wait."""
        if self.is_running:
            self.process.send_signal(signal.SIGTERM)

    def stop(self, seconds=15):
        """Asks it to stop. Returns its exit code, or None if it never ran or had to be killed."""
        if self.process is None:
            return None
        self.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def kill(self):
        """Ends it at once, as a crash would; it can be started again."""
        self.process.kill()
        self.process.wait()
