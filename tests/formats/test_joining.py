"""What the chunks of a chat stream say in pieces, joined: no part is lost, none is said twice."""

import json
from base64 import b64decode, b64encode
from typing import Any

import pytest

from tests.formats.round_trips import NEXT, TOKEN, gathered, passes
from tollhouse.core.cleaning import NOTHING_KNOWN
from tollhouse.core.reply import ReplyEvent, TextAdded
from tollhouse.formats.openai.words.chat_events import ChatReader

DONE = b"data: [DONE]\n\n"


def chunk(delta: dict[str, Any], finish: str | None = None, **members: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, **members}
    return b"data: " + json.dumps({"id": "c1", "choices": [choice]}).encode() + b"\n\n"


def said(*deltas: dict[str, Any]) -> Any:
    stream = b"".join([chunk({"role": "assistant", "content": ""}), *map(chunk, deltas), chunk({}, "stop"), DONE])
    message = gathered(stream)["choices"][0]["message"]
    assert gathered(passes(gathered(stream), "chat"))["choices"][0]["message"] == message
    return {name: value for name, value in message.items() if name != "role"}


THINKING = {"type": "thinking", "thinking": [{"type": "text", "text": "h"}]}


@pytest.mark.parametrize(
    ("deltas", "message"),
    [
        ([{"content": "Kol"}, {"content": "berg"}], {"content": "Kolberg"}),
        ([{"refusal": "I may "}, {"refusal": "not."}], {"content": "", "refusal": "I may not."}),
        ([{"reasoning_content": "h"}, {"reasoning_content": "m"}], {"content": "", "reasoning_content": "hm"}),
        ([{"musings": "h"}, {"musings": "m"}], {"content": "", "musings": "hm"}),
        ([{"reasoning": {"text": "h"}}, {"reasoning": {"text": "m"}}], {"content": "", "reasoning": {"text": "hm"}}),
        (
            [{"reasoning_details": [{"type": "reasoning.text", "text": text, "index": 0}]} for text in "hm"]
            + [{"reasoning_details": [{"type": "reasoning.text", "signature": "Ab3x", "index": 0}]}],
            {
                "content": "",
                "reasoning_details": [{"type": "reasoning.text", "text": "hm", "index": 0, "signature": "Ab3x"}],
            },
        ),
        (
            [{"reasoning_details": [{"type": "reasoning.summary", "summary": text}]} for text in "hm"]
            + [{"reasoning_details": [{"type": "reasoning.encrypted", "data": "Ab3x"}]}],
            {
                "content": "",
                "reasoning_details": [
                    {"type": "reasoning.summary", "summary": "hm"},
                    {"type": "reasoning.encrypted", "data": "Ab3x"},
                ],
            },
        ),
        (
            [{"thinking_blocks": [{"type": "thinking", "thinking": text}]} for text in "hm"]
            + [{"thinking_blocks": [{"type": "thinking", "thinking": "", "signature": "Ab3x"}]}]
            + [{"thinking_blocks": [{"type": "thinking", "thinking": text}]} for text in "so"],
            {
                "content": "",
                "thinking_blocks": [
                    {"type": "thinking", "thinking": "hm", "signature": "Ab3x"},
                    {"type": "thinking", "thinking": "so"},
                ],
            },
        ),
        (
            [{"content": [THINKING]}, {"content": [THINKING]}, {"content": "Kol"}, {"content": "berg"}],
            {
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "hh"}]},
                    {"type": "text", "text": "Kolberg"},
                ]
            },
        ),
        (
            [{"content": "Kol"}, {"content": [{"type": "text", "text": "berg"}]}, {"content": [THINKING]}],
            {"content": [{"type": "text", "text": "Kolberg"}, THINKING]},
        ),
        (
            [
                {"audio": piece}
                for piece in (
                    *({"id": "audio_1", "transcript": "Kol"}, {"data": "AAAA"}),
                    *({"transcript": "berg"}, {"data": "BBBB"}, {"expires_at": 99}),
                )
            ],
            {"content": "", "audio": {"id": "audio_1", "transcript": "Kolberg", "data": "AAAABBBB", "expires_at": 99}},
        ),
        (
            [{"annotations": [{"type": "url_citation", "url_citation": {"url": url}}]} for url in ("a", "b")],
            {
                "content": "",
                "annotations": [
                    {"type": "url_citation", "url_citation": {"url": "a"}},
                    {"type": "url_citation", "url_citation": {"url": "b"}},
                ],
            },
        ),
        (
            [{"images": [{"type": "image_url", "image_url": {"url": url}, "index": 0}]} for url in ("a", "b")],
            {
                "content": "",
                "images": [
                    {"type": "image_url", "image_url": {"url": "a"}, "index": 0},
                    {"type": "image_url", "image_url": {"url": "b"}, "index": 0},
                ],
            },
        ),
        (
            [{"function_call": {"name": "open_gate", "arguments": ""}}]
            + [{"function_call": {"arguments": text}} for text in ('{"gate":', "5}")],
            {"content": None, "function_call": {"name": "open_gate", "arguments": '{"gate":5}'}},
        ),
    ],
)
def test_pieces_are_joined(deltas: list[dict[str, Any]], message: dict[str, Any]) -> None:
    assert said(*deltas) == message


def calls(*pieces: dict[str, Any]) -> Any:
    return said(*({"tool_calls": [piece]} for piece in pieces))["tool_calls"]


def test_custom_calls_are_joined_as_custom_calls() -> None:
    start = {"index": 0, "id": "call_1", "type": "custom", "custom": {"name": "open_gate", "input": ""}}
    expected = {"id": "call_1", "type": "custom", "custom": {"name": "open_gate", "input": "gate A-17"}}
    pieces = [{"index": 0, "custom": {"input": text}} for text in ("gate ", "A-17")]
    assert calls(start, *pieces) == [expected]
    other = {"index": 1, "id": "call_2", "function": {"name": "toll", "arguments": "{}"}}
    assert calls(start, other, *pieces) == [
        expected,
        {"id": "call_2", "type": "function", "function": {"name": "toll", "arguments": "{}"}},
    ]


def piece(function: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {**members, "function": function}


@pytest.mark.parametrize(
    "pieces",
    [
        [piece({"name": "x", "arguments": "1"}, index=0, id=name) for name in "ab"],
        [piece({"name": "x", "arguments": "1"}, id=name) for name in "ab"],
        [piece({"name": name, "arguments": "1"}) for name in "xy"],
        [piece({"name": "x", "arguments": "1"}, index=index) for index in (1, 2)],
        [piece({"name": "x", "arguments": 1}, index=0, id=name) for name in "ab"],
        [piece({"name": "x", "arguments": {"a": 1}}, index=0, id=name) for name in "ab"],
    ],
)
def test_two_calls_stay_two_however_they_are_told_apart(pieces: list[dict[str, Any]]) -> None:
    assert len(calls(*pieces)) == 2


@pytest.mark.parametrize(
    "pieces",
    [
        [piece({"name": "x", "arguments": text}, index=0, id="a") for text in "{}"],
        [piece({"name": "x"}, index=0, id="a"), piece({"name": "", "arguments": "{}"}, index=0, id="")],
        [piece({"name": "x", "arguments": None}, index=0, id="a"), piece({"arguments": "{}"}, index=0, id=None)],
        [piece({"name": "x"}, id="a"), piece({"arguments": "{}"})],
        [piece({"name": "x", "arguments": {}}, index=0, id="a")],
        [piece({"name": "x", "arguments": "{}"}, index=0, id="a", type="")],
        [piece({"arguments": "{"}, index=0, id="a"), piece({"name": "x", "arguments": "}"}, index=0)],
        [piece({"arguments": "{}"}, index=0, id="a"), piece({"name": "x"}, index=0)],
    ],
)
def test_one_call_stays_one(pieces: list[dict[str, Any]]) -> None:
    assert calls(*pieces) == [{"id": "a", "type": "function", "function": {"name": "x", "arguments": "{}"}}]


def test_sound_whose_pieces_were_encoded_one_by_one_is_one() -> None:
    pieces = [b"a", b"bcd", b"ef"]
    data = said(*({"audio": {"data": b64encode(piece).decode()}} for piece in pieces))["audio"]["data"]
    assert b64decode(data, validate=True) == b"abcdef"


def test_logprobs_are_joined_token_by_token() -> None:
    stream = b"".join(
        [
            chunk({"content": "Kol"}, logprobs={"content": [TOKEN], "refusal": None}),
            chunk({"content": "berg"}, logprobs={"content": [NEXT], "refusal": None}),
            chunk({"refusal": "no"}, logprobs={"content": None, "refusal": [TOKEN]}),
            chunk({}, "stop", logprobs=None),
            DONE,
        ]
    )
    assert gathered(stream)["choices"][0]["logprobs"] == {"content": [TOKEN, NEXT], "refusal": [TOKEN]}


def test_an_end_is_not_taken_back_by_an_empty_one() -> None:
    stream = chunk({"content": "a"}, "") + chunk({}, "length") + chunk({}, "") + DONE
    assert gathered(stream)["choices"][0]["finish_reason"] == "length"


SAID_CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}


@pytest.mark.parametrize(
    ("deltas", "message"),
    [
        ([{"content": "Kol"}, {"content": "berg"}], {"content": "Kolberg"}),
        ([{"reasoning_content": "h"}, {"reasoning_content": "m"}, {"content": "a"}], {"reasoning_content": "hm"}),
        ([{"content": "<think>h"}, {"content": "m</think>a"}], {"content": "<think>hm</think>a"}),
        ([{"reasoning": "hm"}, {"content": "a"}], {"reasoning": "hm", "content": "a", "name": "MM"}),
        (
            [{"reasoning_details": [{"type": "reasoning.text", "text": "hm", "id": "t1"}]}, {"content": "a"}],
            {"reasoning_details": [{"type": "reasoning.text", "text": "hm", "id": "t1"}], "content": "a"},
        ),
        (
            [{"tool_calls": [{**SAID_CALL, "index": 0}]}],
            {"tool_calls": [SAID_CALL], "content": ""},
        ),
        (
            [{"tool_calls": [{**SAID_CALL, "index": 0}]}],
            {"tool_calls": [{**SAID_CALL, "function": {"name": "f", "arguments": '{"a": 1}'}}]},
        ),
        ([{"tool_calls": [{**SAID_CALL, "id": "", "index": 0}]}], {"tool_calls": [{**SAID_CALL, "id": None}]}),
        ([{"function_call": SAID_CALL["function"]}], {"function_call": SAID_CALL["function"], "content": ""}),
        ([{"refusal": "No"}], {"refusal": "No", "content": None}),
    ],
)
def test_a_message_that_repeats_what_was_said_is_not_said_twice(
    deltas: list[dict[str, Any]], message: dict[str, Any]
) -> None:
    """MiniMax and Perplexity tell the whole message behind its pieces."""
    pieces = b"".join(chunk(one) for one in deltas)
    repeated = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
    stream = pieces + b"data: " + json.dumps({"choices": [repeated]}).encode() + b"\n\n" + DONE
    once = gathered(pieces + chunk({}, "stop") + DONE)["choices"][0]["message"]
    assert {name: gathered(stream)["choices"][0]["message"].get(name) for name in once} == once
    assert folded(stream) == folded(pieces + chunk({}, "stop") + DONE)


def folded(stream: bytes) -> list[ReplyEvent]:
    """What a translated call is told."""
    reader = ChatReader(NOTHING_KNOWN)
    return [*reader.feed(stream), *reader.finish()]


@pytest.mark.parametrize(
    "thoughts",
    [
        {"reasoning_content": "hm"},
        {"reasoning": {"content": "hm"}},
        {"reasoning_content": [{"text": "h"}, {"text": "m"}]},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]},
        {"content": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm", "signature": "s"}]}]},
        {"reasoning_details": [{"type": "reasoning.summary", "summary": "hm"}]},
    ],
)
def test_thoughts_are_read_in_whatever_they_are_wrapped(thoughts: dict[str, Any]) -> None:
    """Databricks has lists of summaries among the parts, Mistral texts; others an object or a list by a name."""
    told = folded(chunk(thoughts) + chunk({}, "stop") + DONE)
    assert "".join(event.text for event in told if isinstance(event, TextAdded)) == "hm"


def test_thoughts_in_a_hundred_wrappings_are_none() -> None:
    deep: Any = "hm"
    for _ in range(200):
        deep = [{"text": deep}]
    told = folded(chunk({"reasoning_content": deep}) + chunk({}, "stop") + DONE)
    assert [event for event in told if isinstance(event, TextAdded)] == []
