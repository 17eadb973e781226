"""Messages of AWS's event stream are events, cut anywhere; damage is noticed. botocore reads the same."""

import json
from base64 import b64decode
from struct import pack

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from tests.support.aws_frames import chunk, exception, framed, message
from tollhouse.core.failure import UpstreamBroke
from tollhouse.core.sse import Splitter
from tollhouse.providers.aws_event_stream import MESSAGE_BYTES_MAX, AwsEventStream

DELTA = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "grün\n"}}
STREAM = chunk({"type": "message_start"}) + chunk(DELTA) + chunk({"type": "message_stop"})
TYPES = (
    pack(">B", 1) + b"a" + b"\x00" + pack(">B", 1) + b"b" + b"\x01" + pack(">B", 1) + b"c" + b"\x02\x07",
    pack(">B", 1) + b"d" + b"\x03\x00\x07" + pack(">B", 1) + b"e" + b"\x04\x00\x00\x00\x07",
    pack(">B", 1) + b"f" + b"\x05" + bytes(8) + pack(">B", 1) + b"g" + b"\x06\x00\x02ab",
    pack(">B", 1) + b"h" + b"\x08" + bytes(8) + pack(">B", 1) + b"i" + b"\x09" + bytes(16),
)
"""A header of each type that is no text."""
EVENT = pack(">B", 11) + b":event-type" + b"\x07" + pack(">H", 5) + b"chunk"


def read(*pieces: bytes) -> bytes:
    stream = AwsEventStream()
    out = b"".join(stream.feed(piece) for piece in pieces)
    stream.finish()
    return out


def test_a_message_is_the_event_that_it_holds() -> None:
    expected = b"event: content_block_delta\ndata: " + json.dumps(DELTA).encode() + b"\n\n"
    assert read(chunk(DELTA)) == expected
    assert read(chunk(b'{"no":"type"}')) == b'data: {"no":"type"}\n\n'
    assert read(chunk(b'{\n"type":\r\n"ping"}')) == b'event: ping\ndata: { "type":  "ping"}\n\n'
    assert read(chunk({"type": "a\ndata: b"})) == b'data: {"type": "a\\ndata: b"}\n\n', "a name is a word"


@pytest.mark.parametrize("size", [1, 7, len(STREAM) - 1])
def test_it_may_be_cut_anywhere(size: int) -> None:
    assert read(*(STREAM[at : at + size] for at in range(0, len(STREAM), size))) == read(STREAM)


def test_headers_of_every_type_are_read_over() -> None:
    payload = b'{"bytes":"eyJ0eXBlIjoicGluZyJ9"}'
    for heads in TYPES:
        assert read(framed(heads + EVENT, payload)) == b'event: ping\ndata: {"type":"ping"}\n\n'
    assert read(message({":event-type": "metadata"}, b"{}")) == b""


@pytest.mark.parametrize(
    ("sent", "code", "says"),
    [
        (exception("throttlingException", {"message": "Too many tokens"}), "throttlingException", "Too many tokens"),
        (
            exception("modelStreamErrorException", {"message": "m", "originalMessage": "o", "originalStatusCode": 500}),
            "modelStreamErrorException",
            "o",
        ),
        (exception("internalServerException", {}), "internalServerException", ""),
        (
            message({":message-type": "error", ":error-code": "InternalError", ":error-message": "gone"}, b""),
            "InternalError",
            "gone",
        ),
        (message({":message-type": "exception", ":exception-type": "x"}, b"no json"), "x", ""),
    ],
)
def test_an_exception_is_an_event_of_an_error(sent: bytes, code: str, says: str) -> None:
    [event] = Splitter().feed(read(sent))
    assert event.name == b"error"
    assert json.loads(event.data) == {"type": "error", "error": {"type": code, "message": says}}


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param(STREAM[:5] + b"\xff" + STREAM[6:], id="length"),
        pytest.param(STREAM[:-9] + b"\xff" + STREAM[-8:], id="payload"),
        pytest.param(STREAM[:-2], id="cut"),
        pytest.param(framed(b"", bytes(MESSAGE_BYTES_MAX)), id="too long"),
        pytest.param(framed(b"\x05a", b""), id="header without a value"),
        pytest.param(framed(b"\x01a\x0c", b""), id="header of an unknown type"),
        pytest.param(framed(b"\x01a\x07\x00\x09b", b""), id="header cut short"),
        pytest.param(framed(b"\x01a\x07\x00", b""), id="header without a whole length"),
        pytest.param(framed(EVENT, b"{}"), id="no bytes"),
        pytest.param(framed(EVENT, b'{"bytes":"*"}'), id="no base64"),
        pytest.param(framed(EVENT, b'{"bytes":"bm8="}'), id="no JSON"),
        pytest.param(b'data: {"type":"ping"}\n\n' * 3, id="other framing"),
    ],
)
def test_damage_breaks_the_stream(damaged: bytes) -> None:
    with pytest.raises(UpstreamBroke):
        read(damaged)


@given(st.lists(st.dictionaries(st.text(min_size=1), st.text(), max_size=3), max_size=5), st.integers(1, 80))
def test_botocore_reads_the_same(events: list[dict[str, str]], size: int) -> None:
    sent = b"".join(chunk(one) for one in events)
    theirs = EventStreamBuffer()
    theirs.add_data(sent)
    payloads = [b64decode(json.loads(one.payload)["bytes"]) for one in theirs]
    ours = Splitter().feed(read(*(sent[at : at + size] for at in range(0, len(sent), size))))
    assert [json.loads(one.data) for one in ours] == [json.loads(one) for one in payloads] == events
