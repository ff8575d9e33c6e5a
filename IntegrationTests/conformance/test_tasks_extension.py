"""The Tasks extension at 2026-07-28: the scenarios tasks-*, and limits, notifications and answers beyond them."""

import time

import pytest
from messages import SUBSCRIPTION, TASKS
from wire import WAIT, Modern

WITH_TASKS = Modern.CAPABILITIES | {"extensions": {TASKS: {}}}
FINAL = {"completed", "failed", "cancelled"}
METHODS = ["tasks/get", "tasks/update", "tasks/cancel"]


@pytest.fixture
def tasks(everything):
    return Modern(everything, WITH_TASKS)


def start(client, name, arguments=None, **options):
    """Calls a tool that becomes a task, and returns the task."""
    result = client.call(name, arguments or {}, **options).result
    assert result["resultType"] == "task", result
    return result


def get(client, task):
    return client.request("tasks/get", {"taskId": task["taskId"]}).result


def wait_for(client, task, *states):
    """Asks for a task, at the pace that it wishes, until it has one of the states."""
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        now = get(client, task)
        assert now["taskId"] == task["taskId"] and now["createdAt"] == task["createdAt"]
        if now["status"] in states:
            return now
        assert now["status"] not in FINAL, now
        time.sleep(min(now.get("pollIntervalMs", 100), 200) / 1000)
    raise AssertionError(f"not {' or '.join(states)} within {WAIT} s: {now}")


def update(client, task, **responses):
    return client.request("tasks/update", {"taskId": task["taskId"], "inputResponses": responses}).result


def cancel(client, task):
    return client.request("tasks/cancel", {"taskId": task["taskId"]}).result


def accepted(question):
    """An answer that fits whatever form is asked for."""
    values = {"string": "Alice", "boolean": True, "integer": 1, "number": 1}
    fields = question["params"]["requestedSchema"]["properties"]
    content = {name: field.get("enum", [values[field["type"]]])[0] for name, field in fields.items()}
    return {"action": "accept", "content": content}


@pytest.fixture
def slow(tasks):
    """A task that runs until the test is over."""
    task = start(tasks, "slow_compute", {"seconds": 30, "label": "slow"})
    yield task
    cancel(tasks, task)


def test_a_quick_tool_is_no_task(tasks):
    result = tasks.call("greet", {"name": "Ada"}).result
    assert result["resultType"] == "complete"
    assert result["content"] == [{"type": "text", "text": "Hello, Ada!"}]


def test_a_task_lives_from_call_to_result(tasks):
    task = start(tasks, "slow_compute", {"seconds": 1, "label": "pump"})
    assert task["status"] == "working"
    assert get(tasks, task)["status"] in ("working", "completed")
    done = wait_for(tasks, task, "completed")
    assert done["result"]["content"] and not done["result"].get("isError")
    assert get(tasks, task) == done


def test_a_task_exists_as_soon_as_it_is_named(tasks):
    for _ in range(10):
        task = start(tasks, "slow_compute", {"seconds": 30, "label": "x"})
        assert get(tasks, task)["status"] == "working"
        cancel(tasks, task)


def test_identifiers_are_not_used_twice(tasks):
    started = [start(tasks, "slow_compute", {"seconds": 30, "label": "x"}) for _ in range(5)]
    assert len({task["taskId"] for task in started}) == 5
    for task in started:
        cancel(tasks, task)


def test_a_task_can_be_cancelled(tasks):
    task = start(tasks, "slow_compute", {"seconds": 30, "label": "x"})
    cancel(tasks, task)
    ended = wait_for(tasks, task, "cancelled")
    cancel(tasks, task)
    assert get(tasks, task) == ended


def test_a_finished_task_cannot_be_changed(tasks):
    task = start(tasks, "slow_compute", {"seconds": 1, "label": "x"})
    done = wait_for(tasks, task, "completed")
    cancel(tasks, task)
    update(tasks, task, anything={"action": "accept", "content": {}})
    assert get(tasks, task) == done


def test_a_client_without_the_extension_waits(modern):
    reply = modern.call("slow_compute", {"seconds": 1, "label": "pump"})
    assert reply.result["resultType"] == "complete" and not reply.failed
    assert reply.text


def test_the_extension_is_not_remembered(tasks):
    start(tasks, "failing_job")
    reply = tasks.call("failing_job", capabilities=Modern.CAPABILITIES)
    assert reply.error["code"] == -32021


def test_the_extension_counts_for_the_request_that_declares_it(modern):
    task = start(modern, "slow_compute", {"seconds": 30, "label": "x"}, capabilities=WITH_TASKS)
    assert modern.request("tasks/get", {"taskId": task["taskId"]}).error["code"] == -32021
    modern.request("tasks/cancel", {"taskId": task["taskId"]}, capabilities=WITH_TASKS)


@pytest.mark.parametrize("tool", ["failing_job", "test_tool_with_task"])
def test_a_tool_that_needs_a_task_names_the_extension(modern, tool):
    reply = modern.call(tool)
    if tool == "test_tool_with_task" and "result" in reply.message:
        # It may ask its question first: the task is needed only afterwards.
        assert reply.result["resultType"] == "input_required"
        answers = {key: accepted(question) for key, question in reply.result["inputRequests"].items()}
        more = {"inputResponses": answers} | ({"requestState": s} if (s := reply.result.get("requestState")) else {})
        reply = modern.call(tool, {}, more=more)
    assert reply.status == 400 and reply.error["code"] == -32021
    assert TASKS in reply.error["data"]["requiredCapabilities"]["extensions"]


def test_a_tool_that_fails_completes_its_task(tasks):
    done = wait_for(tasks, start(tasks, "failing_job"), "completed")
    assert done["result"]["isError"] is True


def test_a_protocol_error_fails_the_task(tasks):
    task = wait_for(tasks, start(tasks, "protocol_error_job"), "failed")
    assert isinstance(task["error"]["code"], int) and task["error"]["message"]


def test_a_task_asks_and_goes_on(tasks):
    task = start(tasks, "confirm_delete", {"filename": "old.txt"})
    asking = wait_for(tasks, task, "input_required")
    [(key, question)] = asking["inputRequests"].items()
    assert question["method"] == "elicitation/create"
    update(tasks, task, **{key: accepted(question)})
    done = wait_for(tasks, task, "completed")
    assert not done["result"].get("isError")


@pytest.mark.parametrize("action", ["decline", "cancel"])
def test_a_user_who_says_no_ends_the_question(tasks, action):
    task = start(tasks, "confirm_delete", {"filename": "old.txt"})
    [key] = wait_for(tasks, task, "input_required")["inputRequests"]
    update(tasks, task, **{key: {"action": action}})
    assert wait_for(tasks, task, "completed", "failed", "cancelled")


def test_a_task_that_asks_can_be_cancelled(tasks):
    task = start(tasks, "confirm_delete", {"filename": "old.txt"})
    wait_for(tasks, task, "input_required")
    cancel(tasks, task)
    wait_for(tasks, task, "cancelled")


def test_answers_may_come_one_by_one(tasks):
    task = start(tasks, "multi_input")
    questions = wait_for(tasks, task, "input_required")["inputRequests"]
    assert len(questions) == 2
    first, second = questions
    update(tasks, task, **{first: accepted(questions[first]), "unknown": {"action": "accept", "content": {}}})
    now = get(tasks, task)
    assert now["status"] == "input_required" and now["inputRequests"].keys() == {second}
    update(tasks, task, **{first: {"action": "decline"}})
    assert get(tasks, task)["inputRequests"].keys() == {second}
    update(tasks, task, **{second: accepted(questions[second])})
    assert not wait_for(tasks, task, "completed")["result"].get("isError")


def test_answers_may_come_together(tasks):
    task = start(tasks, "multi_input")
    questions = wait_for(tasks, task, "input_required")["inputRequests"]
    update(tasks, task, **{key: accepted(question) for key, question in questions.items()})
    wait_for(tasks, task, "completed")


def test_no_answers_change_nothing(tasks):
    task = start(tasks, "multi_input")
    asking = wait_for(tasks, task, "input_required")
    update(tasks, task)
    assert get(tasks, task)["inputRequests"] == asking["inputRequests"]
    cancel(tasks, task)


def test_questions_come_before_the_task(tasks):
    first = tasks.call("test_tool_with_task").result
    assert first["resultType"] == "input_required" and first["inputRequests"].keys() == {"user_name"}
    more = {"inputResponses": {"user_name": {"action": "accept", "content": {"name": "Alice"}}}}
    if state := first.get("requestState"):
        more["requestState"] = state
    done = wait_for(tasks, start(tasks, "test_tool_with_task", more=more), "completed")
    assert "Alice" in str(done["result"]["content"])


@pytest.mark.parametrize("method", METHODS)
def test_an_unknown_task_is_refused(tasks, method):
    reply = tasks.request(method, {"taskId": "no-such-task", "inputResponses": {}})
    if method == "tasks/get" or "error" in reply.message:
        assert reply.error["code"] == -32602


@pytest.mark.parametrize("method", METHODS)
def test_a_client_without_the_extension_learns_nothing_about_tasks(modern, slow, method):
    for id in ("no-such-task", slow["taskId"]):
        reply = modern.request(method, {"taskId": id, "inputResponses": {}})
        assert reply.status == 400 and reply.error["code"] == -32021
        assert TASKS in reply.error["data"]["requiredCapabilities"]["extensions"]


@pytest.mark.parametrize("method", ["tasks/result", "tasks/list"])
def test_methods_of_the_older_tasks_do_not_exist(tasks, slow, method):
    reply = tasks.request(method, {"taskId": slow["taskId"]})
    assert reply.status == 404 and reply.error["code"] == -32601


def test_parameters_of_the_older_tasks_are_passed_over(tasks, modern):
    for client in (tasks, modern):
        result = client.call("greet", {"name": "Ada"}, more={"task": {"ttl": 1000}}).result
        assert result["resultType"] == "complete"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["another-task", None], ids=["wrong", "missing"])
def test_the_task_must_be_repeated_in_the_header(tasks, slow, method, name):
    message = tasks.message(method, {"taskId": slow["taskId"], "inputResponses": {}})
    reply = tasks.probe(message, Mcp_Name=name)
    assert reply.status == 400 and reply.error["code"] == -32020
    assert get(tasks, slow)["status"] == "working"


def test_a_notification_cancels_no_task(tasks, slow):
    for id in (slow["taskId"], tasks._last_id):
        message = tasks.message("notifications/cancelled", {"requestId": id})
        del message["id"]
        with tasks.send(message) as exchange:
            assert exchange.status < 500
    assert get(tasks, slow)["status"] == "working"


def test_closing_the_connection_cancels_no_task(tasks):
    task = start(tasks, "slow_compute", {"seconds": 1, "label": "x"})
    wait_for(Modern(tasks.server, WITH_TASKS), task, "completed")


def test_changes_of_a_task_are_told_to_those_who_listen(tasks):
    task = start(tasks, "confirm_delete", {"filename": "old.txt"})
    asking = wait_for(tasks, task, "input_required")
    with tasks.listen(id="tasks", taskIds=[task["taskId"]]) as stream:
        assert stream.acknowledged["params"]["notifications"]["taskIds"] == [task["taskId"]]
        [(key, question)] = asking["inputRequests"].items()
        update(tasks, task, **{key: accepted(question)})
        while True:
            message = tasks.next_message(stream)
            assert message["method"] == "notifications/tasks"
            assert message["params"]["taskId"] == task["taskId"]
            assert message["params"]["_meta"][SUBSCRIPTION] == "tasks"
            if message["params"]["status"] in FINAL:
                break
        assert message["params"]["status"] == "completed" and message["params"]["result"]


def test_only_the_tasks_asked_for_are_told(tasks, slow):
    with tasks.listen(taskIds=[slow["taskId"]]) as stream:
        cancel(tasks, start(tasks, "slow_compute", {"seconds": 30, "label": "x"}))
        assert [m for m in tasks.messages_within(stream, 0.4) if m["params"]["taskId"] != slow["taskId"]] == []


def test_listening_to_tasks_needs_the_extension(modern, slow):
    reply = modern.request("subscriptions/listen", {"notifications": {"taskIds": [slow["taskId"]]}})
    assert reply.error["code"] == -32021


def test_too_many_tasks_are_refused_and_the_server_goes_on(everything_with):
    """The limit is the server's own affair. What is over it must get an answer, and what is under it must work."""
    client = Modern(everything_with("--keep-alive-ms", "5000"), WITH_TASKS)  # Not the server of the other tests.
    started = []
    for number in range(300):
        reply = client.call("slow_compute", {"seconds": 60, "label": str(number)})
        if reply.failed:
            break
        assert reply.result["resultType"] == "task"
        started.append(reply.result)
    assert len(started) >= 8
    assert not client.call("greet", {"name": "Ada"}).failed
    for task in started:
        cancel(client, task)
    for task in started:
        wait_for(client, task, "cancelled")
    cancel(client, start(client, "slow_compute", {"seconds": 60, "label": "again"}))
