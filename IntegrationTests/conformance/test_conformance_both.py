"""The scenarios that the conformance suite runs on both wires: each test runs at 2025-11-25 and at 2026-07-28."""

import base64
import json
import re
from concurrent.futures import ThreadPoolExecutor

import jsonschema
import pytest
from messages import LATEST
from wire import text_of

PERSON_SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}
FIXTURES = {
    "test_simple_text",
    "test_image_content",
    "test_audio_content",
    "test_embedded_resource",
    "test_multiple_content_types",
    "test_error_handling",
    "test_tool_with_progress",
    "json_schema_2020_12_tool",
    "test_hang",
    "test_cancel_count",
    "test_update_resource",
    "test_url_elicitation",
    "test_sampling_with_tools",
    "test_elicitation",
    "test_steps",
}


def is_filled_base64(text):
    return len(base64.b64decode(text, validate=True)) > 0


def test_lists_tools_that_can_be_called(client):
    listed = client.all_of("tools/list", "tools")
    names = [tool["name"] for tool in listed]
    assert len(names) == len(set(names))
    assert FIXTURES <= set(names)
    for tool in listed:
        assert re.fullmatch(r"[A-Za-z0-9_./-]{1,64}", tool["name"])
        assert tool["description"]
        assert tool["inputSchema"]["type"] == "object"


def test_the_first_tool_works_without_arguments(client):
    assert client.all_of("tools/list", "tools")[0]["name"] == "test_simple_text"
    assert not client.call("test_simple_text", {}).failed


def test_tools_are_listed_in_the_same_order_every_time(client):
    assert client.all_of("tools/list", "tools") == client.all_of("tools/list", "tools")


@pytest.mark.parametrize("arguments", [None, {}], ids=["absent", "empty"])
def test_answers_text(client, arguments):
    content = client.call("test_simple_text", arguments).result["content"]
    assert content == [{"type": "text", "text": "This is a simple text response for testing."}]


def test_answers_an_image(client):
    [block] = client.call("test_image_content").result["content"]
    assert block["type"] == "image" and block["mimeType"] == "image/png" and is_filled_base64(block["data"])


def test_answers_audio(client):
    [block] = client.call("test_audio_content").result["content"]
    assert block["type"] == "audio" and block["mimeType"] == "audio/wav" and is_filled_base64(block["data"])


def test_answers_an_embedded_resource(client):
    [block] = client.call("test_embedded_resource").result["content"]
    assert block["type"] == "resource"
    assert block["resource"] == {
        "uri": "test://embedded-resource",
        "mimeType": "text/plain",
        "text": "This is an embedded resource content.",
    }


def test_answers_several_types_of_content(client):
    text, image, resource = client.call("test_multiple_content_types").result["content"]
    assert text["type"] == "text" and text["text"] == "Multiple content types test:"
    assert image["type"] == "image" and image["mimeType"] == "image/png" and is_filled_base64(image["data"])
    assert resource["resource"]["uri"] == "test://mixed-content-resource"
    assert resource["resource"]["mimeType"] == "application/json"
    assert json.loads(resource["resource"]["text"]) == {"test": "data", "value": 123}


def test_a_tool_that_throws_answers_a_failed_result(client):
    result = client.call("test_error_handling").result
    assert result["isError"] is True
    assert text_of(result) == "This tool intentionally returns an error for testing"


@pytest.mark.parametrize("token", ["progress-1", 7], ids=["string", "integer"])
def test_progress_comes_before_the_result(client, token):
    reply = client.call("test_tool_with_progress", token=token)
    assert reply.result["content"][0]["type"] == "text"
    progress = reply.notified("notifications/progress")
    assert [(step["progress"], step["total"]) for step in progress] == [(0, 100), (50, 100), (100, 100)]
    assert all(step["progressToken"] == token and type(step["progressToken"]) is type(token) for step in progress)


def test_lists_resources(client):
    resources = client.all_of("resources/list", "resources")
    assert {"test://static-text", "test://static-binary", "test://watched-resource"} <= {
        resource["uri"] for resource in resources
    }
    assert all(resource["name"] for resource in resources)


def test_every_listed_resource_can_be_read(client):
    for resource in client.all_of("resources/list", "resources"):
        contents = client.request("resources/read", {"uri": resource["uri"]}).result["contents"]
        assert contents, resource


def test_reads_text(client):
    assert client.request("resources/read", {"uri": "test://static-text"}).result["contents"] == [
        {
            "uri": "test://static-text",
            "mimeType": "text/plain",
            "text": "This is the content of the static text resource.",
        }
    ]


def test_reads_binary_data(client):
    [content] = client.request("resources/read", {"uri": "test://static-binary"}).result["contents"]
    assert content["uri"] == "test://static-binary" and content["mimeType"] == "image/png"
    assert "text" not in content and is_filled_base64(content["blob"])


def test_reads_a_resource_of_a_template(client):
    templates = client.all_of("resources/templates/list", "resourceTemplates")
    assert "test://template/{id}/data" in {template["uriTemplate"] for template in templates}
    [content] = client.request("resources/read", {"uri": "test://template/123/data"}).result["contents"]
    assert content["uri"] == "test://template/123/data" and content["mimeType"] == "application/json"
    assert json.loads(content["text"]) == {"id": "123", "templateTest": True, "data": "Data for ID: 123"}


def test_lists_prompts(client):
    prompts = {prompt["name"]: prompt for prompt in client.all_of("prompts/list", "prompts")}
    assert all(prompt["description"] for prompt in prompts.values())
    arguments = prompts["test_prompt_with_arguments"]["arguments"]
    assert [(argument["name"], argument["required"]) for argument in arguments] == [("arg1", True), ("arg2", True)]


def test_gets_a_simple_prompt(client):
    messages = client.request("prompts/get", {"name": "test_simple_prompt"}).result["messages"]
    text = {"type": "text", "text": "This is a simple prompt for testing."}
    assert messages == [{"role": "user", "content": text}]


def test_gets_a_prompt_with_arguments(client):
    params = {"name": "test_prompt_with_arguments", "arguments": {"arg1": "hello", "arg2": "wörld"}}
    [message] = client.request("prompts/get", params).result["messages"]
    assert message["content"]["text"] == "Prompt with arguments: arg1='hello', arg2='wörld'"


@pytest.mark.parametrize("arguments", [None, {}, {"arg1": "only"}], ids=["absent", "empty", "one of two"])
def test_a_prompt_without_its_arguments_is_refused(client, arguments):
    params = {"name": "test_prompt_with_arguments"} | ({} if arguments is None else {"arguments": arguments})
    assert client.request("prompts/get", params).error["code"] == -32602


def test_an_unknown_prompt_is_refused(client):
    assert client.request("prompts/get", {"name": "test_lost"}).error["code"] == -32602


def test_gets_a_prompt_with_an_embedded_resource(client):
    params = {"name": "test_prompt_with_embedded_resource", "arguments": {"resourceUri": "test://example"}}
    first, second = client.request("prompts/get", params).result["messages"]
    assert first["role"] == second["role"] == "user"
    assert first["content"]["type"] == "resource"
    assert first["content"]["resource"] == {
        "uri": "test://example",
        "mimeType": "text/plain",
        "text": "Embedded resource content for testing.",
    }
    assert second["content"]["text"] == "Please process the embedded resource above."


def test_gets_a_prompt_with_an_image(client):
    first, second = client.request("prompts/get", {"name": "test_prompt_with_image"}).result["messages"]
    assert first["role"] == second["role"] == "user"
    assert first["content"]["type"] == "image" and first["content"]["mimeType"] == "image/png"
    assert is_filled_base64(first["content"]["data"])
    assert second["content"]["text"] == "Please analyze the image above."


def test_completes_an_argument(client):
    params = {
        "ref": {"type": "ref/prompt", "name": "test_prompt_with_arguments"},
        "argument": {"name": "arg1", "value": "test"},
    }
    completion = client.request("completion/complete", params).result["completion"]
    assert isinstance(completion["values"], list) and len(completion["values"]) <= 100
    assert completion["total"] >= len(completion["values"])
    assert isinstance(completion["hasMore"], bool)


def test_three_requests_run_side_by_side(client):
    exchanges = [client.open("tools/list") for _ in range(3)]
    with ThreadPoolExecutor() as pool:
        replies = list(pool.map(lambda exchange: client.finish(exchange, exchange.message["id"]), exchanges))
    assert all(reply.result["tools"] for reply in replies)


def test_a_schema_keeps_every_keyword(client):
    assert client.tools()["json_schema_2020_12_tool"]["inputSchema"] == PERSON_SCHEMA


def test_every_schema_is_a_valid_schema(client):
    for tool in client.tools().values():
        for key in tool.keys() & {"inputSchema", "outputSchema"}:
            jsonschema.Draft202012Validator.check_schema(tool[key])


def test_structured_content_is_repeated_as_text_and_fits_its_schema(client):
    result = client.call("test_cancel_count").result
    assert json.loads(text_of(result)) == result["structuredContent"]
    assert isinstance(result["structuredContent"]["count"], int)
    schema = client.tools()["test_cancel_count"].get("outputSchema", {})
    jsonschema.validate(result["structuredContent"], schema)


def test_only_the_modern_wire_has_result_types_and_caching_hints(client):
    result = client.request("tools/list").result
    added = result.keys() & {"resultType", "ttlMs", "cacheScope"}
    assert added == ({"resultType", "ttlMs", "cacheScope"} if client.revision == LATEST else set())
