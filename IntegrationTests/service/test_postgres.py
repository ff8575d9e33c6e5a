"""The commands and the service with PostgreSQL: migrations, another model, and a database that comes and goes."""

import json
import subprocess
from urllib.parse import urlsplit, urlunsplit

import pytest
from databases import Postgres, assert_whole
from embedding_service import EmbeddingService
from processes import until
from round_robin import RoundRobin


@pytest.fixture
def database(tmp_path):
    database = Postgres(tmp_path)
    yield database
    database.drop()


def manual(count):
    """A text with a section for each part of a pump."""
    sections = (f"## Part {n}\n\n{f'The zephyr part {n} is oiled monthly. ' * 12}" for n in range(count))
    return "# Pumps\n\n" + "\n\n".join(sections)


def test_migrations_and_doctor(make_gantry, database):
    gantry = make_gantry(**database.settings)
    # Two machines at once: one migrates, the other waits for it.
    running = [
        subprocess.Popen([gantry.binary, "migrate"], env=gantry.environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    answers = sorted(process.communicate(timeout=60)[0] for process in running)
    assert [process.returncode for process in running] == [0, 0]
    with database.snapshot() as fetch:
        names = [row[0] for row in fetch("SELECT name FROM knowledge_migrations ORDER BY number")]
    assert names
    assert sum(answer.count(name) for answer in answers for name in names) == len(names), answers
    assert gantry.run("migrate").stdout == "The schema is up to date.\n"
    doctor = gantry.run("doctor")
    assert doctor.returncode == 0, doctor.stdout
    assert "postgresql://gantry@" in doctor.stdout and "0 documents" in doctor.stdout
    assert "gantry-test" not in doctor.stdout + doctor.stderr
    database.execute(f"INSERT INTO {database.schema}.knowledge_migrations (number, name) VALUES (999, 'future')")
    for command in ("migrate", "doctor"):
        newer = gantry.run(command)
        assert newer.returncode == 1
        assert "newer version" in newer.stdout + newer.stderr


def test_another_model(make_gantry, database, tmp_path):
    (tmp_path / "pump.md").write_text(manual(400))
    services = [EmbeddingService("first-model", 64).start(), EmbeddingService("second-model", 96).start()]
    try:
        first, second = (make_gantry(**database.settings, **service.settings) for service in services)
        assert first.run("ingest", str(tmp_path / "pump.md")).returncode == 0
        doctor = second.run("doctor")
        assert doctor.returncode == 1
        assert "first-model" in doctor.stdout and "gantry reindex" in doctor.stdout
        refused = second.run("query", "zephyr part 17")
        assert refused.returncode == 1 and "gantry reindex" in refused.stderr

        # Killed in the middle: the old vectors serve, and the next run goes on where this one was.
        services[1].control()
        services[1].control(delay_ms=600_000)  # The second batch hangs.
        reindex = subprocess.Popen([second.binary, "reindex"], env=second.environment, stdout=subprocess.DEVNULL)
        with_vectors = "SELECT count(*) FROM document_embeddings WHERE next_embedding IS NOT NULL"

        def is_under_way():
            with database.snapshot() as fetch:
                return fetch("SELECT next_model_name IS NOT NULL FROM index_state")[0][0] and fetch(with_vectors)[0][0] > 0

        until(is_under_way, "no chunk got its new vector", 60)
        reindex.kill()
        reindex.wait()
        with database.snapshot() as fetch:
            done = fetch(with_vectors)[0][0]
            total = fetch("SELECT count(*) FROM document_embeddings")[0][0]
        assert 0 < done < total
        assert "being brought to the model" in first.run("doctor").stdout
        assert "zephyr part 17" in first.run("query", "zephyr part 17").stdout
        rest = second.run("reindex")
        assert rest.returncode == 0, rest.stderr
        embedded = int(rest.stdout.split(" chunks embedded")[0].split()[-1])
        assert 0 < embedded <= total - done
        assert "zephyr part 17" in second.run("query", "zephyr part 17").stdout
        assert second.run("doctor").returncode == 0
        assert first.run("query", "zephyr part 17").returncode == 1
        assert second.run("reindex").stdout.splitlines()[-1].startswith("0 chunks embedded")
        assert_whole(database)
    finally:
        for service in services:
            service.stop()


def test_a_database_that_comes_and_goes(make_gantry, database):
    parts = urlsplit(database.url)
    proxy = RoundRobin([parts.port or 5432], parts.hostname)
    address = f"{parts.netloc.rsplit('@', 1)[0]}@127.0.0.1:{proxy.port}"
    gantry = make_gantry(DATABASE_URL=urlunsplit(parts._replace(netloc=address)))
    proxy.cut()
    for command in ("migrate", "doctor"):
        away = gantry.run(command)
        assert away.returncode == 1
        assert "can't be reached" in away.stdout + away.stderr, away

    def ready():
        status, _, body = gantry.request("GET", "/readyz")
        return status, json.loads(body)

    def query():
        return gantry.post_json("/rag/query", {"query": "zephyr part 17"})

    # The server starts without its database and says so; calls fail at once, with a code and a hint.
    gantry.start()
    assert ready()[1]["status"] != "ready" and ready()[1]["reasons"]
    status, _, answer = query()
    assert status == 503
    assert answer["error"]["code"] == "upstream_unavailable" and answer["error"]["retryable"]

    proxy.mend()
    until(lambda: ready() == (200, {"status": "ready", "reasons": []}), "the server did not become ready", 60)
    body = f'--X\r\nContent-Disposition: form-data; name="f"; filename="pump.md"\r\n\r\n{manual(20)}\r\n--X--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=X"}
    status, _, answer = gantry.request("POST", "/rag/upload", body.encode(), headers, timeout=120)
    assert status == 200, answer
    assert "zephyr part 17" in query()[2]["chunks"][0]["text"]

    for _ in range(3):
        proxy.cut()
        until(lambda: query()[0] == 503, "a call was answered without the database", 60)
        assert ready()[1]["status"] != "ready"
        proxy.mend()
        until(lambda: query()[0] == 200, "the service did not return", 60)
        until(lambda: ready()[1]["status"] == "ready", "the server did not become ready again", 60)
    with database.snapshot() as fetch:
        # Those that were cut off are gone: a pool has at most 30, and one connection more listens for files.
        assert fetch("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'gantry'")[0][0] <= 31
    assert gantry.stop() == 0
    proxy.stop()
