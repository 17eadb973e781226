"""Thoughts between tags at the beginning of a chat's text: read the same however they are cut, and written back."""

import json
from typing import Any

import pytest

from tests.formats.test_chat_words import CHAT, asked, events_of, sent, sse
from tollhouse.core.cleaning import NOTHING_KNOWN
from tollhouse.core.conversation import Reasoning, TextPart
from tollhouse.core.reply import PartBegan, TextAdded

TEXTS = [
    ("<think>\nHm.\n</think>\n\nYes.", ["Hm.\n"], "Yes."),
    ("  \n<think>Hm</think>Yes <think>no</think>", ["Hm"], "Yes <think>no</think>"),
    ("<think></think>Yes.", [], "Yes."),
    ("<think>\n\n</think>\n\nYes.", [], "Yes."),
    ("<think>a < b </thin </think> c", ["a < b </thin "], "c"),
    ("<think>cut </th", ["cut </th"], ""),
    ("<thinking>Yes</thinking>", [], "<thinking>Yes</thinking>"),
    ("<thi", [], "<thi"),
    (" Yes", [], " Yes"),
    ("Yes <think>no</think>", [], "Yes <think>no</think>"),
    ("\n" * 100 + "<think>x</think>", [], "\n" * 100 + "<think>x</think>"),
]


def told(parts: list[tuple[type, str]]) -> tuple[list[str], str]:
    thoughts = [text for kind, text in parts if kind is Reasoning]
    return thoughts, "".join(text for kind, text in parts if kind is TextPart)


@pytest.mark.parametrize(("text", "thoughts", "said"), TEXTS, ids=range(len(TEXTS)))
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_thoughts_between_tags_are_thoughts(text: str, thoughts: list[str], said: str, size: int) -> None:
    stream = sse(
        {"role": "assistant", "content": ""}, *({"content": text[at : at + size]} for at in range(0, len(text), size))
    )
    parts: dict[int, list[Any]] = {}
    for event in events_of(stream):
        if isinstance(event, PartBegan):
            parts[event.index] = [type(event.part), ""]
        elif isinstance(event, TextAdded):
            parts[event.index][1] += event.text
    assert told([(kind, text) for kind, text in parts.values()]) == (thoughts, said)
    message = {"role": "assistant", "content": text}
    body = {"id": "c1", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    reply = CHAT.read_reply(json.dumps(body).encode(), NOTHING_KNOWN)
    whole = [(type(part), part.text) for part in reply.choices[0].parts if isinstance(part, Reasoning | TextPart)]
    assert told(whole) == (thoughts, said)


def test_thoughts_between_tags_go_back_between_tags() -> None:
    body = {"choices": [{"message": {"role": "assistant", "content": "<think>\nHm.\n</think>\n\nYes."}}]}
    parts = CHAT.read_reply(json.dumps(body).encode(), NOTHING_KNOWN).choices[0].parts
    conversation = asked()
    conversation.messages[0].role, conversation.messages[0].parts = "assistant", parts
    assert sent(conversation)["messages"] == [{"role": "assistant", "content": "<think>\nHm.\n</think>\n\nYes."}]


def test_a_text_that_is_repeated_at_the_end_is_said_once() -> None:
    text = "<think>Hm</think>Yes"
    end = {"choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}
    stream = sse({"content": text}, end=None).replace(b"data: [DONE]", b"data: " + json.dumps(end).encode())
    said = [event.text for event in events_of(stream) if isinstance(event, TextAdded)]
    assert said == ["Hm", "Yes"]


def test_calls_and_thoughts_of_their_own_end_what_was_kept() -> None:
    call = {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}]}
    for then in (call, {"reasoning_content": "Hm"}):
        kinds = [
            type(event.part) for event in events_of(sse({"content": "<thi"}, then)) if isinstance(event, PartBegan)
        ]
        assert kinds[0] is TextPart
        assert len(kinds) == 2
