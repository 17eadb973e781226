"""Histories of the Responses API that agents send, and choices among their tools."""

import json
from typing import Any

import pytest

from tollhouse.core.conversation import Conversation, TextPart, ToolCall, ToolResult
from tollhouse.formats.openai import request as requests
from tollhouse.formats.openai.words.by_operation import WORDS

Object = dict[str, Any]
HELLO: Object = {"type": "message", "role": "user", "content": "Hello"}
SEARCH: Object = {"type": "function", "name": "search", "parameters": {"type": "object", "properties": {}}}
TOOLS: list[Object] = [
    {"type": "namespace", "name": "mcp__github", "description": "d", "tools": [SEARCH, {**SEARCH, "name": "read"}]},
    {"type": "namespace", "name": "crm", "description": "d", "tools": [{**SEARCH, "name": "read"}]},
    {**SEARCH, "name": "shout"},
]


def asked(*items: Object, **members: Any) -> Conversation:
    body = {"model": "m", "input": [HELLO, *items], **members}
    return WORDS["responses"].read_request(requests.read("responses", json.dumps(body).encode()))


@pytest.mark.parametrize(
    ("chosen", "name"),
    [
        ({"type": "function", "name": "shout"}, "shout"),
        ({"type": "function", "name": "search", "namespace": "mcp__github"}, "mcp__github__search"),
        ({"type": "function", "name": "search"}, "mcp__github__search"),
        ({"type": "function", "name": "mcp__github__search"}, "mcp__github__search"),
        ({"type": "function", "name": "read", "namespace": "crm"}, "crm__read"),
        ({"type": "function", "name": "read"}, "read"),
        ({"type": "function", "name": "unknown"}, "unknown"),
    ],
)
def test_a_choice_means_a_tool_in_its_namespace(chosen: Object, name: str) -> None:
    one = asked(tools=TOOLS, tool_choice=chosen).tool_choice
    several = asked(tools=TOOLS, tool_choice={"type": "allowed_tools", "mode": "auto", "tools": [chosen]}).tool_choice
    assert one is not None
    assert several is not None
    assert one.names == several.names == (name,)


def test_messages_of_one_turn_are_parted() -> None:
    said = [{"type": "message", "role": "assistant", "content": text} for text in ("I look.", "", "Two.")]
    parts = asked(*said).messages[1].parts
    assert "".join(part.text for part in parts if isinstance(part, TextPart)) == "I look.\n\nTwo."


REMOTE: Object = {"type": "mcp_call", "id": "mcp_1", "server_label": "github", "name": "search", "arguments": '{"q":1}'}


@pytest.mark.parametrize(
    ("said", "text", "failed"),
    [
        ({"output": "two"}, "two", False),
        ({"output": None, "error": None}, "", False),
        ({"output": None, "error": "stuck"}, "stuck", True),
        ({"output": None, "error": {"type": "http_error", "code": 500}}, '{"type":"http_error","code":500}', True),
    ],
)
def test_what_a_remote_tool_gave_is_a_result(said: Object, text: str, failed: bool) -> None:
    history = asked({**REMOTE, **said}, {"type": "message", "role": "assistant", "content": "Two."})
    assert [message.role for message in history.messages] == ["user", "assistant", "user", "assistant"]
    call, result = history.messages[1].parts[0], history.messages[2].parts[0]
    assert isinstance(call, ToolCall)
    assert isinstance(result, ToolResult)
    assert (call.id, call.name, call.arguments) == ("mcp_1", "github__search", '{"q":1}')
    assert (result.id, result.is_error, result.parts) == ("mcp_1", failed, [TextPart(text=text)])


@pytest.mark.parametrize(
    "kind",
    [
        *("code_interpreter_call", "file_search_call", "image_generation_call", "mcp_approval_request"),
        *("mcp_approval_response", "mcp_list_tools", "web_search_call"),
    ],
)
def test_what_the_vendor_s_tools_did_is_left_out_by_its_place(kind: str) -> None:
    assert asked({"type": kind, "id": "x_1"}).uses == {"tool_history": "input[1]"}
