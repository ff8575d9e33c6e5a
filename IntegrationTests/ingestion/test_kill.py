"""`kill -9` at random moments while files are taken in: nothing that was acknowledged is lost, nothing is half there.

GANTRY_TEST_KILLS says how often (10 unless told; `make kill-test` does it 200 times), on each of the databases.
"""

import json
import os
import random
import threading
import time
import urllib.request

import pytest
from databases import DATABASES, assert_whole
from hostile import Case
from test_hostile import form, wait_for

KILLS = int(os.environ.get("GANTRY_TEST_KILLS", "10"))
WRITERS = 3


class Writer(threading.Thread):
    """Uploads versions of its own documents, one request after the other, and remembers which were acknowledged."""

    def __init__(self, number, address):
        super().__init__(daemon=True)
        self.number, self.address, self.ended = number, address, threading.Event()
        # By document: the versions that were sent since the last one that was acknowledged, and that one.
        self.acknowledged, self.sent, self.version, self.requests = {}, {}, 0, 0
        self.random = random.Random(number)

    def run(self):
        while not self.ended.is_set():
            files = []
            for _ in range(self.random.randint(1, 4)):
                self.version += 1
                name = f"w{self.number}-d{self.random.randrange(40)}.md"
                words = " ".join(self.random.choice(["zephyr", "pump", "oil", "seal"]) for _ in range(self.random.choice([20, 400, 3000])))
                if name not in [item.name for item in files]:
                    files.append(Case(name, f"# Version {self.version}\n\n{words}\n\n## End\n\nLast of {self.version}.".encode()))
            for item in files:
                self.sent.setdefault(item.name, []).append(item.data.decode())
            body, headers = form(files)
            path = "/rag/upload" + self.random.choice(["", "?async=true"])
            try:
                request = urllib.request.Request(self.address() + path, body, headers, method="POST")
                with urllib.request.urlopen(request, timeout=60) as answer:
                    status, content = answer.status, json.loads(answer.read())
            except (OSError, ValueError):
                time.sleep(0.01)  # The server is dead or on its way up.
                continue
            assert status in (200, 202), content
            if status == 200:
                assert all(file["status"] in ("added", "updated", "unchanged") for file in content["files"]), content
            self.requests += 1
            for item in files:
                self.acknowledged[item.name] = item.data.decode()
                self.sent[item.name] = [item.data.decode()]


UNFINISHED = "state IN ('queued', 'running', 'receiving')"


@pytest.mark.parametrize("database", DATABASES, ids=lambda kind: kind.name)
def test_kill(make_gantry, tmp_path, database):
    database = database(tmp_path / "data")
    gantry = make_gantry(GANTRY_DATA_DIR=str(tmp_path / "data"), **database.settings)
    chance = random.Random(os.environ.get("GANTRY_TEST_SEED", "7"))
    gantry.start()
    writers = [Writer(number, lambda: f"http://127.0.0.1:{gantry.port}") for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    interrupted = 0
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.02, 1.0))
        gantry.kill()
        interrupted += had_work(database)
        gantry.start()
    for writer in writers:
        writer.ended.set()
        writer.join(90)
        assert not writer.is_alive()
    for job in json.loads(gantry.request("GET", "/rag/jobs")[2])["jobs"]:
        wait_for(gantry, job["id"])
    assert_whole(database)
    lost = []
    with database.snapshot() as fetch:
        assert fetch(f"SELECT path, state FROM ingest_items WHERE {UNFINISHED}") == []
        assert fetch("SELECT count(*) FROM ingest_pieces") == [(0,)]
        assert fetch("SELECT count(*) FROM ingest_jobs WHERE finished_at IS NULL") == [(0,)]
        assert fetch("SELECT path, attempts, outcome FROM ingest_items WHERE state = 'failed'") == []
        documents = dict(fetch("SELECT id, content FROM documents"))
    for writer in writers:
        for name in writer.acknowledged:
            # A version that was sent later, and whose answer the kill swallowed, may be there in its place.
            if documents.get(name) not in writer.sent[name]:
                lost.append(f"{name}: {documents.get(name, '')[:40]!r}, not {[text[:12] for text in writer.sent[name]]}")
    assert not lost, "\n".join(lost)
    acknowledged = sum(writer.requests for writer in writers)
    print(
        f"{database.name}: {KILLS} kills, {interrupted} with work under way; {acknowledged} uploads acknowledged, "
        f"{len(documents)} documents, none lost"
    )
    gantry.stop()
    database.drop()
    assert acknowledged > 0
    assert interrupted > 0 or KILLS < 10


def had_work(database):
    """Says whether the process was killed with work under way, and makes sure that nothing is half there."""
    with database.snapshot() as fetch:
        # The first kill may come before the tables are made.
        if not has_tables(database, fetch):
            return False
        unfinished = fetch(f"SELECT count(*) FROM ingest_items WHERE {UNFINISHED}")[0][0]
    assert_whole(database)
    return unfinished > 0


def has_tables(database, fetch):
    if database.name == "sqlite":
        return bool(fetch("SELECT 1 FROM sqlite_master WHERE name = 'ingest_items'"))
    return fetch("SELECT to_regclass('ingest_items') IS NOT NULL")[0][0]
