"""The knowledge base over REST and MCP: documents, resources, feedback, sources that are read again, evaluations."""

import json
import urllib.parse

import pytest
from processes import until
from test_service import upload

QUOTED = urllib.parse.quote


def get(gantry, path):
    status, _, body = gantry.request("GET", path)
    return status, json.loads(body)


def delete(gantry, path):
    status, _, body = gantry.request("DELETE", path)
    return status, json.loads(body)


def call(gantry, tool, arguments):
    status, _, answer = gantry.post_json(f"/tools/{tool}", arguments)
    return status, answer


@pytest.fixture
def server(make_gantry):
    gantry = make_gantry().start()
    status, _ = upload(
        gantry,
        ("whales.md", b"# Whales\n\nHumpback whales sing for up to twenty hours.\n"),
        ("tides.md", b"# Tides\n\nSpring tides follow the full moon.\n"),
    )
    assert status == 200
    return gantry


def test_documents_are_listed_read_and_deleted(server):
    status, first = get(server, "/rag/documents?limit=1")
    assert status == 200
    status, second = get(server, f"/rag/documents?limit=1&cursor={QUOTED(first['next_cursor'])}")
    assert [page["documents"][0]["document_id"] for page in (first, second)] == ["tides.md", "whales.md"]
    assert second["next_cursor"] is None
    assert get(server, "/rag/documents?sources=wh*")[1]["documents"][0]["title"] == "Whales"

    status, read = get(server, "/rag/documents/whales.md")
    assert status == 200
    assert "twenty hours" in read["text"] and read["next_start"] is None
    status, _, found = server.post_json("/rag/query", {"query": "How long do whales sing?"})
    assert "twenty hours" in found["chunks"][0]["text"]

    assert delete(server, "/rag/documents/whales.md?dry_run=true")[1]["deleted"] is False
    status, gone = delete(server, "/rag/documents/whales.md")
    assert status == 200 and gone["deleted"] is True
    status, error = get(server, "/rag/documents/whales.md")
    assert status == 404
    assert error["error"]["code"] == "not_found" and error["error"]["suggested_action"]
    assert delete(server, "/rag/documents/whales.md")[0] == 404
    status, _, found = server.post_json("/rag/query", {"query": "How long do whales sing?"})
    assert "twenty hours" not in json.dumps(found)


def test_wrong_parameters_are_named_as_agents_get_them(server):
    status, error = get(server, "/rag/documents?limit=many&page=2")
    assert status == 400
    assert {mistake["pointer"] for mistake in error["error"]["errors"]} == {"/limit", "/page"}
    assert get(server, "/rag/documents?cursor=v1.AAAA")[0] == 400


def test_identifiers_with_slashes_spaces_and_letters(server):
    for name in ("runbooks/a b.md", "ünï/漢.md"):
        status, answer = call(server, "knowledge.add_document", {"title": "T", "text": "Text.", "document_id": name})
        assert status == 200, answer
        assert get(server, f"/rag/documents/{QUOTED(name)}")[1]["document"]["document_id"] == name
        assert get(server, f"/rag/documents/{QUOTED(name, safe='')}")[1]["document"]["document_id"] == name


def test_read_only_servers_delete_nothing(make_gantry):
    gantry = make_gantry(GANTRY_READ_ONLY="true").start()
    assert delete(gantry, "/rag/documents/whales.md")[0] in (403, 404)
    assert call(gantry, "knowledge.add_document", {"title": "T", "text": "x"})[0] in (403, 404)


def test_metadata_is_queried_without_sql(server):
    for index in range(3):
        arguments = {"title": f"N{index}", "text": "x", "document_id": f"n{index}", "metadata": {"number": index}}
        assert call(server, "knowledge.add_document", arguments)[0] == 200
    query = {
        "where": {"and": [{"field": "metadata.number", "op": "gte", "value": 1}, {"field": "id", "op": "ne", "value": "x"}]},
        "sort": [{"field": "metadata.number", "order": "desc"}],
        "limit": 1,
    }
    status, first = call(server, "db.query_metadata", query)
    assert status == 200 and first["total_count"] == 2
    second = call(server, "db.query_metadata", query | {"cursor": first["next_cursor"]})[1]
    assert [page["documents"][0]["document_id"] for page in (first, second)] == ["n2", "n1"]
    status, error = call(server, "db.query_metadata", {"where": {"field": "id; DROP TABLE documents", "op": "eq", "value": 1}})
    assert status == 400
    assert error["error"]["errors"][0]["pointer"] == "/where/field"


def test_the_cache_answers_and_forgets_at_once_what_another_process_changes(server, tmp_path):
    question = {"query": "How long do humpback whales sing?"}
    first = server.post_json("/rag/query", question)[2]
    for wording in (question["query"], "how long do humpback whales sing", "Please tell me how long do humpback whales sing"):
        assert server.post_json("/rag/query", {"query": wording})[2]["chunks"] == first["chunks"]
    cache = get(server, "/rag/quality")[1]["cache"]
    assert cache["exact_hits"] >= 1 and cache["similar_hits"] >= 1 and cache["misses"] == 1

    (tmp_path / "whales.md").write_text("# Whales\n\nHumpback whales sing for up to thirty hours.\n")
    done = server.run("ingest", str(tmp_path / "whales.md"))
    assert done.returncode == 0, done.stderr
    texts = json.dumps(server.post_json("/rag/query", question)[2])
    assert "thirty" in texts


def test_feedback_is_counted(server):
    status, _, answer = server.post_json("/rag/query", {"query": "zucchini lasagne recipe"})
    assert status == 200
    assert server.post_json("/rag/feedback", {"query": "zucchini lasagne recipe", "verdict": "missing"})[0] == 200
    assert server.post_json("/rag/feedback", {"verdict": "missing"})[0] == 400
    quality = get(server, "/rag/quality?hours=1")[1]
    assert quality["feedback"]["missing"] == 1
    assert quality["query_count"] >= 1
    assert "1 missing" in server.run("doctor").stdout


def test_sources_are_read_again_and_their_age_is_told(make_gantry, tmp_path):
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "a.md").write_text("# Alpha\n\nThe alpha barometer hangs in the hall.\n")
    (documents / "b.md").write_text("# Beta\n\nThe beta barometer hangs in the attic.\n")
    file = tmp_path / "gantry.yaml"
    file.write_text(f"sources:\n  docs:\n    path: {documents}\n    recrawl: 10s\n    max_age: 1s\n")
    gantry = make_gantry()
    gantry.command += ["--config", str(file)]
    gantry.start()

    def ids():
        return sorted(d["document_id"].rsplit("/", 1)[1] for d in get(gantry, "/rag/documents")[1]["documents"])

    until(lambda: ids() == ["a.md", "b.md"], "both are read", 60)
    (documents / "b.md").unlink()
    until(lambda: ids() == ["a.md"], "one is gone", 60)
    until(lambda: get(gantry, "/rag/documents")[1]["documents"][0]["stale"], "the other is stale", 60)

    file.write_text("sources:\n  docs:\n    path: /x\n    max_age: soon\n    colour: red\n")
    wrong = gantry.run("doctor", "--config", str(file))
    assert wrong.returncode == 78
    for name in ("sources.docs.max_age", "sources.docs.colour", "recrawl"):
        assert name in wrong.stderr


def test_a_team_measures_its_own_questions(server, tmp_path):
    questions = tmp_path / "questions.jsonl"
    questions.write_text(
        json.dumps({"question": "How long do whales sing?", "relevant": ["whales.md"]})
        + "\n"
        + json.dumps({"question": "When are spring tides?", "relevant": ["tid*"], "id": "tides"})
        + "\n"
    )
    before, after, page = (str(tmp_path / name) for name in ("before.json", "after.json", "report.html"))
    done = server.run("eval", "--questions", str(questions), "--json", before, "--html", page)
    assert done.returncode == 0, done.stderr
    assert "ndcg@10" in done.stdout
    record = json.loads(open(before).read())
    assert record["metrics"]["ndcg@10"] == 1.0 and len(record["questions"]) == 2
    html = open(page).read()
    assert "<svg" in html and "http" not in html.replace("http-equiv", "")
    assert delete(server, "/rag/documents/whales.md")[0] == 200
    assert server.run("eval", "--questions", str(questions), "--json", after).returncode == 0
    done = server.run("eval", "--compare", before, after, "--html", page)
    assert done.returncode == 0, done.stderr
    assert "-0.5000" in done.stdout and "2 questions in common" in done.stdout
    assert server.run("eval", "--compare", before).returncode == 2
    assert server.run("eval", "--compare", before, str(questions)).returncode == 1
