"""What vendors refuse a chat for is not sent to them, and its caller is told: see `preset_refusals`."""

import json
from typing import Any

import pytest

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream
from tests.gateway.harness import GatewayHarness, asking, buffered, refusing, run
from tollhouse.core.failure import BadRequest
from tollhouse.gateway.flow import serve
from tollhouse.providers.preset_refusals import REFUSALS

HISTORY: list[dict[str, Any]] = [
    {
        "role": "user",
        "name": "ann",
        "content": [{"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}],
    },
    {
        "role": "assistant",
        "content": "Zoll",
        "reasoning_content": "hm",
        "reasoning_details": [],
        "refusal": None,
        "annotations": [],
        "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    },
    {"role": "tool", "tool_call_id": "call_1", "content": "7"},
]
PLAIN: list[dict[str, Any]] = [
    {"role": "user", "content": [{"type": "text", "text": "hi"}]},
    {"role": "assistant", "content": "Zoll", "tool_calls": HISTORY[1]["tool_calls"]},
    HISTORY[2],
]
OF_CLIENTS = {"store": False, "prompt_cache_key": "k", "seed": 7, "user": "u"}


def asked(kind: str, **members: Any) -> tuple[dict[str, Any], list[bytes]]:
    """What the provider gets, and what the caller is told."""
    harness = GatewayHarness(
        first=FakeUpstream(buffered()), provider={"kind": kind}, money=10**9, model={"context_tokens": 100_000}
    )
    client = FakeCallerConnection(asking(**members))
    run(harness.ask(client))
    assert client.status == 200
    told = dict(client.headers).get(b"x-tollhouse-dropped", b"")
    return json.loads(harness.first.calls[0].body), [one for one in told.split(b", ") if one]


def named(message: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {**message, **others}


@pytest.mark.parametrize(
    ("kind", "messages", "gone"),
    [
        ("mistral", PLAIN, {"store", "user"}),
        ("groq", [PLAIN[0], named(PLAIN[1], reasoning="hm"), PLAIN[2]], {"store", "prompt_cache_key"}),
        (
            "cerebras",
            [named(PLAIN[0], name="ann"), named(PLAIN[1], reasoning="hm"), PLAIN[2]],
            {"store", "prompt_cache_key"},
        ),
        ("fireworks", [PLAIN[0], named(PLAIN[1], reasoning_content="hm"), PLAIN[2]], {"store"}),
        ("cohere", [named(PLAIN[0], name="ann"), PLAIN[1], PLAIN[2]], {"store"}),
        ("zhipu", HISTORY, set()),
    ],
)
def test_a_history_of_other_vendors_is_taken(kind: str, messages: list[dict[str, Any]], gone: set[str]) -> None:
    body, told = asked(kind, messages=HISTORY, **OF_CLIENTS)
    assert body["messages"] == messages
    assert {name for name in OF_CLIENTS if name not in body} - {"seed"} == gone
    assert body.get("random_seed" if kind == "mistral" else "seed") == 7
    assert {one.decode() for one in told if b"." not in one} == gone
    assert (b"messages[0].content[0].cache_control" in told) is (messages is not HISTORY)
    assert b"messages[1].refusal" not in told, "null says nothing"


@pytest.mark.parametrize("kind", ["deepseek", "moonshot"])
@pytest.mark.parametrize(
    ("thoughts", "sent"),
    [
        ({"reasoning": "hm"}, {"reasoning_content": "hm"}),
        ({"reasoning_content": "hm"}, {"reasoning_content": "hm"}),
        ({"reasoning": "hm", "reasoning_content": "hm"}, {"reasoning_content": "hm"}),
        ({}, {}),
    ],
)
def test_thoughts_come_by_the_name_that_is_read(kind: str, thoughts: dict[str, str], sent: dict[str, str]) -> None:
    body, _ = asked(kind, messages=[PLAIN[0], {**PLAIN[1], **thoughts}, PLAIN[2]])
    assert body["messages"][1] == {**PLAIN[1], **sent}


@pytest.mark.parametrize("kind", sorted(REFUSALS))
@pytest.mark.parametrize(
    "members",
    [
        {"messages": [{"role": "user", "content": 'a "store" of "reasoning" and "cache_control"'}]},
        {"messages": [{"role": "user", "content": ["text", {"cache_control": 1}]}]},
        {"messages": PLAIN, "stop": "cache_control", "logprobs": True, "logit_bias": {"1": 2}, "n": 2},
    ],
)
def test_what_is_wrong_or_what_an_answer_depends_on_is_the_vendors_to_refuse(
    kind: str, members: dict[str, Any]
) -> None:
    body, told = asked(kind, **members)
    assert {name: body[name] for name in members} == members
    assert told == []


def test_a_mark_on_a_tool_goes_too() -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    body, told = asked("fireworks", tools=[{**tool, "cache_control": {"type": "ephemeral"}}])
    assert (body["tools"], told) == ([tool], [b"tools[0].cache_control"])


def test_a_stream_is_asked_for_without_options_and_tells_its_usage() -> None:
    body, told = asked("mistral", stream=True, stream_options={"include_usage": True})
    assert "stream_options" not in body
    assert told == []


def test_of_an_offer_that_failed_nothing_is_told() -> None:
    harness = GatewayHarness(
        first=FakeUpstream(refusing(500)), second=FakeUpstream(buffered()), money=10**9, provider={"kind": "groq"}
    )
    harness.gateway.destinations["two"] = GatewayHarness().gateway.destinations["two"]
    second = harness.gateway.destinations["two"].upstream
    client = FakeCallerConnection(asking(store=False))
    run(harness.ask(client))
    assert isinstance(second, FakeUpstream)
    assert json.loads(second.calls[0].body)["store"] is False
    assert b"x-tollhouse-dropped" not in dict(client.headers)


def sent_by(dialect: str, kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """What a provider gets of a call, which it refuses."""
    harness = GatewayHarness(
        first=FakeUpstream(refusing(400)), provider={"kind": kind}, money=10**9, model={"context_tokens": 100_000}
    )
    call = harness.call(FakeCallerConnection(json.dumps(body).encode()))
    call.dialect, call.model, call.stream = dialect, "house-1", False
    with pytest.raises(BadRequest):
        run(serve(harness.gateway, call))
    found: dict[str, Any] = json.loads(harness.first.calls[0].body)
    return found


MARK = {"type": "ephemeral", "scope": "global"}
MARKED = {
    "model": "house-1",
    "max_tokens": 50,
    "system": [{"type": "text", "text": "s", "cache_control": MARK}],
    "tools": [{"name": "f", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "scope", "cache_control": MARK}]},
        {"role": "assistant", "content": "yes"},
        {"role": "user", "content": [{"type": "text", "text": "scope", "cache_control": "odd"}]},
    ],
}


@pytest.mark.parametrize(("kind", "stays"), [("bedrock", False), ("bedrock_invoke", False), ("anthropic", True)])
def test_a_cloud_is_not_told_for_whom_a_prompt_is_cached(kind: str, stays: bool) -> None:
    body = sent_by("anthropic", kind, MARKED)
    kept = MARK if stays else {"type": "ephemeral"}
    assert body["system"][0]["cache_control"] == kept
    assert [one["content"] for one in body["messages"]] == [
        [{"type": "text", "text": "scope", "cache_control": kept}],
        "yes",
        [{"type": "text", "text": "scope", "cache_control": "odd"}],
    ]
    assert body["tools"] == MARKED["tools"]


CONTENTS: list[dict[str, Any]] = [{"parts": [{"text": "hi"}]}, {"role": "model", "parts": [{"text": "yes"}]}]


@pytest.mark.parametrize(
    ("contents", "sent"),
    [
        (CONTENTS, [{"role": "user", **CONTENTS[0]}, CONTENTS[1]]),
        (CONTENTS[1:], CONTENTS[1:]),
    ],
)
def test_vertex_is_told_whose_words_they_are(contents: list[dict[str, Any]], sent: list[dict[str, Any]]) -> None:
    assert sent_by("gemini", "vertex", {"contents": contents})["contents"] == sent
