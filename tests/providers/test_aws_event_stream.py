"""AWS's framing of streams is read as its own library reads it, cut anywhere; what is damaged ends the stream."""

from base64 import b64encode
from binascii import crc32
from typing import Any

import msgspec
import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.core.failure import UpstreamBroke
from tollhouse.providers.aws_event_stream import MESSAGE_BYTES_MAX, AwsEventStream, AwsMessage, as_events


def _header(name: str, value: str | int | bytes | bool) -> bytes:
    said = bytes([len(name)]) + name.encode()
    if isinstance(value, bool):
        return said + bytes([0 if value else 1])
    if isinstance(value, int):
        return said + b"\x04" + value.to_bytes(4, signed=True)
    coded = value.encode() if isinstance(value, str) else value
    return said + (b"\x07" if isinstance(value, str) else b"\x06") + len(coded).to_bytes(2) + coded


def framed(headers: dict[str, Any], payload: bytes) -> bytes:
    head = b"".join(_header(name, value) for name, value in headers.items())
    prelude = (16 + len(head) + len(payload)).to_bytes(4) + len(head).to_bytes(4)
    body = prelude + crc32(prelude).to_bytes(4) + head + payload
    return body + crc32(body).to_bytes(4)


def chunk(event: object) -> bytes:
    payload = msgspec.json.encode({"bytes": b64encode(msgspec.json.encode(event)).decode(), "p": "abcdef"})
    headers = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
    return framed(headers, payload)


EVENTS: list[dict[str, Any]] = [
    {"type": "message_start", "message": {"id": "msg_1", "usage": {"input_tokens": 9, "output_tokens": 1}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Grüße 🛃"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}},
    {"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 9, "outputTokenCount": 5}},
]
STREAM = b"".join(map(chunk, EVENTS))
WRITTEN = b"".join(b"event: %b\ndata: %b\n\n" % (one["type"].encode(), msgspec.json.encode(one)) for one in EVENTS)


def _read(*pieces: bytes) -> tuple[list[AwsMessage], AwsEventStream]:
    stream = AwsEventStream()
    return [message for piece in pieces for message in stream.feed(piece)], stream


def test_events_come_out_as_the_model_wrote_them() -> None:
    messages, stream = _read(STREAM)
    assert b"".join(map(as_events, messages)) == WRITTEN
    assert stream.is_between_messages


def test_a_stream_cut_at_any_byte_says_the_same() -> None:
    for at in range(len(STREAM) + 1):
        messages, stream = _read(STREAM[:at], STREAM[at:])
        assert b"".join(map(as_events, messages)) == WRITTEN
        assert stream.is_between_messages
    messages, _ = _read(*(STREAM[at : at + 1] for at in range(len(STREAM))))
    assert b"".join(map(as_events, messages)) == WRITTEN


def test_a_stream_that_ends_early_is_known() -> None:
    for at in range(1, len(STREAM)):
        _, stream = _read(STREAM[:at])
        ends = {len(b"".join(map(chunk, EVENTS[:count]))) for count in range(len(EVENTS) + 1)}
        assert stream.is_between_messages is (at in ends)


_VALUES = st.one_of(st.text(max_size=20), st.binary(max_size=20), st.booleans(), st.integers(-(2**31), 2**31 - 1))


@given(st.dictionaries(st.text("abc:-", min_size=1, max_size=9), _VALUES, max_size=5), st.binary(max_size=200))
def test_messages_read_as_by_aws_own_library(headers: dict[str, Any], payload: bytes) -> None:
    data = framed(headers, payload)
    theirs = EventStreamBuffer()
    theirs.add_data(data)
    [their] = list(theirs)
    [ours], _ = _read(data)
    assert ours.payload == their.payload
    assert ours.headers == {name: value for name, value in their.headers.items() if isinstance(value, str)}


@given(st.integers(0, len(STREAM) - 1), st.integers(1, 255))
def test_a_damaged_byte_never_goes_unnoticed(at: int, change: int) -> None:
    damaged = bytearray(STREAM)
    damaged[at] ^= change
    try:
        messages, stream = _read(bytes(damaged))
    except UpstreamBroke:
        return
    assert not stream.is_between_messages, "a length that grew: the rest never comes"
    written = b"".join(map(as_events, messages))
    assert WRITTEN.startswith(written)


@pytest.mark.parametrize(
    ("headers", "payload", "kind", "said"),
    [
        (
            {":message-type": "exception", ":exception-type": "throttlingException"},
            b'{"message":"slow"}',
            "rate_limit_error",
            "slow",
        ),
        (
            {":message-type": "exception", ":exception-type": "serviceUnavailableException"},
            b"{}",
            "overloaded_error",
            "",
        ),
        (
            {":message-type": "exception", ":exception-type": "modelStreamErrorException"},
            b'{"message":"x","originalStatusCode":400}',
            "api_error",
            "x",
        ),
        (
            {":message-type": "error", ":error-code": "ValidationException", ":error-message": "no"},
            b"",
            "invalid_request_error",
            "no",
        ),
    ],
)
def test_an_exception_is_an_error_of_the_format(headers: dict[str, Any], payload: bytes, kind: str, said: str) -> None:
    [message], _ = _read(framed(headers, payload))
    data = as_events(message)
    assert data.startswith(b"event: error\ndata: ")
    error = msgspec.json.decode(data.removeprefix(b"event: error\ndata: "))
    assert error == {"type": "error", "error": {"type": kind, "message": said}}


@pytest.mark.parametrize("event", [{"no": "type"}, ["list"], {"type": "a\nb"}, {"type": 7}])
def test_what_is_no_event_is_left_out(event: object) -> None:
    [message], _ = _read(chunk(event))
    assert as_events(message) == b""


def test_other_messages_say_nothing() -> None:
    [message], _ = _read(framed({":event-type": "initial-response", ":message-type": "event"}, b"{}"))
    assert as_events(message) == b""


@pytest.mark.parametrize("payload", [b"no json", b'{"bytes":"!!"}', b'{"bytes":"bm8="}', b'{"bytes":7}'])
def test_a_payload_that_cannot_be_read_ends_the_stream(payload: bytes) -> None:
    [message], _ = _read(framed({":event-type": "chunk", ":message-type": "event"}, payload))
    with pytest.raises(UpstreamBroke):
        as_events(message)


def test_a_message_beyond_the_bound_is_not_waited_for() -> None:
    prelude = (MESSAGE_BYTES_MAX + 1).to_bytes(4) + (0).to_bytes(4)
    with pytest.raises(UpstreamBroke):
        _read(prelude + crc32(prelude).to_bytes(4))


@pytest.mark.parametrize("head", [b"\x05a", b"\x01a\x07\x00\x09x", b"\x01a\x0b", b"\x01a"])
def test_headers_that_run_out_are_damage(head: bytes) -> None:
    prelude = (16 + len(head)).to_bytes(4) + len(head).to_bytes(4)
    body = prelude + crc32(prelude).to_bytes(4) + head
    with pytest.raises(UpstreamBroke):
        _read(body + crc32(body).to_bytes(4))
