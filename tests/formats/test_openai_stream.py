"""Streams on their way to the caller: each case whole, cut at every byte, and in pieces of seven."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from tollhouse.core.delivered import KEPT_BYTES_MAX
from tollhouse.core.failure import (
    BadRequest,
    ContextTooLong,
    Failure,
    Overloaded,
    UpstreamBroke,
    UpstreamError,
    UpstreamRefusedKey,
    UpstreamSaturated,
)
from tollhouse.core.operation import Operation
from tollhouse.core.stream_relay import OPENING_BYTES_MAX
from tollhouse.core.usage import Usage
from tollhouse.formats.openai import answers, response_answers
from tollhouse.formats.openai.stream import open_stream

GOLDEN = Path(__file__).parent / "golden"
PLAIN = Usage(input=60, output=12)
TEXT = "Zollhaus am Fluß – 税关 🛃"


class Relay(NamedTuple):
    out: bytes
    held: bytes
    usage: Usage | None
    tokens: int
    failure: type[Failure] | None


def relay(*pieces: bytes, operation: Operation = "chat", show_usage: bool = True) -> Relay:
    """Everything that reaches the caller, and what is known of it in the end; a token is a character here."""
    reader = open_stream(operation, show_usage=show_usage, count=len)
    out = b""
    for piece in pieces:
        out += reader.feed(piece)
        if reader.is_complete or reader.failure is not None:
            break
    with suppress(Failure):
        reader.finish()
    assert reader.is_complete is (reader.failure is None)
    failure_kind = None if reader.failure is None else type(reader.failure)
    return Relay(out, reader.held, reader.usage, reader.delivered_tokens(), failure_kind)


def cuts(stream: bytes) -> Iterator[list[bytes]]:
    yield [stream]
    yield [stream[i : i + 1] for i in range(len(stream))]
    yield [stream[i : i + 7] for i in range(0, len(stream), 7)]
    for cut in range(1, len(stream)):
        yield [stream[:cut], stream[cut:]]


def golden(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


def data_of(stream: bytes) -> list[bytes]:
    return [event.removeprefix(b"data: ") for event in stream.split(b"\n\n") if event]


def event(**members: object) -> bytes:
    return b"data: " + json.dumps(members).encode() + b"\n\n"


def delta(text: str, **members: object) -> bytes:
    return event(id="c", choices=[{"index": 0, "delta": {"content": text}, "finish_reason": None}], **members)


FINISH = event(id="c", choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
DONE = b"data: [DONE]\n\n"


@pytest.mark.parametrize("case", ["P01.sse", "P02.sse", "P08.sse"])
def test_a_plain_stream_arrives_whole_however_it_is_written(case: str) -> None:
    """P01 no blank after the colon, P02 CRLF, P08 no `[DONE]`: the caller sees none of it."""
    for pieces in cuts(golden(case)):
        asked = relay(*pieces)
        assert asked == Relay(asked.out, asked.held, PLAIN, len(TEXT), None)
        assert asked.out + asked.held == golden("plain.asked.sse")
        assert asked.held.endswith(DONE)
        assert asked.held.count(b"\n\n") == 2
        hidden = relay(*pieces, show_usage=False)
        assert hidden == Relay(hidden.out, DONE, PLAIN, len(TEXT), None)
        assert hidden.out + hidden.held == golden("plain.hidden.sse")


def test_no_chunk_of_ours_has_empty_choices_for_who_did_not_ask() -> None:
    passed = relay(golden("P01.sse"), show_usage=False)
    chunks = [json.loads(data) for data in data_of(passed.out)]
    assert all(chunk["choices"] for chunk in chunks)
    assert all(chunk.get("usage") is None for chunk in chunks)


def test_a_chunk_without_choices_that_is_not_about_usage_passes() -> None:
    filtered = event(id="", choices=[], prompt_filter_results=[{"prompt_index": 0}])
    passed = relay(filtered + delta("a") + FINISH + DONE, show_usage=False)
    assert passed.out == filtered + delta("a") + FINISH


def test_an_end_before_the_finish_reason_never_looks_whole() -> None:
    for pieces in cuts(golden("P09.sse")):
        passed = relay(*pieces)
        assert passed == Relay(passed.out, b"", None, len(TEXT) - 1, UpstreamBroke)
        assert golden("plain.asked.sse").startswith(passed.out)
        assert b"[DONE]" not in passed.out


def test_done_without_a_finish_reason_is_no_end() -> None:
    assert relay(delta("a") + DONE).failure is UpstreamBroke
    assert relay(DONE).failure is UpstreamBroke
    assert relay(b"").failure is UpstreamBroke


def test_every_choice_must_finish() -> None:
    first, second = (event(choices=[{"index": i, "delta": {"content": "a"}, "finish_reason": None}]) for i in range(2))
    ends = [event(choices=[{"index": i, "delta": {}, "finish_reason": "stop"}]) for i in range(2)]
    assert relay(first + second + ends[0]).failure is UpstreamBroke
    assert relay(first + second + ends[0] + DONE).failure is UpstreamBroke
    assert relay(first + second + ends[1] + ends[0]).failure is None


@pytest.mark.parametrize("size", [70_000, 300_000, 3_000_000])
@pytest.mark.parametrize("piece", [7, 65_536])
def test_a_long_event_arrives_whole(size: int, piece: int) -> None:
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    role = {"role": "assistant", "content": "x" * size}
    long = event(**head, choices=[{"index": 0, "delta": role, "finish_reason": None}])
    usage = {"prompt_tokens": 60, "completion_tokens": 12, "total_tokens": 72}
    stream = long + FINISH + event(**head, choices=[], usage=usage) + DONE
    passed = relay(*(stream[i : i + piece] for i in range(0, len(stream), piece)), show_usage=False)
    assert passed.out == long + FINISH
    assert (passed.held, passed.usage, passed.tokens) == (DONE, PLAIN, size)


def test_nothing_more_is_read_after_the_end() -> None:
    reader = open_stream("chat", show_usage=False, count=len)
    reader.feed(golden("P01.sse"))
    assert reader.is_complete
    assert reader.held == DONE
    assert reader.feed(delta("more")) == b""
    assert reader.held == DONE


def test_characters_cut_by_the_network_are_put_together() -> None:
    body = golden("P51.resp").partition(b"\r\n\r\n")[2]
    pieces = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        pieces.append(rest[: int(size, 16)])
        body = rest[int(size, 16) + 2 :]
    passed = relay(*pieces)
    assert passed.out + passed.held == golden("plain.asked.sse")
    assert passed.usage == PLAIN


def test_running_totals_are_not_summed_and_reported_once() -> None:
    for pieces in cuts(golden("U01.sse")):
        asked = relay(*pieces)
        assert asked.usage == Usage(input=400, cache_read=800, output=25, reasoning=20)
        assert asked.tokens == 2
        chunks = [json.loads(data) for data in data_of(asked.out + asked.held)[:-1]]
        assert [chunk["usage"] and chunk["usage"]["completion_tokens"] for chunk in chunks] == [None, None, None, 45]
        assert b"usage" not in relay(*pieces, show_usage=False).out


def test_usage_that_only_rides_along_gets_a_chunk_of_its_own() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4, "own": 1.50}
    last = event(id="c", model="m", choices=[{"index": 0, "delta": {}, "finish_reason": "length"}], usage=usage)
    passed = relay(delta("a", model="m") + last + DONE)
    assert json.loads(data_of(passed.held)[0]) == {"id": "c", "model": "m", "choices": [], "usage": usage}
    assert passed.held.endswith(DONE)
    assert json.loads(data_of(passed.out)[1])["usage"] is None


def test_usage_on_a_choice_is_read() -> None:
    choice = {"index": 0, "delta": {}, "finish_reason": "stop", "usage": {"prompt_tokens": 3, "completion_tokens": 1}}
    assert relay(delta("a") + event(choices=[choice]) + DONE).usage == Usage(input=3, output=1)


def test_usage_that_is_not_believed_leaves_the_count() -> None:
    stream = delta("abc") + FINISH + event(choices=[], usage={"prompt_tokens": 3, "completion_tokens": -1}) + DONE
    passed = relay(stream)
    assert (passed.usage, passed.tokens) == (None, 3)


def test_the_charge_is_told_in_the_usage_chunk_only() -> None:
    reader = open_stream("chat", show_usage=True, count=len)
    reader.feed(golden("P01.sse"))
    sealed = data_of(reader.seal("0.00027", "req_a", "budget"))
    told = json.loads(sealed[0])
    assert told.pop("tollhouse") == {"charge_usd": "0.00027", "request_id": "req_a", "cap_reason": "budget"}
    assert told == json.loads(data_of(reader.held)[0])
    assert sealed[1:] == [b"[DONE]"]
    silent = open_stream("chat", show_usage=False, count=len)
    silent.feed(golden("P01.sse"))
    assert silent.seal("0.00027", "req_a") == DONE


def test_who_asked_is_told_the_count_where_the_provider_said_nothing() -> None:
    reader = open_stream("chat", show_usage=True, count=len)
    reader.feed(delta("abc") + FINISH + DONE)
    assert reader.usage is None
    told = json.loads(data_of(reader.seal("0.1", "req_a", counted=Usage(input=5, output=reader.delivered_tokens())))[0])
    assert (told["choices"], told["usage"]["prompt_tokens"], told["usage"]["completion_tokens"]) == ([], 5, 3)


def test_an_unbelievable_report_is_not_passed_off_as_the_charge() -> None:
    reader = open_stream("chat", show_usage=True, count=len)
    reader.feed(delta("abc") + FINISH)
    assert reader.finishing
    reader.feed(event(choices=[], usage={"prompt_tokens": 3, "completion_tokens": -1}) + DONE)
    told = json.loads(data_of(reader.seal("0.1", "req_a", counted=Usage(input=3, output=3)))[0])
    assert told["usage"]["completion_tokens"] == 3


def test_nothing_goes_out_before_the_first_content() -> None:
    """Until then another provider can still take over."""
    reader = open_stream("chat", show_usage=False, count=len)
    role = event(choices=[{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])
    assert reader.feed(b": waiting\n\n" + role) == b""
    assert not reader.started
    assert reader.feed(delta("a")) == role + delta("a")
    assert reader.started


def test_an_opening_without_content_is_not_kept_for_ever() -> None:
    reader = open_stream("chat", show_usage=False, count=len)
    blank = delta("")
    out = b"".join(reader.feed(blank) for _ in range(OPENING_BYTES_MAX // len(blank) + 2))
    assert reader.started
    assert out.startswith(blank)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"type": "overloaded_error", "message": "x"}, Overloaded),
        ({"code": 503, "message": "x"}, Overloaded),
        ({"code": "rate_limit_exceeded"}, UpstreamSaturated),
        ({"code": "429"}, UpstreamSaturated),
        ({"code": "invalid_api_key", "message": "sk-secret"}, UpstreamRefusedKey),
        ({"type": "insufficient_quota"}, UpstreamRefusedKey),
        ({"code": "context_length_exceeded", "type": "invalid_request_error", "message": "too long"}, ContextTooLong),
        ({"type": "invalid_request_error", "message": "no"}, BadRequest),
        ({"type": "server_error", "message": "x"}, UpstreamError),
        ("broken", UpstreamError),
    ],
)
def test_an_error_inside_a_stream_is_found(error: object, kind: type[Failure]) -> None:
    before = relay(event(error=error))
    assert (before.out, before.held, before.failure) == (b"", b"", kind)
    for pieces in cuts(delta("a") + delta("b") + event(error=error) + DONE):
        after = relay(*pieces)
        assert (after.out, after.held, after.failure) == (delta("a") + delta("b"), b"", kind)
        assert after.tokens == 2


@pytest.mark.parametrize(
    "trouble",
    [
        event(object="error", message="x", code=500),
        event(type="error", message="x"),
        b'event: error\ndata: {"message": "x"}\n\n',
        event(choices=[{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}]),
        event(choices=[{"index": 0, "delta": {}, "finish_reason": "error"}], error={"code": 502, "message": "x"}),
    ],
)
def test_errors_come_in_many_shapes(trouble: bytes) -> None:
    passed = relay(delta("a") + trouble + DONE)
    assert (passed.out, passed.held, passed.failure) == (delta("a"), b"", UpstreamError)


def test_the_reason_of_a_refusal_is_cleaned() -> None:
    reader = open_stream("chat", show_usage=False, count=len)
    said = "bad role at https://gpu-7.internal.example/v1 (10.0.0.7:8000, key sk-live-abcdefgh)"
    reader.feed(event(error={"type": "invalid_request_error", "message": said}))
    assert reader.failure is not None
    assert "bad role at" in reader.failure.message
    assert not re.search(r"gpu-7|10\.0|abcdefgh", reader.failure.message)


@pytest.mark.parametrize(
    "nonsense",
    [
        b"data: {\n\n",
        b"data: [1]\n\n",
        b"data: hello\n\n",
        b'data: {"a": "\xff"}\n\n',
        b'data: {"a": NaN}\n\n',
        b'data: {"a": "\x01"}\n\n',
        delta("b").replace(b"b", b"\\x"),
        delta("b").replace(b'"b"', b'"b'),
        delta("b").replace(b"b", b"\xc3"),
        b"data: " + b"[" * 100_000 + b"\n\n",
    ],
)
def test_a_malformed_event_ends_the_stream(nonsense: bytes) -> None:
    stream = delta("a") + nonsense + FINISH + DONE
    for pieces in ([stream], [delta("a"), nonsense, FINISH], [stream[i : i + 7] for i in range(0, len(stream), 7)]):
        passed = relay(*pieces)
        assert (passed.out, passed.held, passed.failure) == (delta("a"), b"", UpstreamBroke)


def test_half_of_a_surrogate_pair_passes_as_json_allows() -> None:
    halves = delta("x").replace(b"x", b"\\ud83d") + delta("x").replace(b"x", b"\\uded2")
    for pieces in cuts(halves + FINISH + DONE):
        passed = relay(*pieces)
        assert (passed.out, passed.failure) == (halves + FINISH, None)


def test_memory_for_counting_is_bounded() -> None:
    counted: list[int] = []

    def count(text: str) -> int:
        counted.append(len(text))
        return len(text)

    reader = open_stream("chat", show_usage=False, count=count)
    block = delta("many words ") * 100
    for _ in range(200):
        reader.feed(block)
    assert max(counted) <= KEPT_BYTES_MAX + len(block)
    assert reader.delivered_tokens() == 200 * 100 * len("many words ")


def test_legacy_completions_are_read_alike() -> None:
    events = list(answers.completion_events("cmpl-1", 1, "m", ["Zoll", "haus"], PLAIN, include_usage=True))
    for pieces in cuts(b"".join(events)):
        passed = relay(*pieces, operation="completions", show_usage=False)
        assert passed == Relay(b"".join(events[:3]), DONE, PLAIN, len("Zollhaus"), None)


def responses(finish: str = "stop", tool: tuple[str, str] | None = None) -> list[bytes]:
    return list(response_answers.response_events("resp_1", 1, "m", ["Zoll", "haus"], tool, PLAIN, finish))


@pytest.mark.parametrize("finish", ["stop", "length"])
def test_a_response_waits_with_its_terminal_event(finish: str) -> None:
    events = responses(finish, ("toll", '{"gate":"A-17"}'))
    stream = b"".join(events)
    for pieces in cuts(stream):
        passed = relay(*pieces, operation="responses")
        assert passed == Relay(b"".join(events[:-1]), events[-1], PLAIN, len("Zollhaus" + 'toll{"gate":"A-17"}'), None)
    reader = open_stream("responses", show_usage=False, count=len)
    reader.feed(stream)
    assert reader.incomplete is (finish == "length")
    assert reader.sequence_number == len(events)
    assert reader.seal("0.1", "req_a") == events[-1]
    assert reader.raw_usage is not None
    assert json.loads(reader.raw_usage)["input_tokens"] == 60


def test_a_response_that_only_began_can_be_begun_elsewhere() -> None:
    events = responses()
    reader = open_stream("responses", show_usage=False, count=len)
    assert reader.feed(b"".join(events[:4])) == b""
    assert not reader.started
    failed = event(type="response.failed", response={"error": {"code": "server_is_overloaded", "message": "x"}})
    assert reader.feed(failed) == b""
    assert isinstance(reader.failure, Overloaded)


def test_a_response_that_fails_after_content_ends_in_the_providers_words() -> None:
    events = responses()
    failed = (
        b'event: response.failed\ndata: {"type":"response.failed","sequence_number":9,'
        b'"response":{"status":"failed","error":{"code":"server_error","message":"x"},"usage":null}}\n\n'
    )
    reader = open_stream("responses", show_usage=False, count=len)
    assert reader.feed(b"".join(events[:5]) + failed) == b"".join(events[:5])
    assert (reader.is_complete, reader.failed, reader.failure, reader.held) == (True, True, None, failed)
    assert reader.usage is None


def test_a_response_without_its_terminal_event_never_looks_whole() -> None:
    events = responses()
    for stop in range(len(events)):
        passed = relay(*events[:stop], operation="responses")
        assert (passed.held, passed.failure) == (b"", UpstreamBroke)
    broken = relay(*events[:6], event(type="error", code="x", message="y"), operation="responses")
    assert (broken.held, broken.failure) == (b"", UpstreamError)
