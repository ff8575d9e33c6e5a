"""Lists and calls the tools with the official SDK."""

import json

import pytest

QUERY = "knowledge.query"
MANIFEST = "k8s.generate_manifest"
BACKLOG = "jira.retrieve_backlog"
WRITING = {
    "knowledge.add_document",
    "knowledge.delete_document",
    "knowledge.feedback",
    "work.claim",
    "work.renew",
    "work.release",
    "work.handoff",
}
LATEST = "2026-07-28"


def error_of(raised):
    """The JSON-RPC error behind an exception of either SDK, which may come wrapped in exception groups."""
    error = raised.value
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error.error


def text_of(result):
    return "".join(block["text"] for block in result["content"] if block["type"] == "text")


def test_connects(connection):
    async def body(session):
        return session.protocol_version, session.server_name

    version, name = connection(body)
    assert name == "gantry"
    assert version == (LATEST if connection.era == LATEST else "2025-11-25")


def test_lists_the_three_tools(connection):
    async def body(session):
        return await session.tools()

    tools = {tool["name"]: tool for tool in connection(body)}
    assert set(tools) >= {BACKLOG, MANIFEST, QUERY}
    for tool in tools.values():
        assert len(tool["description"]) > 100
        assert tool["inputSchema"]["type"] == "object"
        assert tool["outputSchema"]["type"] == "object"
        assert tool["annotations"]["readOnlyHint"] is (tool["name"] not in WRITING)
        assert ("idempotency_key" in tool["inputSchema"]["properties"]) is (tool["name"] in WRITING)
        for name, schema in tool["inputSchema"]["properties"].items():
            assert schema.get("description"), f"{tool['name']}: {name} has no description"
    assert set(tools[MANIFEST]["inputSchema"]["required"]) == {"app_name", "image", "container_port"}
    assert tools[QUERY]["inputSchema"]["properties"]["top_k"] | {"description": ""} == {
        "type": "integer",
        "minimum": 1,
        "maximum": 50,
        "default": 3,
        "description": "",
    }
    assert tools[BACKLOG]["inputSchema"]["required"] == ["project_key"]


def test_queries_the_knowledge_base(connection):
    async def body(session):
        return await session.call(QUERY, {"query": "How often does the zephyr pump need oil?", "top_k": 2})

    result = connection(body)
    assert not result.get("isError"), text_of(result)
    answer = result["structuredContent"]
    assert json.loads(text_of(result)) == answer
    chunks = answer["chunks"]
    assert 1 <= len(chunks) <= 2
    assert "500 hours" in chunks[0]["text"]
    assert chunks[0]["source"].endswith("pump.md")
    assert chunks[0]["title"] == "Vacuum pump manual"
    assert chunks[0]["heading_path"][-1] == "Changing the oil"
    assert chunks[0]["score"] > 0
    assert chunks[0]["indexed_at"].endswith("Z")


def test_says_so_when_nothing_is_relevant(connection):
    async def body(session):
        return await session.call(QUERY, {"query": "quarterly revenue of the Lisbon opera house"})

    result = connection(body)
    assert not result.get("isError"), text_of(result)
    assert result["structuredContent"]["chunks"] == []


def test_generates_a_manifest(connection):
    async def body(session):
        return await session.call(MANIFEST, {"app_name": "web-shop", "image": "nginx:1.27", "container_port": 8080})

    result = connection(body)
    assert not result.get("isError"), text_of(result)
    manifest = result["structuredContent"]["manifest"]
    assert "name: web-shop-deployment" in manifest
    assert "name: web-shop-service" in manifest
    assert "targetPort: 8080" in manifest


def test_reads_a_backlog(connection):
    async def body(session):
        return await session.call(BACKLOG, {"project_key": "ENG", "max_results": 3})

    result = connection(body)
    assert not result.get("isError"), text_of(result)
    issues = result["structuredContent"]["issues"]
    assert len(issues) == 3
    for issue in issues:
        assert issue["key"].startswith("ENG-")
        assert issue["status"] == "To Do"
        assert issue["summary"]
        assert issue["priority"]
        assert issue["url"].endswith(issue["key"])
        assert "assignee" in issue or issue.get("assignee") is None


def test_names_both_mistakes(connection):
    async def body(session):
        return await session.call(
            MANIFEST, {"app_name": "Web Shop", "image": "nginx:1.27", "container_port": 0, "replicas": 3}
        )

    result = connection(body)
    assert result["isError"] is True
    assert "/app_name" in text_of(result) and "/container_port" in text_of(result)
    error = result["_meta"]["dev.gantry/error"]
    assert error["code"] == "invalid_arguments"
    assert error["error_type"] == "validation"
    assert error["retryable"] is False
    assert {mistake["pointer"] for mistake in error["errors"]} == {"/app_name", "/container_port"}


def test_a_failed_tool_says_what_to_do(connection):
    async def body(session):
        return await session.call(BACKLOG, {"project_key": "NOSUCH"})

    result = connection(body)
    assert result["isError"] is True
    error = result["_meta"]["dev.gantry/error"]
    assert error["code"] == "not_found"
    assert error["suggested_action"]


def test_an_unknown_tool_is_a_protocol_error(connection):
    async def body(session):
        return await session.call("knowledge.quary", {"query": "x"})

    with pytest.raises(BaseException) as raised:
        connection(body)
    error = error_of(raised)
    assert error.code == -32602
    assert "knowledge.query" in error.message


def test_progress_only_moves_forward(connection):
    seen = []

    async def progress(done, total, message):
        seen.append((done, total))

    async def body(session):
        return await session.call(BACKLOG, {"project_key": "ENG", "max_results": 50}, progress)

    result = connection(body)
    assert not result.get("isError"), text_of(result)
    assert len(result["structuredContent"]["issues"]) == 50
    done = [step for step, _ in seen]
    assert done == sorted(set(done))
    assert all(total is None or step <= total for step, total in seen)


def test_calls_run_side_by_side(connection):
    import anyio

    answers = {}

    async def body(session):
        async def one(port):
            arguments = {"app_name": f"app-{port}", "image": "nginx:1.27", "container_port": port}
            answers[port] = (await session.call(MANIFEST, arguments))["structuredContent"]["manifest"]

        async with anyio.create_task_group() as group:
            for port in range(2000, 2020):
                group.start_soon(one, port)

    connection(body)
    assert len(answers) == 20
    for port, manifest in answers.items():
        assert f"targetPort: {port}" in manifest
