"""What inputs are made of: what is not known to be text may be of any size, and what agents send is known."""

import json
from typing import Any

import pytest

from tollhouse.core.model_request import InputBounds
from tollhouse.formats.openai.input_bounds import input_bounds
from tollhouse.formats.openai.parts import Form, form
from tollhouse.formats.openai.request import read

LINK = "https://films.example/a.mp4"
PICTURE = "data:image/png;base64," + "Ab3x" * 500


def chat(*content: object, **members: object) -> InputBounds:
    body = {"model": "m", "messages": [{"role": "user", "content": list(content), **members}]}
    return input_bounds(read("chat", json.dumps(body).encode()))


@pytest.mark.parametrize(
    "part",
    [
        {"type": "video", "video": [LINK, LINK]},
        {"type": "document_url", "document_url": LINK},
        {"type": "document", "source": {"type": "url", "url": LINK}},
        {"type": "image", "source": {"type": "url", "url": LINK}},
        {"fileData": {"fileUri": "gs://bucket/a.mp4"}},
        {"type": "file", "file": {"file_uri": LINK}},
        {"type": "image_url", "image_url": {"url": LINK}},
        {"type": "image_url", "image_url": {"url": "gs://bucket/film"}},
        {"type": "image_url", "image_url": {"url": "https://x.example/1", "format": "video/mp4"}},
        {"type": "image_url", "image_url": {"url": "https://x.example/1.png", "also": LINK}},
        {"type": "image_url", "image_url": ["https://x.example/1.png"]},
        {"type": "image_url", "image_url": {"url": ["https://x.example/1.png"]}},
        {"type": "text", "text": "see", "attachments": ["f1"]},
        {"type": "text", "text": "see", "url": LINK},
        {"type": "text", "text": {"uri": LINK}},
        {"type": "text", "text": "fileid://file-1"},
        {"type": "text", "Type": "video", "text": "see"},
        {"type": "input_text", "text": "see", "file_ids": [1]},
        {"type": "tool_result", "tool_use_id": "1", "content": [{"type": "document", "source": {"url": LINK}}]},
        {"type": "reference", "reference_ids": [1, 2]},
        {"type": "mcp_resource", "uri": "x"},
        {"type": "text", "text": "a", "annotations": [{"type": "file", "file": {"hash": "x"}}]},
        {"type": ["video"], "video": LINK},
        {"type": 7},
        {"video": LINK},
        [LINK],
        7,
    ],
    ids=lambda part: json.dumps(part)[:60],
)
def test_a_part_that_is_not_known_is_held_as_the_dearest(part: object) -> None:
    assert chat({"type": "text", "text": "what is it?"}, part).has_remote_input


@pytest.mark.parametrize(
    "member",
    [
        {"files": ["file-1"]},
        {"file_ids": ["a"]},
        {"images": ["Ab3x"]},
        {"audio": {"id": "audio_1"}},
        {"attachments": [{"id": 7}]},
        {"document": LINK},
        {"Content": [{"type": "video", "video": LINK}]},
        {"annotations": [{"type": "file", "file": {"name": "a.pdf"}}]},
    ],
    ids=lambda member: next(iter(member)),
)
def test_so_is_a_member_of_a_message(member: dict[str, object]) -> None:
    assert chat({"type": "text", "text": "hi"}, **member).has_remote_input


@pytest.mark.parametrize(
    "item",
    [
        {"type": "item_reference", "id": "msg_1"},
        {"id": "msg_1"},
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        {"type": "image_generation_call", "id": "ig_1", "result": None},
        {"type": "compaction", "encrypted_content": "gAAA"},
        {"type": "mcp_call", "id": "mcp_1"},
        {"type": "function_call_output", "call_id": "1", "output": [{"type": "input_file", "file_url": LINK}]},
        {"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]},
        {"type": "message", "role": "user", "content": {"url": LINK}},
    ],
    ids=lambda item: json.dumps(item)[:60],
)
def test_so_is_an_item_that_the_provider_kept(item: object) -> None:
    body = {"model": "m", "input": [{"role": "user", "content": "hi"}, item]}
    assert input_bounds(read("responses", json.dumps(body).encode())).has_remote_input


SEEN = "Fetched https://docs.example/page?a=1 and gs://bucket/key, see file:///etc/hosts and data:text/plain,x"
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "url": {"type": "string", "format": "uri", "examples": ["https://a.example"]},
        "image_url": {"$ref": "#/$defs/file"},
        "file_id": {"type": "string"},
    },
    "$defs": {"file": {"type": "string", "description": "https://a.example/file.pdf"}},
}
TOOL = {"type": "function", "function": {"name": "fetch", "description": SEEN, "parameters": SCHEMA, "strict": True}}
FLAT = {"type": "function", "name": "fetch", "description": SEEN, "parameters": SCHEMA, "strict": False}
CALL = {"id": "call_1", "type": "function", "function": {"name": "fetch", "arguments": json.dumps({"url": LINK})}}
CHAT: dict[str, dict[str, object]] = {
    "LangChain": {
        "messages": [
            {"role": "system", "content": "Be brief. " + SEEN},
            {"role": "user", "content": [{"type": "text", "text": SEEN}], "name": "ann"},
            {"role": "assistant", "content": None, "tool_calls": [CALL], "refusal": None},
            {"role": "tool", "tool_call_id": "call_1", "name": "fetch", "content": SEEN},
        ],
        "tools": [TOOL],
        "tool_choice": "auto",
        "temperature": 0.0,
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}},
    },
    "coding agent by chat": {
        "messages": [
            {"role": "system", "content": [{"type": "text", "text": SEEN, "cache_control": {"type": "ephemeral"}}]},
            {"role": "assistant", "content": "ok", "reasoning_content": "hm", "reasoning_details": [{"data": "x"}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "f", "input": {"url": LINK}}]},
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": SEEN}]},
                    {"type": "thinking", "thinking": "hm", "signature": "x"},
                ],
            },
            {"role": "assistant", "content": "cited", "annotations": [{"type": "url_citation", "url_citation": {}}]},
        ],
        "tools": [{**TOOL, "cache_control": {"type": "ephemeral"}}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "reasoning": {"effort": "low"},
        "usage": {"include": True},
        "parallel_tool_calls": True,
        "max_completion_tokens": 500,
    },
    "legacy functions": {
        "messages": [{"role": "function", "name": "f", "content": SEEN}],
        "functions": [{"name": "f", "parameters": SCHEMA}],
        "function_call": {"name": "f"},
    },
    "vLLM": {
        "messages": [{"role": "user", "content": SEEN}],
        "top_k": 20,
        "min_p": 0,
        "repetition_penalty": 1.1,
        "chat_template_kwargs": {"enable_thinking": False},
        "guided_json": SCHEMA,
        "stop_token_ids": [1],
    },
}
CODEX: dict[str, object] = {
    "instructions": "You are a coding agent. " + SEEN,
    "input": [
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": SEEN}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": SEEN}]},
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "x"}],
            "encrypted_content": "g",
        },
        {"type": "reasoning", "summary": [], "content": None, "encrypted_content": "gAAAA"},
        {"type": "function_call", "name": "shell", "arguments": json.dumps({"cmd": ["curl", LINK]}), "call_id": "1"},
        {"type": "function_call_output", "call_id": "1", "output": SEEN},
        {"type": "custom_tool_call", "call_id": "2", "name": "apply_patch", "input": SEEN, "status": "completed"},
        {"type": "custom_tool_call_output", "call_id": "2", "output": SEEN},
        {"type": "local_shell_call", "call_id": "3", "status": "completed", "action": {"type": "exec", "command": []}},
        {
            "type": "message",
            "role": "assistant",
            "id": "msg_1",
            "status": "completed",
            "content": [{"type": "output_text", "text": SEEN, "annotations": [], "logprobs": []}],
        },
    ],
    "tools": [FLAT, {"type": "custom", "name": "apply_patch", "description": "d", "format": {"type": "grammar"}}],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "reasoning": {"effort": "medium", "summary": "auto"},
    "store": False,
    "stream": True,
    "include": ["reasoning.encrypted_content"],
    "prompt_cache_key": "0192",
    "text": {"verbosity": "low"},
    "service_tier": "auto",
}


@pytest.mark.parametrize("name", CHAT)
def test_what_agents_send_is_text(name: str) -> None:
    """A false alarm refuses a caller who could pay."""
    body = json.dumps({"model": "m", **CHAT[name]}).encode()
    request = read("chat", body)
    assert input_bounds(request) == InputBounds(bytes=len(body))
    assert (request.other_cap, request.thinks_beside, request.n, request.tier) == (0, False, 1, "")


def test_what_codex_sends_is_text() -> None:
    body = json.dumps({"model": "m", **CODEX}).encode()
    request = read("responses", body)
    assert input_bounds(request) == InputBounds(bytes=len(body))
    assert (request.other_cap, request.thinks_beside, request.n, request.tier) == (0, False, 1, "")


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "builtin_function", "function": {"name": "$web_search"}},
        {"type": "function", "function": {"name": "f"}, "google_search": {}},
        {"google_search": {}},
        {"type": "openrouter:web_search"},
        {"type": "mcp", "server_url": "https://a.example"},
        {"type": "code_interpreter", "container": {"type": "auto"}},
        {"type": "function ", "function": {"name": "f"}},
    ],
    ids=lambda tool: json.dumps(tool)[:40],
)
def test_a_tool_that_the_provider_may_run_reads_more(tool: object) -> None:
    for operation, given in (("chat", {"messages": [{"role": "user", "content": "x"}]}), ("responses", {"input": "x"})):
        body = json.dumps({"model": "m", **given, "tools": [TOOL, tool]}).encode()
        assert input_bounds(read(operation, body)).has_remote_input  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "made_of"),
    [
        ("a text", Form.TEXT),
        ("fileid://file-1", Form.UNKNOWN),
        (["a", "b"], Form.TEXT),
        ([1, 2], Form.TEXT),
        ([[1, 2], [3]], Form.TEXT),
        ([[{"a": 1}]], Form.UNKNOWN),
        ([{"text": "a"}], Form.TEXT),
        ([{"image": PICTURE}], Form.MEDIA),
        ([{"text": "a", "image": PICTURE}], Form.MEDIA),
        ([{"content": [{"type": "image_url", "image_url": {"url": PICTURE}}]}], Form.MEDIA),
        ([{"video": LINK}], Form.UNKNOWN),
        ({"image": PICTURE}, Form.MEDIA),
        (7.5, Form.UNKNOWN),
        (None, Form.UNKNOWN),
    ],
)
def test_the_form_of_an_input(value: object, made_of: Form) -> None:
    assert form(value) is made_of


@pytest.mark.parametrize(
    ("given", "parts", "elsewhere"),
    [
        ([{"type": "text", "text": "a gate"}, {"type": "image_url", "image_url": {"url": PICTURE}}], 1, False),
        ([{"image": PICTURE}], 1, False),
        ([{"image": PICTURE}, {"image": PICTURE}, "a gate"], 2, False),
        ([{"video": LINK}], 1, True),
    ],
)
def test_media_to_be_embedded_are_held_like_any_other(given: object, parts: int, elsewhere: bool) -> None:
    found = input_bounds(read("embeddings", json.dumps({"model": "m", "input": given}).encode()))
    assert (found.parts, found.has_remote_input) == (parts, elsewhere)
    if not elsewhere:
        assert found.bytes < 300


def test_a_suffix_is_read_after_each_prompt() -> None:
    body = json.dumps({"model": "m", "prompt": ["a"] * 10, "suffix": "x" * 1_000}).encode()
    assert input_bounds(read("completions", body)).bytes == len(body) + 9 * 1_002
