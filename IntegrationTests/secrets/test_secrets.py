"""Settings that are kept elsewhere: AWS Secrets Manager (moto), mounted files, the environment; and where secrets must not be."""

import base64
import json
import os
import time
import urllib.parse

import pytest

from cloud import REGION

SEARCH = {"project_key": "ENG"}


def aws(url, jira, keys, **more):
    return {
        "SECRETS_PROVIDER": "aws", "AWS_REGION": REGION, "AWS_ENDPOINT_URL": url,
        "JIRA_URL": jira.url, "JIRA_TOKEN": "secret://prod/jira#token",
    } | keys | more


def search(server):
    status, _, answer = server.post_json("/tools/jira.retrieve_backlog", SEARCH)
    return status, answer


def keep(cloud, token):
    cloud.client("secretsmanager").create_secret(Name="prod/jira", SecretString=json.dumps({"token": token}))


def rotate(cloud, token):
    cloud.client("secretsmanager").put_secret_value(SecretId="prod/jira", SecretString=json.dumps({"token": token}))


def messages(server):
    return [entry["message"] for entry in server.log()]


def test_read_and_rotate(cloud, jira, make_gantry):
    keep(cloud, "first-jira-token")
    keys = cloud.user("gantry", "secretsmanager:GetSecretValue")
    cloud.enforce()
    server = make_gantry(**aws(cloud.url, jira, keys)).start()
    assert search(server)[0] == 200
    assert jira.seen[-1] == "test@example.com:first-jira-token"

    rotate(cloud, "second-jira-token")
    jira.token = "second-jira-token"
    # The old token is refused, the new one is looked for, and the call never knew.
    deadline = time.monotonic() + 20
    while search(server)[0] != 200:
        assert time.monotonic() < deadline, "the rotation was not picked up"
        time.sleep(0.2)
    assert jira.seen[-1] == "test@example.com:second-jira-token"
    assert "secret changed" in messages(server)
    text = server.log_path.read_text()
    assert "first-jira-token" not in text and "second-jira-token" not in text


def test_a_wrong_signature_and_a_missing_permission_are_refusals(cloud, jira, make_gantry):
    keep(cloud, "first-jira-token")
    nobody = cloud.user("nobody", "s3:GetObject")
    wrong = cloud.user("gantry", "secretsmanager:GetSecretValue") | {"AWS_SECRET_ACCESS_KEY": "x" * 40}
    cloud.enforce()
    for keys in (nobody, wrong):
        done = make_gantry(**aws(cloud.url, jira, keys)).run("serve", "--port", "0")
        assert done.returncode == 78, done.stderr
        assert "JIRA_TOKEN (from the environment): AWS Secrets Manager refuses to give prod/jira" in done.stderr
        assert done.stderr.count("JIRA_TOKEN") == 1
        assert keys["AWS_SECRET_ACCESS_KEY"] not in done.stderr + done.stdout
    missing = make_gantry(**aws(cloud.url, jira, cloud.admin, JIRA_TOKEN="secret://none")).run("serve", "--port", "0")
    assert missing.returncode == 78 and "has no secret none" in missing.stderr
    field = make_gantry(**aws(cloud.url, jira, cloud.admin, JIRA_TOKEN="secret://prod/jira#none")).run("doctor")
    assert field.returncode == 78 and "no such field" in field.stderr


def test_permission_taken_away_counts_when_the_secret_is_looked_up_again(cloud, jira, make_gantry):
    keep(cloud, "first-jira-token")
    keys = cloud.user("gantry", "secretsmanager:GetSecretValue")
    cloud.enforce()
    server = make_gantry(**aws(cloud.url, jira, keys, SECRETS_TTL_SECONDS="10")).start()
    assert search(server)[0] == 200
    cloud.client("iam").delete_user_policy(UserName="gantry", PolicyName="all")
    deadline = time.monotonic() + 40
    while (found := search(server))[0] == 200:
        assert time.monotonic() < deadline, "the secret goes on being used"
        time.sleep(0.5)
    assert found[1]["error"]["code"] == "upstream_unavailable"
    assert "refuses to give prod/jira" in found[1]["error"]["message"]
    assert "first-jira-token" not in json.dumps(found[1])


def test_throttling_is_waited_out_but_not_for_ever(cloud, gate, jira, make_gantry):
    keep(cloud, "first-jira-token")
    keys = cloud.admin
    gate.refusals = 2
    server = make_gantry(**aws(gate.url, jira, keys, SECRETS_TTL_SECONDS="10")).start()
    assert gate.asked == 3
    assert search(server)[0] == 200

    gate.refusals = 1000
    for refusal, text in ((gate.refusal, "asked too often"), ((503, b"busy"), "problem of its own")):
        gate.refusal, asked = refusal, gate.asked
        done = make_gantry(**aws(gate.url, jira, keys)).run("serve", "--port", "0")
        assert done.returncode == 78 and text in done.stderr
        assert gate.asked - asked == 4

    # What runs goes on with what it has.
    deadline = time.monotonic() + 30
    while "secret not fetched" not in messages(server):
        assert search(server)[0] == 200
        assert time.monotonic() < deadline, "nobody looked for a new value"
        time.sleep(0.5)
    assert search(server)[0] == 200
    gate.refusals = 0


def test_one_request_for_all_settings_of_one_secret(cloud, gate, jira, make_gantry):
    secret = {"token": "first-jira-token", "user": "test@example.com", "key": "k", "projects": "ENG,OPS"}
    cloud.client("secretsmanager").create_secret(Name="prod/jira", SecretString=json.dumps(secret))
    server = make_gantry(
        **aws(gate.url, jira, cloud.admin, JIRA_USER="secret://prod/jira#user", JIRA_PROJECTS="secret://prod/jira#projects")
    ).start()
    assert gate.asked == 1
    threads = [search(server)[0] for _ in range(5)]
    assert threads == [200] * 5 and gate.asked == 1


def test_roles_of_web_identities_containers_and_machines(cloud, jira, make_gantry, tmp_path):
    keep(cloud, "first-jira-token")
    token = tmp_path / "token"
    token.write_text("header.payload.signature\n")
    identity = {"AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/gantry", "AWS_WEB_IDENTITY_TOKEN_FILE": str(token)}
    machine = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": cloud.url}
    for keys in (identity, machine):
        done = make_gantry(**aws(cloud.url, jira, keys)).run("doctor")
        assert "found: JIRA_TOKEN" in done.stdout, done.stdout + done.stderr
    done = make_gantry(**aws(cloud.url, jira, {"AWS_EC2_METADATA_DISABLED": "true"})).run("doctor")
    assert done.returncode == 78 and "There are no credentials for AWS" in done.stderr


def test_settings_that_are_wrong(jira, make_gantry):
    for more, text in (
        ({"SECRETS_PROVIDER": "aws"}, "AWS_REGION: Set it too"),
        ({"SECRETS_PROVIDER": "vault"}, "SECRETS_PROVIDER (from the environment): “vault”"),
        ({"SECRETS_DIR": "/x"}, "SECRETS_DIR (from the environment): This has no effect"),
        ({"SECRETS_DIR": "secret://x", "SECRETS_PROVIDER": "file"}, "SECRETS_DIR (from the environment): This can't be a secret"),
        ({"SECRETS_PROVIDER": "aws", "AWS_REGION": REGION, "AWS_ENDPOINT_URL": "http://aws.example"}, "AWS_ENDPOINT_URL"),
        ({"JIRA_TOKEN": "secret://NONE"}, "JIRA_TOKEN (from the environment): secret://NONE"),
        ({"JIRA_TOKEN": "secret://A", "A": "secret://B"}, "names another secret"),
        ({"GANTRY_PORT": "secret://A", "A": "very-secret"}, "What secret://A holds can't be used"),
        ({"JIRA_PROJECTS": "secret://A", "A": "ENG,very-secret"}, "What secret://A holds can't be used"),
    ):
        done = make_gantry(JIRA_URL=jira.url, **({"JIRA_TOKEN": "t"} | more)).run("doctor")
        assert done.returncode == 78, done.stdout
        assert text in done.stderr, done.stderr
        assert "very-secret" not in done.stderr


def test_a_mount_of_kubernetes_is_followed(jira, make_gantry, tmp_path):
    mount = tmp_path / "secrets"
    mount.mkdir(mode=0o755)

    def revision(number, token):
        folder = mount / f"..2026_{number}"
        folder.mkdir()
        (folder / "token").write_text(token + "\n")
        link = mount / "..data_tmp"
        link.symlink_to(folder.name)
        os.rename(link, mount / "..data")

    revision(1, "first-jira-token")
    (mount / "token").symlink_to("..data/token")
    server = make_gantry(
        SECRETS_PROVIDER="file", SECRETS_DIR=str(mount), JIRA_URL=jira.url, JIRA_TOKEN="secret://token"
    ).start()
    assert search(server)[0] == 200
    revision(2, "second-jira-token")
    jira.token = "second-jira-token"
    assert search(server)[0] == 200
    # No request was wasted on the old one.
    assert jira.seen == ["test@example.com:first-jira-token", "test@example.com:second-jira-token"]
    (mount / "..2026_2" / "token").chmod(0o666)
    status, answer = search(server)
    assert status == 503 and "anybody can change the file" in answer["error"]["message"]


# Each is written in a way that nothing else writes.
SECRETS = {
    "JIRA_TOKEN": "Jt0k3n+" + "Zq/7" * 5,
    "EMBEDDINGS_API_KEY": "eMb3dd1ng-" + "Yw8x" * 5,
    "RERANK_API_KEY": "r3r4nk-" + "Vu9t" * 5,
}


def forms(secret):
    """The ways in which a secret could be written."""
    yield secret
    yield urllib.parse.quote(secret, safe="")
    yield json.dumps(secret)[1:-1].replace("/", "\\/")
    for text in (secret, f"test@example.com:{secret}"):
        yield base64.b64encode(text.encode()).decode().rstrip("=")


def test_secrets_are_nowhere(cloud, jira, make_gantry, issuer, tmp_path):
    """All that a run says and keeps, at the finest log level, with everything failing that can fail."""
    names = {name: f"secret://prod/all#{name}" for name in SECRETS}
    cloud.client("secretsmanager").create_secret(Name="prod/all", SecretString=json.dumps(SECRETS))
    settings = aws(cloud.url, jira, cloud.admin) | names | {
        "LOG_LEVEL": "trace",
        "EMBEDDINGS_URL": jira.url, "EMBEDDINGS_MODEL": "m", "EMBEDDINGS_DIMENSION": "8",
        "RERANK_URL": jira.url, "RERANK_MODEL": "m",
    } | issuer.settings()
    server = make_gantry(**settings).start()
    said = []

    def note(done):
        said.append(done.stdout + done.stderr)
        return done

    token = issuer.token(roles=["admin"], scope="*")
    headers = {"Authorization": f"Bearer {token}"}
    for good in (True, False):
        jira.token = SECRETS["JIRA_TOKEN"] if good else "another"
        for tool, arguments in (
            ("jira.retrieve_backlog", SEARCH), ("jira.retrieve_backlog", {"jql": 1}),
            ("knowledge.add_document", {"title": "t", "content": "The pump is warm. " * 50}),
            ("knowledge.query", {"query": "pump"}),
        ):
            status, answer_headers, answer = server.post_json(f"/tools/{tool}", arguments, headers)
            assert answer_headers["WWW-Authenticate"] is None, answer
            said.append(json.dumps(answer) + str(answer_headers))
    assert any(SECRETS["JIRA_TOKEN"] in seen for seen in jira.seen)
    for path in ("/health", "/readyz", "/audit", "/rag/documents", "/openapi.json", "/rag/quality"):
        for used in (headers, {}, {"Authorization": "Bearer x"}):
            status, answer_headers, answer = server.request("GET", path, headers=used)
            said.append(answer.decode(errors="replace") + str(answer_headers))
    jira.close()
    said.append(json.dumps(server.post_json("/tools/jira.retrieve_backlog", SEARCH, headers)[2]))
    for arguments in (
        ("doctor",), ("tools",), ("audit", "verify"), ("token",), ("token", "--list"), ("migrate",), ("query", "pump"),
        ("call", "jira.retrieve_backlog", json.dumps(SEARCH)), ("policy", "explain", "--as", "ada", "knowledge.query"),
        ("doctor", "--set", "GANTRY_PORT=secret://prod/all#JIRA_TOKEN"), ("doctor", "--set", "LOG_LEVEL=secret://prod/all"),
        ("doctor", "--set", "JIRA_URL=secret://prod/all#JIRA_TOKEN"),
    ):
        note(server.run(*arguments))
    assert "secret://prod/all#JIRA_TOKEN" in "".join(said)
    assert server.stop() == 0
    kept = [path for path in server.log_path.parent.rglob("*") if path.is_file() and not path.is_symlink()]
    kept = [path for path in kept if "models" not in path.parts]
    assert any(path.name == "audit.sqlite" for path in kept)
    assert len(server.log()) > 20
    for name, secret in SECRETS.items():
        for form in forms(secret):
            for text in said:
                assert form not in text, f"{name} was said"
            for path in kept:
                assert form.encode() not in path.read_bytes(), f"{name} is in {path.name}"
