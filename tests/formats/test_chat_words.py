"""Chat completions in core words, both ways."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import json as msgspec_json

from tollhouse.core.cleaning import NOTHING_KNOWN
from tollhouse.core.conversation import (
    Conversation,
    MediaPart,
    Opaque,
    Reasoning,
    TextPart,
    ToolCall,
    ToolResult,
    stand_ins,
)
from tollhouse.core.failure import BadRequest, Failure, UnsupportedParameter, UpstreamBroke
from tollhouse.core.features import untold
from tollhouse.core.reply import Finished, OpaqueAdded, ReplyEvent, StreamEnded, UsageTold
from tollhouse.core.words import AnswerContext
from tollhouse.formats import codecs
from tollhouse.formats.openai import request as requests
from tollhouse.formats.openai.words.by_operation import WORDS

GOLDEN = Path(__file__).parent / "golden"
CHAT = WORDS["chat"]
HELLO = {"role": "user", "content": "Hello"}


def asked(**members: Any) -> Conversation:
    body = {"model": "m", "messages": [HELLO], **members}
    return CHAT.read_request(requests.read("chat", json.dumps(body).encode()))


def sent(conversation: Conversation, **more: Any) -> Any:
    options = {"model": "up", "stream": False, "include_usage": False, **more}
    return msgspec_json.decode(CHAT.write_request(conversation, **options))


def context(**members: Any) -> AnswerContext:
    request = requests.read("chat", json.dumps({"model": "m", "messages": [HELLO], **members}).encode())
    request.stand_ins = stand_ins(CHAT.read_request(request))
    return AnswerContext(request_id="req_1", created=7, request=request)


def events_of(stream: bytes, piece: int = 0) -> list[ReplyEvent]:
    reader = CHAT.read_stream(NOTHING_KNOWN)
    events: list[ReplyEvent] = []
    for at in range(0, len(stream), piece or len(stream)):
        if not reader.is_complete:
            events += reader.feed(stream[at : at + (piece or len(stream))])
    return events if reader.is_complete else events + reader.finish()


def sse(*deltas: dict[str, Any], end: str | None = "stop") -> bytes:
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "x"}
    found = [{**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    if end is not None:
        found.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": end}]})
    return b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in found) + b"data: [DONE]\n\n"


def gathered(stream: bytes, **members: Any) -> Any:
    """A stream through core words, gathered by the codec of the caller: the message."""
    writer, codec = CHAT.write_stream(context(**members)), codecs()["openai", "chat"]
    assert codec.streams is not None
    aggregate = codec.streams.gather(count=len, known=NOTHING_KNOWN)
    for event in events_of(stream):
        aggregate.feed(writer.write(event))
    return msgspec_json.decode(aggregate.finish())["choices"][0]


RICH = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "https://pictures.example/a.png"}},
                {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}},
                {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"}},
            ],
        },
        {
            "role": "assistant",
            "content": "I look it up.",
            "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"a":1}'}},
                {"id": "call_2", "type": "function", "function": {"name": "look", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "a gate"},
        {"role": "tool", "tool_call_id": "call_2", "content": "a house"},
        {"role": "user", "content": "Go on.", "name": "ada"},
    ],
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "look",
                "description": "Looks.",
                "parameters": {"type": "object", "properties": {}, "additionalProperties": False},
                "strict": True,
            },
        }
    ],
    "tool_choice": {"type": "function", "function": {"name": "look"}},
    "parallel_tool_calls": False,
    "response_format": {
        "type": "json_schema",
        "json_schema": {
            "name": "n",
            "schema": {"type": "object", "additionalProperties": False},
            "description": "d",
            "strict": True,
        },
    },
    "stop": ["a", "b"],
    "n": 2,
    "temperature": 0.5,
    "top_p": 0.9,
    "presence_penalty": 0.1,
    "frequency_penalty": 0.2,
    "seed": 0,
    "logit_bias": {"50256": -100},
    "logprobs": True,
    "top_logprobs": 2,
    "reasoning_effort": "high",
    "verbosity": "low",
    "user": "u-1",
}


def test_a_request_read_and_written_again_says_the_same() -> None:
    conversation = asked(**RICH)
    assert untold(conversation, CHAT.says, "chat") == ()
    again = sent(conversation)
    assert again == {"model": "up", **RICH}


def test_caps_go_by_the_names_that_the_provider_reads() -> None:
    conversation = asked()
    conversation.output_cap = 9
    assert sent(conversation)["max_tokens"] == 9
    written = sent(conversation, caps=("max_completion_tokens", "max_tokens"), stream=True, include_usage=True)
    assert (written["max_completion_tokens"], written["max_tokens"]) == (9, 9)
    assert written["stream"] is True
    assert written["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        ([{"role": "robot", "content": "x"}], "messages[0].role"),
        ([HELLO, "x"], "messages[1]"),
        ([HELLO, {"role": "user", "content": 5}], "messages[1].content"),
        ([{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}], "messages[0].content[0].url"),
        ([{"role": "user", "content": [{"type": "hologram", "x": 1}]}], "messages[0].content[0]"),
        ([HELLO, {"role": "tool", "content": "x"}], "messages[1].tool_call_id"),
        ([HELLO, {"role": "assistant", "tool_calls": [{"id": "a"}]}], "messages[1].tool_calls[0].function"),
    ],
)
def test_a_wrong_member_is_named(messages: list[Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        asked(messages=messages)
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("members", "feature", "param"),
    [
        ({"tools": [{"type": "web_search"}]}, "built_in_tools", "tools[0]"),
        ({"web_search_options": {"search_context_size": "low"}}, "built_in_tools", "web_search_options"),
        ({"modalities": ["text", "audio"]}, "audio_output", "modalities[1]"),
        ({"reasoning_effort": "none"}, "reasoning_off", "reasoning_effort"),
        ({"enable_thinking": False}, "reasoning_off", "enable_thinking"),
        ({"thinking": {"type": "enabled", "budget_tokens": 5000}}, "reasoning", "thinking"),
        ({"top_k": 5}, "top_k", "top_k"),
        ({"prediction": {"type": "content", "content": "x"}}, "prediction", "prediction"),
        ({"store": True}, "store", "store"),
        ({"metadata": {"a": "b"}}, "metadata", "metadata"),
        ({"logit_bias": {"1": 5}}, "logit_bias", "logit_bias"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop_many", "stop"),
        ({"response_format": {"type": "json_object"}}, "json_object", "response_format"),
        ({"colour": "blue"}, "other", "colour"),
        ({"prompt_cache_key": "k"}, "cache_keys", "prompt_cache_key"),
    ],
)
def test_each_feature_is_noted_by_the_callers_member(members: dict[str, Any], feature: str, param: str) -> None:
    assert asked(**members).uses[feature] == param


def test_what_asks_for_nothing_is_no_feature() -> None:
    conversation = asked(
        n=1, store=False, presence_penalty=0, metadata=None, service_tier="auto", tools=[], stop=None, foo=None, bar=[]
    )
    assert conversation.uses == {}


def test_a_tool_that_takes_text_is_a_function_to_the_provider_and_itself_to_the_caller() -> None:
    grammar = {"syntax": "lark", "definition": "start: /x/"}
    custom = {"type": "custom", "custom": {"name": "patch", "format": {"type": "grammar", "grammar": grammar}}}
    conversation = asked(tools=[custom])
    assert untold(conversation, CHAT.says, "chat") == ("tools[0].format",)
    function = sent(conversation)["tools"][0]["function"]
    assert function["parameters"]["required"] == ["input"]
    assert "start: /x/" in function["description"]
    stream = sse(
        {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "patch", "arguments": '{"inp'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": 'ut": "a\\nb"}'}}]},
        end="tool_calls",
    )
    call = gathered(stream, tools=[custom])["message"]["tool_calls"][0]
    assert call == {"id": "c", "type": "custom", "custom": {"name": "patch", "input": "a\nb"}}
    again = asked(messages=[HELLO, {"role": "assistant", "content": None, "tool_calls": [call]}])
    arguments = sent(again)["messages"][1]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(arguments) == {"input": "a\nb"}


def test_pictures_in_the_result_of_a_tool_stand_in_the_next_message() -> None:
    picture = MediaPart(kind="image", data="AAAA", media_type="image/png")
    result = ToolResult(id="toolu_1", name="look", parts=[TextPart(text="here"), picture])
    conversation = asked()
    conversation.messages[0].parts = [result, TextPart(text="Well?")]
    tool, user = sent(conversation)["messages"]
    assert tool["role"] == "tool"
    assert tool["content"].startswith("here\n")
    assert [one["type"] for one in user["content"]] == ["text", "image_url", "text"]


def test_ids_that_openai_finds_too_long_are_shortened_alike() -> None:
    long = "toolu_" + "a" * 60
    conversation = asked()
    conversation.messages[0].parts = [ToolResult(id=long, parts=[])]
    conversation.messages.insert(
        0, type(conversation.messages[0])(role="assistant", parts=[ToolCall(id=long, name="f")])
    )
    call, result = sent(conversation)["messages"]
    assert call["tool_calls"][0]["id"] == result["tool_call_id"]
    assert len(result["tool_call_id"]) <= 40


def test_thoughts_go_back_to_their_maker_under_the_name_by_which_they_came() -> None:
    events = events_of(sse({"reasoning_content": "Hm"}, {"reasoning_content": "m."}, {"content": "Yes"}))
    opaque = next(event.opaque for event in events if isinstance(event, OpaqueAdded))
    conversation = asked()
    conversation.messages[0].role = "assistant"
    conversation.messages[0].parts = [Reasoning(text="Hmm.", opaque=opaque), TextPart(text="Yes")]
    assert sent(conversation)["messages"] == [{"role": "assistant", "content": "Yes", "reasoning_content": "Hmm."}]
    conversation.messages[0].parts = [Reasoning(text="Hmm.", opaque=Opaque("anthropic_messages", "sig"))]
    assert sent(conversation)["messages"] == []


def test_what_anthropic_signed_comes_back_from_a_client_of_chat() -> None:
    signed = Opaque("anthropic_messages", "sig==")
    writer = CHAT.write_stream(context())
    reply = [
        OpaqueAdded(opaque=signed, index=event.index) if isinstance(event, OpaqueAdded) else event
        for event in events_of(sse({"reasoning": "Hmm"}, {"content": "Yes"}))
    ]
    out = b"".join(map(writer.write, reply))
    codec = codecs()["openai", "chat"]
    assert codec.streams is not None
    aggregate = codec.streams.gather(count=len, known=NOTHING_KNOWN)
    aggregate.feed(out)
    message = msgspec_json.decode(aggregate.finish())["choices"][0]["message"]
    said = asked(messages=[HELLO, message]).messages[1].parts[0]
    assert isinstance(said, Reasoning)
    assert (said.text, said.opaque) == ("Hmm", signed)


@pytest.mark.parametrize("name", ["P01", "P02", "P08", "P14", "U01", "N02", "N07", "plain.asked"])
@pytest.mark.parametrize("piece", [1, 7, 0])
def test_recorded_streams_say_in_core_words_what_they_say(name: str, piece: int) -> None:
    stream = (GOLDEN / f"{name}.sse").read_bytes()
    codec = codecs()["openai", "chat"]
    assert codec.streams is not None
    gathering = codec.streams.gather(count=len, known=NOTHING_KNOWN)
    gathering.feed(stream)
    whole = msgspec_json.decode(gathering.finish())["choices"]
    events = events_of(stream, piece)
    assert isinstance(events[-1], StreamEnded)
    assert [event.usage for event in events if isinstance(event, UsageTold)] == [gathering.usage]
    writer = CHAT.write_stream(context())
    again = codec.streams.gather(count=len, known=NOTHING_KNOWN)
    again.feed(b"".join(map(writer.write, events)))
    message = {name: value for name, value in whole[0]["message"].items() if value is not None and name != "refusal"}
    said = msgspec_json.decode(again.finish())["choices"][0]["message"]
    assert {name: value for name, value in said.items() if value is not None and (value or name in message)} == message


@pytest.mark.parametrize("name", ["P09"])
def test_a_stream_that_broke_does_not_look_whole(name: str) -> None:
    reader = CHAT.read_stream(NOTHING_KNOWN)
    events = reader.feed((GOLDEN / f"{name}.sse").read_bytes())
    assert not any(isinstance(event, Finished | StreamEnded) for event in events)
    with pytest.raises(UpstreamBroke):
        reader.finish()


def test_an_error_event_is_a_failure() -> None:
    reader = CHAT.read_stream(NOTHING_KNOWN)
    with pytest.raises(Failure):
        reader.feed(b'data: {"error":{"message":"no","type":"server_error"}}\n\n')


def test_halves_of_a_character_that_a_server_cut_in_two_are_one_again() -> None:
    stream = sse({"content": "a"}).replace(b'"a"', b'"a\\ud83d"', 1)
    both = sse({"content": "X"}, {"content": "Y"}).replace(b'"X"', b'"\\ud83d"').replace(b'"Y"', b'"\\uded3!"')
    assert gathered(both)["message"]["content"] == "🛓!"
    assert gathered(stream)["message"]["content"] == "a\ufffd"


@pytest.mark.parametrize(
    ("reason", "delta", "finish"),
    [
        ("stop", {"content": "x"}, "stop"),
        ("eos", {"content": "x"}, "stop"),
        ("length", {"content": "x"}, "length"),
        ("max_tokens", {"content": "x"}, "length"),
        ("content_filter", {"content": "x"}, "content_filter"),
        ("function_call", {"function_call": {"name": "f", "arguments": "{}"}}, "tool_calls"),
        ("stop", {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}]}, "tool_calls"),
        ("stop", {"refusal": "No."}, "refusal"),
    ],
)
def test_each_reason_ends_a_choice(reason: str, delta: dict[str, Any], finish: str) -> None:
    (ended,) = (event for event in events_of(sse(delta, end=reason)) if isinstance(event, Finished))
    assert ended.finish == finish


def test_an_unknown_part_is_refused_by_its_place() -> None:
    with pytest.raises(UnsupportedParameter):
        asked(messages=[{"role": "user", "content": [{"type": "hologram"}]}])


def test_blocks_of_anthropics_in_a_chat_are_understood() -> None:
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
    conversation = asked(
        messages=[
            HELLO,
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "t1", "name": "read", "input": {"path": "a"}}],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": [picture]}]},
        ],
        tools=[{"name": "read", "description": "Reads.", "input_schema": {"type": "object"}}],
        tool_choice={"type": "tool", "name": "read"},
    )
    call, result = conversation.messages[1].parts[0], conversation.messages[2].parts[0]
    assert call == ToolCall(id="t1", name="read", arguments='{"path":"a"}')
    assert isinstance(result, ToolResult)
    assert result.parts == [MediaPart(kind="image", data="AAAA", media_type="image/png")]
    assert conversation.tools[0].parameters == {"type": "object"}
    assert conversation.tool_choice is not None
    assert conversation.tool_choice.names == ("read",)


def test_what_the_system_says_in_a_row_is_one_message() -> None:
    system = [{"role": "system", "content": "One."}, {"role": "developer", "content": "Two."}]
    assert sent(asked(messages=[*system, HELLO]))["messages"][0] == {"role": "system", "content": "One.\n\nTwo."}
