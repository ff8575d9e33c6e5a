"""Limits are those of all replicas together."""

import http.client
import json
import socket
import threading

from processes import until

MANIFEST = {"app_name": "web-shop", "image": "nginx:1.27", "container_port": 8080}


def calls(server, count):
    return [server.post_json("/tools/k8s.generate_manifest", MANIFEST) for _ in range(count)]


def test_a_principal_gets_from_three_replicas_what_one_would_give(make_cluster):
    cluster = make_cluster(LIMITS_PRINCIPAL="0.001/s burst=7")
    answers = calls(cluster, 15)
    assert [status for status, _, _ in answers] == [200] * 7 + [429] * 8
    for _, headers, answer in answers[7:]:
        error = answer["error"]
        assert error["code"] == "rate_limited" and error["retryable"] is True
        assert error["details"] == {"limit": "principal.rate"}
        assert 0 < error["retry_after_ms"] <= 1_000_000
        assert int(headers["Retry-After"]) * 1000 >= error["retry_after_ms"]
    assert min(cluster.proxy.served.values()) >= 4
    # What tells how the server is has no limits.
    for path in ("/health", "/livez", "/readyz"):
        assert {cluster.request("GET", path)[0] for _ in range(6)} == {200}


def test_what_is_refused_by_one_limit_costs_nothing_of_another(make_cluster):
    cluster = make_cluster(LIMITS_TOOLS="k8s.generate_manifest: 4/day", LIMITS_TOTAL="6/day")
    answers = calls(cluster, 9)
    assert [status for status, _, _ in answers] == [200] * 4 + [429] * 5
    assert {answer["error"]["details"]["limit"] for _, _, answer in answers[4:]} == {"tool.daily"}
    others = [cluster.post_json("/tools/knowledge.list_documents", {"limit": 1}) for _ in range(4)]
    assert [status for status, _, _ in others] == [200] * 2 + [429] * 2
    assert others[-1][2]["error"]["details"] == {"limit": "total.daily"}
    assert json.loads(cluster.request("GET", "/readyz")[2])["status"] == "ready"


def test_what_hangs_upstream_leaves_room_for_everything_else(make_cluster):
    """Jira is a listener here that never answers: as many calls as may hang do, and the next is refused at once."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as jira:
        cluster = make_cluster(
            JIRA_URL=f"http://127.0.0.1:{jira.getsockname()[1]}", LIMITS_TOOLS="jira.retrieve_backlog: concurrent=4"
        )
        ended = []

        def call():
            body = json.dumps({"project_key": "ENG"})
            headers = {"Content-Type": "application/json"}
            try:
                status, _, answer = cluster.request("POST", "/tools/jira.retrieve_backlog", body, headers, timeout=90)
            except (OSError, http.client.HTTPException):
                return  # The replica was killed at the end of the test.
            ended.append((status, json.loads(answer)["error"]))

        calls = [threading.Thread(target=call) for _ in range(9)]
        for thread in calls:
            thread.start()
        until(lambda: len(ended) == 5, "five calls are refused")
        for status, error in ended:
            assert status == 503
            assert error["code"] == "overloaded" and error["retry_after_ms"] == 250
            assert error["details"] == {"limit": "tool.concurrent"}
        assert {cluster.post_json("/tools/k8s.generate_manifest", MANIFEST)[0] for _ in range(6)} == {200}
        assert {cluster.request("GET", path)[0] for path in ("/health", "/readyz") for _ in range(3)} == {200}
        assert len(ended) == 5
        for replica in cluster.replicas:
            replica.kill()
        for thread in calls:
            thread.join(90)
        assert len(ended) == 5
