"""Every file of hostile.py gets the text that is in it or a clear error, and memory stays under a bound."""

import json
import os
import sqlite3
import threading
import time
from pathlib import Path

import pytest
from databases import SQLite, assert_whole
from hostile import cases

# What docs/ingestion.md promises. The server itself, and each process that reads one file, at their largest.
SERVER_BYTES = 512 << 20
READER_BYTES = 1 << 30


class Memory(threading.Thread):
    """Watches the largest resident size of a process and of those that it starts."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.server, self.reader, self.readers, self.ended = pid, 0, 0, 0, threading.Event()

    def run(self):
        while not self.ended.wait(0.02):
            self.server = max(self.server, self.size(self.pid))
            sizes = [self.size(child) for child in self.children()]
            self.reader = max([self.reader, *sizes])
            self.readers = max(self.readers, len(sizes))

    def children(self):
        try:
            return [int(pid) for task in Path(f"/proc/{self.pid}/task").iterdir() for pid in (task / "children").read_text().split()]
        except OSError:
            return []

    @staticmethod
    def size(pid):
        try:
            status = Path(f"/proc/{pid}/status").read_text()
            return next((int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM")), 0)
        except OSError:
            return 0


def form(files):
    body = b""
    for item in files:
        name = item.name.encode("unicode_escape").decode().replace('"', "_")
        body += f'--XX\r\nContent-Disposition: form-data; name="f"; filename="{name}"\r\n\r\n'.encode() + item.data + b"\r\n"
    return body + b"--XX--\r\n", {"Content-Type": "multipart/form-data; boundary=XX"}


def batches(items, size):
    batch, total = [], 0
    for item in items:
        if batch and (len(batch) == 20 or total + len(item.data) > size):
            yield batch
            batch, total = [], 0
        batch.append(item)
        total += len(item.data)
    yield batch


def wait_for(gantry, job, seconds=300):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = json.loads(gantry.request("GET", f"/rag/jobs/{job}")[2])
        if answer["status"] != "running":
            return answer
        time.sleep(0.05)
    pytest.fail(f"the job didn't end: {answer}")


def test_hostile_files(make_gantry, tmp_path):
    database = SQLite(tmp_path / "data")
    gantry = make_gantry(GANTRY_DATA_DIR=str(tmp_path / "data")).start()
    memory = Memory(gantry.process.pid)
    memory.start()
    sent, files = [], []
    for batch in batches(cases(), 4 << 20):
        body, headers = form(batch)
        status, answer_headers, answer = gantry.request("POST", "/rag/upload?async=true", body, headers, timeout=300)
        assert status == 202, answer
        job = json.loads(answer)["job"]["id"]
        assert answer_headers["Location"] == f"/rag/jobs/{job}"
        sent += batch
        files += wait_for(gantry, job)["files"]
    memory.ended.set()
    memory.join()
    assert len(files) == len(sent) >= 300
    store = sqlite3.connect(f"file:{tmp_path}/data/knowledge.sqlite?mode=ro", uri=True)
    wrong = [problem for item, file in zip(sent, files) if (problem := check(item, file, store))]
    assert not wrong, "\n".join(wrong)
    assert gantry.request("GET", "/livez")[0] == 200
    assert_whole(database)
    print(f"{len(sent)} files; server {memory.server >> 20} MiB, largest reader {memory.reader >> 20} MiB")
    figures = os.environ.get("GANTRY_TEST_FIGURES")
    if figures:
        Path(figures).write_text(json.dumps({"server": memory.server, "reader": memory.reader, "files": len(sent)}))
    assert 0 < memory.server < SERVER_BYTES, f"the server took {memory.server >> 20} MiB"
    assert 0 < memory.reader < READER_BYTES, f"a reader took {memory.reader >> 20} MiB"


def check(item, file, store):
    """Says what is wrong with the outcome of a file, or nothing."""
    # None for what was too large to be taken in, and never a second one.
    if file["attempts"] > 1:
        return f"{item.name}: {file['attempts']} attempts"
    stored = store.execute("SELECT content FROM documents WHERE id = ?", [file["name"]]).fetchone()
    if file["status"] == "failed":
        error = file["errors"][0]
        if error["code"] not in item.codes:
            return f"{item.name}: {error}"
        if len(error["message"]) < 10 or stored:
            return f"{item.name}: half-stored or without a message: {error}"
        return None
    if file["status"] not in ("added", "updated", "unchanged"):
        return f"{item.name}: {file}"
    if item.text is None:
        return f"{item.name}: {file['status']}, not refused"
    content = stored[0] if stored else "".join(row[0] for row in store.execute(
        "SELECT content FROM documents WHERE source = ?", [file["name"]]
    ))
    if item.text not in content:
        return f"{item.name}: the text is wrong: {content[:200]!r}"
    return None


def test_a_line_of_a_gigabyte_and_loops_of_links(make_gantry, tmp_path):
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    with (folder / "line.txt").open("wb") as file:
        file.truncate(1 << 30)
    (folder / "inner" / "loop").symlink_to(folder)
    (folder / "self.md").symlink_to(folder / "self.md")
    (folder / "outside.md").symlink_to("/etc/passwd")
    (folder / "good.md").write_text("# Good\n\nA zephyr pump.")
    gantry = make_gantry(GANTRY_DATA_DIR=str(tmp_path / "data"))
    done = gantry.run("ingest", str(folder))
    assert done.returncode == 1
    assert "1 added" in done.stdout and "1 failed" in done.stdout, done.stdout
    assert "line.txt" in done.stderr and "bytes" in done.stderr
    assert "passwd" not in done.stderr and "root:" not in gantry.run("query", "root").stdout
