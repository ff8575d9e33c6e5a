"""Whether a message of the server is one that its revision of the protocol allows.

The shapes come from the models of the official SDK (mcp-types). Where the models are more tolerant than the
specification, or know nothing of it (the Tasks extension), the rules are here.
"""

import json
from datetime import datetime
from functools import cache
from typing import get_args

from mcp_types import methods
from pydantic import TypeAdapter, ValidationError

LATEST = "2026-07-28"
REVISIONS = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", LATEST]
LEGACY = REVISIONS[:-1]

TASKS = "io.modelcontextprotocol/tasks"
SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"
RELATED_TASK = "io.modelcontextprotocol/related-task"

TASK_METHODS = {"tasks/get", "tasks/update", "tasks/cancel"}
TASK_STATES = {"working", "input_required", "completed", "failed", "cancelled"}
# What the 2025-11-25 tasks called things. None of it may survive in the extension.
OLD_TASK_KEYS = {"task", "ttl", "pollInterval", "requestState"}


@cache
def _adapter(model):
    return TypeAdapter(model)


def _matches(model, value):
    """Fails unless a value matches a model as it is: no numbers in strings, no Python names for fields."""
    try:
        _adapter(model).validate_json(json.dumps(value), strict=True, by_alias=True, by_name=False)
    except ValidationError as error:
        raise AssertionError(f"not a valid {getattr(model, '__name__', model)}: {value}\n{error}") from None


def is_id(value):
    return isinstance(value, (str, int)) and not isinstance(value, bool)


def check_message(revision, method, message):
    """Fails unless the server may send this message. For a response, method is the method of the request, if known."""
    assert isinstance(message, dict), f"not an object: {message!r}"
    assert message.get("jsonrpc") == "2.0", message
    assert not message.keys() - {"jsonrpc", "id", "method", "params", "result", "error"}, message
    kinds = message.keys() & {"method", "result", "error"}
    assert len(kinds) == 1, f"not exactly one of method, result and error: {message}"
    if "id" in message:
        assert is_id(message["id"]), f"the id must be a string or an integer: {message}"
    if "error" in message:
        _check_error(revision, message["error"])
    elif "result" in message:
        assert "id" in message, message
        assert method, f"the answer to no known request: {message}"
        _check_result(revision, method, message["result"])
    elif "id" in message:
        model = methods.SERVER_REQUESTS.get((message["method"], revision))
        assert model, f"a server must not send {message['method']} requests at {revision}"
        _matches(model, message)
    elif message["method"] == "notifications/tasks":
        assert revision == LATEST, message
        check_task(message["params"])
    else:
        model = methods.SERVER_NOTIFICATIONS.get((message["method"], revision))
        assert model, f"a server must not send {message['method']} notifications at {revision}"
        _matches(model, message)


def _check_error(revision, error):
    assert isinstance(error, dict) and not error.keys() - {"code", "message", "data"}, error
    code = error["code"]
    assert isinstance(code, int) and not isinstance(code, bool), error
    assert isinstance(error["message"], str) and error["message"], error
    if revision != LATEST:
        assert code != -32042 or revision == "2025-11-25", error
        return
    assert code not in (-32002, -32042), f"a code of the older revisions: {error}"
    assert not -32099 <= code <= -32020 or code in (-32020, -32021, -32022), f"an invented code: {error}"
    if code == -32021:
        assert isinstance(error["data"]["requiredCapabilities"], dict), error
    if code == -32022:
        supported = error["data"]["supported"]
        assert supported and all(isinstance(version, str) for version in supported), error
        assert isinstance(error["data"]["requested"], str), error


def _check_result(revision, method, result):
    assert isinstance(result, dict), result
    if method in TASK_METHODS:
        assert revision == LATEST, f"{method} is not part of {revision}"
        _check_task_result(method, result)
        return
    model = methods.SERVER_RESULTS.get((method, revision))
    assert model, f"{method} must not be answered with a result at {revision}: {result}"
    if revision == LATEST:
        kind = result.get("resultType")
        if kind == "task":
            assert method == "tools/call", f"only tool calls become tasks, not {method}"
            check_created_task(result)
            return
        assert kind in ("complete", "input_required"), f"unknown resultType: {result}"
        arms = get_args(model)
        if kind == "input_required":
            assert arms, f"{method} must not ask for input"
            assert result.keys() & {"inputRequests", "requestState"}, result
            assert not result.keys() & {"ttlMs", "cacheScope"}, result
            model = arms[1]
        elif arms:
            model = arms[0]
    _matches(model, result)


def check_task(task):
    """Fails unless this is a whole task: what tasks/get answers, and what notifications/tasks carries."""
    check_task_fields(task)
    outcome = {"completed": "result", "failed": "error", "input_required": "inputRequests"}.get(task["status"])
    present = task.keys() & {"result", "error", "inputRequests"}
    assert present == ({outcome} if outcome else set()), task
    if outcome == "result":
        assert RELATED_TASK not in task["result"].get("_meta", {}), task
        _check_result(LATEST, "tools/call", {"resultType": "complete"} | task["result"])
        assert task["result"].get("resultType", "complete") == "complete", task
    if outcome == "error":
        _check_error(LATEST, task["error"])
    if outcome == "inputRequests":
        assert task["inputRequests"], task
        required = {"resultType": "input_required", "inputRequests": task["inputRequests"]}
        _check_result(LATEST, "tools/call", required)


def check_task_fields(task):
    assert not task.keys() & OLD_TASK_KEYS, task
    assert isinstance(task["taskId"], str) and len(task["taskId"]) >= 16, f"an id that can be guessed: {task}"
    assert task["status"] in TASK_STATES, task
    created, updated = (datetime.fromisoformat(task[key]) for key in ("createdAt", "lastUpdatedAt"))
    assert created.tzinfo and updated.tzinfo and created <= updated, task
    assert task["ttlMs"] is None or _is_positive(task["ttlMs"]), task
    assert "pollIntervalMs" not in task or _is_positive(task["pollIntervalMs"]), task
    assert isinstance(task.get("statusMessage", ""), str), task
    assert RELATED_TASK not in task.get("_meta", {}), task


def check_created_task(result):
    """Fails unless this is the flat CreateTaskResult, which carries no outcome yet."""
    check_task_fields(result)
    assert not result.keys() & {"result", "error", "inputRequests"}, result
    # The conformance suite reads a CreateTaskResult as a CallToolResult, and that needs content.
    assert result.get("content") == [], result


def _check_task_result(method, result):
    assert result.get("resultType") == "complete", result
    if method == "tasks/get":
        check_task(result)
    else:
        assert not result.keys() - {"resultType", "_meta"}, f"more than an acknowledgement: {result}"


def _is_positive(value):
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
