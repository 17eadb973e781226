"""Responses in core words, both ways."""

import json
from typing import Any

import pytest
from msgspec import json as msgspec_json
from openai.types.responses import Response

from tests.formats.spoken_responses import CALL, RESPONSES, asked, context, sent, written
from tollhouse.core.conversation import Opaque, Reasoning, TextPart, ToolCall, ToolResult
from tollhouse.core.failure import BadRequest, UnsupportedParameter
from tollhouse.core.features import untold
from tollhouse.core.opaque import sealed
from tollhouse.core.reply import (
    ArgumentsAdded,
    Began,
    Finished,
    OpaqueAdded,
    PartBegan,
    PartEnded,
    Reply,
    ReplyChoice,
    ReplyEvent,
    StreamEnded,
    TextAdded,
    UsageTold,
)
from tollhouse.core.usage import Usage
from tollhouse.formats.openai.words.by_operation import WORDS

CHAT = WORDS["chat"]
SIGNED = Opaque("anthropic_messages", "sig==")


RICH: dict[str, Any] = {
    "instructions": "Be brief.",
    "input": [
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "What is this?"},
                {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"},
                {"type": "input_image", "image_url": "https://pictures.example/a.png", "detail": "auto"},
                {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"},
                {"type": "input_file", "file_url": "https://files.example/a.pdf"},
            ],
        },
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}], "encrypted_content": "gAAA"},
        {"type": "message", "role": "assistant", "content": "I look it up."},
        CALL,
        {"type": "custom_tool_call", "call_id": "call_2", "name": "patch", "input": "*** Begin"},
        {**CALL, "call_id": "call_3"},
        {"type": "function_call_output", "call_id": "call_1", "output": "a gate"},
        {"type": "custom_tool_call_output", "call_id": "call_2", "output": "done"},
        {
            "type": "function_call_output",
            "call_id": "call_3",
            "output": [
                {"type": "input_text", "text": "see"},
                {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"},
            ],
        },
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Stay calm."}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Go on."}]},
    ],
    "store": False,
    "temperature": 0.5,
    "top_p": 0.9,
    "tools": [
        {
            "type": "function",
            "name": "look",
            "description": "Looks.",
            "parameters": {"type": "object", "properties": {}, "additionalProperties": False},
            "strict": True,
        },
        {
            "type": "custom",
            "name": "patch",
            "description": "Patches.",
            "format": {"type": "grammar", "syntax": "lark", "definition": "start: /x/"},
        },
    ],
    "tool_choice": {
        "type": "allowed_tools",
        "mode": "required",
        "tools": [{"type": "function", "name": "look"}, {"type": "custom", "name": "patch"}],
    },
    "parallel_tool_calls": False,
    "text": {
        "format": {
            "type": "json_schema",
            "name": "n",
            "schema": {"type": "object", "additionalProperties": False},
            "description": "d",
            "strict": True,
        },
        "verbosity": "low",
    },
    "reasoning": {"effort": "high", "summary": "auto"},
    "include": ["reasoning.encrypted_content", "message.output_text.logprobs"],
    "top_logprobs": 2,
    "user": "u-1",
}


def test_a_request_read_and_written_again_says_the_same() -> None:
    conversation = asked(**RICH)
    assert untold(conversation, RESPONSES.says, "responses") == ()
    assert sent(conversation) == {"model": "up", **RICH}


@pytest.mark.parametrize(
    ("members", "feature", "param"),
    [
        ({"previous_response_id": "resp_1"}, "state", "previous_response_id"),
        ({"conversation": "conv_1"}, "state", "conversation"),
        ({"prompt": {"id": "pmpt_1"}}, "state", "prompt"),
        ({"truncation": "auto"}, "truncation", "truncation"),
        ({"store": True}, "store", "store"),
        ({"reasoning": {"effort": "none"}}, "reasoning_off", "reasoning.effort"),
        ({"tools": [{"type": "web_search"}]}, "built_in_tools", "tools[0]"),
        ({"tools": [{"type": "function", "name": "f"}, {"type": "web_search"}]}, "offered_tools", "tools[1]"),
        ({"tools": [{"type": "function", "name": "f"}, {"type": "file_search"}]}, "built_in_tools", "tools[1]"),
        ({"tools": [{"type": "shell", "environment": {"type": "container_auto"}}]}, "built_in_tools", "tools[0]"),
        ({"tool_choice": {"type": "web_search"}}, "built_in_tools", "tool_choice"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "state", "input[0]"),
        ({"input": [{"type": "compaction", "encrypted_content": "x"}]}, "state", "input[0]"),
        ({"input": [{"type": "web_search_call", "id": "ws_1"}]}, "tool_history", "input[0]"),
        ({"input": [{"type": "computer_call", "id": "cu_1"}]}, "built_in_tools", "input[0]"),
        ({"client_metadata": {"a": "b"}}, "other", "client_metadata"),
        ({"include": ["file_search_call.results"]}, "other", "include[0]"),
        ({"max_tool_calls": 3}, "other", "max_tool_calls"),
    ],
)
def test_each_feature_is_noted_by_the_callers_member(members: dict[str, Any], feature: str, param: str) -> None:
    assert asked(**members).uses[feature] == param


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"input": [{"role": "robot", "content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user", "content": [{"type": "hologram"}]}]}, "input[0].content[0]"),
        ({"input": [{"type": "hologram"}]}, "input[0]"),
        ({"input": [{"type": "function_call", "name": "f", "arguments": "{}"}]}, "input[0].call_id"),
        ({"text": {"format": {"type": "json_schema", "schema": 5}}}, "text.format.schema"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
    ],
)
def test_a_wrong_member_is_named(members: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        asked(**members)
    assert caught.value.param == param


def test_the_items_of_a_turn_are_one_message() -> None:
    conversation = asked(**RICH)
    roles = [message.role for message in conversation.messages]
    assert roles == ["system", "user", "assistant", "user", "developer", "user"]
    assert [type(part) for part in conversation.messages[2].parts] == [Reasoning, TextPart, *[ToolCall] * 3]
    assert all(isinstance(part, ToolResult) for part in conversation.messages[3].parts)


LOCAL_SHELL = {"type": "local_shell_call", "call_id": "c", "action": {"type": "exec", "command": ["ls"], "env": {}}}
SHELL = {"type": "shell_call", "call_id": "c", "action": {"commands": ["ls", "pwd"], "timeout_ms": 5}}
PATCH = {"type": "apply_patch_call", "call_id": "c", "operation": {"type": "delete_file", "path": "a"}}
SEARCH = {"type": "tool_search_call", "call_id": "c", "execution": "client", "arguments": {"query": "mail"}}
NAMESPACE = {"type": "namespace", "name": "mcp__gh", "description": "", "tools": [{"type": "function", "name": "f"}]}


@pytest.mark.parametrize(
    ("tool", "item", "name", "arguments"),
    [
        ({"type": "local_shell"}, LOCAL_SHELL, "local_shell", {"command": ["ls"]}),
        ({"type": "shell"}, SHELL, "shell", {"commands": ["ls", "pwd"], "timeout_ms": 5}),
        ({"type": "apply_patch"}, PATCH, "apply_patch", {"type": "delete_file", "path": "a"}),
        ({"type": "tool_search", "execution": "client"}, SEARCH, "tool_search", {"query": "mail"}),
        (NAMESPACE, {**CALL, "name": "f", "namespace": "mcp__gh"}, "mcp__gh__f", {"a": 1}),
        (
            {"type": "custom", "name": "p"},
            {"type": "custom_tool_call", "call_id": "c", "name": "p", "input": "x"},
            "p",
            None,
        ),
    ],
)
def test_a_tool_that_is_no_function_is_one_to_a_chat_and_itself_to_the_caller(
    tool: dict[str, Any], item: dict[str, Any], name: str, arguments: dict[str, Any] | None
) -> None:
    conversation = asked(tools=[tool], input=[{"role": "user", "content": "x"}, item])
    assert conversation.tools[0].name == name
    body = msgspec_json.decode(CHAT.write_request(conversation, model="up", stream=True, include_usage=True))
    function = body["messages"][1]["tool_calls"][0]["function"]
    assert function["name"] == name
    assert json.loads(function["arguments"]) == (arguments or {"input": "x"})
    call = ToolCall(id=item["call_id"], name=name)
    events: list[ReplyEvent] = [
        Began(),
        PartBegan(part=call, index=0),
        ArgumentsAdded(text=function["arguments"], index=0),
        PartEnded(index=0),
        Finished(finish="tool_calls"),
        StreamEnded(),
    ]
    (done,) = (event for event in written(events, tools=[tool]) if event["type"] == "response.output_item.done")
    told = {
        key: value for key, value in done["item"].items() if value not in (None, {}) and key not in ("id", "status")
    }
    if "action" in told:
        told["action"] = {key: value for key, value in told["action"].items() if value is not None}
    assert told == item


def test_parts_that_are_open_side_by_side_follow_one_another() -> None:
    events: list[ReplyEvent] = [
        Began(id="r", model="x", created=1),
        PartBegan(part=TextPart(text=""), index=0),
        TextAdded(text="a", index=0),
        PartEnded(index=0),
        PartBegan(part=ToolCall(id="1", name="f"), index=1),
        PartBegan(part=ToolCall(id="2", name="g"), index=2),
        ArgumentsAdded(text="{2", index=2),
        ArgumentsAdded(text="{1", index=1),
        ArgumentsAdded(text="}", index=2),
        ArgumentsAdded(text="}", index=1),
        PartEnded(index=1),
        PartEnded(index=2),
        Finished(finish="tool_calls"),
        UsageTold(usage=Usage(input=3, output=4)),
        StreamEnded(),
    ]
    found = written(events)
    assert [event["type"].removeprefix("response.") for event in found] == [
        *("created", "in_progress", "output_item.added", "content_part.added", "output_text.delta"),
        *("output_text.done", "content_part.done", "output_item.done"),
        *("output_item.added", "function_call_arguments.delta", "function_call_arguments.delta"),
        *("function_call_arguments.done", "output_item.done"),
        *("output_item.added", "function_call_arguments.delta", "function_call_arguments.delta"),
        *("function_call_arguments.done", "output_item.done", "completed"),
    ]
    output = found[-1]["response"]["output"]
    assert [item.get("arguments") for item in output] == [None, "{1}", "{2}"]
    assert found[-1]["response"]["usage"]["output_tokens"] == 4


def test_many_parts_that_are_open_side_by_side_follow_one_another() -> None:
    calls = range(900)
    events: list[ReplyEvent] = [
        Began(),
        *(PartBegan(part=ToolCall(id=f"c{at}", name="f"), index=at) for at in calls),
        *(ArgumentsAdded(text=f"{{{at}}}", index=at) for at in calls),
        *(PartEnded(index=at) for at in calls),
        Finished(finish="tool_calls"),
        StreamEnded(),
    ]
    output = written(events)[-1]["response"]["output"]
    assert [item["arguments"] for item in output] == [f"{{{at}}}" for at in calls]


def test_what_the_caller_asked_for_is_said_again() -> None:
    members = {"instructions": "Hi", "tools": [{"type": "function", "name": "f", "parameters": {}, "strict": None}]}
    response = written([Began(), Finished(finish="length"), StreamEnded()], **members, metadata={"a": "b"})[-1]
    assert response["type"] == "response.incomplete"
    told = response["response"]
    assert (told["instructions"], told["tools"], told["metadata"]) == ("Hi", members["tools"], {"a": "b"})
    assert told["incomplete_details"] == {"reason": "max_output_tokens"}
    Response.model_validate(told)


def test_signed_thoughts_come_back_as_their_maker_signed_them() -> None:
    events: list[ReplyEvent] = [
        Began(),
        PartBegan(part=Reasoning(), index=0),
        TextAdded(text="Hm", index=0),
        OpaqueAdded(opaque=SIGNED, index=0),
        PartEnded(index=0),
        PartBegan(part=Reasoning(opaque=Opaque("anthropic_messages", "hidden")), index=1),
        PartEnded(index=1),
        Finished(finish="stop"),
        StreamEnded(),
    ]
    output = written(events)[-1]["response"]["output"]
    assert output[0]["encrypted_content"] == sealed(SIGNED, "openai_responses")
    parts = asked(input=[{"role": "user", "content": "x"}, *output]).messages[1].parts
    assert [(part.text, part.opaque) for part in parts if isinstance(part, Reasoning)] == [
        ("Hm", SIGNED),
        ("", Opaque("anthropic_messages", "hidden")),
    ]


def test_an_answer_of_several_choices_gives_the_first() -> None:
    choices = [ReplyChoice(parts=[TextPart(text=text)], finish="stop") for text in "ab"]
    whole = msgspec_json.decode(RESPONSES.write_reply(Reply(choices=choices), context()))
    assert [item["content"][0]["text"] for item in whole["output"]] == ["a"]


def test_an_unknown_type_of_content_is_refused() -> None:
    with pytest.raises(UnsupportedParameter):
        asked(input=[{"role": "user", "content": [{"type": "hologram"}]}])


def test_messages_of_a_chat_among_the_items_are_understood() -> None:
    function = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    conversation = asked(
        input=[
            {"role": "user", "content": "x"},
            {"role": "assistant", "content": None, "tool_calls": [function]},
            {"role": "tool", "tool_call_id": "c1", "content": "open"},
        ]
    )
    assert conversation.messages[1].parts == [ToolCall(id="c1", name="look", arguments="{}")]
    assert conversation.messages[2].parts == [ToolResult(id="c1", name="look", parts=[TextPart(text="open")])]


def test_items_bring_tools_and_settings_with_them() -> None:
    items = [
        {"type": "additional_tools", "role": "developer", "tools": [{"type": "custom", "name": "patch"}, NAMESPACE]},
        {"role": "user", "content": "x"},
        {"type": "configuration_update", "id": "cfg_1", "reasoning": {"effort": "low"}},
    ]
    members = {"input": items, "reasoning": {"effort": "high"}, "tools": [{"type": "web_search"}]}
    conversation = asked(**members)
    assert [tool.name for tool in conversation.tools] == ["patch", "mcp__gh__f"]
    assert conversation.uses["offered_tools"] == "tools[0]"
    assert conversation.reasoning is not None
    assert conversation.reasoning.effort == "low"
    assert context(**members).request.stand_ins == {"patch": "custom  patch", "mcp__gh__f": "function mcp__gh f"}
