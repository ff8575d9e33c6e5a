"""Writers that go on while replicas are killed under them."""

import threading
import time
from collections import Counter
from http.client import HTTPException

from processes import Endpoint, until


UNKNOWN = "outcome_unknown"


class Writers(Endpoint):
    """Threads that write one thing after the other, and repeat each write until it is answered.

    A subclass says how: write(name) returns the answer, which may be UNKNOWN, or None, by way of fail(), if it has to be
    asked again.
    """

    COUNT = 6

    def __init__(self, port, prefix):
        self.port, self.prefix = port, prefix
        self.lock = threading.Lock()
        self.answers = {}  # The answer to each write, and how often it had been asked for, by the name of what is written.
        self.failures = Counter()
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(number,)) for number in range(self.COUNT)]
        for thread in self.threads:
            thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(90)
            assert not thread.is_alive()

    def run(self, number):
        count = 0
        while not self.stopping.is_set():
            count += 1
            name, attempts = f"{self.prefix}/{number}/{count}", 1
            while (answer := self.write(name)) is None:
                attempts += 1
                time.sleep(0.05)
            with self.lock:
                self.answers[name] = (answer, attempts)

    def post(self, path, body, headers):
        """Sends a request; returns status and body, or None if it broke off."""
        try:
            status, _, answer = self.request("POST", path, body, headers, timeout=60)
            return status, answer.decode()
        except (OSError, HTTPException) as error:
            return self.fail(type(error).__name__)

    def fail(self, what):
        with self.lock:
            self.failures[what] += 1

    def progress(self, more):
        """Waits until so many more writes are acknowledged."""
        target = len(self.acknowledged) + more
        until(lambda: len(self.acknowledged) >= target, f"{more} writes", 60)

    @property
    def acknowledged(self):
        """The names of what was written as far as anybody was told."""
        with self.lock:
            return [name for name, (answer, _) in self.answers.items() if answer != UNKNOWN]
