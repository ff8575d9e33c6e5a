"""Redis behind TLS, with a user who may do what docs/replicas.md says and no more, and a database of its own."""

import json
import re
import socket
import subprocess

import pytest

from processes import ROOT, free_port
from wire import Legacy


@pytest.fixture(scope="module")
def secured(stores):
    """Adds TLS and a user to the Redis of the tests; returns the port, the authority, and how to send it a command.

    Once: Redis doesn't read a certificate again whose path has not changed.
    """
    redis = stores["redis"]
    directory, port = redis.directory, int(redis.url.rsplit(":", 1)[1])
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=redis"]
        + ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{directory}/redis.key", "-out", f"{directory}/redis.crt"],
        check=True,
        capture_output=True,
    )
    subprocess.run(["chmod", "644", f"{directory}/redis.key", f"{directory}/redis.crt"], check=True)
    tls_port = free_port()

    def command(*words):
        with socket.create_connection(("127.0.0.1", port), 10) as connection:
            parts = "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
            connection.sendall(f"*{len(words)}\r\n{parts}".encode())
            answer = connection.recv(65536).decode()
            assert not answer.startswith("-"), answer
            return answer

    files = ("tls-cert-file", "/srv/redis.crt", "tls-key-file", "/srv/redis.key", "tls-ca-cert-file", "/srv/redis.crt")
    command("CONFIG", "SET", *files, "tls-auth-clients", "no")
    command("CONFIG", "SET", "tls-port", str(tls_port))
    rules = re.search(r"`(\+@read [^`]*)`", (ROOT / "docs/replicas.md").read_text()).group(1).split()
    command("ACL", "SETUSER", "app", "reset", "on", ">pass/word", *rules)
    yield tls_port, f"{directory}/redis.crt", command
    command("CONFIG", "SET", "tls-port", "0")
    command("ACL", "DELUSER", "app")


def test_tls_user_and_database(make_gantry, secured):
    port, authority, command = secured
    url = f"rediss://app:pass%2Fword@127.0.0.1:{port}/3"
    key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    shared = {"REDIS_URL": url, "REDIS_CA_FILE": authority, "GANTRY_SEALING_KEYS": key}
    gantry = make_gantry(**shared, LIMITS_PRINCIPAL="1000/s concurrent=100 1000000/day").start()
    doctor = gantry.run("doctor")
    assert doctor.returncode == 0, doctor.stdout
    assert f"rediss://app@127.0.0.1:{port}/3" in doctor.stdout
    # Everything that Redis is used for is allowed: sessions, logs, events, limits, what happens once.
    arguments = {"document_id": "secured", "title": "Secured", "text": "Behind TLS.", "idempotency_key": "once"}
    for _ in range(2):
        status, _, answer = gantry.post_json("/tools/knowledge.add_document", arguments)
        assert status == 200 and answer["outcome"] == "added"
    with Legacy(gantry) as session:
        session.request("resources/subscribe", {"uri": answer["uri"]})
        with session.own_stream() as stream:
            more = {"text": "Another text.", "replace": True, "idempotency_key": "twice"}
            assert gantry.post_json("/tools/knowledge.add_document", arguments | more)[0] == 200
            assert session.next_message(stream)["method"].startswith("notifications/resources/")
    assert json.loads(gantry.request("GET", "/readyz")[2]) == {"status": "ready", "reasons": []}
    warnings = [record for record in gantry.log() if record["level"] in ("warning", "error")]
    assert not [record for record in warnings if "Redis" in json.dumps(record)]
    assert "db3:keys=" in command("INFO", "keyspace")
    assert not re.search("pass.{1,3}word", doctor.stdout + doctor.stderr + gantry.log_path.read_text())


def test_a_wrong_password_or_authority_is_told(make_gantry, secured):
    port, authority, _ = secured
    key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    for url, more, told in [
        (f"rediss://app:not-it@127.0.0.1:{port}", {"REDIS_CA_FILE": authority}, "refuses the user"),
        (f"rediss://app:pass%2Fword@127.0.0.1:{port}", {}, "certificate of Redis is not trusted"),
    ]:
        doctor = make_gantry(REDIS_URL=url, GANTRY_SEALING_KEYS=key, **more).run("doctor")
        assert doctor.returncode == 1
        assert re.search(r"shared state +broken .*" + told, doctor.stdout), doctor.stdout
        assert not re.search("not-it|pass.{1,3}word", doctor.stdout + doctor.stderr)
