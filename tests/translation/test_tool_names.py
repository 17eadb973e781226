"""Names of tools that a provider's format does not take are fitted to it, and come back as the caller gave them."""

import json
import re
from typing import Any

import pytest

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream
from tests.gateway.harness import GatewayHarness, asking, buffered, run
from tests.translation.golden_case import codec_of
from tollhouse.core.cleaning import NOTHING_KNOWN
from tollhouse.core.failure import BadRequest
from tollhouse.core.tool_names import LONGEST, fitted_name
from tollhouse.core.translation import translated
from tollhouse.core.words import AnswerContext

USUAL = r"[A-Za-z0-9_-]{1,64}"
TAKEN = {
    "anthropic_messages": USUAL,
    "gemini_content": r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}",
    "openai_chat": USUAL,
    "openai_responses": USUAL,
}
"""By the documentation of each vendor (Anthropic and OpenAI take more in some places)."""
NAMES = ["1password__get", "a b", "a.b", "a:b", "a_b", "größe", "mcp/github/search", "x" * 64, "x" * 65, "x" * 66, "🙂"]
"""Of MCP servers, slashes and dots; Google's own names hold dots and colons."""


def called(name: str) -> dict[str, Any]:
    """A request of Gemini's whose history calls the tool that it may call."""
    return {
        "contents": [
            {"role": "user", "parts": [{"text": "Go"}]},
            {"role": "model", "parts": [{"functionCall": {"name": name, "args": {}}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": name, "response": {"output": "done"}}}]},
        ],
        "tools": [{"functionDeclarations": [{"name": one} for one in NAMES]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": [name]}},
    }


def as_chat(name: str) -> dict[str, Any]:
    tools = [{"type": "function", "function": {"name": one}} for one in NAMES]
    call = {"id": "c1", "type": "function", "function": {"name": name, "arguments": "{}"}}
    history = [{"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": "c1", "content": "done"}]
    return {
        "model": "house-1",
        "messages": [{"role": "user", "content": "Go"}, *history],
        "tools": tools,
        "tool_choice": {"type": "function", "function": {"name": name}},
    }


def answer(name: str) -> dict[str, bytes]:
    """A call of a tool, by each format."""
    call = {"name": name, "arguments": "{}"}
    bodies: dict[str, Any] = {
        "anthropic_messages": {
            "id": "m",
            "type": "message",
            "role": "assistant",
            "model": "up",
            "stop_reason": "tool_use",
            "content": [{"type": "tool_use", "id": "c1", "name": name, "input": {}}],
            "usage": {"input_tokens": 1, "output_tokens": 1},
        },
        "gemini_content": {
            "candidates": [{"content": {"parts": [{"functionCall": {"name": name}}]}, "finishReason": "STOP"}]
        },
        "openai_chat": {
            "choices": [
                {
                    "index": 0,
                    "message": {
                        "role": "assistant",
                        "tool_calls": [{"id": "c1", "type": "function", "function": call}],
                    },
                    "finish_reason": "tool_calls",
                }
            ]
        },
        "openai_responses": {
            "id": "r",
            "object": "response",
            "status": "completed",
            "model": "up",
            "output": [{"type": "function_call", "id": "f", "call_id": "c1", "status": "completed", **call}],
        },
    }
    return {wire: json.dumps(body).encode() for wire, body in bodies.items()}


def names_in(body: str) -> list[str]:
    """Of all functions, calls and choices, in order."""
    found: list[Any] = []

    def walk(value: Any) -> None:
        for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            walk(one)
        if isinstance(value, dict):
            found.extend(one for key in ("name", "allowedFunctionNames") for one in [value.get(key)] if one is not None)

    walk(json.loads(body))
    return [name for one in found for name in (one if isinstance(one, list) else [one])]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("outbound", TAKEN)
def test_a_name_is_fitted_and_comes_back(outbound: str, name: str) -> None:
    wire, body = ("openai_chat", as_chat(name)) if outbound == "gemini_content" else ("gemini_content", called(name))
    asked, provider = codec_of(wire), codec_of(outbound)
    for stream in (False, True):
        request = asked.read(json.dumps(body).encode())
        request.stream, request.model = stream, "house-1"
        context = AnswerContext(request_id="req_1", created=1, request=request)
        codec = translated(asked, provider, asked, context)
        sent = b"".join(map(bytes, codec.write(request, model="up", stream=stream, include_usage=True))).decode()
        names = names_in(sent)
        assert len(set(names)) == len(NAMES)
        assert [one for one in names if re.fullmatch(TAKEN[outbound], one) is None] == []
        assert [one for one in NAMES if re.fullmatch(TAKEN[outbound], one)] == [one for one in NAMES if one in names]
        (fit,) = {one for one in names if names.count(one) > 1}
        assert request.renamed.get(fit, fit) == name
        said = answer(fit)[outbound]
        if not stream:
            told = codec.read_response(said, NOTHING_KNOWN).mended or b""
        else:
            assert codec.streams is not None
            told = codec.streams.unfold(said)
            relay = codec.streams.relay(show_usage=True, count=len, known=NOTHING_KNOWN)
            told = relay.feed(told)
            relay.finish()
            told += relay.seal("0", "req_1")
        assert json.dumps({"name": name}, ensure_ascii=False, separators=(",", ":"))[1:-1].encode() in told


def test_a_name_is_the_same_in_every_turn_and_no_other_one() -> None:
    fits = [fitted_name(name) for name in NAMES]
    assert len(set(fits)) == len(NAMES)
    assert fitted_name("mcp/github/search") == "mcp_github_search_f607542a"
    twins = [*NAMES, fitted_name("a.b")]
    body = {"contents": "x", "tools": [{"functionDeclarations": [{"name": one} for one in twins]}]}
    asked, provider = codec_of("gemini_content"), codec_of("openai_chat")
    request = asked.read(json.dumps(body).encode())
    context = AnswerContext(request_id="req_1", created=1, request=request)
    codec = translated(asked, provider, asked, context)
    sent = b"".join(map(bytes, codec.write(request, model="up", stream=False, include_usage=True))).decode()
    assert len(set(names_in(sent))) == len(twins)


def test_a_name_that_answers_would_be_made_of_is_refused() -> None:
    body = {"contents": "x", "tools": [{"functionDeclarations": [{"name": "x" * (LONGEST + 1)}]}]}
    asked = codec_of("gemini_content")
    request = asked.read(json.dumps(body).encode())
    context = AnswerContext(request_id="req_1", created=1, request=request)
    with pytest.raises(BadRequest) as refused:
        translated(asked, codec_of("openai_chat"), asked, context).write(
            request, model="up", stream=False, include_usage=True
        )
    assert refused.value.param == "tools[0].functionDeclarations[0]"


@pytest.mark.parametrize("size", [1, 200_000])
def test_names_come_back_whoever_wrote_the_request(size: int) -> None:
    """A large one is written by another process."""
    tools = [{"type": "function", "function": {"name": "files/read", "description": "x" * size}}]
    upstream = FakeUpstream(buffered(answer(fitted_name("files/read"))["gemini_content"]))
    harness = GatewayHarness(first=upstream, provider={"kind": "gemini"}, model={"context_tokens": 200_000})
    client = FakeCallerConnection(asking(tools=tools))
    run(harness.ask(client))
    (call,) = json.loads(client.data)["choices"][0]["message"]["tool_calls"]
    assert call["function"]["name"] == "files/read"
