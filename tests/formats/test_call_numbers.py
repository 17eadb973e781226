"""Calls of a stream that passes in its own format: what clients, who know OpenAI's numbers alone, make of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.test_odd_answers import CALLS
from tollhouse.formats.openai.stream import open_stream


def event(calls: Any, **members: Any) -> bytes:
    choice = {"index": 0, "delta": {"tool_calls": calls}, "finish_reason": None, **members}
    return b"data: " + json.dumps({"id": "c1", "choices": [choice]}).encode() + b"\n\n"


def passed(*deltas: Any) -> bytes:
    reader = open_stream("chat", show_usage=False, count=len)
    return b"".join(reader.feed(event(one)) for one in deltas) + reader.feed(event([], finish_reason="tool_calls"))


def put_together(stream: bytes) -> list[tuple[str, str, str]]:
    """As openai-python and LangChain do: by the index, where an id or a name is said once."""
    calls: dict[int, list[str]] = {}
    for one in stream.split(b"\n\n"):
        for choice in json.loads(one.removeprefix(b"data: "))["choices"] if one else ():
            for piece in choice["delta"].get("tool_calls") or ():
                call = calls.setdefault(piece["index"], ["", "", ""])
                function = piece.get("function") or {}
                call[0] = call[0] or piece.get("id") or ""
                call[1] = call[1] or function.get("name") or ""
                call[2] += function.get("arguments") or ""
    return [(call[0], call[1], call[2]) for _, call in sorted(calls.items())]


@pytest.mark.parametrize("name", sorted(set(CALLS) - {"an object, and no list"}))
def test_calls_are_told_apart_by_a_client_of_the_providers_own_format(name: str) -> None:
    deltas, calls = CALLS[name]
    found = put_together(passed(*deltas))
    assert [(name, arguments) for _, name, arguments in found] == calls
    ids = [one for one, _, _ in found]
    assert all(ids)
    assert len(set(ids)) == len(ids)


def test_arguments_that_are_an_object_are_text() -> None:
    found = put_together(passed([{"index": 0, "id": "a", "function": {"name": "f", "arguments": {"a": 1}}}]))
    assert found == [("a", "f", '{"a":1}')]


@pytest.mark.parametrize(
    "deltas",
    [
        [
            [{"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}],
            [{"index": 0, "function": {"arguments": "{}"}}],
            [{"index": 1, "id": "b", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        ],
        [[{"index": 3, "id": "a", "function": {"name": "f", "arguments": "{}"}}]],
        [[{"index": 0, "id": "a", "function": {"name": "f", "arguments": None}}], [{"index": 0, "id": None}]],
    ],
)
def test_where_nothing_is_wrong_nothing_is_changed(deltas: list[Any]) -> None:
    assert passed(*deltas).startswith(b"".join(map(event, deltas)))


def test_each_choice_has_numbers_of_its_own() -> None:
    call = {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}
    reader = open_stream("chat", show_usage=False, count=len, choices=2)
    streams = b"".join(event([{**call, "id": f"call_{at}"}], index=at) for at in (0, 1))
    assert reader.feed(streams) == streams


def test_two_calls_of_a_recorded_stream_at_one_index() -> None:
    """smolagents#1569, wherever the stream is cut."""
    recorded = (Path(__file__).parent / "golden" / "P14.sse").read_bytes()
    for size in (1, 7, len(recorded)):
        reader = open_stream("chat", show_usage=True, count=len)
        out = b"".join(reader.feed(recorded[at : at + size]) for at in range(0, len(recorded), size))
        called = [("call_a", "search", '{"q":"first"}'), ("call_b", "search", '{"q":"second"}')]
        assert put_together(out.partition(b"data: [DONE]")[0]) == called
        assert reader.delivered_tokens() == len('search{"q":"first"}search{"q":"second"}')
