"""Requests that need several round trips at 2026-07-28: the scenarios input-required-result-*, and their abuse."""

import pytest

TOOL = "test_input_required_result_"
STATE = TOOL + "request_state"
MULTI = TOOL + "multi_round"
ACCEPT_ALL = {"elicitation": {"form": {}, "url": {}}, "sampling": {"tools": {}}, "roots": {}}


def accepted(**content):
    return {"action": "accept", "content": content}


def sampled(text):
    return {"role": "assistant", "content": {"type": "text", "text": text}, "model": "test", "stopReason": "endTurn"}


ROOTS = {"roots": [{"uri": "file:///home/ada/project", "name": "project"}]}


@pytest.fixture
def ask(modern):
    """Calls a tool that may ask for input, and returns its result or its error as the reply."""

    def call(name, responses=None, state=None, arguments=None, **options):
        more = {}
        if responses is not None:
            more["inputResponses"] = responses
        if state is not None:
            more["requestState"] = state
        return modern.call(name, arguments or {}, more=more, **options)

    return call


def questions(reply):
    """What is asked, by the names of the questions."""
    assert reply.result["resultType"] == "input_required", reply.result
    return reply.result.get("inputRequests", {})


def is_complete(reply):
    return "result" in reply.message and reply.result["resultType"] == "complete" and not reply.failed


def test_asks_the_user_and_goes_on(ask):
    first = questions(ask(TOOL + "elicitation"))
    assert first.keys() == {"user_name"}
    assert first["user_name"]["method"] == "elicitation/create"
    assert first["user_name"]["params"]["message"] == "What is your name?"
    schema = first["user_name"]["params"]["requestedSchema"]
    assert schema["type"] == "object" and schema["required"] == ["name"]
    assert schema["properties"]["name"]["type"] == "string"
    done = ask(TOOL + "elicitation", {"user_name": accepted(name="Alice")})
    assert is_complete(done) and done.text == "Hello, Alice!"


def test_asks_the_model_and_goes_on(ask):
    first = questions(ask(TOOL + "sampling"))
    assert first.keys() == {"capital_question"}
    assert first["capital_question"]["method"] == "sampling/createMessage"
    params = first["capital_question"]["params"]
    assert params["maxTokens"] == 100
    assert "What is the capital of France?" in str(params["messages"])
    done = ask(TOOL + "sampling", {"capital_question": sampled("Paris")})
    assert is_complete(done) and "Paris" in done.text


def test_asks_for_roots_and_goes_on(ask):
    first = questions(ask(TOOL + "list_roots"))
    assert first == {"client_roots": {"method": "roots/list", "params": {}}}
    done = ask(TOOL + "list_roots", {"client_roots": ROOTS})
    assert is_complete(done) and "file:///home/ada/project" in done.text


def test_a_state_comes_back(ask):
    first = ask(STATE)
    assert questions(first)["confirm"]["method"] == "elicitation/create"
    state = first.result["requestState"]
    done = ask(STATE, {"confirm": accepted(ok=True)}, state)
    assert is_complete(done) and "state-ok" in done.text


def test_asks_for_several_things_at_once(ask):
    first = ask(TOOL + "multiple_inputs")
    methods = {name: question["method"] for name, question in questions(first).items()}
    assert methods.items() >= {
        ("user_name", "elicitation/create"),
        ("greeting", "sampling/createMessage"),
        ("client_roots", "roots/list"),
    }
    assert questions(first)["greeting"]["params"]["maxTokens"] == 50
    answers = {"user_name": accepted(name="Alice"), "greeting": sampled("Good day"), "client_roots": ROOTS}
    assert is_complete(ask(TOOL + "multiple_inputs", answers, first.result["requestState"]))


def test_what_is_missing_is_asked_for_again(ask):
    first = ask(TOOL + "multiple_inputs")
    some = {"user_name": accepted(name="Alice")}
    second = ask(TOOL + "multiple_inputs", some, first.result["requestState"])
    assert {"greeting", "client_roots"} <= questions(second).keys()


def test_the_state_carries_earlier_answers(ask):
    first = ask(MULTI)
    assert questions(first).keys() == {"step1"}
    second = ask(MULTI, {"step1": accepted(name="Alice")}, first.result["requestState"])
    assert questions(second).keys() == {"step2"}
    assert second.result["requestState"] != first.result["requestState"]
    done = ask(MULTI, {"step2": accepted(color="green")}, second.result["requestState"])
    assert is_complete(done) and "Alice" in done.text and "green" in done.text


def test_two_conversations_do_not_mix(ask):
    states = {}
    for name in ("Alice", "Bob"):
        first = ask(MULTI).result["requestState"]
        states[name] = ask(MULTI, {"step1": accepted(name=name)}, first).result["requestState"]
    for name, state in states.items():
        assert name in ask(MULTI, {"step2": accepted(color="red")}, state).text


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state + "-TAMPERED",
        lambda state: state[:-1],
        lambda state: ("B" if state[0] == "A" else "A") + state[1:],
        lambda state: state[: len(state) // 2] + ("B" if state[len(state) // 2] == "A" else "A")
        + state[len(state) // 2 + 1 :],
        lambda state: "",
        lambda state: "AAAA",
        lambda state: 7,
    ],
    ids=["longer", "shorter", "first", "middle", "empty", "made up", "number"],
)
@pytest.mark.parametrize("tool", [TOOL + "tampered_state", STATE])
def test_a_changed_state_is_refused(ask, tool, change):
    first = ask(tool)
    answers = {key: accepted(ok=True) for key in questions(first)}
    assert ask(tool, answers, change(first.result["requestState"])).error["code"] == -32602


def test_a_state_is_no_good_for_another_tool(ask):
    state = ask(STATE).result["requestState"]
    assert ask(MULTI, {"step1": accepted(name="Alice")}, state).error["code"] == -32602
    assert ask(TOOL + "multiple_inputs", {}, state).error["code"] == -32602


def test_a_state_is_no_good_for_another_method(modern, ask):
    state = ask(STATE).result["requestState"]
    params = {"name": "test_input_required_result_prompt", "requestState": state}
    reply = modern.request("prompts/get", params | {"inputResponses": {"user_context": accepted(context="tests")}})
    assert reply.error["code"] == -32602


def test_a_state_is_no_good_for_other_arguments(ask):
    state = ask(STATE).result["requestState"]
    reply = ask(STATE, {"confirm": accepted(ok=True)}, state, arguments={"other": True})
    assert reply.failed, "went on although the arguments are not those that the state was made for"


def test_a_state_survives_other_capabilities_and_clients(ask):
    state = ask(STATE).result["requestState"]
    done = ask(STATE, {"confirm": accepted(ok=True)}, state, capabilities=ACCEPT_ALL, clientInfo=None)
    assert is_complete(done)


def test_only_declared_kinds_of_input_are_asked_for(ask):
    reply = ask(TOOL + "capabilities", capabilities={"sampling": {}})
    asked = questions(reply)
    assert asked and {question["method"] for question in asked.values()} == {"sampling/createMessage"}


@pytest.mark.parametrize(
    "tool, missing", [("elicitation", "elicitation"), ("sampling", "sampling"), ("list_roots", "roots")]
)
def test_a_kind_of_input_that_was_not_declared_is_a_missing_capability(ask, tool, missing):
    reply = ask(TOOL + tool, capabilities={})
    assert reply.status == 400 and reply.error["code"] == -32021
    assert missing in reply.error["data"]["requiredCapabilities"]


def test_unknown_answers_are_passed_over(ask):
    done = ask(TOOL + "elicitation", {"user_name": accepted(name="Alice"), "unknown": accepted(x=1)})
    assert is_complete(done) and done.text == "Hello, Alice!"


@pytest.mark.parametrize("responses", [{}, {"wrong": accepted(name="Alice")}], ids=["none", "another"])
def test_a_missing_answer_is_asked_for_again(ask, responses):
    assert questions(ask(TOOL + "elicitation", responses)).keys() == {"user_name"}


@pytest.mark.parametrize(
    "responses",
    [
        {"user_name": 12345},
        {"user_name": None},
        {"user_name": {}},
        {"user_name": {"action": "maybe"}},
        {"user_name": {"action": "accept", "content": {}}},
        {"user_name": {"action": "accept", "content": {"name": 7}}},
        {"user_name": {"action": "accept", "content": []}},
        {"user_name": {"roots": []}},
        [],
        "Alice",
    ],
    ids=str,
)
def test_a_malformed_answer_does_not_complete_the_call(ask, responses):
    reply = ask(TOOL + "elicitation", responses)
    assert not is_complete(reply)
    assert "result" in reply.message or reply.error["code"] == -32602


def test_null_is_no_answer(modern):
    reply = modern.call(TOOL + "elicitation", {}, more={"inputResponses": None})
    assert not is_complete(reply)


@pytest.mark.parametrize("action", ["decline", "cancel"])
def test_a_user_who_says_no_ends_the_questions(ask, action):
    reply = ask(TOOL + "elicitation", {"user_name": {"action": action}})
    assert "Hello" not in str(reply.message)
    assert reply.message.get("result", {}).get("resultType") != "input_required"


@pytest.mark.parametrize("method", ["tools/list", "prompts/list", "resources/list", "server/discover"])
def test_lists_never_ask(modern, method):
    assert modern.request(method, {"inputResponses": {}, "requestState": "x"}).result["resultType"] == "complete"


def test_prompts_may_ask(modern):
    name = "test_input_required_result_prompt"
    first = modern.request("prompts/get", {"name": name})
    assert questions(first)["user_context"]["method"] == "elicitation/create"
    answers = {"user_context": accepted(context="writing tests")}
    done = modern.request("prompts/get", {"name": name, "inputResponses": answers})
    assert done.result["resultType"] == "complete" and done.result["messages"]


def test_a_tool_of_both_eras_elicits(ask):
    arguments = {"message": "Who are you?"}
    first = ask("test_elicitation", arguments=arguments)
    [(key, question)] = questions(first).items()
    assert question["method"] == "elicitation/create" and question["params"]["message"] == "Who are you?"
    answer = {key: accepted(username="ada", email="ada@example.com")}
    done = ask("test_elicitation", answer, first.result.get("requestState"), arguments)
    assert is_complete(done) and "ada@example.com" in done.text


@pytest.mark.parametrize("action", ["decline", "cancel"])
def test_a_tool_of_both_eras_is_told_no(ask, action):
    arguments = {"message": "Who are you?"}
    first = ask("test_elicitation", arguments=arguments)
    [key] = questions(first)
    done = ask("test_elicitation", {key: {"action": action}}, first.result.get("requestState"), arguments)
    assert is_complete(done) and "User response:" in done.text and action in done.text


@pytest.mark.parametrize("action", ["accept", "decline", "cancel"])
def test_asks_to_open_a_url(ask, action):
    first = ask("test_url_elicitation", capabilities=ACCEPT_ALL)
    [(key, question)] = questions(first).items()
    assert question["method"] == "elicitation/create"
    assert question["params"]["mode"] == "url" and question["params"]["url"] == "https://example.com/authorize"
    assert "elicitationId" not in question["params"]
    state = first.result.get("requestState")
    done = ask("test_url_elicitation", {key: {"action": action}}, state, capabilities=ACCEPT_ALL)
    assert is_complete(done) and done.text == f"User response: {action}"


@pytest.mark.parametrize("capabilities", [{"elicitation": {}}, {"elicitation": {"form": {}}}], ids=str)
def test_a_client_without_url_mode_is_not_asked_to_open_one(ask, capabilities):
    reply = ask("test_url_elicitation", capabilities=capabilities)
    assert reply.status == 400 and reply.error["code"] == -32021
    assert "url" in reply.error["data"]["requiredCapabilities"]["elicitation"]


def test_a_client_with_only_url_mode_is_not_given_a_form(ask):
    reply = ask(TOOL + "elicitation", capabilities={"elicitation": {"url": {}}})
    assert reply.status == 400 and reply.error["code"] == -32021
    assert "elicitation" in reply.error["data"]["requiredCapabilities"]


def test_samples_with_tools(ask):
    arguments = {"prompt": "How warm is it?"}
    first = ask("test_sampling_with_tools", arguments=arguments, capabilities=ACCEPT_ALL)
    [(key, question)] = questions(first).items()
    assert question["method"] == "sampling/createMessage"
    assert [tool["name"] for tool in question["params"]["tools"]] == ["get_weather"]
    assert question["params"]["toolChoice"] == {"mode": "auto"}
    state = first.result.get("requestState")
    done = ask("test_sampling_with_tools", {key: sampled("18 degrees")}, state, arguments, capabilities=ACCEPT_ALL)
    assert is_complete(done) and done.text.startswith("LLM response: ") and "18 degrees" in done.text


def test_a_client_without_tools_is_not_asked_to_sample_with_them(ask):
    arguments = {"prompt": "How warm is it?"}
    reply = ask("test_sampling_with_tools", arguments=arguments, capabilities={"sampling": {}})
    assert reply.status == 400 and reply.error["code"] == -32021
    assert "tools" in reply.error["data"]["requiredCapabilities"]["sampling"]
