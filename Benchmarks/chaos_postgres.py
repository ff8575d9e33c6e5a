"""Restarts, kills and freezes PostgreSQL while Gantry answers questions, and says what the callers saw.

Usage: chaos_postgres.py GANTRY DIRECTORY-OF-THE-SERVER URL MODELS. Scripts/chaos-postgres starts the server.
"""

import collections
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from chaos import RETURNS, ROOT, Caller, Load, NotBack, control, end, told
from processes import ENVIRONMENT, ServerProcess

GANTRY, SERVER, URL, MODELS = sys.argv[1:]
CALLERS = 8
ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "3"))
DOWN_SECONDS = float(os.environ.get("CHAOS_DOWN_SECONDS", "15"))
# A call may take this long before it counts as hanging: the deadline of a tool, and what is left to clean up.
BOUND_SECONDS = float(os.environ.get("CHAOS_BOUND_SECONDS", "35"))


class Question(Caller):
    kind = "questions"

    def call(self):
        query = f"Which setting limits uploads, and why? Case {self.number}-{self.count}."
        status, answer = self.send("POST", "/rag/query", {"query": query})
        return self.problem(status, answer) or (None if answer.get("chunks") else "no result")


def connections():
    """The connections that Gantry has, as the server counts them."""
    sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'gantry'"
    return int(control("postgres", "psql", SERVER, "--tuples-only", "--no-align", f"--command={sql}"))


def strike(load, action):
    """Does one thing to the server under load; returns one row of the table."""
    load.wait_for(5)
    load.take()
    control("postgres", action, SERVER)
    if action in RETURNS:
        time.sleep(DOWN_SECONDS)
        control("postgres", RETURNS[action], SERVER)
    back = time.monotonic()
    load.wait_for(10)
    events = load.take()
    good = [event for event in events if not event.failure and event.end > back]
    return {
        "action": action,
        "answers": sum(1 for event in events if not event.failure),
        "failures": collections.Counter(event.failure for event in events if event.failure),
        "longest": max(event.seconds for event in events),
        "first": min(event.end for event in good) - back,
        "everybody": max(min(e.end for e in good if e.caller is caller) for caller in load.callers) - back,
        "connections": connections(),
    }


def main():
    rows, wrong = [], []
    with tempfile.TemporaryDirectory(prefix="gantry-chaos-") as directory:
        data = Path(directory) / "data"
        data.mkdir()
        (data / "models").symlink_to(Path(MODELS).resolve())
        environment = ENVIRONMENT | {"GANTRY_DATA_DIR": str(data), "DATABASE_URL": URL, "LOG_FORMAT": "json"}
        subprocess.run([GANTRY, "ingest", str(ROOT / "docs")], env=environment, check=True, stdout=subprocess.DEVNULL)
        server = ServerProcess([GANTRY, "serve"], environment, f"{directory}/gantry.log").start()
        try:
            with Load(server.port, [Question], CALLERS, BOUND_SECONDS + 30) as load:
                for action in ("restart", "kill", "freeze") * ROUNDS:
                    rows.append(strike(load, action))
                    print(rows[-1], file=sys.stderr, flush=True)
        except NotBack as error:
            wrong.append(str(error))
        finally:
            server.terminate()
        print("| what | answers | failures | longest call s | first answer after s | all callers after s | connections |")
        print("| --- | ---: | --- | ---: | ---: | ---: | ---: |")
        for row in rows:
            action, longest = row["action"], row["longest"]
            print(
                f"| {action} | {row['answers']} | {told(row['failures'])} | {longest:.2f} | {row['first']:.2f} |"
                f" {row['everybody']:.2f} | {row['connections']} |"
            )
            if longest > BOUND_SECONDS:
                wrong.append(f"{action}: a call took {longest:.1f} s")
            if row["connections"] > 30:
                wrong.append(f"{action}: {row['connections']} connections are open")
            wrong += [f"{action}: {what}" for what in row["failures"] if what.startswith(("no ", "500"))]
        end(server, wrong)


main()
