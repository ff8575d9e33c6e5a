"""Gantry with an OpenAI-compatible embedding service in place of its own model. The service is a stand-in, which has to
satisfy OpenAI's own client first."""

import openai
import pytest
from embedding_service import KEY, EmbeddingService


@pytest.fixture
def service():
    service = EmbeddingService().start()
    yield service
    service.stop()


@pytest.fixture
def client(service):
    return openai.OpenAI(base_url=service.url, api_key=KEY, max_retries=0)


@pytest.fixture
def manual(tmp_path):
    path = tmp_path / "pump.md"
    path.write_text("# Pumps\n\n" + "\n\n".join(f"## Part {n}\n\n{f'The zephyr part {n} is oiled monthly. ' * 12}" for n in range(30)))
    return path


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_stand_in_with_the_official_client(service, client, encoding):
    answer = client.embeddings.create(model=service.model, input=["oil the pump", "pump"], encoding_format=encoding)
    assert [entry.index for entry in answer.data] == [0, 1]
    assert answer.usage.total_tokens > 0
    again = client.embeddings.create(model=service.model, input="pump")
    vector = answer.data[1].embedding
    if encoding == "float":
        assert len(vector) == service.dimension and vector == pytest.approx(again.data[0].embedding)


def test_stand_in_refuses_as_the_service_does(service, client):
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="other", input="x")
    with pytest.raises(openai.BadRequestError):
        client.embeddings.create(model=service.model, input=[""])
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=service.url, api_key="sk-wrong").embeddings.create(model=service.model, input="x")
    service.control(status=429, headers={"Retry-After": "1"})
    with pytest.raises(openai.RateLimitError):
        client.embeddings.create(model=service.model, input="x")


def test_ingest_and_query(service, make_gantry, manual):
    gantry = make_gantry(**service.settings)
    # The first answers are late, failed and in another order; nothing of that shows.
    service.control(status=429, headers={"Retry-After": "0"})
    service.control(status=500)
    service.control(reversed=True)
    done = gantry.run("ingest", str(manual))
    assert done.returncode == 0, done.stderr
    asked = service.requests
    assert all(request["key"] == f"Bearer {KEY}" and request["texts"] <= 96 for request in asked)
    assert {request["encoding"] for request in asked} == {"base64"}
    # Nothing is asked for a document that hasn't changed.
    assert gantry.run("ingest", str(manual)).returncode == 0
    assert len(service.requests) == len(asked)

    gantry.start()
    status, _, answer = gantry.post_json("/rag/query", {"query": "zephyr part 7"})
    assert status == 200 and answer["chunks"], answer
    assert len(service.requests) == len(asked) + 1
    assert KEY not in gantry.log_path.read_text()


def test_service_without_base64(service, make_gantry, manual):
    gantry = make_gantry(**service.settings)
    service.control(floats=True)
    done = gantry.run("ingest", str(manual))
    assert done.returncode == 0, done.stderr
    assert [request["encoding"] for request in service.requests][:2] == ["base64", None]


@pytest.mark.parametrize("setting, message", [
    ({"EMBEDDINGS_API_KEY": "sk-wrong"}, "EMBEDDINGS_API_KEY"),
    ({"EMBEDDINGS_MODEL": "other"}, "EMBEDDINGS_MODEL"),
    ({"EMBEDDINGS_DIMENSION": "65"}, "set EMBEDDINGS_DIMENSION to 64"),
])
def test_doctor_says_what_is_wrong(service, make_gantry, setting, message):
    done = make_gantry(**(service.settings | setting)).run("doctor")
    assert done.returncode == 1
    assert message in done.stdout + done.stderr
    assert KEY not in done.stdout + done.stderr


def test_doctor_probes_the_service(service, make_gantry):
    done = make_gantry(**service.settings).run("doctor")
    assert f"{service.model} at {service.url}" in done.stdout, done.stdout + done.stderr
    assert len(service.requests) == 1
    assert KEY not in done.stdout + done.stderr


@pytest.mark.parametrize("setting, message", [
    ({"EMBEDDINGS_URL": "http://example.com/v1"}, "https"),
    ({"EMBEDDINGS_DIMENSION": ""}, "EMBEDDINGS_DIMENSION"),
    ({"EMBEDDINGS_MODEL": ""}, "EMBEDDINGS_MODEL"),
])
def test_wrong_settings_stop_the_server(service, make_gantry, setting, message):
    done = make_gantry(**(service.settings | setting)).run("doctor")
    assert done.returncode == 78
    assert message in done.stdout + done.stderr
