"""Replicas of Gantry look like one server: what one of them began another goes on with, and none of them is needed."""

import json
import uuid

from processes import until
from wire import Legacy, Modern
from writers import Writers


def document(name, text="The first version."):
    return {"document_id": name, "title": name, "text": f"# {name}\n\n{text}"}


def add(cluster, name, text="The first version.", **more):
    status, _, answer = cluster.post_json("/tools/knowledge.add_document", document(name, text) | more)
    assert status == 200, answer
    return answer


def unique(name):
    return f"{name}/{uuid.uuid4().hex}"


def test_each_request_goes_to_another_replica_and_all_answer_the_same(cluster):
    name = unique("shared")
    add(cluster, name)
    answers = [cluster.request("GET", f"/rag/documents/{name.replace('/', '%2F')}")[2] for _ in range(6)]
    assert len(set(answers)) == 1 and name in answers[0].decode()
    assert min(cluster.proxy.served.values()) >= 2
    assert json.loads(cluster.request("GET", "/readyz")[2]) == {"status": "ready", "reasons": []}
    assert json.loads(cluster.request("GET", "/health")[2])["shared_state"] == {"mode": "redis"}


def test_a_session_lives_on_all_replicas(cluster):
    name = unique("watched")
    added = add(cluster, name)
    with Legacy(cluster) as session:
        assert len({json.dumps(session.tools(), sort_keys=True) for _ in range(3)}) == 1
        session.request("resources/subscribe", {"uri": added["uri"]})
        with session.own_stream() as stream:
            # Each of the changes is made by another replica.
            for version in range(3):
                add(cluster, name, f"Version {version} of the text.", replace=True)
                while (message := session.next_message(stream))["method"] != "notifications/resources/updated":
                    pass
                assert message["params"] == {"uri": added["uri"]}
        # The question comes on the stream of one replica, its answer goes to another.
        reply = session.call(
            "knowledge.delete_document",
            {"document_id": name},
            answers={"elicitation/create": {"action": "accept", "content": {"confirm": True}}},
        )
        assert reply.requests and reply.result["structuredContent"]["deleted"] is True
    assert cluster.request("GET", f"/rag/documents/{name.replace('/', '%2F')}")[0] == 404


def test_a_question_of_one_replica_is_answered_to_another(cluster):
    name = unique("asked")
    add(cluster, name)
    client = Modern(cluster)
    first = client.call("knowledge.delete_document", {"document_id": name})
    assert first.result["resultType"] == "input_required"
    [(key, question)] = first.result["inputRequests"].items()
    assert name in question["params"]["message"]
    answer = {"inputResponses": {key: {"action": "accept", "content": {"confirm": True}}}}
    # None of them has seen the question, and all take the answer.
    for expected in (True, None):
        more = answer | {"requestState": first.result["requestState"]}
        reply = client.call("knowledge.delete_document", {"document_id": name}, more=more)
        assert reply.failed if expected is None else reply.result["structuredContent"]["deleted"] is expected


def test_a_subscription_hears_of_changes_on_all_replicas(cluster):
    name = unique("heard")
    added = add(cluster, name)
    client = Modern(cluster)
    with client.listen(resourceSubscriptions=[added["uri"]]) as stream:
        for version in range(3):
            add(cluster, name, f"Version {version} of the text.", replace=True)
            message = client.next_message(stream)
            assert message["method"] == "notifications/resources/updated"
            assert message["params"]["uri"] == added["uri"]


def test_without_postgresql_everything_else_goes_on(make_cluster, stores):
    cluster = make_cluster(count=2)
    manifest = {"app_name": "web-shop", "image": "nginx:1.27", "container_port": 8080}
    assert cluster.post_json("/rag/query", {"query": "anything"})[0] == 200
    stores["postgres"].do("kill")
    try:
        for _ in range(2):
            status, _, answer = cluster.post_json("/rag/query", {"query": "anything else"})
            assert status == 503
            assert answer["error"]["code"] == "upstream_unavailable" and answer["error"]["retryable"] is True
            assert cluster.post_json("/tools/k8s.generate_manifest", manifest)[0] == 200
            status, _, body = cluster.request("GET", "/readyz")
            assert status == 200 and json.loads(body)["status"] == "degraded"
            status, _, body = cluster.request("GET", "/health")
            assert status == 200 and json.loads(body)["knowledge"]["mode"] == "unavailable"
    finally:
        stores["postgres"].do("resume")
    for _ in range(2):
        until(lambda: cluster.post_json("/rag/query", {"query": "anything"})[0] == 200, "PostgreSQL is back", 60)
    until(lambda: json.loads(cluster.request("GET", "/readyz")[2])["status"] == "ready", "all are ready", 60)


class DocumentWriters(Writers):
    """Each write adds a document. The answer is the outcome: "added", or "unchanged"."""

    def write(self, name):
        headers = {"Content-Type": "application/json"}
        reply = self.post("/tools/knowledge.add_document", json.dumps(document(name, text_of(name))), headers)
        if reply is None:
            return None
        status, answer = reply[0], json.loads(reply[1])
        return answer["outcome"] if status == 200 else self.fail(f"{status} {answer['error']['code']}")


def text_of(name):
    return f"This is what was written as {name}."


def test_each_replica_is_killed_under_load_and_nothing_acknowledged_is_lost(cluster):
    prefix = unique("load")
    with DocumentWriters(cluster.port, prefix) as writers:
        for replica in cluster.replicas:
            writers.progress(20)
            replica.kill()
            writers.progress(20)
            replica.start()
        writers.progress(20)
    # What broke off was asked for again, and nobody was told anything else.
    assert set(writers.failures) <= {"RemoteDisconnected", "ConnectionResetError", "BadStatusLine", "IncompleteRead"}
    # A write that was done before it could be acknowledged was not done again.
    assert {outcome for outcome, _ in writers.answers.values()} <= {"added", "unchanged"}
    assert all(attempts > 1 for outcome, attempts in writers.answers.values() if outcome == "unchanged")
    stored = {}
    cursor = ""
    while cursor is not None:
        page = json.loads(cluster.request("GET", f"/rag/documents?limit=100{cursor}")[2])
        for entry in page["documents"]:
            if entry["document_id"].startswith(prefix):
                assert entry["document_id"] not in stored
                stored[entry["document_id"]] = entry
        cursor = f"&cursor={page['next_cursor']}" if page.get("next_cursor") else None
    assert stored.keys() == writers.answers.keys()
    for name in list(writers.answers)[:: max(1, len(writers.answers) // 50)]:
        whole = cluster.request("GET", f"/rag/documents/{name.replace('/', '%2F')}")[2].decode()
        assert text_of(name) in whole
