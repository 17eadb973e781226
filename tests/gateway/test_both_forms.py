"""The same content costs the same, buffered and streamed, whatever the provider's way of reporting and of answering.

One answer with one report is brought in every form: as JSON to who wanted JSON, as a stream to who wanted a stream, and
each to who wanted the other; the stream reports in every way seen, and is cut anywhere.
"""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream, ScriptedResponse
from tests.gateway.harness import NOTHING_STREAMS, STREAMS, GatewayHarness, asking, run
from tollhouse.core.usage_record import UsageRecord

Json = dict[str, Any]

# What is said.


class ExpectedText(NamedTuple):
    thought: tuple[str, ...]
    words: tuple[str, ...]
    tool: tuple[str, str] | None  # name, and arguments as JSON text
    finish: str

    def message(self) -> Json:
        message: Json = {"role": "assistant", "content": "".join(self.words)}
        if self.thought:
            message["reasoning_content"] = "".join(self.thought)
        if self.tool:
            function = {"name": self.tool[0], "arguments": self.tool[1]}
            message["tool_calls"] = [{"id": "call_1", "type": "function", "function": function}]
        return message

    def deltas(self) -> list[Json]:
        found: list[Json] = [{"role": "assistant", "content": ""}]
        found += [{"reasoning_content": one} for one in self.thought]
        found += [{"content": one} for one in self.words]
        if self.tool:
            name, arguments = self.tool
            function: Json = {"name": name, "arguments": ""}
            found.append({"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": function}]})
            pieces = [arguments[at : at + 5] for at in range(0, len(arguments), 5)]
            found += [{"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in pieces]
        return found


# Each counts for something by the counter of these tests, as every text does by a real one.
_words = st.lists(st.sampled_from(["Zoll", "haus ", "am ", " Fluß", "Tor\n", '"', "税关"]), max_size=6).map(tuple)
_said = st.builds(
    ExpectedText,
    thought=st.one_of(st.just(()), _words),
    words=_words,
    tool=st.none() | st.just(("toll", '{"gate": "A-17", "paid": true}')),
    finish=st.sampled_from(["stop", "length", "tool_calls"]),
)

# What is reported.

_small = st.integers(0, 40)


def _whole(prompt: int, completion: int, details: Json, beside: int = 0) -> Json:
    total = prompt + completion + beside
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": total, **details}


def _openai(prompt: int, cached: int, completion: int, reasoning: int) -> Json:
    details = {
        "prompt_tokens_details": {"cached_tokens": min(cached, prompt), "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": min(reasoning, completion)},
    }
    return _whole(prompt, completion, details)


def _xai(prompt: int, cached: int, completion: int, reasoning: int) -> Json:
    details = {
        "prompt_tokens_details": {"cached_tokens": min(cached, prompt)},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }
    return _whole(prompt, completion, details, beside=reasoning)


def _deepseek(prompt: int, cached: int, completion: int, reasoning: int) -> Json:
    hit = min(cached, prompt)
    return _whole(prompt, completion, {"prompt_cache_hit_tokens": hit, "prompt_cache_miss_tokens": prompt - hit})


def _relay(prompt: int, cached: int, completion: int, reasoning: int) -> Json:
    return _whole(prompt, completion, {"input_tokens": 0, "output_tokens": 0, "input_tokens_details": None})


_honest = st.builds(
    lambda convention, *figures: convention(*figures),
    st.sampled_from([_openai, _xai, _deepseek, _relay]),
    *(_small for _ in range(4)),
)
_dishonest = st.sampled_from(
    [
        _whole(-1, 5, {}),
        _whole(5, 5, {"prompt_tokens_details": {"cached_tokens": 6}}),
        _whole(5, 5, {"cached_tokens": 0.5}),
        _whole(1001, 5, {}),
        _whole(0, 0, {}),
        {"prompt_tokens": "5", "completion_tokens": 5},
        {"total_tokens": 10},
    ]
)
_reports = st.none() | _honest | _honest | _dishonest

# How a stream reports it.

HEAD = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "up"}


def _event(choices: list[Json], **more: object) -> bytes:
    return b"data: " + json.dumps({**HEAD, "choices": choices, **more}).encode() + b"\n\n"


def _choice(delta: Json, finish: str | None = None) -> Json:
    return {"index": 0, "delta": delta, "finish_reason": finish}


def _in_its_own_chunk(said: ExpectedText, report: Json | None) -> list[bytes]:
    return [*_told(said), _event([_choice({}, said.finish)]), *_reported(report)]


def _with_nulls(said: ExpectedText, report: Json | None) -> list[bytes]:
    told = [_event([_choice(delta)], usage=None) for delta in said.deltas()]
    return [*told, _event([_choice({}, said.finish)], usage=None), *_reported(report)]


def _riding_on_the_finish(said: ExpectedText, report: Json | None) -> list[bytes]:
    """litellm 36168: usage with choices that are not empty was dropped."""
    return [*_told(said), _event([_choice({}, said.finish)], usage=report)]


def _with_an_empty_choice(said: ExpectedText, report: Json | None) -> list[bytes]:
    last = _event([_choice({"role": "assistant", "content": ""})], usage=report)
    return [*_told(said), _event([_choice({}, said.finish)]), last]


def _on_the_choice(said: ExpectedText, report: Json | None) -> list[bytes]:
    """Moonshot"""
    return [*_told(said), _event([{**_choice({}, said.finish), "usage": report}])]


def _totals_so_far(said: ExpectedText, report: Json | None) -> list[bytes]:
    """Every chunk says what was used until then; the last one is repeated. Adding up would bill many times over."""
    if report is None:
        return _in_its_own_chunk(said, report)
    last = report.get("completion_tokens", 0)
    totals = [{**report, "completion_tokens": min(at, last)} for at in range(len(said.deltas()))]
    shares = [_event([_choice(delta)], usage=total) for delta, total in zip(said.deltas(), totals, strict=True)]
    return [*shares, _event([_choice({}, said.finish)], usage=report), *_reported(report)]


def _ahead(said: ExpectedText, report: Json | None) -> list[bytes]:
    """The prompt is reported at once, the rest at the end."""
    ahead = _event([], usage={**report, "completion_tokens": 0}) if report else b""
    return [ahead, *_in_its_own_chunk(said, report)]


def _with_zeros_behind(said: ExpectedText, report: Json | None) -> list[bytes]:
    return [
        *_in_its_own_chunk(said, report),
        *_reported({"prompt_tokens": 0, "completion_tokens": 0} if report else None),
    ]


def _told(said: ExpectedText) -> list[bytes]:
    return [_event([_choice(delta)]) for delta in said.deltas()]


def _reported(report: Json | None) -> list[bytes]:
    return [] if report is None else [_event([], usage=report)]


WAYS = (
    *(_in_its_own_chunk, _with_nulls, _riding_on_the_finish, _with_an_empty_choice, _on_the_choice, _totals_so_far),
    *(_ahead, _with_zeros_behind),
)

# The four forms.


def _cut(body: bytes, places: Sequence[int]) -> list[bytes]:
    edges = sorted({0, len(body), *(place % len(body) for place in places)})
    return [body[start:stop] for start, stop in pairwise(edges)]


def _call(headers: list[tuple[bytes, bytes]], pieces: Sequence[bytes], *, stream: bool, asks: bool) -> UsageRecord:
    options: Json = {"stream_options": {"include_usage": True}} if stream and asks else {}
    client = FakeCallerConnection(asking(stream=stream, max_tokens=12, **options))
    harness = GatewayHarness(first=FakeUpstream(ScriptedResponse(headers=headers, pieces=pieces)), money=10**9)
    run(harness.ask(client))
    assert harness.counter.held == 0
    charge = harness.record.charge
    assert charge is not None
    assert harness.counter.spent == charge.amount
    assert charge.amount >= 0
    return harness.record


def _bill(record: UsageRecord) -> tuple[object, ...]:
    assert record.charge is not None
    return record.ending, record.usage, record.usage_source, record.charge.amount


@settings(max_examples=200, deadline=None)
@given(
    said=_said,
    report=_reports,
    way=st.sampled_from(WAYS),
    places=st.lists(st.integers(0, 5000), max_size=12),
    asks=st.booleans(),
)
@example(  # an answer of one word, reported ahead of it and never again
    said=ExpectedText((), ("Zoll",), None, "stop"), report=_whole(5, 0, {}), way=_ahead, places=[], asks=True
)
def test_the_same_content_costs_the_same(
    said: ExpectedText, report: Json | None, way: Any, places: list[int], asks: bool
) -> None:
    choice = {"index": 0, "message": said.message(), "finish_reason": said.finish}
    body = json.dumps({"id": "c1", "object": "chat.completion", "choices": [choice], "usage": report}).encode()
    events = b"".join([*way(said, report), b"data: [DONE]\n\n"])
    whole, cut = [body], _cut(events, places)
    bills = {
        "JSON for JSON": _bill(_call(NOTHING_STREAMS, whole, stream=False, asks=asks)),
        "a stream for JSON": _bill(_call(STREAMS, cut, stream=False, asks=asks)),
        "JSON for a stream": _bill(_call(NOTHING_STREAMS, whole, stream=True, asks=asks)),
        "a stream for a stream": _bill(_call(STREAMS, cut, stream=True, asks=asks)),
    }
    assert len({repr(bill) for bill in bills.values()}) == 1, bills


@pytest.mark.parametrize("way", WAYS)
def test_litellm_36168_usage_is_read_however_a_stream_reports_it(way: Any) -> None:
    said = ExpectedText((), ("Zoll ", "haus"), None, "stop")
    events = [*way(said, _openai(30, 10, 12, 4)), b"data: [DONE]\n\n"]
    record = _call(STREAMS, events, stream=True, asks=False)
    assert record.usage_source == "upstream"
    assert record.charge is not None
    assert record.charge.amount == 20 * 2500 + 10 * 1250 + 12 * 10_000
