"""Who may do what, with a real issuer, real keys and real policies: scopes, sessions, keys that change, policies."""

import http.client
import json
import threading
import time

import pytest
from issuer import AUDIENCE, Issuer, pem
from test_attacks import META, MODERN, challenge, mcp


def bearer(token):
    return [f"Bearer {token}"]


def names(answer):
    return [tool["name"] for tool in json.loads(answer)["result"]["tools"]]


def families(answer):
    return {name.split(".")[0] for name in names(answer)}


def call(server, token, tool, arguments):
    return mcp(server, bearer(token), "tools/call", {"name": tool, "arguments": arguments})


def test_metadata(guarded, issuer):
    for path in ("/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"):
        status, headers, body = guarded.request("GET", path, headers={"Origin": "https://any.example"})
        assert status == 200
        assert headers["Access-Control-Allow-Origin"] == "*"
        metadata = json.loads(body)
        assert metadata["resource"] == AUDIENCE
        assert metadata["authorization_servers"] == [issuer.name]
        assert metadata["bearer_methods_supported"] == ["header"]
        assert "jira:read" in metadata["scopes_supported"]
        assert "offline_access" not in metadata["scopes_supported"]
        assert guarded.request("OPTIONS", path)[0] == 204


def test_a_missing_scope_is_asked_for_and_then_enough(guarded, issuer):
    weak = issuer.token(scope="openid", roles=["viewer"])
    assert names(mcp(guarded, bearer(weak))[2]) == []
    status, headers, _ = call(guarded, weak, "knowledge.query", {"query": "x"})
    assert status == 403
    found = challenge(headers)
    assert found["error"] == "insufficient_scope"
    assert found["resource_metadata"].startswith("https://gantry.example/.well-known/")
    status, headers, _ = guarded.post_json("/rag/query", {"query": "x"}, {"Authorization": f"Bearer {weak}"})
    assert status == 403
    assert challenge(headers) == found
    better = issuer.token(scope=f"openid {found['scope']}", roles=["viewer"])
    assert families(mcp(guarded, bearer(better))[2]) == {"db", "knowledge"}
    assert call(guarded, better, "knowledge.query", {"query": "x"})[0] == 200


def test_what_a_role_forbids_no_scope_opens(guarded, issuer):
    token = issuer.token(scope="*", roles=["auditor"])
    assert names(mcp(guarded, bearer(token))[2]) == []
    status, headers, body = call(guarded, token, "knowledge.query", {"query": "x"})
    assert status == 200 and headers["WWW-Authenticate"] is None
    assert json.loads(body)["result"]["_meta"]["dev.gantry/error"]["code"] == "forbidden"
    status, headers, answer = guarded.post_json("/rag/query", {"query": "x"}, {"Authorization": f"Bearer {token}"})
    assert status == 403 and headers["WWW-Authenticate"] is None
    assert answer["error"]["code"] == "forbidden"


def test_a_token_that_says_nothing_may_do_the_least(guarded, issuer):
    assert names(mcp(guarded, bearer(issuer.token(scope=..., roles=...)))[2]) == []
    with_scope = names(mcp(guarded, bearer(issuer.token(scope="*", roles=...)))[2])
    assert "knowledge.query" in with_scope
    upload = guarded.request(
        "POST", "/rag/upload", b"", {"Authorization": f"Bearer {issuer.token(scope='*', roles=...)}"}
    )
    assert upload[0] == 403


def test_sessions_belong_to_who_opened_them_and_every_request_is_checked(guarded, issuer):
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    hello = {
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    }
    ada, bob = issuer.token(), issuer.token(sub="bob")
    status, answer, _ = guarded.post_json("/mcp", hello, headers | {"Authorization": f"Bearer {ada}"})
    assert status == 200
    in_session = headers | {"Mcp-Session-Id": answer["Mcp-Session-Id"], "MCP-Protocol-Version": "2025-11-25"}
    ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
    assert guarded.post_json("/mcp", ping, in_session | {"Authorization": f"Bearer {ada}"})[0] == 200
    # Another token of the same person is as good.
    assert guarded.post_json("/mcp", ping, in_session | {"Authorization": f"Bearer {issuer.token('ES256')}"})[0] == 200
    assert guarded.post_json("/mcp", ping, in_session | {"Authorization": f"Bearer {bob}"})[0] == 404
    assert guarded.post_json("/mcp", ping, in_session)[0] == 401
    assert guarded.request("GET", "/mcp", headers=in_session | {"Authorization": f"Bearer {bob}"})[0] == 404
    assert guarded.request("DELETE", "/mcp", headers=in_session | {"Authorization": f"Bearer {bob}"})[0] == 404
    assert guarded.request("DELETE", "/mcp", headers=in_session | {"Authorization": f"Bearer {ada}"})[0] == 204


def test_keys_come_from_the_issuer_once_and_outlive_it(make_gantry):
    issuer = Issuer()
    try:
        server = make_gantry(**issuer.settings()).start()
        assert issuer.asked == 0
        results = []
        tokens = [issuer.token(sub=f"user{n}") for n in range(30)]
        threads = [threading.Thread(target=lambda t=t: results.append(mcp(server, bearer(t))[0])) for t in tokens]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == [200] * 30
        assert issuer.asked == 1
        began = time.monotonic()
        for n in range(20):
            assert mcp(server, bearer(issuer.token(headers={"kid": f"unknown{n}"})))[0] == 401
        most = 2 + (time.monotonic() - began) // 30
        assert issuer.asked <= most, "unknown keys make no two requests within half a minute"
        issuer.document = b""
        assert mcp(server, bearer(issuer.token(sub="later")))[0] == 200
    finally:
        issuer.close()
    assert mcp(server, bearer(issuer.token(sub="much later")))[0] == 200


def test_without_keys_nobody_is_refused_for_good(make_gantry):
    issuer = Issuer()
    issuer.document = b""
    server = make_gantry(**issuer.settings()).start()
    status, headers, _ = mcp(server, bearer(issuer.token()))
    issuer.close()
    assert status == 503
    assert headers["WWW-Authenticate"] is None
    assert headers["Retry-After"]


@pytest.mark.parametrize("form", ["text", "escaped", "file"])
def test_a_key_in_pem_form(make_gantry, issuer, tmp_path, form):
    text = pem(issuer.ec).decode()
    path = tmp_path / "key.pem"
    path.write_text(text)
    value = {"text": text, "escaped": text.replace("\n", "\\n"), "file": str(path)}[form]
    server = make_gantry(JWT_PUBLIC_KEY=value, JWT_ISSUER=issuer.name, JWT_AUDIENCE=AUDIENCE).start()
    assert mcp(server, bearer(issuer.token("ES256")))[0] == 200
    assert mcp(server, bearer(issuer.token("RS256")))[0] == 401


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"JWT_PUBLIC_KEY": "nonsense"}, ["JWT_ISSUER", "Set it too"]),
        ({"JWT_PUBLIC_KEY": "nonsense", "JWT_ISSUER": "x"}, ["JWT_PUBLIC_KEY", "neither a key in PEM form"]),
        ({"JWT_JWKS_URL": "http://keys.example/x", "JWT_ISSUER": "x"}, ["JWT_JWKS_URL", "https"]),
        ({"JWT_JWKS_URL": "https://a.example", "JWT_PUBLIC_KEY": "x", "JWT_ISSUER": "x"}, ["JWT_PUBLIC_KEY", "not both"]),
        ({"JWT_ISSUER": "x"}, ["JWT_ISSUER", "no effect"]),
        ({"GANTRY_HOST": "0.0.0.0"}, ["GANTRY_HOST", "without authentication"]),
        ({"GANTRY_AUTH": "maybe"}, ["GANTRY_AUTH", "auto or required"]),
        ({"GANTRY_POLICY": "/nowhere.yaml"}, ["GANTRY_POLICY", "no such file"]),
    ],
)
def test_wrong_settings_stop_the_server(make_gantry, settings, words):
    done = make_gantry(**settings).run("serve", "--port", "0")
    assert done.returncode == 78
    for word in words:
        assert word in done.stderr


def test_development_tokens_and_api_keys(make_gantry):
    server = make_gantry(GANTRY_AUTH="required")
    server.environment["GANTRY_PUBLIC_URL"] = f"http://127.0.0.1:{server.port}"
    server.start()
    assert mcp(server, [])[0] == 401
    token = server.run("token", "--name", "ada", "--role", "operator", "--scope", "knowledge:*").stdout.strip()
    assert families(mcp(server, bearer(token))[2]) == {"db", "knowledge"}
    assert mcp(server, bearer(server.run("token", "--audience", "https://other.example").stdout.strip()))[0] == 401
    made = server.run("token", "--api-key", "--name", "ci", "--role", "viewer")
    key = made.stdout.strip()
    assert key.startswith("gantry_") and key not in made.stderr
    assert "knowledge.query" in names(mcp(server, bearer(key))[2])
    assert mcp(server, bearer(key[:-1] + ("A" if key[-1] != "A" else "E")))[0] == 401
    listed = server.run("token", "--list").stdout
    assert key.split("_")[1] in listed and "valid until" in listed and key.split("_")[2] not in listed
    assert server.run("token", "--revoke", key.split("_")[1]).returncode == 0
    assert mcp(server, bearer(key))[0] == 401
    assert "revoked" in server.run("token", "--list").stdout
    for path in ("access/development-key.pem", "access/api-keys.json"):
        assert (server.log_path.parent / "data" / path).stat().st_mode & 0o777 == 0o600
    log = server.log_path.read_text()
    assert key not in log and token not in log
    assert server.run("token", "--role", "nobody").returncode == 1
    assert server.run("token", "--scope", "Everything").returncode == 2


POLICY = """
roles:
  reader:
    allow: ["k8s:read"]
  team:
    allow:
      - knowledge:read
      - permissions: ["jira:read"]
        jira_projects: [ENG]
claims:
  - claim: groups
    values: ["team-*"]
    roles: [team]
default_roles: [reader]
"""


def test_a_policy_says_who_may_what_and_changes_without_a_restart(make_gantry, issuer, tmp_path):
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    server = make_gantry(GANTRY_POLICY=str(policy), **issuer.settings()).start()
    member = issuer.token(groups=["team-a"], roles=["admin"], scope="*")
    other = issuer.token(groups=["x"], roles=["admin"], scope="*")
    assert families(mcp(server, bearer(member))[2]) == {"db", "jira", "knowledge"}
    assert families(mcp(server, bearer(other))[2]) == {"k8s"}

    def backlog(project):
        body = call(server, member, "jira.retrieve_backlog", {"project_key": project})[2]
        return json.loads(body)["result"].get("_meta", {}).get("dev.gantry/error", {}).get("code")

    assert backlog("ENG") != "forbidden"
    assert backlog("HR") == "forbidden"

    policy.write_text(POLICY.replace("jira:read", "jira:rubbish"))
    time.sleep(1.1)
    assert families(mcp(server, bearer(member))[2]) == {"db", "jira", "knowledge"}
    refused = [entry for entry in server.log() if "policy refused" in json.dumps(entry)]
    assert len(refused) == 1 and "line 8" in json.dumps(refused) and "jira:rubbish" in json.dumps(refused)

    policy.write_text(POLICY.replace("[reader]", "[team]"))
    time.sleep(1.1)
    assert families(mcp(server, bearer(other))[2]) == {"db", "jira", "knowledge"}


def test_read_only_is_over_every_policy(make_gantry, issuer):
    server = make_gantry(GANTRY_READ_ONLY="true", **issuer.settings()).start()
    token = issuer.token(scope="*", roles=["admin"])
    upload = server.request("POST", "/rag/upload", b"", {"Authorization": f"Bearer {token}"})
    assert upload[0] == 403


def test_explanations(make_gantry, tmp_path):
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    server = make_gantry(GANTRY_POLICY=str(policy))
    explain = ["policy", "explain", "--as", "ada", "--claims", '{"groups": ["team-a"]}', "jira.retrieve_backlog"]
    yes = server.run(*explain, '{"project_key": "ENG"}')
    assert yes.returncode == 0, yes.stderr
    assert "the role team (line 8)" in yes.stdout and yes.stdout.strip().endswith("Allowed.")
    no = server.run(*explain, '{"project_key": "HR"}')
    assert no.returncode == 1
    assert "out of reach" in no.stdout and "Refused." in no.stdout
    assert "Allowed." in server.run("policy", "explain", "--as", "local", "knowledge.query").stdout
    assert server.run("policy", "explain", "--as", "ada", "no.tool").returncode == 1
    assert server.run("policy", "check", str(policy)).returncode == 0
    policy.write_text("roles:\n  a:\n    allow: [x]\n")
    checked = server.run("policy", "check", str(policy))
    assert checked.returncode == 78 and "line 3" in checked.stderr


def read_to_end(server, method, body, headers):
    """The whole answer of a request whose stream the server ends."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request(method, "/mcp", body, headers)
        response = connection.getresponse()
        return response.status, response.headers["Content-Type"], response.read()
    finally:
        connection.close()


def test_open_streams_end_with_the_token_that_opened_them(guarded, issuer):
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    hello = {
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    }
    status, answer, _ = guarded.post_json("/mcp", hello, headers | {"Authorization": f"Bearer {issuer.token()}"})
    assert status == 200
    session = {"Mcp-Session-Id": answer["Mcp-Session-Id"], "MCP-Protocol-Version": "2025-11-25"}
    # Tokens are taken for a minute longer than they say, because clocks differ.
    now = int(time.time())
    short = {"Authorization": f"Bearer {issuer.token(iat=now - 600, exp=now - 56)}"}
    status, kind, _ = read_to_end(guarded, "GET", None, headers | session | short)
    assert (status, kind) == (200, "text/event-stream")
    assert guarded.request("GET", "/mcp", headers=headers | session | short)[0] == 401
    # The session goes on with a new token.
    ping = json.dumps({"jsonrpc": "2.0", "id": 2, "method": "ping"}).encode()
    fresh = {"Authorization": f"Bearer {issuer.token()}"}
    assert guarded.request("POST", "/mcp", ping, headers | session | fresh)[0] == 200

    now = int(time.time())
    short = {"Authorization": f"Bearer {issuer.token(iat=now - 600, exp=now - 56)}"}
    listen = {
        "jsonrpc": "2.0", "id": 3, "method": "subscriptions/listen",
        "params": {"notifications": {"toolsListChanged": True}, "_meta": META},
    }
    status, kind, body = read_to_end(
        guarded, "POST", json.dumps(listen), MODERN | {"Mcp-Method": "subscriptions/listen"} | short
    )
    assert (status, kind) == (200, "text/event-stream"), body
