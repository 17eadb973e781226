"""What a request asks the provider to run and to bill, in every format: each documented form is sold by its name, or by
the search; what costs its tokens alone is not."""

import json
from typing import Any

import msgspec
import pytest

from tollhouse.core.cleaning import NOTHING_KNOWN
from tollhouse.core.codec import RelayedStream
from tollhouse.core.failure import UnsupportedParameter
from tollhouse.core.hosted_tools import leave_out
from tollhouse.core.model_request import ModelRequest
from tollhouse.formats import codecs

OWN = {"type": "function", "name": "look", "parameters": {}}
CHAT_OWN = {"type": "function", "function": {"name": "look"}}
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("openai", "chat"): {"model": "m", "messages": [{"role": "user", "content": "Hi"}]},
    ("openai", "responses"): {"model": "m", "input": "Hi"},
    ("anthropic", "chat"): {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]},
    ("gemini", "chat"): {"contents": [{"parts": [{"text": "Hi"}]}]},
}
RESPONSES, CHAT, MESSAGES, GEMINI = (
    ("openai", "responses"),
    ("openai", "chat"),
    ("anthropic", "chat"),
    ("gemini", "chat"),
)


def read(how: tuple[str, str], members: dict[str, Any]) -> ModelRequest:
    return codecs()[how].read(json.dumps({**BODIES[how], **members}).encode())  # type: ignore[index]


def added(tool: dict[str, Any]) -> list[dict[str, Any]]:
    """Messages of which one adds a tool."""
    block = {"type": "tool_addition", "tool": {"type": "tool_definition", "definition": tool}}
    return [{"role": "user", "content": "Hi"}, {"role": "system", "content": [block]}]


# Each: what is asked, and of each tool that is billed its name, whether it is a search, and how many are held for.
FORMS: list[tuple[tuple[str, str], dict[str, Any], list[tuple[str, bool, int]]]] = [
    (RESPONSES, {"tools": [{"type": "web_search"}]}, [("web_search", True, 10)]),
    (RESPONSES, {"tools": [{"type": "web_search_preview"}]}, [("web_search", True, 10)]),
    (RESPONSES, {"tools": [{"type": "web_search_preview_2025_03_11"}]}, [("web_search", True, 10)]),
    (RESPONSES, {"tools": [{"type": "web_search_2025_08_26"}]}, [("web_search", True, 10)]),
    (RESPONSES, {"tools": [{"type": "Web_Search"}]}, [("web_search", True, 10)]),
    (RESPONSES, {"tools": [{"type": "web_search"}], "max_tool_calls": 3}, [("web_search", True, 3)]),
    (RESPONSES, {"tools": [{"type": "web_search"}], "max_tool_calls": 2**40}, [("web_search", True, 1_000)]),
    (RESPONSES, {"tools": [{"type": "web_search"}], "max_tool_calls": -1}, [("web_search", True, 10)]),
    (RESPONSES, {"tools": [{"type": "file_search", "vector_store_ids": ["v"]}]}, [("file_search", True, 10)]),
    (RESPONSES, {"tools": [{"type": "x_search"}]}, [("x_search", True, 10)]),
    (RESPONSES, {"tools": [{"type": "collections_search"}]}, [("collections_search", True, 10)]),
    (RESPONSES, {"tools": [{"type": "code_interpreter", "container": "c"}]}, [("code_interpreter", False, 10)]),
    (RESPONSES, {"tools": [{"type": "image_generation"}]}, [("image_generation", False, 10)]),
    (RESPONSES, {"tools": [{"type": "shell", "environment": {"type": "container_auto"}}]}, [("shell", False, 10)]),
    (RESPONSES, {"tools": [{"type": "shell", "environment": {"type": "local"}}]}, []),
    (RESPONSES, {"tools": [{"type": "shell"}]}, []),
    (RESPONSES, {"tools": [{"type": "mcp", "server_url": "https://a.example"}]}, []),
    (RESPONSES, {"tools": [{"type": "computer_use_preview"}]}, []),
    (RESPONSES, {"tools": [{"type": "computer"}, {"type": "tool_search"}, {"type": "local_shell"}]}, []),
    (RESPONSES, {"tools": [{"type": "apply_patch"}, {"type": "custom", "name": "a"}, OWN]}, []),
    (RESPONSES, {"tools": [{"type": "namespace", "name": "n", "tools": [OWN]}]}, []),
    (
        RESPONSES,
        {"tools": [{"type": "namespace", "name": "n", "tools": [OWN, {"type": "web_search"}]}]},
        [("web_search", True, 10)],
    ),
    (RESPONSES, {"tools": [{"type": "somebodys_new_tool"}]}, [("somebodys_new_tool", False, 10)]),
    (
        RESPONSES,
        {"input": [{"type": "additional_tools", "role": "developer", "tools": [{"type": "web_search"}]}]},
        [("web_search", True, 10)],
    ),
    (
        RESPONSES,
        {"input": [{"type": "tool_search_output", "tools": [OWN, {"type": "file_search"}]}]},
        [("file_search", True, 10)],
    ),
    (RESPONSES, {"input": [{"type": "message", "role": "user", "content": "additional_tools"}]}, []),
    (CHAT, {"tools": [CHAT_OWN]}, []),
    (CHAT, {"tools": [{"type": "openrouter:web_search"}]}, [("web_search", True, 10)]),
    (CHAT, {"tools": [{"type": "openrouter:image_generation"}]}, [("image_generation", False, 10)]),
    (CHAT, {"tools": [{"type": "web_search", "web_search": {"enable": True}}]}, [("web_search", True, 10)]),
    (CHAT, {"tools": [{"type": "retrieval", "retrieval": {}}]}, [("retrieval", True, 10)]),
    (
        CHAT,
        {"tools": [{"type": "builtin_function", "function": {"name": "$web_search"}}]},
        [("web_search", True, 10)],
    ),
    (CHAT, {"tools": [{"google_search": {}}]}, [("google_search", True, 10)]),
    (CHAT, {"tools": [{"googleSearch": {}}]}, [("google_search", True, 10)]),
    (CHAT, {"tools": [{**CHAT_OWN, "google_search": {}}]}, [("google_search", True, 10)]),
    (CHAT, {"tools": [{"type": "browser_search"}]}, [("browser_search", True, 10)]),
    (CHAT, {"tools": [{"type": 7}]}, [("unknown", False, 10)]),
    (CHAT, {"tools": "all"}, []),
    (CHAT, {"tools": {"type": "web_search"}}, [("unknown", False, 10)]),
    (CHAT, {"tools": []}, []),
    (CHAT, {"tools": False}, []),
    (MESSAGES, {"tools": [[{"type": "web_search_20250305"}]]}, [("unknown", False, 10)]),
    (GEMINI, {"tools": [[{"googleSearch": {}}]]}, [("unknown", False, 10)]),
    (GEMINI, {"tools": "googleSearch"}, []),
    (GEMINI, {"tools": []}, []),
    (CHAT, {"web_search_options": {"search_context_size": "high"}}, [("web_search", True, 10)]),
    (CHAT, {"web_search_options": None}, []),
    (CHAT, {"enable_search": True}, [("web_search", True, 10)]),
    (CHAT, {"enableSearch": True}, [("web_search", True, 10)]),
    (CHAT, {"enable_search": False}, []),
    (CHAT, {"search_parameters": {"mode": "auto"}}, [("web_search", True, 20)]),
    (CHAT, {"search_parameters": {"mode": "on", "max_search_results": 30}}, [("web_search", True, 30)]),
    (CHAT, {"search_parameters": {"mode": "off"}}, []),
    (CHAT, {"web_search": {"enable": False}}, []),
    (CHAT, {"web_search": {"enable": True}}, [("web_search", True, 10)]),
    (CHAT, {"plugins": [{"id": "web"}]}, [("web_search", True, 10)]),
    (CHAT, {"plugins": [{"id": "web", "max_results": 400}]}, [("web_search", True, 80)]),
    (CHAT, {"plugins": [{"id": "web", "enabled": False}, {"id": "response-healing"}]}, []),
    (CHAT, {"plugins": [{"id": "file-parser", "pdf": {"engine": "mistral-ocr"}}]}, [("file_parser", False, 10)]),
    (CHAT, {"plugins": "web"}, [("web_search", True, 10)]),
    (MESSAGES, {"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, [("web_search", True, 10)]),
    (
        MESSAGES,
        {"tools": [{"type": "web_search_20260209", "name": "web_search", "max_uses": 4}]},
        [("web_search", True, 4)],
    ),
    (
        MESSAGES,
        {"tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": "many"}]},
        [("web_search", True, 10)],
    ),
    (MESSAGES, {"messages": added({"type": "web_search_20260209", "max_uses": 3})}, [("web_search", True, 3)]),
    (MESSAGES, {"messages": added({"type": "code_execution_20260521"})}, [("code_execution", False, 10)]),
    (MESSAGES, {"messages": added({"name": "look", "input_schema": {}})}, []),
    (MESSAGES, {"messages": added({"type": "web_fetch_20260209"})}, []),
    (MESSAGES, {"messages": [{"role": "user", "content": "a tool_addition"}]}, []),
    (MESSAGES, {"tools": [{"type": "web_fetch_20250910", "name": "web_fetch"}]}, []),
    (MESSAGES, {"tools": [{"type": "memory_20250818", "name": "memory"}]}, []),
    (
        MESSAGES,
        {"tools": [{"type": "code_execution_20250825", "name": "code_execution"}]},
        [("code_execution", False, 10)],
    ),
    (GEMINI, {"tools": [{"googleSearch": {}}]}, [("google_search", True, 10)]),
    (GEMINI, {"tools": [{"google_search": {}}]}, [("google_search", True, 10)]),
    (GEMINI, {"tools": {"googleSearch": {}}}, [("google_search", True, 10)]),
    (GEMINI, {"tools": [{"GoogleSearch": {}}]}, [("google_search", True, 10)]),
    (GEMINI, {"tools": [{"googleSearchRetrieval": {}}]}, [("google_search_retrieval", True, 10)]),
    (GEMINI, {"tools": [{"googleMaps": {}}]}, [("google_maps", True, 10)]),
    (GEMINI, {"tools": [{"enterpriseWebSearch": {}}]}, [("enterprise_web_search", True, 10)]),
    (GEMINI, {"tools": [{"googleSearch": None}, {"urlContext": {}}, {"codeExecution": {}}]}, []),
    (GEMINI, {"tools": [{"url_context": {}, "functionDeclarations": [{"name": "look"}]}, {"fileSearch": {}}]}, []),
    (GEMINI, {"tools": [{"retrieval": {"vertexAiSearch": {}}}]}, [("retrieval", False, 10)]),
    (GEMINI, {"tools": None}, []),
]


@pytest.mark.parametrize(("how", "members", "found"), FORMS, ids=lambda one: json.dumps(one)[:60])
def test_what_is_billed_by_its_use_is_known_by_its_name(
    how: tuple[str, str], members: dict[str, Any], found: list[tuple[str, bool, int]]
) -> None:
    assert [(tool.name, tool.is_search, tool.most) for tool in read(how, members).hosted] == found


@pytest.mark.parametrize(
    "inside",
    [{"enable_search": True}, {"plugins": [{"id": "web"}]}, {"web_search_options": {"a": 1}}, {"tools": [OWN]}],
)
def test_a_search_is_asked_for_at_the_top_of_a_body(inside: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedParameter):
        read(CHAT, {"extra_body": inside})


def test_an_escaped_name_brings_its_tools_too() -> None:
    body = json.dumps({**BODIES[RESPONSES], "input": [{"type": "additional_tools", "tools": [{"type": "web_search"}]}]})
    request = codecs()[RESPONSES].read(body.replace("additional", "\\u0061dditional").encode())  # type: ignore[index]
    assert [tool.name for tool in request.hosted] == ["web_search"]
    body = json.dumps({**BODIES[MESSAGES], "messages": added({"type": "web_search_20260209"})})
    request = codecs()[MESSAGES].read(body.replace("tool_addition", "tool\\u005faddition").encode())  # type: ignore[index]
    assert [tool.name for tool in request.hosted] == ["web_search"]


@pytest.mark.parametrize(
    ("how", "members", "left"),
    [
        (RESPONSES, {"tools": [OWN, {"type": "web_search"}]}, [OWN]),
        (RESPONSES, {"tools": [OWN, {"type": "web_search"}], "tool_choice": "required"}, [OWN]),
        (RESPONSES, {"tools": [OWN, {"type": "web_search"}], "tool_choice": {"type": "web_search"}}, None),
        (
            RESPONSES,
            {"tools": [OWN, {"type": "web_search"}], "tool_choice": {"type": "allowed_tools", "tools": [OWN]}},
            [OWN],
        ),
        (RESPONSES, {"tools": [{"type": "web_search"}, {"type": "mcp"}]}, None),
        (CHAT, {"tools": [CHAT_OWN, {"google_search": {}}]}, [CHAT_OWN]),
        (CHAT, {"tools": [CHAT_OWN], "web_search_options": {}}, None),
        (
            MESSAGES,
            {"tools": [{"type": "web_search_20250305", "name": "web_search"}, {"name": "look"}]},
            [{"name": "look"}],
        ),
        (
            MESSAGES,
            {
                "tools": [{"type": "web_search_20250305", "name": "web_search"}, {"name": "look"}],
                "tool_choice": {"type": "tool", "name": "web_search"},
            },
            None,
        ),
        (
            GEMINI,
            {"tools": [{"googleSearch": {}, "functionDeclarations": [{"name": "look"}]}, {"googleMaps": {}}]},
            [{"functionDeclarations": [{"name": "look"}]}],
        ),
        (GEMINI, {"tools": [{"googleSearch": {}}, {"urlContext": {}}]}, None),
    ],
    ids=lambda one: json.dumps(one)[:60],
)
def test_what_stands_beside_the_callers_own_tools_can_be_left_out(
    how: tuple[str, str], members: dict[str, Any], left: list[Any] | None
) -> None:
    request = read(how, members)
    assert request.hosted
    assert (left is None) == any(tool.place is None for tool in request.hosted)
    if left is not None:
        leave_out(request.members, request.hosted)
        assert msgspec.json.decode(request.members["tools"]) == left


SEARCH_ITEM = {"type": "web_search_call", "id": "ws", "status": "completed", "action": {"type": "search", "query": "a"}}
OPENED = {**SEARCH_ITEM, "action": {"type": "open_page", "url": "https://a.example"}}
FILES = {"type": "file_search_call", "id": "fs", "status": "completed", "queries": ["a"]}
TOKENS = {"input_tokens": 60, "output_tokens": 12, "total_tokens": 72}
SAID = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Zoll"}]}


def response(*items: dict[str, Any], usage: dict[str, Any] | None = TOKENS, **more: Any) -> dict[str, Any]:
    return {"id": "r", "object": "response", "status": "completed", "output": [*items, SAID], "usage": usage, **more}


def candidates(*groundings: dict[str, Any]) -> dict[str, Any]:
    said = [
        {"content": {"parts": [{"text": "Zoll"}]}, "finishReason": "STOP", "index": at, "groundingMetadata": grounding}
        for at, grounding in enumerate(groundings)
    ]
    return {"candidates": said, "usageMetadata": {"promptTokenCount": 60, "candidatesTokenCount": 12}}


def told(**usage: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Zoll"}, "finish_reason": "stop"}
    tokens = {"prompt_tokens": 60, "completion_tokens": 12, "total_tokens": 72}
    return {"id": "c", "object": "chat.completion", "model": "m", "choices": [choice], "usage": {**tokens, **usage}}


ANSWERS: list[tuple[tuple[str, str], dict[str, Any], int]] = [
    (RESPONSES, response(), 0),
    (RESPONSES, response(SEARCH_ITEM, SEARCH_ITEM), 2),
    (RESPONSES, response(SEARCH_ITEM, OPENED), 1),
    (RESPONSES, response({"type": "web_search_call", "status": "completed"}), 1),
    (RESPONSES, response({**SEARCH_ITEM, "status": "failed"}), 0),
    (RESPONSES, response(FILES, SEARCH_ITEM), 2),
    (RESPONSES, response(SEARCH_ITEM, SEARCH_ITEM, tool_usage={"web_search": {"num_requests": 1}}), 1),
    (RESPONSES, response(FILES, SEARCH_ITEM, tool_usage={"web_search": {"num_requests": 1}}), 2),
    (RESPONSES, response(SEARCH_ITEM, tool_usage={"web_search": {"num_requests": "many"}}), 1),
    (RESPONSES, response(SEARCH_ITEM, tool_usage={"web_search": 3}), 3),
    (RESPONSES, response(SEARCH_ITEM, tool_usage={"web_search": 2**70}), 1),
    (RESPONSES, response(SEARCH_ITEM, tool_usage={"web_search": 1_001}), 1),
    (CHAT, told(num_search_queries=1_001), 0),
    (
        RESPONSES,
        response(usage={**TOKENS, "server_side_tool_usage_details": {"web_search_calls": 2, "mcp_calls": 9}}),
        2,
    ),
    (RESPONSES, response(usage={**TOKENS, "num_sources_used": 4}), 4),
    (CHAT, told(), 0),
    (CHAT, told(num_search_queries=3), 3),
    (CHAT, told(num_sources_used=17), 17),
    (CHAT, told(server_tool_use={"web_search_requests": 2}), 2),
    (CHAT, told(prompt_tokens_details={"cached_tokens": 0, "web_search_requests": 2}), 2),
    (CHAT, told(plugins={"search": {"count": 1}}), 1),
    (CHAT, told(num_search_queries=-3), 0),
    (CHAT, told(num_search_queries="3"), 0),
    (CHAT, told(num_search_queries=2**60), 0),
    (GEMINI, candidates({}), 0),
    (GEMINI, candidates({"webSearchQueries": ["a", "b", "a", "", " "]}), 2),
    (GEMINI, candidates({"webSearchQueries": ["a"]}, {"webSearchQueries": ["a", "c"]}), 2),
    (GEMINI, candidates({"web_search_queries": ["a"], "imageSearchQueries": ["a"]}), 2),
    (GEMINI, candidates({"groundingChunks": [{"maps": {"title": "A"}}, {"maps": {"title": "B"}}]}), 1),
    (GEMINI, candidates({"groundingChunks": [{"web": {"title": "A"}}]}), 0),
]


def stream_of(how: tuple[str, str], body: bytes) -> RelayedStream:
    streams = codecs()[how].streams  # type: ignore[index]
    assert streams is not None
    relay = streams.relay(show_usage=True, count=len, known=NOTHING_KNOWN)
    relay.feed(streams.unfold(body))
    relay.finish()
    return relay


@pytest.mark.parametrize(("how", "answer", "searches"), ANSWERS, ids=lambda one: json.dumps(one)[-60:])
def test_searches_are_counted_as_they_are_billed(how: tuple[str, str], answer: dict[str, Any], searches: int) -> None:
    """In one piece, and as the stream that it could have been."""
    body = json.dumps(answer).encode()
    read, streamed = codecs()[how].read_response(body, NOTHING_KNOWN).usage, stream_of(how, body).usage  # type: ignore[index]
    assert read is not None
    assert streamed is not None
    assert (read.searches, streamed.searches) == (searches, searches)


@pytest.mark.parametrize(
    ("how", "answer", "searches"),
    [
        (RESPONSES, response(SEARCH_ITEM, OPENED, FILES, usage=None), 2),
        (GEMINI, candidates({"webSearchQueries": ["a"]}), 1),
    ],
    ids=lambda one: json.dumps(one)[-60:],
)
def test_searches_are_seen_where_nobody_reports(how: tuple[str, str], answer: dict[str, Any], searches: int) -> None:
    body = json.dumps(answer).encode()
    assert codecs()[how].response_text(body)[1].searches == searches  # type: ignore[index]
    assert stream_of(how, body).delivered().searches == searches
