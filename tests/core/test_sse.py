"""Events come out whole, however a provider ends its lines and wherever the network cuts."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.core.failure import UpstreamBroke
from tollhouse.core.sse import EVENT_BYTES_MAX, Event, Splitter


def split(*pieces: bytes) -> list[Event]:
    splitter = Splitter()
    events = [event for piece in pieces for event in splitter.feed(piece)]
    return events + splitter.finish()


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: a\n\ndata: b\n\n", [Event(b"", b"a"), Event(b"", b"b")]),
        (b"data:a\n\ndata:  b\n\n", [Event(b"", b"a"), Event(b"", b" b")]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [Event(b"", b"a"), Event(b"", b"b")]),
        (b"data: a\r\rdata: b\r\r", [Event(b"", b"a"), Event(b"", b"b")]),
        (
            b"data: a\n\r\ndata: b\r\n\ndata: c\r\n\rdata: d\n\r",
            [Event(b"", text) for text in (b"a", b"b", b"c", b"d")],
        ),
        (b"data: a\ndata: b\ndata\n\n", [Event(b"", b"a\nb\n")]),
        (b"event: ping\ndata: {}\n\n", [Event(b"ping", b"{}")]),
        (b"event:ping\r\ndata:{}\r\n\r\n", [Event(b"ping", b"{}")]),
        (b"event: ping\n\ndata: a\n\n", [Event(b"", b"a")]),
        (b": comment\n\n:\n\ndata: a\n: in between\ndata: b\n\n", [Event(b"", b"a\nb")]),
        (b"id: 1\nretry: 9\nunknown: x\ndata: a\n\n", [Event(b"", b"a")]),
        (b"\xef\xbb\xbfdata: a\n\n", [Event(b"", b"a")]),
        (b"\xef\xbb\xbf: hello\n\ndata: a\n\n", [Event(b"", b"a")]),
        (b"\n\n\n\ndata: a\n\n\n\n\ndata: b\n\n", [Event(b"", b"a"), Event(b"", b"b")]),
        (b"data: a\n\ndata: no empty line", [Event(b"", b"a"), Event(b"", b"no empty line")]),
        (b"data: a\r\n", [Event(b"", b"a")]),
        (b"data: a: b\n\n", [Event(b"", b"a: b")]),
        (b"", []),
        # No empty line between objects, as GLM-4.7 and Kimi-K2.5 were seen to stream tool calls.
        (b'data: {"a":1}\ndata: {"b":2}\n\n', [Event(b"", b'{"a":1}'), Event(b"", b'{"b":2}')]),
        (b'data: {"a":1}\r\ndata: [DONE]\r\n\r\n', [Event(b"", b'{"a":1}'), Event(b"", b"[DONE]")]),
        (b'event: e\ndata: {"a":1}\ndata: {"b":2}\n\n', [Event(b"e", b'{"a":1}'), Event(b"e", b'{"b":2}')]),
        # One object over several lines.
        (b'data: {\ndata: "a": {},\ndata: "b": [{}\ndata: ,{}]}\n\n', [Event(b"", b'{\n"a": {},\n"b": [{}\n,{}]}')]),
        # llama.cpp of 2025 and before.
        (b'data: a\n\nerror: {"code":400}\n\n', [Event(b"", b"a"), Event(b"error", b'{"code":400}')]),
        (b"error: no object\n\n", []),
        # Objects without `data:`, with and without empty lines between them.
        (b'{"a":1}\n\n{"b":2}\n\n', [Event(b"", b'{"a":1}'), Event(b"", b'{"b":2}')]),
        (b'{"a":1}\n{"b":2}\n[DONE]\n', [Event(b"", b'{"a":1}'), Event(b"", b'{"b":2}'), Event(b"", b"[DONE]")]),
        (b'data: a\n\n{\n"error": {}\n}', [Event(b"", b"a"), Event(b"", b'{\n"error": {}\n}')]),
    ],
)
def test_lines_and_events_are_told_apart_at_every_cut(stream: bytes, events: list[Event]) -> None:
    assert split(stream) == events
    assert split(*(stream[i : i + 1] for i in range(len(stream)))) == events
    for cut in range(len(stream)):
        assert split(stream[:cut], stream[cut:]) == events, cut


LINE_ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
LINES = st.sampled_from([b"data: x", b"data:y", b"event: e", b": c", b"data", b"data: \xc3\xbc", b""])


@given(st.lists(st.tuples(LINES, LINE_ENDS)), st.lists(st.integers(0, 200)))
def test_cutting_changes_nothing(lines: list[tuple[bytes, bytes]], cuts: list[int]) -> None:
    stream = b"".join(line + end for line, end in lines)
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    pieces = [stream[a:b] for a, b in pairwise(places)]
    assert split(*pieces) == split(stream)


def test_an_event_comes_out_as_soon_as_its_empty_line_is_there() -> None:
    for end in (b"\n", b"\r\n", b"\r"):
        splitter = Splitter()
        assert splitter.feed(b"data: a" + end) == []
        assert splitter.feed(end) == [Event(b"", b"a")]
        assert splitter.pending == 0


def test_an_endless_event_is_refused() -> None:
    splitter = Splitter()
    splitter.feed(b"data: ")
    piece = b"x" * (4 * 1024 * 1024)
    for _ in range(EVENT_BYTES_MAX // len(piece) - 1):
        assert splitter.feed(piece) == []
    with pytest.raises(UpstreamBroke):
        splitter.feed(piece)


def test_work_grows_with_the_bytes_not_with_their_square() -> None:
    """Three million bytes in one line, seven at a time: a quadratic reader would copy terabytes here."""
    text = b"x" * 3_000_000
    splitter = Splitter()
    stream = b"data: " + text + b"\n\n"
    events = [event for i in range(0, len(stream), 7) for event in splitter.feed(stream[i : i + 7])]
    assert events == [Event(b"", text)]


def test_taking_the_rest_back_leaves_nothing() -> None:
    splitter = Splitter()
    assert splitter.feed(b"data: a\n\ndata: b") == [Event(b"", b"a")]
    assert splitter.take() == b"data: b"
    assert splitter.finish() == []
