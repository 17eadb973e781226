"""Requests for messages to and from core words: what Anthropic documents comes back as it was."""

import json

import pytest

from tests.formats.anthropic_samples import (
    CITED,
    EPHEMERAL,
    GATE,
    HOUR,
    SIGNATURE,
    Object,
    assistant,
    encoded,
    picture,
    request,
    text,
    user,
)
from tollhouse.core.conversation import (
    Conversation,
    Message,
    Opaque,
    Reasoning,
    ReasoningAsked,
    Refusal,
    TextPart,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from tollhouse.core.failure import UnsupportedParameter
from tollhouse.core.words import AnswerContext
from tollhouse.formats.anthropic import request as requests
from tollhouse.formats.anthropic.wire import WIRE
from tollhouse.formats.anthropic.words import WORDS

CONTEXT = AnswerContext(request_id="req_1", created=1_790_000_000, request=requests.read(encoded(request())))
SIGNED = Opaque(WIRE, SIGNATURE)
FOREIGN = Opaque("gemini_content", "c2lnbg==")


def asked(*messages: Object, **members: object) -> Conversation:
    return WORDS.read_request(requests.read(encoded(request(*messages, **members))))


def sent(conversation: Conversation, model: str = "claude-sonnet-4-5") -> Object:
    body = json.loads(WORDS.write_request(conversation, model=model, stream=False, include_usage=True))
    assert isinstance(body, dict)
    return body


def plainly(body: Object) -> Object:
    """A request in which the ways to write the same are one."""

    def blocks(content: object) -> object:
        return [text(content)] if isinstance(content, str) else content

    made = {**body, "messages": [{**one, "content": blocks(one["content"])} for one in body["messages"]]}
    return {**made, "system": blocks(made["system"])} if "system" in made else made


THOUGHT = {"type": "thinking", "thinking": "I must.", "signature": SIGNATURE}
HIDDEN = {"type": "thinking", "thinking": "", "signature": SIGNATURE}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "open_gate", "input": {"gate": "A", "n": [1, {"x": None}]}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "open"}
PDF = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0x"}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}
WEB = {
    "type": "web_search_result_location",
    "url": "https://x.example",
    "title": "x",
    "encrypted_index": "E",
    "cited_text": "y",
}
DOCUMENTED = {
    "text": request(user("Hi")),
    "turns": request(user("Hi"), assistant("Hello."), user(text("And?"), text("Well?"))),
    "system": request(system="You keep a gate."),
    "system blocks": request(system=[text("You keep a gate."), text("Long.", cache_control=HOUR)]),
    "marks": request(user(text("Hi", cache_control=EPHEMERAL)), tools=[{**GATE, "cache_control": HOUR}]),
    "pictures": request(user(picture(), picture(type="url", url="https://x.example/a.png"), text("What?"))),
    "kept picture": request(user(picture(type="file", file_id="file_1"))),
    "marked picture": request(user({**picture(), "cache_control": EPHEMERAL})),
    "documents": request(
        user(
            {"type": "document", "source": PDF, "title": "tariff", "citations": {"enabled": True}},
            {"type": "document", "source": {"type": "url", "url": "https://x.example/a.pdf"}},
            {"type": "document", "source": {"type": "file", "file_id": "file_1"}, "cache_control": EPHEMERAL},
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Carts: 2"}},
        )
    ),
    "cited": request(user("Hi"), assistant(text("Two.", citations=[CITED, WEB])), user("And?")),
    "tools": request(tools=[GATE, {"name": "count", "input_schema": {"type": "object", "properties": {}}}]),
    "choice any": request(tools=[GATE], tool_choice={"type": "any"}),
    "choice none": request(tools=[GATE], tool_choice={"type": "none"}),
    "choice tool": request(tools=[GATE], tool_choice={"type": "tool", "name": "open_gate"}),
    "one call": request(tools=[GATE], tool_choice={"type": "auto", "disable_parallel_tool_use": True}),
    "results": request(user("Open."), assistant(text("I do."), CALL), user(RESULT), tools=[GATE]),
    "pictured results": request(
        user("Open."),
        assistant(CALL),
        user({**RESULT, "content": [text("open"), picture()], "is_error": True, "cache_control": EPHEMERAL}),
        tools=[GATE],
    ),
    "empty result": request(
        user("Open."), assistant(CALL), user({"type": "tool_result", "tool_use_id": "toolu_1"}), tools=[GATE]
    ),
    "thoughts": request(
        user("Open."),
        assistant(THOUGHT, {"type": "redacted_thinking", "data": "EmwKAhgB"}, text("I do."), CALL),
        user(RESULT),
        assistant(HIDDEN, CALL),
        user(RESULT),
        tools=[GATE],
        thinking={"type": "enabled", "budget_tokens": 2048},
    ),
    "no thinking": request(thinking={"type": "disabled"}),
    "structured": request(output_config={"format": {"type": "json_schema", "schema": SCHEMA}}),
    "sampling": request(temperature=0.5, top_k=40, stop_sequences=list("abcdef"), metadata={"user_id": "u-1"}),
    "top_p": request(top_p=0.9),
    "prefill": request(user("Name it."), assistant("It is (")),
}


@pytest.mark.parametrize("body", DOCUMENTED.values(), ids=DOCUMENTED)
def test_what_anthropic_documents_comes_back_as_it_was(body: Object) -> None:
    conversation = WORDS.read_request(requests.read(encoded(body)))
    assert plainly(sent(conversation)) == plainly(body)
    assert conversation.uses.keys() <= WORDS.says | {"strict_tools"}
    assert conversation.left_out == []


ADAPTIVE = request(thinking={"type": "adaptive", "display": "omitted"}, output_config={"effort": "max"})


def test_effort_comes_back_to_models_that_know_it() -> None:
    assert sent(WORDS.read_request(requests.read(encoded(ADAPTIVE))), "claude-opus-4-7") == {
        **plainly(ADAPTIVE),
        "model": "claude-opus-4-7",
        "messages": ADAPTIVE["messages"],
    }


@pytest.mark.parametrize(
    ("members", "feature", "param"),
    [
        ({"tools": [{"type": "code_execution_20250825", "name": "run"}, GATE]}, "built_in_tools", "tools[0]"),
        ({"tools": [{"type": "web_fetch_20250910", "name": "web_fetch"}]}, "built_in_tools", "tools[0]"),
        ({"tools": [{"type": "web_fetch_20250910", "name": "web_fetch"}, GATE]}, "offered_tools", "tools[0]"),
        ({"tools": [{"type": "bash_20250124", "name": "bash"}]}, "tools", "tools"),
        (
            {
                "tools": [GATE, {"type": "web_fetch_20250910", "name": "look"}],
                "tool_choice": {"type": "tool", "name": "look"},
            },
            "built_in_tools",
            "tool_choice",
        ),
        ({"tools": [{**GATE, "strict": True}]}, "strict_tools", "tools[0].strict"),
        ({"tools": [{**GATE, "input_examples": [{}]}]}, "other", "tools[0].input_examples"),
        ({"container": "c_1"}, "state", "container"),
        ({"mcp_servers": [{}]}, "built_in_tools", "mcp_servers"),
        ({"context_management": {"edits": []}}, "truncation", "context_management"),
        ({"service_tier": "standard_only"}, "service_tier", "service_tier"),
        ({"speed": "fast"}, "service_tier", "speed"),
        ({"cache_control": EPHEMERAL}, "cache_marks", "cache_control"),
        ({"thinking": {"type": "disabled"}}, "reasoning_off", "thinking"),
        ({"thinking": {"type": "adaptive"}}, "reasoning", "thinking"),
        ({"output_config": {"effort": "low"}}, "reasoning", "output_config.effort"),
        ({"output_format": {"type": "json_schema", "schema": {}}}, "json_schema", "output_format"),
        ({"top_k": 4}, "top_k", "top_k"),
        ({"stop_sequences": ["a"]}, "stop", "stop_sequences"),
        ({"stop_sequences": list("abcde")}, "stop_many", "stop_sequences"),
        ({"something_new": {}}, "other", "something_new"),
    ],
    ids=str,
)
def test_what_a_request_uses_is_noted_by_its_member(members: Object, feature: str, param: str) -> None:
    assert asked(**members).uses[feature] == param


@pytest.mark.parametrize(
    "harmless", [{"service_tier": "auto"}, {"diagnostics": {}}, {"stream": False}, {"speed": None}, {"mcp_servers": []}]
)
def test_what_changes_nothing_is_not_noted(harmless: Object) -> None:
    assert asked(**harmless).uses == {}


@pytest.mark.parametrize(
    ("content", "feature"),
    [
        ({"type": "container_upload", "file_id": "f"}, "file_ids"),
        ({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}, "tool_history"),
        ({"type": "web_search_tool_result", "tool_use_id": "s", "content": []}, "tool_history"),
        ({"type": "mcp_tool_use", "id": "s", "name": "x", "input": {}}, "tool_history"),
        ({"type": "something_new"}, "other"),
    ],
    ids=str,
)
def test_a_block_that_no_other_format_has_is_noted(content: Object, feature: str) -> None:
    found = asked(user(content, text("Hi")))
    assert found.uses == {feature: "messages[0].content[0]"}
    assert found.messages[0].parts == [TextPart(text="Hi")]


def test_what_was_summed_up_is_said() -> None:
    found = asked(user("Hi"), assistant({"type": "compaction", "content": "They met."}), user("And?"))
    assert (found.messages[1].parts, found.uses) == ([TextPart(text="They met.")], {})


def test_what_only_anthropic_can_do_is_refused() -> None:
    with pytest.raises(UnsupportedParameter):
        asked(max_tokens=0)


def test_what_a_client_writes_for_the_vendor_alone_is_left_out() -> None:
    found = asked(system=[text("x-anthropic-billing-header: cc_version=2; cch=a1;"), text("You code.")])
    assert found.messages[0].parts == [TextPart(text="You code.")]


# requests of others


def conversation(*messages: Message, **members: object) -> Conversation:
    return Conversation(messages=list(messages), output_cap=8192, **members)  # type: ignore[arg-type]


def said(role: str, *parts: object) -> Message:
    made = [TextPart(text=part) if isinstance(part, str) else part for part in parts]
    return Message(role=role, parts=made)  # type: ignore[arg-type]


def test_results_come_first_and_turns_are_joined() -> None:
    history = conversation(
        said("user", "Open."),
        said("assistant", "I do."),
        said(
            "assistant",
            ToolCall(id="call:1", name="open"),
            ToolCall(id="c2", name="say", arguments="Hi", is_custom=True),
        ),
        said("user", "Hurry.", ToolResult(id="call:1", is_error=True)),
        said("user", ToolResult(id="c2", parts=[TextPart(text="said")])),
    )
    assert sent(history)["messages"] == [
        {"role": "user", "content": "Open."},
        assistant(
            text("I do."),
            {"type": "tool_use", "id": "call_1", "name": "open", "input": {}},
            {"type": "tool_use", "id": "c2", "name": "say", "input": {"input": "Hi"}},
        ),
        user(
            {"type": "tool_result", "tool_use_id": "call_1", "is_error": True, "content": "The tool failed."},
            {"type": "tool_result", "tool_use_id": "c2", "content": "said"},
            text("Hurry."),
        ),
    ]


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        ("", {}),
        ("  ", {}),
        ("null", {}),
        ('{"a":1}', {"a": 1}),
        ("[1]", {"input": [1]}),
        ("{a}", {"INVALID_JSON": "{a}"}),
    ],
)
def test_arguments_become_an_object(arguments: str, given: Object) -> None:
    body = sent(conversation(said("user", "Hi"), said("assistant", ToolCall(id="c", name="x", arguments=arguments))))
    assert body["messages"][1]["content"][0]["input"] == given


def test_thoughts_of_others_and_empty_texts_are_left_out() -> None:
    history = conversation(
        said("system", " "),
        said("user", "Hi", "\n"),
        said("assistant", Reasoning(text="Hm.", opaque=FOREIGN), Reasoning(text="Hm."), ""),
        said("assistant", Refusal(text="No. ")),
    )
    assert sent(history)["messages"] == [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "No."}]
    assert "system" not in sent(history)


HIGH = {"output_config": {"effort": "high"}}


@pytest.mark.parametrize(
    ("model", "reasoning", "members"),
    [
        ("claude-sonnet-4-5", ReasoningAsked(effort="low"), {"thinking": {"type": "enabled", "budget_tokens": 2048}}),
        ("claude-sonnet-4-5", ReasoningAsked(budget=3000), {"thinking": {"type": "enabled", "budget_tokens": 3000}}),
        ("claude-sonnet-4-5", ReasoningAsked(budget=1), {"thinking": {"type": "enabled", "budget_tokens": 1024}}),
        ("claude-sonnet-4-5", ReasoningAsked(effort="max"), {"thinking": {"type": "enabled", "budget_tokens": 6144}}),
        ("glm-5", ReasoningAsked(), {"thinking": {"type": "enabled", "budget_tokens": 6144}}),
        ("claude-opus-4-6", ReasoningAsked(), {"thinking": {"type": "adaptive"}}),
        (
            "claude-opus-4-6",
            ReasoningAsked(effort="minimal", visible=True),
            {"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "low"}},
        ),
        (
            "claude-opus-5-5",
            ReasoningAsked(budget=8_000, summary="auto"),
            {"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "medium"}},
        ),
        ("claude-opus-4-6", ReasoningAsked(enabled=False), {"thinking": {"type": "disabled"}}),
        ("claude-opus-4-6", ReasoningAsked(effort="xhigh"), {"thinking": {"type": "adaptive"}, **HIGH}),
        ("claude-fable-5", ReasoningAsked(enabled=False), {"output_config": {"effort": "low"}}),
        ("claude-opus-4-6", None, {}),
        ("claude-3-5-haiku-20241022", ReasoningAsked(effort="low"), {}),
        ("claude-3-5-haiku-20241022", ReasoningAsked(enabled=False), {}),
        (
            "claude-3-7-sonnet-20250219",
            ReasoningAsked(effort="low"),
            {"thinking": {"type": "enabled", "budget_tokens": 2048}},
        ),
    ],
    ids=str,
)
def test_thinking_is_asked_for_as_the_model_knows_it(
    model: str, reasoning: ReasoningAsked | None, members: Object
) -> None:
    body = sent(conversation(said("user", "Hi"), reasoning=reasoning), model)
    assert {name: body[name] for name in ("thinking", "output_config") if name in body} == members


def test_no_model_thinks_where_it_must_call_a_tool() -> None:
    tools, choice = [Tool(name="open")], ToolChoice(choosing="required")
    for model, left in (("claude-sonnet-4-5", {}), ("claude-opus-4-7", {"output_config": {"effort": "high"}})):
        forced = conversation(
            said("user", "Hi"), reasoning=ReasoningAsked(effort="high"), tools=tools, tool_choice=choice
        )
        forced.uses["reasoning"] = "reasoning_effort"
        body = sent(forced, model)
        assert "thinking" not in body
        assert {name: body[name] for name in ("output_config",) if name in body} == left
        assert forced.left_out == ["reasoning_effort"]


def test_sampling_is_asked_for_as_the_model_takes_it() -> None:
    hot = conversation(said("user", "Hi"), temperature=1.7, top_p=0.5, top_k=3)
    body = sent(hot)
    assert (body["temperature"], "top_p" in body, body["top_k"], hot.left_out) == (
        1.0,
        False,
        3,
        ["temperature", "top_p"],
    )
    newest = conversation(said("user", "Hi"), temperature=0.2)
    assert "temperature" not in sent(newest, "claude-opus-4-7")
    assert newest.left_out == ["temperature"]


def test_a_cap_is_always_named() -> None:
    asked_of = Conversation(messages=[said("user", "Hi")])
    assert sent(asked_of)["max_tokens"] == 32_000
    asked_of.longest_answer = 64_000
    assert sent(asked_of)["max_tokens"] == 64_000
    asked_of.output_cap = 7
    assert sent(asked_of)["max_tokens"] == 7


def test_the_last_four_marks_stay() -> None:
    marked = [TextPart(text=str(number), cache="5m") for number in range(4)]
    result = ToolResult(id="t", parts=[TextPart(text="x", cache="1h")], cache="5m")
    body = sent(conversation(said("system", marked[0]), said("user", *marked[1:]), said("user", result)))
    assert json.dumps(body).count("cache_control") == 4
    assert "cache_control" not in json.dumps(body["system"])
