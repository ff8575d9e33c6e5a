"""What chaos_postgres.py and chaos_redis.py share: a `gantry serve`, callers that go on and on, and what they saw."""

import collections
import itertools
import json
import subprocess
import sys
import threading
import time
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "IntegrationTests"))
from processes import Endpoint  # noqa: E402


# What brings back what an action took away.
RETURNS = {"kill": "resume", "freeze": "thaw"}


def control(program, action, server, *arguments):
    """Runs Scripts/postgres or Scripts/redis and returns what it prints."""
    command = [ROOT / "Scripts" / program, action, server, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


class NotBack(Exception):
    """Not all callers get answers again."""


class Caller(Endpoint):
    """Makes one call after the other. A subclass says what it is called (`kind`), and in call() what goes wrong, or None."""

    def __init__(self, port, number, seconds):
        self.port, self.number, self.seconds, self.count = port, number, seconds, 0

    def send(self, verb, path, body=None, **headers):
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            fields |= {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
            body = json.dumps(body)
        status, self.headers, answer = self.request(verb, path, body, fields, self.seconds)
        text = answer.decode()
        if text.startswith(("id:", "data:", ":")):
            text = [line for line in text.splitlines() if line.startswith("data:")][-1][5:]
        return status, json.loads(text) if text else None

    def ask(self):
        """Makes a call; returns what went wrong, or None."""
        self.count += 1
        try:
            return self.call()
        except (OSError, ValueError, HTTPException) as error:
            return f"no answer ({type(error).__name__})"

    @staticmethod
    def problem(status, answer):
        error = answer.get("error") if isinstance(answer, dict) else None
        if error is None and isinstance(answer, dict) and (answer.get("result") or {}).get("isError"):
            error = answer["result"]["_meta"]["dev.gantry/error"]
        if error is None:
            return None if status == 200 else f"{status}"
        if not isinstance(error, dict):
            return f"{status} {error}"
        data = error.get("data") or error
        retry = ", retryable" if data.get("retryable") else ""
        return f"{status} {data.get('code', error.get('code'))}{retry}"


class Event(NamedTuple):
    end: float
    seconds: float
    caller: Caller
    failure: str | None


class Load:
    """A thread for each caller, and what came back of each call."""

    def __init__(self, port, kinds, count, seconds):
        """`count` callers of each of the kinds; a call may take so many seconds before the caller gives up."""
        self.lock = threading.Lock()
        self.events = []
        self.stopping = threading.Event()
        number = itertools.count()
        self.callers = [kind(port, next(number), seconds) for kind in kinds for _ in range(count)]
        self.threads = [threading.Thread(target=self.run, args=(caller,)) for caller in self.callers]
        for thread in self.threads:
            thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def run(self, caller):
        while not self.stopping.is_set():
            start = time.monotonic()
            failure = caller.ask()
            end = time.monotonic()
            with self.lock:
                self.events.append(Event(end, end - start, caller, failure))
            time.sleep(0.02 if failure is None else 0.05)

    def wait_for(self, successes, seconds=120):
        """Waits until each caller has had so many successes in calls that began after this."""
        since = time.monotonic()
        while True:
            with self.lock:
                good = collections.Counter(e.caller.number for e in self.events if not e.failure and e.end - e.seconds > since)
            if len(good) == len(self.callers) and min(good.values()) >= successes:
                return
            if time.monotonic() > since + seconds:
                failures = collections.Counter(event.failure for event in self.take() if event.failure)
                raise NotBack(f"not all callers got {successes} answers in {seconds} s: {dict(good)}; {dict(failures)}")
            time.sleep(0.02)

    def take(self):
        """The events since the last time."""
        with self.lock:
            events, self.events = self.events, []
            return events


def told(failures):
    return ", ".join(f"{count} × {what}" for what, count in failures.most_common()) or "none"


def end(server, wrong):
    """Stops the server, says what was wrong, and ends with 1 if anything was."""
    code = server.stop(60)
    if code != 0:
        wrong.append(f"gantry serve ended with {code}")
    if wrong:
        print(server.output()[-20000:], file=sys.stderr)
    for line in wrong:
        print(f"wrong: {line}")
    sys.exit(1 if wrong else 0)
