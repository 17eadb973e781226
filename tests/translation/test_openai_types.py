"""What is sent to OpenAI's endpoints, and what callers of its formats get, is of the types of its official package."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec import json
from openai.types import Completion
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.completion_create_params import (
    CompletionCreateParamsNonStreaming,
    CompletionCreateParamsStreaming,
)
from openai.types.responses import Response, ResponseStreamEvent
from openai.types.responses.response_create_params import (
    ResponseCreateParamsNonStreaming,
    ResponseCreateParamsStreaming,
)
from pydantic import TypeAdapter

from tests.translation.golden_case import cases

REQUESTS: Final[dict[str, tuple[TypeAdapter[Any], TypeAdapter[Any]]]] = {
    "openai_chat": (TypeAdapter(CompletionCreateParamsNonStreaming), TypeAdapter(CompletionCreateParamsStreaming)),
    "openai_responses": (TypeAdapter(ResponseCreateParamsNonStreaming), TypeAdapter(ResponseCreateParamsStreaming)),
}
ANSWERS: Final[dict[str, tuple[TypeAdapter[Any], TypeAdapter[Any]]]] = {
    "openai_chat": (TypeAdapter(ChatCompletion), TypeAdapter(ChatCompletionChunk)),
    "openai_completions": (TypeAdapter(Completion), TypeAdapter(Completion)),
    "openai_responses": (TypeAdapter(Response), TypeAdapter(ResponseStreamEvent)),
}


def having(name: str, wires: Iterable[str], *, asked: bool) -> list[Path]:
    """The cases with a file of this name whose caller, or else whose provider, has one of these formats."""
    return [case for case in cases() if (case / name).exists() and case.parent.name.split("--")[not asked] in wires]


def name_of(case: Path) -> str:
    return f"{case.parent.name}/{case.name}"


def consume(value: object) -> None:
    """An array of a request is checked as it is read."""
    if isinstance(value, dict):
        for one in value.values():
            consume(one)
    elif isinstance(value, Iterable) and not isinstance(value, str):
        for one in value:
            consume(one)


@pytest.mark.parametrize("case", having("upstream_request.json", REQUESTS, asked=False), ids=name_of)
def test_a_request_is_of_the_types_of_the_package(case: Path) -> None:
    body = json.decode((case / "upstream_request.json").read_bytes())
    for item in body.get("input", ()):
        if item["type"] == "reasoning":
            item["id"] = "rs_1"  # the type wants one; the endpoint does not, and Codex sends none
    wire = case.parent.name.partition("--")[2]
    consume(REQUESTS[wire]["stream" in body].validate_python(body))


@pytest.mark.parametrize("case", having("outbound.json", ANSWERS, asked=True), ids=name_of)
def test_an_answer_is_of_the_types_of_the_package(case: Path) -> None:
    body = json.decode((case / "outbound.json").read_bytes())
    if "error" not in body or body.get("object") == "response":
        ANSWERS[case.parent.name.partition("--")[0]][0].validate_python(body)
    else:
        assert {"message", "type", "param", "code"} <= body["error"].keys()


@pytest.mark.parametrize("case", having("outbound.sse", ANSWERS, asked=True), ids=name_of)
def test_each_event_of_a_stream_is_of_the_types_of_the_package(case: Path) -> None:
    wire = case.parent.name.partition("--")[0]
    for block in (case / "outbound.sse").read_bytes().split(b"\n\n"):
        data = block.partition(b"data: ")[2]
        if data and data != b"[DONE]" and not data.startswith(b'{"error"'):
            ANSWERS[wire][1].validate_python(typed(wire, json.decode(data)))


def typed(wire: str, event: Any) -> Any:
    """An event as far as the package has types: none for a completion that goes on, nor for calls of custom tools."""
    for choice in event.get("choices", ()):
        if wire == "openai_completions":
            choice["finish_reason"] = choice["finish_reason"] or "stop"
        for call in choice.get("delta", {}).get("tool_calls", ()):
            if call.get("type") == "custom":
                del call["type"]
    return event
