"""Restarts, kills and freezes PostgreSQL while Gantry answers questions, and says what the callers saw.

Usage: chaos_postgres.py GANTRY DIRECTORY-OF-THE-SERVER URL MODELS. Scripts/chaos-postgres starts the server.
"""

import collections
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

GANTRY, SERVER, URL, MODELS = sys.argv[1:]
ROOT = Path(__file__).resolve().parent.parent
CALLERS = 8
ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "3"))
DOWN_SECONDS = float(os.environ.get("CHAOS_DOWN_SECONDS", "15"))
# A call may take this long before it counts as hanging: the deadline of a tool, and what is left to clean up.
BOUND_SECONDS = float(os.environ.get("CHAOS_BOUND_SECONDS", "35"))


def control(action, *arguments):
    command = [str(ROOT / "Scripts/postgres"), action, SERVER, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


class NotBack(Exception):
    """The server doesn't answer any more."""


class Callers:
    """Threads that ask one question after the other and note what comes back."""

    def __init__(self, port):
        self.port = port
        self.lock = threading.Lock()
        self.events = []  # (end, duration, caller, None or what went wrong)
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(number,)) for number in range(CALLERS)]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        count = 0
        while not self.stopping.is_set():
            count += 1
            start = time.monotonic()
            failure = self.ask(f"Which setting limits uploads, and why? Case {number}-{count}.")
            end = time.monotonic()
            with self.lock:
                self.events.append((end, end - start, number, failure))
            if failure:
                time.sleep(0.02)

    def ask(self, question):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=BOUND_SECONDS + 30)
            body = json.dumps({"query": question})
            connection.request("POST", "/rag/query", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = json.loads(response.read())
            connection.close()
        except (OSError, ValueError, http.client.HTTPException) as error:
            return f"no answer ({type(error).__name__})"
        if response.status == 200:
            return None if answer.get("chunks") else "no result"
        error = answer.get("error", answer)
        code = error.get("code", "?") if isinstance(error, dict) else error
        retry = ", retryable" if isinstance(error, dict) and error.get("retryable") else ""
        return f"{response.status} {code}{retry}"

    def count(self):
        with self.lock:
            return sum(1 for event in self.events if event[3] is None)

    def wait_for(self, successes, seconds=120):
        start, deadline = self.count(), time.monotonic() + seconds
        while self.count() < start + successes:
            if time.monotonic() > deadline:
                answered, failures = self.count() - start, collections.Counter(event[3] for event in self.take())
                raise NotBack(f"{answered} of {successes} questions were answered in {seconds} s; {dict(failures)}")
            time.sleep(0.02)

    def take(self):
        with self.lock:
            events, self.events = self.events, []
            return events

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()


def connections():
    """The connections that Gantry has, as the server counts them."""
    sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'gantry'"
    return int(control("psql", "--tuples-only", "--no-align", f"--command={sql}"))


def strike(callers, action):
    """Does one thing to the server under load; returns one row of the table."""
    callers.wait_for(CALLERS * 5)
    callers.take()
    if action == "restart":
        control("restart")
    elif action == "kill":
        control("kill")
        time.sleep(DOWN_SECONDS)
        control("resume")
    else:
        control("freeze")
        time.sleep(DOWN_SECONDS)
        control("thaw")
    back = time.monotonic()
    callers.wait_for(CALLERS * 10)
    events = callers.take()
    failures = collections.Counter(event[3] for event in events if event[3])
    good = [event for event in events if event[3] is None and event[0] > back]
    first = min(event[0] for event in good) - back
    everybody = max(min((e[0] for e in good if e[2] == n), default=float("inf")) for n in range(CALLERS)) - back
    last_failure = max((event[0] for event in events if event[3]), default=back) - back
    return {
        "action": action,
        "ok": sum(1 for event in events if event[3] is None),
        "failures": failures,
        "longest": max(event[1] for event in events),
        "first": first,
        "everybody": everybody,
        "last failure": max(last_failure, 0.0),
        "connections": connections(),
    }


def main():
    rows, wrong = [], []
    with tempfile.TemporaryDirectory(prefix="gantry-chaos-") as directory:
        data = Path(directory) / "data"
        data.mkdir()
        (data / "models").symlink_to(Path(MODELS).resolve())
        environment = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ} | {
            "GANTRY_DATA_DIR": str(data),
            "DATABASE_URL": URL,
            "LOG_FORMAT": "json",
        }
        subprocess.run([GANTRY, "ingest", str(ROOT / "docs")], env=environment, check=True, stdout=subprocess.DEVNULL)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        log = (Path(directory) / "gantry.log").open("wb")
        server = subprocess.Popen([GANTRY, "serve", "--port", str(port)], env=environment, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    if server.poll() is not None or time.monotonic() > deadline:
                        sys.exit("error: gantry serve did not start:\n" + Path(log.name).read_text())
                    time.sleep(0.05)
            callers = Callers(port)
            try:
                for _ in range(ROUNDS):
                    for action in ("restart", "kill", "freeze"):
                        rows.append(strike(callers, action))
                        print(rows[-1], file=sys.stderr, flush=True)
            except NotBack as error:
                wrong.append(str(error))
            finally:
                callers.stop()
        finally:
            server.send_signal(signal.SIGTERM)
            code = server.wait(60)
            log_text = Path(log.name).read_text()
    print("| what | answers | failures | longest call s | first answer after s | all callers after s | connections |")
    print("| --- | ---: | --- | ---: | ---: | ---: | ---: |")
    for row in rows:
        failures = ", ".join(f"{count} × {what}" for what, count in row["failures"].most_common()) or "none"
        print(
            f"| {row['action']} | {row['ok']} | {failures} | {row['longest']:.2f} | {row['first']:.2f} |"
            f" {row['everybody']:.2f} | {row['connections']} |"
        )
    for row in rows:
        if row["longest"] > BOUND_SECONDS:
            wrong.append(f"{row['action']}: a call took {row['longest']:.1f} s")
        if row["connections"] > 30:
            wrong.append(f"{row['action']}: {row['connections']} connections are open")
        wrong += [f"{row['action']}: {what}" for what in row["failures"] if what.startswith(("no ", "500"))]
    if code != 0:
        wrong.append(f"gantry serve ended with {code}")
    if wrong:
        print(log_text[-20000:], file=sys.stderr)
    for line in wrong:
        print(f"wrong: {line}")
    sys.exit(1 if wrong else 0)


main()
