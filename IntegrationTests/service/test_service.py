"""The server as a process: health, uploads, REST, commands, wrong configuration, shutdown."""

import json
import socket
import threading

import pytest


def form(*files, boundary="XX"):
    """A multipart body with the given (name, content) files, and its content type."""
    body = b""
    for name, content in files:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
        body += head.encode() + content + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def upload(gantry, *files):
    body, headers = form(*files)
    status, _, answer = gantry.request("POST", "/rag/upload", body, headers)
    return status, json.loads(answer)


def test_health(gantry):
    status, headers, body = gantry.request("GET", "/health")
    assert status == 200
    health = json.loads(body)
    assert health["status"] == "healthy"
    assert health["knowledge"]["mode"] == "hybrid"
    assert headers["Content-Type"] == "application/json"
    assert json.loads(gantry.request("GET", "/livez")[2]) == {"status": "alive"}
    assert json.loads(gantry.request("GET", "/readyz")[2]) == {"status": "ready", "reasons": []}


def test_without_the_model_everything_says_so(make_gantry, tmp_path):
    gantry = make_gantry(GANTRY_DATA_DIR=str(tmp_path / "no-model"))
    gantry.start()
    health = json.loads(gantry.request("GET", "/health")[2])
    assert health["status"] == "healthy"
    assert health["knowledge"]["mode"] == "lexical"
    assert "lexical" in health["knowledge"]["notice"]
    assert upload(gantry, ("a.md", b"# Gauges\n\nThe barometer hangs in the hall."))[0] == 200
    status, _, answer = gantry.post_json("/rag/query", {"query": "barometer"})
    assert status == 200
    assert "lexical" in json.dumps(answer)
    assert "barometer" in answer["chunks"][0]["text"]
    assert "lexical" in gantry.run("doctor").stdout


def test_upload_then_query(make_gantry):
    gantry = make_gantry().start()
    good = ("whales.md", b"# Whales\n\n## Song\n\nHumpback whales sing for up to twenty hours.\n")
    bad = ("broken.md", b"\x89\x00\xff not text")
    other = ("page.html", b"<html><title>Tides</title><body><h1>Tides</h1><p>Spring tides follow the full moon.</p>")
    status, answer = upload(gantry, good, bad, other)
    assert status == 200
    assert [(file["name"], file["status"]) for file in answer["files"]] == [
        ("whales.md", "added"),
        ("broken.md", "failed"),
        ("page.html", "added"),
    ]
    assert answer["files"][1]["errors"][0]["message"]

    status, _, found = gantry.post_json("/rag/query", {"query": "How long do humpback whales sing?"})
    assert status == 200
    assert "twenty hours" in found["chunks"][0]["text"]

    assert upload(gantry, good)[1]["files"][0]["status"] == "unchanged"
    changed = ("whales.md", b"# Whales\n\n## Song\n\nHumpback whales sing for up to thirty hours.\n")
    assert upload(gantry, changed)[1]["files"][0]["status"] == "updated"
    texts = json.dumps(gantry.post_json("/rag/query", {"query": "How long do humpback whales sing?"})[2])
    assert "thirty" in texts and "twenty" not in texts


def test_bad_uploads_are_refused_and_lose_nothing(make_gantry):
    gantry = make_gantry().start()
    status, answer = upload(gantry, ("broken.md", b"\xff\xfe"))
    assert status == 422
    assert answer["files"][0]["status"] == "failed"
    assert upload(gantry)[0] == 400
    body, headers = form(("a.md", b"# A\n\nThe first file arrived whole."), ("b.md", b"# B\n\nThe second did not."))
    status, _, answer = gantry.request("POST", "/rag/upload", body[:-30], headers)
    assert status == 400
    assert [file["name"] for file in json.loads(answer)["files"]] == ["a.md"]
    large = ("large.txt", b"word " * (4 << 20))
    status, answer = upload(gantry, large, ("c.md", b"# C\n\nSmall."))
    assert [file["status"] for file in answer["files"]] == ["failed", "added"]
    assert answer["files"][0]["errors"][0]["code"] == "too_large"
    assert gantry.request("POST", "/rag/upload", b"x", {"Content-Type": "text/plain"})[0] == 400


def test_tools_over_rest(gantry):
    arguments = {"app_name": "web-shop", "image": "nginx:1.27", "container_port": 8080}
    status, headers, answer = gantry.post_json("/tools/k8s.generate_manifest", arguments, {"X-Request-Id": "abc-1"})
    assert status == 200
    assert "web-shop-deployment" in answer["manifest"]
    assert headers["X-Request-Id"] == "abc-1"
    records = [record for record in gantry.log() if record.get("request.id") == "abc-1"]
    assert len(records) == 1
    assert records[0]["tool.name"] == "k8s.generate_manifest"
    assert records[0]["tool.outcome"] == "ok"

    status, headers, answer = gantry.post_json("/tools/k8s.generate_manifest", arguments | {"replicas": 0, "image": ""})
    assert status == 400
    assert headers["X-Request-Id"]
    assert {mistake["pointer"] for mistake in answer["error"]["errors"]} == {"/replicas", "/image"}
    status, _, answer = gantry.post_json("/tools/k8s.generate_manifst", arguments)
    assert status == 404
    assert "k8s.generate_manifest" in answer["error"]["message"]
    assert gantry.request("POST", "/rag/query", b"{", {"Content-Type": "application/json"})[0] == 400


def test_commands(gantry, tmp_path):
    tools = json.loads(gantry.run("tools", "--json").stdout)
    assert {"k8s.generate_manifest", "knowledge.query", "jira.retrieve_backlog"} <= {tool["name"] for tool in tools}
    assert "500 hours" in gantry.run("query", "zephyr pump oil").stdout
    narrowed = ["--metadata", "team=ops", "--min-freshness", "30d", "--label", "staff"]
    assert "500 hours" not in gantry.run("query", "zephyr pump oil", *narrowed).stdout
    assert "500 hours" in gantry.run("query", "zephyr pump oil", *narrowed[2:], "--metadata", "team!=ops").stdout
    for wrong in [["--metadata", "team"], ["--min-freshness", "soon"], ["--source", ""]]:
        assert gantry.run("query", "oil", *wrong).returncode in (2, 64), wrong
    done = gantry.run("call", "k8s.generate_manifest", '{"app_name": "X", "image": "nginx", "container_port": 0}')
    assert done.returncode == 1
    assert {mistake["pointer"] for mistake in json.loads(done.stdout)["errors"]} == {"/app_name", "/container_port"}
    assert gantry.run("call", "k8s.generate_manifest", "{").returncode == 2
    assert gantry.run("no-such-command").returncode == 2
    assert gantry.run("--help").returncode == 0
    doctor = gantry.run("doctor")
    assert doctor.returncode == 0, doctor.stdout
    assert "JIRA_URL" in doctor.stdout and "environment" in doctor.stdout
    assert "test-token" not in doctor.stdout + doctor.stderr
    (tmp_path / "bad.md").write_bytes(b"\xff")
    (tmp_path / "good.md").write_text("# Good\n\nThis file is fine.")
    done = gantry.run("ingest", str(tmp_path))
    assert done.returncode == 1
    assert "bad.md" in done.stdout + done.stderr


@pytest.mark.parametrize(
    "change, name",
    [
        ({"GANTRY_PORT": "http"}, "GANTRY_PORT"),
        ({"GANTRY_HOST": "0.0.0.0"}, "GANTRY_HOST"),
        ({"JIRA_TOKEN": ""}, "JIRA_TOKEN"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL"),
        ({"GANTRY_TOOL_NAMES": "x"}, "GANTRY_TOOL_NAMES"),
    ],
)
@pytest.mark.parametrize("command", ["serve", "stdio", "tools", "doctor"])
def test_wrong_configuration_stops_the_start(make_gantry, command, change, name):
    done = make_gantry(**change).run(command)
    assert done.returncode == 78
    assert name in done.stderr
    assert "test-token" not in done.stderr


def test_unknown_keys_of_the_file_are_named(make_gantry, tmp_path):
    file = tmp_path / "gantry.yaml"
    file.write_text("gantry:\n  prot: 1\n")
    done = make_gantry().run("serve", "--config", str(file))
    assert done.returncode == 78
    assert "gantry.prot" in done.stderr


def test_a_port_that_is_taken_is_named(gantry):
    done = gantry.run("serve", "--port", str(gantry.port))
    assert done.returncode == 1
    assert str(gantry.port) in done.stderr


def test_read_only_refuses_uploads(make_gantry):
    gantry = make_gantry(GANTRY_READ_ONLY="true").start()
    assert upload(gantry, ("a.md", b"# A\n\nText."))[0] == 403


def test_underscore_names(make_gantry):
    gantry = make_gantry(GANTRY_TOOL_NAMES="underscore").start()
    arguments = {"app_name": "web-shop", "image": "nginx:1.27", "container_port": 8080}
    assert gantry.post_json("/tools/k8s_generate_manifest", arguments)[0] == 200
    assert gantry.post_json("/rag/query", {"query": "anything"})[0] == 200


def test_shutdown_with_open_connections_is_prompt_and_clean(make_gantry):
    gantry = make_gantry().start()
    idle = socket.create_connection(("127.0.0.1", gantry.port))
    kept = socket.create_connection(("127.0.0.1", gantry.port))
    kept.sendall(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert kept.recv(4096).startswith(b"HTTP/1.1 200")
    assert gantry.stop(12) == 0
    idle.close()
    kept.close()


def test_a_call_that_runs_at_shutdown_gets_its_answer(make_gantry):
    """Jira is a listener here that answers late: the call must end in an answer, not in a broken connection."""
    with socket.create_server(("127.0.0.1", 0)) as jira:
        gantry = make_gantry(JIRA_URL=f"http://127.0.0.1:{jira.getsockname()[1]}").start()
        answers = []
        call = threading.Thread(
            target=lambda: answers.append(gantry.post_json("/tools/jira.retrieve_backlog", {"project_key": "ENG"}))
        )
        call.start()
        accepted, _ = jira.accept()
        assert gantry.stop(15) == 0
        call.join(10)
        accepted.close()
    assert len(answers) == 1
    status, _, answer = answers[0]
    assert status >= 500
    assert answer["error"]["retryable"] is True
    assert answer["error"]["code"] in ("outcome_unknown", "timeout", "upstream_unavailable", "cancelled")
