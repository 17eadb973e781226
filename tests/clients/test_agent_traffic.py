"""What coding agents send, over several turns: a large system with marks for caches, many tools, thoughts that are
signed, results that failed or hold pictures; items that are encrypted, tools that take text."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Final

import anthropic
import openai
import pytest

from tests.clients.platform_with_upstreams import SHAPES, Platform
from tests.clients.upstreams.plan import ALOUD, INPUT, THOUGHTS
from tests.clients.upstreams.server import VendorServer, VendorShape
from tests.clients.upstreams.typed import valid

pytestmark = pytest.mark.clients
TURNS: Final = 3
GUIDE: Final = "You are an agent. Be careful with files; say what you did. ÄÖÜ “quoted” \\ \n" * 400  # 30 kB
MARK: Final = {"type": "ephemeral"}
PIXEL: Final = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
FILES: Final[dict[str, Any]] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "file_path": {"type": "string", "description": "The absolute path", "minLength": 1},
        "offset": {"type": "integer", "minimum": 0, "exclusiveMaximum": 9007199254740991},
        "mode": {"anyOf": [{"type": "string", "enum": ["text", "bytes"]}, {"type": "null"}], "default": None},
        "edits": {"type": "array", "items": {"type": "object", "properties": {"old": {"type": "string"}}}},
    },
    "required": ["file_path"],
    "additionalProperties": False,
}
QUESTION: Final = "[aloud] Go on.\nCALL Read file_path /a b/ü.txt\nCALL Tool7 file_path /c.txt"


@pytest.fixture(params=SHAPES, ids=lambda shape: str(shape.name))
def upstream(request: pytest.FixtureRequest, platform: Platform) -> Iterator[VendorServer]:
    with platform.uncomplaining(request.param.name) as server:
        yield server


def model_of(upstream: VendorServer) -> str:
    shape: VendorShape = upstream.shape
    return f"{shape.name}-1"


@pytest.fixture(scope="module")
def claude(platform: Platform) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=platform.base_url, auth_token=platform.key, max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def codex(platform: Platform) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{platform.base_url}/v1", api_key=platform.key, max_retries=0) as client:
        yield client


def of_claude_code(model: str, messages: list[Any]) -> dict[str, Any]:
    names = ["Read", *(f"Tool{number}" for number in range(20))]
    return {
        "model": model,
        "max_tokens": 32_000,
        "system": [
            {"type": "text", "text": "x-billing: an agent"},
            {"type": "text", "text": GUIDE, "cache_control": MARK},
            {"type": "text", "text": "The day is a Monday.", "cache_control": MARK},
        ],
        "tools": [{"name": name, "description": f"{name} of files", "input_schema": FILES} for name in names],
        "thinking": {"type": "enabled", "budget_tokens": 10_000},
        "metadata": {"user_id": '{"device_id":"d","session_id":"s"}'},
        "messages": messages,
        "betas": ["interleaved-thinking-2025-05-14"],
    }


def result_of(call: Any, number: int) -> dict[str, Any]:
    """The second of two failed; the first holds a picture."""
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    content: Any = "no such file" if number else [{"type": "text", "text": f"read {call.input['file_path']}"}, picture]
    return {"type": "tool_result", "tool_use_id": call.id, "content": content, "is_error": bool(number)}


def test_turns_of_claude_code(claude: anthropic.Anthropic, upstream: VendorServer) -> None:
    messages: list[Any] = []
    for _ in range(TURNS):
        messages.append({"role": "user", "content": [{"type": "text", "text": QUESTION, "cache_control": MARK}]})
        for is_answer in (False, True):
            with claude.beta.messages.stream(**of_claude_code(model_of(upstream), messages)) as stream:
                answer = stream.get_final_message()
            del messages[-1]["content"][-1]["cache_control"]
            kinds = [block.type for block in answer.content]
            content = [block.model_dump(exclude_none=True, exclude={"parsed_output"}) for block in answer.content]
            messages.append({"role": "assistant", "content": content})
            if is_answer:
                break
            assert kinds == ["thinking", "text", "tool_use", "tool_use"]
            assert (content[0]["thinking"], content[1]["text"]) == (THOUGHTS, ALOUD)
            calls = [block for block in answer.content if block.type == "tool_use"]
            results = [result_of(call, number) for number, call in enumerate(calls)]
            results[-1]["cache_control"] = MARK
            messages.append({"role": "user", "content": results})
        assert kinds == ["thinking", "text"]
        said = messages[-1]["content"][1]["text"]
        assert said.startswith("The tool said: read /a b/ü.txt")
        assert "no such file" in said
        assert said.count("image/png of 70 bytes") == 1
        assert answer.usage.input_tokens == INPUT
    assert len(upstream.received) == 2 * TURNS


def test_what_of_claude_code_is_dropped_is_named(claude: anthropic.Anthropic, upstream: VendorServer) -> None:
    """Marks of caches only save money: where the vendor has none, the answer's head says so."""
    asked = of_claude_code(model_of(upstream), [{"role": "user", "content": "Hello"}])
    del asked["tools"]
    asked["max_tokens"] = 12_000
    answer = claude.beta.messages.with_raw_response.create(**asked)
    dropped = answer.headers.get("x-tollhouse-dropped", "")
    assert ("cache_control" in dropped) == (upstream.shape.name != "messages")
    assert "thinking" not in dropped


PATCH_GRAMMAR: Final = {"type": "grammar", "syntax": "lark", "definition": 'start: "*** Begin Patch" /.+/'}


def of_codex(model: str, items: list[Any]) -> dict[str, Any]:
    command = {"type": "object", "properties": {"cmd": {"type": "string"}}, "required": ["cmd"]}
    functions = [{"type": "function", "name": f"tool{n}", "strict": False, "parameters": FILES} for n in range(10)]
    return {
        "model": model,
        "instructions": GUIDE,
        "input": items,
        "tools": [
            {"type": "function", "name": "exec_command", "strict": False, "parameters": command},
            {"type": "custom", "name": "apply_patch", "description": "Edits files", "format": PATCH_GRAMMAR},
            *functions,
        ],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "reasoning": {"effort": "medium", "summary": "auto"},
        "include": ["reasoning.encrypted_content"],
        "store": False,
        "prompt_cache_key": "01a22e24-dca9-7090",
        "text": {"verbosity": "low"},
    }


def test_turns_of_codex(codex: openai.OpenAI, upstream: VendorServer) -> None:
    rules = [{"type": "input_text", "text": "Sandbox: read only."}]
    items: list[Any] = [{"type": "message", "role": "developer", "content": rules}]
    question = [{"type": "input_text", "text": "[aloud] Go on.\nCALL exec_command cmd cat ü.txt"}]
    for _ in range(TURNS):
        items.append({"type": "message", "role": "user", "content": question})
        for is_answer in (False, True):
            with codex.responses.stream(**of_codex(model_of(upstream), items)) as stream:
                answer = stream.get_final_response()
            kinds = [item.type for item in answer.output]
            made = [item.model_dump(exclude_none=True, by_alias=True, exclude={"status"}) for item in answer.output]
            items += [valid(dict[str, Any], _sent_back(one)) for one in made]
            if is_answer:
                break
            assert kinds == ["reasoning", "message", "function_call"]
            assert made[0]["summary"] == [{"text": THOUGHTS, "type": "summary_text"}]
            output = f"ran {made[2]['arguments']}"
            items.append({"type": "function_call_output", "call_id": made[2]["call_id"], "output": output})
        assert kinds == ["reasoning", "message"]
        assert answer.output_text.replace('": "', '":"') == 'The tool said: ran {"cmd":"cat ü.txt"}'
    assert len(upstream.received) == 2 * TURNS


def test_tool_of_codex_that_takes_text(codex: openai.OpenAI, upstream: VendorServer) -> None:
    if_asked = "Go on.\nCALL apply_patch input *** Begin Patch"
    items: list[Any] = [{"role": "user", "content": if_asked}]
    with ExitStack() as ends:
        stream = ends.enter_context(codex.responses.stream(**of_codex(model_of(upstream), items)))
        answer = stream.get_final_response()
    called = answer.output[-1]
    assert called.type == "custom_tool_call"
    assert (called.name, called.input) == ("apply_patch", "*** Begin Patch")
    made = [item.model_dump(exclude_none=True, by_alias=True, exclude={"status"}) for item in answer.output]
    items += [_sent_back(one) for one in made]
    items.append({"type": "custom_tool_call_output", "call_id": called.call_id, "output": "patched"})
    told = codex.responses.create(**of_codex(model_of(upstream), items))
    assert told.output_text == "The tool said: patched"


def _sent_back(item: dict[str, Any]) -> dict[str, Any]:
    """Without what the SDK adds."""
    content = item.get("content")
    if isinstance(content, list):
        item["content"] = [{name: one for name, one in part.items() if name != "parsed"} for part in content]
    return {name: one for name, one in item.items() if name != "parsed_arguments"}
