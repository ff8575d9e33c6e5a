"""Limits are those of all replicas together."""

import json

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
