"""The records of calls: one for each, for those who may read them, and nothing done that can't be recorded."""

import json
import sqlite3
import threading
import time

import psycopg2
import pytest
from databases import DATABASES, Postgres
from test_attacks import mcp


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def records(server, token, query="", count=1):
    """The answer of GET /audit, once there are enough records: they are written behind the calls.

    Looking at the records is recorded, too; those are left out unless they are asked for.
    """
    deadline = time.monotonic() + 10
    while True:
        status, _, body = server.request("GET", f"/audit{query}", headers=bearer(token))
        answer = json.loads(body)
        if status != 200:
            return status, answer
        if "tool=GET" not in query:
            answer["records"] = [entry for entry in answer["records"] if entry["tool_name"] != "GET /audit"]
        if len(answer["records"]) >= count or time.monotonic() > deadline:
            return status, answer
        time.sleep(0.05)


AUDIT_KEY = "0123456789abcdef" * 3


@pytest.fixture(params=DATABASES, ids=lambda kind: kind.name)
def database(request, tmp_path):
    made = request.param(tmp_path)
    yield made
    made.drop()


@pytest.fixture
def postgres(tmp_path):
    made = Postgres(tmp_path)
    yield made
    made.drop()


@pytest.fixture
def audited(make_gantry, issuer, database):
    server = make_gantry(GANTRY_AUDIT_KEY=AUDIT_KEY, **issuer.settings(), **database.settings).start()
    yield server
    server.stop()


def test_each_call_has_its_record(audited, issuer):
    ada = issuer.token(roles=["developer"], scope="*")
    auditor = issuer.token(sub="aud", roles=["auditor"], scope="audit:read")
    audited.post_json("/tools/knowledge.query", {"query": "the token gantry_0123456789abcdef_x"}, bearer(ada))
    audited.post_json("/tools/knowledge.query", {"qery": "x"}, bearer(ada))
    audited.post_json("/tools/jira.retrieve_backlog", {"project_key": "NONE"}, bearer(ada))
    audited.post_json("/tools/knowledge.query", {"query": "x"}, bearer(issuer.token(sub="eve", roles=["auditor"], scope="*")))
    status, answer = records(audited, auditor, count=4)
    assert status == 200
    newest_first = answer["records"]
    assert [entry["status"] for entry in newest_first] == ["forbidden", "not_found", "invalid_arguments", "ok"]
    first = newest_first[-1]
    assert first["user_id"] == "user:ada"
    assert first["roles"] == ["developer"]
    assert first["tool_name"] == "knowledge.query"
    assert first["permission"] == "knowledge:read"
    assert first["params"] == {"query": "the token [redacted]"}
    assert first["transport"] == "rest"
    assert newest_first[1]["targets"] == ["jira_projects NONE"]
    assert newest_first[0]["user_id"] == "user:eve"

    numbers = [entry["sequence"] for entry in newest_first]
    assert numbers == sorted(numbers, reverse=True)
    _, answer = records(audited, auditor, "?status=forbidden")
    assert [entry["sequence"] for entry in answer["records"]] == numbers[:1]
    _, answer = records(audited, auditor, "?user=user:ada&limit=2")
    assert [entry["sequence"] for entry in answer["records"]] == numbers[1:3]
    _, answer = records(audited, auditor, f"?user=user:ada&limit=2&cursor={answer['next']}")
    assert [entry["sequence"] for entry in answer["records"]] == numbers[3:] and "next" not in answer
    _, answer = records(audited, auditor, "?target=jira_projects%20NONE&since=2020-01-01T00:00:00Z")
    assert len(answer["records"]) == 1
    _, answer = records(audited, auditor, "?until=2020-01-01T00:00:00Z", count=0)
    assert answer["records"] == []
    for wrong in ("?limit=0", "?limit=x", "?cursor=x", "?since=yesterday", "?who=ada"):
        assert records(audited, auditor, wrong)[0] == 400


def test_records_are_for_those_who_may_read_them(audited, issuer):
    assert audited.request("GET", "/audit")[0] == 401
    assert records(audited, issuer.token(roles=["operator"], scope="*"))[0] == 403
    status, headers, _ = audited.request("GET", "/audit", headers=bearer(issuer.token(roles=["auditor"], scope="x")))
    assert status == 403 and 'scope="audit:read"' in headers["WWW-Authenticate"]


def test_a_changed_log_is_found(make_gantry):
    server = make_gantry()
    for _ in range(3):
        server.run("call", "k8s.generate_manifest", "{}")
    verified = server.run("audit", "verify")
    assert verified.returncode == 0, verified.stderr
    assert "3 records are as they were written" in verified.stdout
    head = verified.stdout.split("head ")[1].strip()
    server.run("call", "k8s.generate_manifest", "{}")
    assert server.run("audit", "verify", "--head", head).returncode == 0
    assert server.run("audit", "verify", "--head", "2:00").returncode == 1
    path = server.log_path.parent / "data" / "audit.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("UPDATE tool_audit_log SET user_id = 'somebody' WHERE sequence = 2")
    found = server.run("audit", "verify")
    assert found.returncode == 1 and "Record 2" in found.stderr
    with sqlite3.connect(path) as database:
        database.execute("UPDATE tool_audit_log SET user_id = 'local' WHERE sequence = 2")
    assert server.run("audit", "verify").returncode == 0
    with sqlite3.connect(path) as database:
        database.execute("DELETE FROM tool_audit_log WHERE sequence = 4")
    assert server.run("audit", "verify").returncode == 1


def test_refusals_before_a_tool_are_records(audited, issuer):
    auditor = issuer.token(sub="aud", roles=["auditor"], scope="audit:read")
    assert audited.request("GET", "/rag/documents")[0] == 401
    assert mcp(audited, ["Bearer rubbish"])[0] == 401
    weak = issuer.token(scope="openid", roles=["viewer"])
    assert mcp(audited, [f"Bearer {weak}"], "tools/call", {"name": "knowledge.query", "arguments": {"query": "x"}})[0] == 403
    assert audited.request("GET", "/audit", headers=bearer(weak))[0] == 403
    _, answer = records(audited, auditor, "?status=unauthenticated", count=2)
    assert [(entry["tool_name"], entry["user_id"], entry["transport"]) for entry in answer["records"]] == [
        ("POST /mcp", "nobody", "http"), ("GET /rag/documents", "nobody", "rest"),
    ]
    assert "rubbish" not in json.dumps(answer)
    _, answer = records(audited, auditor, "?status=forbidden&user=user:ada", count=1)
    first = answer["records"][0]
    assert (first["tool_name"], first["params"]) == ("knowledge.query", {"arguments": {"query": "x"}})
    _, answer = records(audited, auditor, "?status=forbidden&tool=GET%20/audit", count=1)
    assert answer["records"][0]["user_id"] == "user:ada"


def test_refusals_of_strangers_are_counted_rather_than_kept_for_ever(audited, issuer):
    auditor = issuer.token(sub="aud", roles=["auditor"], scope="audit:read")
    for _ in range(400):
        assert audited.request("GET", "/rag/documents")[0] == 401
    kept, omitted = 0, 0
    deadline = time.monotonic() + 20
    # The next one that is recorded says how many were not.
    while omitted == 0 and time.monotonic() < deadline:
        time.sleep(1)
        audited.request("GET", "/rag/documents")
        _, answer = records(audited, auditor, "?status=unauthenticated&limit=500")
        omitted = sum(entry["params"].get("omitted", 0) for entry in answer["records"])
        kept = len(answer["records"])
    assert omitted > 100 and kept < 300 and kept + omitted >= 400


def test_resources_uploads_jobs_and_looks_at_the_records_are_records(audited, issuer):
    token = issuer.token(roles=["admin"], scope="*")
    body = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="pump.md"\r\n\r\n'
        b"# Pump\n\nThe pump is warm.\n\r\n--b--\r\n"
    )
    headers = bearer(token) | {"Content-Type": "multipart/form-data; boundary=b"}
    status, _, answer = audited.request("POST", "/rag/upload", body, headers, timeout=120)
    assert status == 200, answer
    job = json.loads(answer)["job"]
    assert audited.request("GET", f"/rag/jobs/{job}", headers=bearer(token))[0] == 200
    assert audited.request("DELETE", "/rag/jobs/none", headers=bearer(token))[0] == 404
    _, _, answer = mcp(audited, [f"Bearer {token}"], "resources/list")
    uri = json.loads(answer)["result"]["resources"][0]["uri"]
    assert mcp(audited, [f"Bearer {token}"], "resources/read", {"uri": uri}, {"Mcp-Name": uri})[0] == 200
    _, answer = records(audited, token, "?user=user:ada", count=4)
    found = {entry["tool_name"]: entry for entry in answer["records"]}
    upload = found["POST /rag/upload"]
    assert (upload["status"], upload["effect"], upload["params"]) == ("ok", "write", {"job": job, "files": 1})
    assert (found["GET /rag/jobs/{id}"]["effect"], found["GET /rag/jobs/{id}"]["params"]) == ("read", {"id": job})
    assert (found["DELETE /rag/jobs/{id}"]["status"], found["DELETE /rag/jobs/{id}"]["effect"]) == ("not_found", "write")
    read = found["resources/read"]
    assert (read["status"], read["params"], read["permission"]) == ("ok", {"uri": uri}, "knowledge:read")
    _, answer = records(audited, token, "?tool=GET%20/audit")
    assert any(entry["params"].get("user") == "user:ada" for entry in answer["records"])


def test_an_upload_that_cant_be_recorded_is_not_taken(make_gantry, issuer):
    server = make_gantry(**issuer.settings()).start()
    token = issuer.token(roles=["admin"], scope="*")
    headers = bearer(token) | {"Content-Type": "multipart/form-data; boundary=b"}
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.md"\r\n\r\n# A\r\n--b--\r\n'
    with sqlite3.connect(server.log_path.parent / "data" / "audit.sqlite", isolation_level=None) as blocker:
        blocker.execute("BEGIN EXCLUSIVE")
        status, _, answer = server.request("POST", "/rag/upload", body, headers)
        assert status == 503 and b"audit log" in answer
        # Reading goes on.
        assert server.request("GET", "/rag/documents", headers=bearer(token))[0] == 200
        blocker.execute("ROLLBACK")
    assert json.loads(server.request("GET", "/rag/jobs", headers=bearer(token))[2])["jobs"] == []


def test_servers_of_one_database_have_one_log_and_the_same_keys(make_gantry, postgres):
    settings = postgres.settings | {"GANTRY_AUTH": "required", "GANTRY_AUDIT_KEY": AUDIT_KEY}
    servers = [make_gantry(**settings).start() for _ in range(2)]
    made = servers[0].run("token", "--api-key", "--name", "ci", "--role", "admin")
    assert made.returncode == 0, made.stderr
    key = made.stdout.strip()

    def work(server):
        for n in range(20):
            assert server.post_json("/tools/k8s.generate_manifest", {"app_name": f"a{n}"}, bearer(key))[0] in (200, 400)

    threads = [threading.Thread(target=work, args=(server,)) for server in servers for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for server in servers:
        _, answer = records(server, key, "?tool=k8s.generate_manifest&limit=500", count=80)
        assert len(answer["records"]) == 80
        assert len({entry["replica"] for entry in answer["records"]}) == 2
    verified = servers[1].run("audit", "verify")
    assert verified.returncode == 0, verified.stderr
    assert int(verified.stdout.split()[0]) >= 80

    other = make_gantry(**settings | {"GANTRY_AUDIT_KEY": "another key of enough bytes for a chain"})
    found = other.run("audit", "verify")
    assert found.returncode == 1 and "the same GANTRY_AUDIT_KEY" in found.stderr

    assert key.split("_")[1] in servers[1].run("token", "--list").stdout
    assert servers[1].run("token", "--revoke", key.split("_")[1]).returncode == 0
    deadline = time.monotonic() + 30
    while servers[0].request("GET", "/rag/documents", headers=bearer(key))[0] != 401:
        assert time.monotonic() < deadline, "the key goes on being recognised"
        time.sleep(0.2)

    with psycopg2.connect(postgres.url) as connection:
        connection.cursor().execute("UPDATE tool_audit_log SET user_id = 'somebody' WHERE sequence = 7")
    found = servers[0].run("audit", "verify")
    assert found.returncode == 1 and "Record 7" in found.stderr
    migrated = servers[0].run("migrate")
    assert migrated.returncode == 0 and "up to date" in migrated.stdout
