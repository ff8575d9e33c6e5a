"""The records of calls: one for each, for those who may read them, and nothing done that can't be recorded."""

import json
import sqlite3
import time

import pytest


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def records(server, token, query="", count=1):
    """The answer of GET /audit, once there are enough records: they are written behind the calls."""
    deadline = time.monotonic() + 10
    while True:
        status, _, body = server.request("GET", f"/audit{query}", headers=bearer(token))
        answer = json.loads(body)
        if status != 200 or len(answer["records"]) >= count or time.monotonic() > deadline:
            return status, answer
        time.sleep(0.02)


@pytest.fixture
def audited(make_gantry, issuer):
    return make_gantry(**issuer.settings()).start()


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
    assert [entry["sequence"] for entry in newest_first] == [4, 3, 2, 1]
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

    _, answer = records(audited, auditor, "?status=forbidden")
    assert [entry["sequence"] for entry in answer["records"]] == [4]
    _, answer = records(audited, auditor, "?user=user:ada&limit=2")
    assert [entry["sequence"] for entry in answer["records"]] == [3, 2]
    _, answer = records(audited, auditor, f"?user=user:ada&limit=2&cursor={answer['next']}")
    assert [entry["sequence"] for entry in answer["records"]] == [1] and "next" not in answer
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
