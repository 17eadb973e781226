"""Random cuts and changes of recorded streams, answers and requests, over every pair of formats: whatever comes is an
answer or a declared failure, and what broke off never looks whole. The same number always makes the same trouble."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.translation.golden_case import CREATED, GOLDEN, REQUEST_ID, codec_of, sealed
from tollhouse.core.cleaning import NOTHING_KNOWN
from tollhouse.core.codec import Codec
from tollhouse.core.conversation import stand_ins
from tollhouse.core.failure import BadRequest, Failure
from tollhouse.core.reply import ReplyEvent, UsageTold
from tollhouse.core.translation import translated
from tollhouse.core.words import AnswerContext

ASKED = ("openai_chat", "openai_responses", "openai_completions", "anthropic_messages", "gemini_content")
OUTBOUND = ("openai_chat", "openai_responses", "anthropic_messages", "gemini_content")
PAIRS = [(asked, outbound) for outbound in OUTBOUND for asked in ASKED if asked != outbound]
BODIES = {
    "openai_chat": b'{"model":"m","messages":[{"role":"user","content":"x"}],"stream":true}',
    "openai_responses": b'{"model":"m","input":"x","stream":true,"tools":[{"type":"custom","name":"apply_patch"}]}',
    "openai_completions": b'{"model":"m","prompt":"x","stream":true}',
    "anthropic_messages": b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}],"stream":true}',
    "gemini_content": b'{"contents":[{"parts":[{"text":"x"}]}]}',
}
JUNK: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 10**20, 1.5, "", "x", "\ud83d", [], [None], {}, {"a": {}}, [[]]),
    *("stop", "tool_calls", "function", "text", [{"type": "text"}], {"type": "image"}, "NaN", 1e300),
)


def recorded(wire: str, name: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted(GOLDEN.glob(f"*--{wire}/*/{name}"))]


STREAMS = {wire: recorded(wire, "upstream_answer.sse") for wire in OUTBOUND}
ANSWERS = {wire: recorded(wire, "upstream_answer.json") for wire in OUTBOUND}


def codec(asked: str, outbound: str, *, stream: bool) -> tuple[Codec, Codec]:
    """The codec of a call, and that of its provider."""
    own, other = codec_of(asked), codec_of(outbound)
    request = own.read(BODIES[asked])
    request.stream = stream
    assert own.words is not None
    request.stand_ins = stand_ins(own.words.read_request(request))
    context = AnswerContext(request_id=REQUEST_ID, created=CREATED, request=request)
    return translated(own, other, own, context), other


def changed(value: Any, random: Random) -> Any:
    """A decoded JSON value in which one thing is another."""
    places = list(_places(value))
    if not places:
        return random.choice(JUNK)
    holder, key = random.choice(places)
    what = random.random()
    if what < 0.2 and isinstance(holder, dict):
        del holder[key]
    elif what < 0.3 and isinstance(holder, list):
        holder.insert(key, random.choice(JUNK))
    else:
        holder[key] = random.choice(JUNK)
    return value


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in list(items):
        yield value, key
        yield from _places(one)


def _change_event(event: bytes, random: Random) -> bytes:
    head, found, data = event.partition(b"data: ")
    try:
        value = json.loads(data)
    except ValueError:
        return event[: random.randrange(len(event) + 1)]
    return head + found + json.dumps(changed(value, random)).encode()


def _drop(events: list[bytes], random: Random) -> list[bytes]:
    del events[random.randrange(len(events))]
    return events


def _double(events: list[bytes], random: Random) -> list[bytes]:
    at = random.randrange(len(events))
    return [*events[:at], events[at], *events[at:]]


def _swap(events: list[bytes], random: Random) -> list[bytes]:
    one, other = random.randrange(len(events)), random.randrange(len(events))
    events[one], events[other] = events[other], events[one]
    return events


def _change(events: list[bytes], random: Random) -> list[bytes]:
    at = random.randrange(len(events))
    events[at] = _change_event(events[at], random)
    return events


def _garble(events: list[bytes], random: Random) -> list[bytes]:
    at = random.randrange(len(events))
    event = bytearray(events[at])
    if event:
        event[random.randrange(len(event))] = random.randrange(256)
    events[at] = bytes(event)
    return events


CHANGES: tuple[Callable[[list[bytes], Random], list[bytes]], ...] = (_drop, _double, _swap, _change, _change, _garble)


def broken_stream(stream: bytes, random: Random) -> bytes:
    events = [event for event in stream.replace(b"\r\n", b"\n").split(b"\n\n") if event]
    for _ in range(random.randrange(1, 4)):
        if events:
            events = random.choice(CHANGES)(events, random)
    return b"".join(event + b"\n\n" for event in events)


def relay(called: Codec, stream: bytes, random: Random) -> bytes:
    """Raises nothing but a Failure."""
    assert called.streams is not None
    relayed = called.streams.relay(show_usage=True, count=len, known=NOTHING_KNOWN)
    out, at = b"", 0
    while at < len(stream) and relayed.failure is None and not relayed.is_complete:
        step = random.choice((1, 7, 100, len(stream)))
        out += relayed.feed(stream[at : at + step])
        at += step
    if relayed.failure is not None:
        raise relayed.failure
    if not relayed.is_complete:
        relayed.finish()
    return out + sealed(relayed)


def said(provider: Codec, stream: bytes) -> list[ReplyEvent]:
    """What a stream says in core words, but for its usage."""
    assert provider.words is not None
    reader = provider.words.read_stream(NOTHING_KNOWN)
    events = reader.feed(stream)
    events += [] if reader.is_complete else reader.finish()
    return [event for event in events if not isinstance(event, UsageTold)]


def try_streams(seeds: range) -> None:
    for seed in seeds:
        random = Random(seed)
        asked, outbound = PAIRS[seed % len(PAIRS)]
        called, provider = codec(asked, outbound, stream=True)
        stream = random.choice(STREAMS[outbound])
        try:
            if random.random() < 0.4:
                begun = stream[: random.randrange(len(stream))]
                relay(called, begun, random)
                whole: list[ReplyEvent] | None = said(provider, stream)
                assert said(provider, begun) == whole, f"seed {seed} of {asked} at {outbound} looks whole"
            else:
                relay(called, broken_stream(stream, random), random)
        except Failure:
            continue
        except Exception as error:
            raise AssertionError(f"seed {seed} of {asked} at {outbound}") from error


def try_answers(seeds: range) -> None:
    for seed in seeds:
        random = Random(seed)
        asked, outbound = PAIRS[seed % len(PAIRS)]
        called, _ = codec(asked, outbound, stream=False)
        body = random.choice(ANSWERS[outbound])
        try:
            called.read_response(json.dumps(changed(json.loads(body), random)).encode(), NOTHING_KNOWN)
        except Failure:
            continue
        except Exception as error:
            raise AssertionError(f"seed {seed} of {asked} at {outbound}") from error


def requests() -> dict[str, list[Path]]:
    return {asked: sorted(GOLDEN.glob(f"{asked}--*/*/inbound.json")) for asked in ASKED}


def try_requests(seeds: range) -> None:
    known = requests()
    for seed in seeds:
        random = Random(seed)
        asked, outbound = PAIRS[seed % len(PAIRS)]
        called, _ = codec(asked, outbound, stream=False)
        body = json.loads(random.choice(known[asked]).read_bytes())
        try:
            request = codec_of(asked).read(json.dumps(changed(body, random)).encode())
            called.write(request, model="up", stream=request.stream, include_usage=True, added_cap=1024)
        except BadRequest:
            continue
        except Exception as error:
            raise AssertionError(f"seed {seed} of {asked} at {outbound}") from error


@pytest.mark.parametrize("part", range(5))
def test_a_stream_that_is_cut_or_changed_is_an_answer_or_a_failure(part: int) -> None:
    try_streams(range(part * 1_000, (part + 1) * 1_000))


@pytest.mark.long
def test_a_hundred_thousand_streams_that_are_cut_or_changed() -> None:
    try_streams(range(5_000, 105_000))


def test_an_answer_that_is_changed_is_an_answer_or_a_failure() -> None:
    try_answers(range(2_000))


def test_a_request_that_is_changed_is_a_request_or_refused() -> None:
    try_requests(range(3_000))


@pytest.mark.long
def test_a_hundred_thousand_answers_and_requests_that_are_changed() -> None:
    try_answers(range(2_000, 52_000))
    try_requests(range(3_000, 53_000))
