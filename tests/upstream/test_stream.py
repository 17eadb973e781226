"""An answer fed by hand: every way of cutting it into pieces reads the same, and no bytes whatever do harm."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.upstream.hostile import OK
from tests.upstream.test_answers import DAMAGED, KEPT
from tollhouse.clock import SystemClock
from tollhouse.core.failure import Failure, UpstreamBroke
from tollhouse.core.upstream import Deadlines
from tollhouse.upstream.deadline import Sweeper
from tollhouse.upstream.stream import QUEUE_BYTES_MAX, TURN_BYTES, ResponseBody


class Line:
    """Notes what the stream asks of its connection."""

    sending = False

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.kept: bool | None = None  # None: the answer has not ended

    def pause(self) -> None:
        self.asked.append("pause")

    def resume(self) -> None:
        self.asked.append("resume")

    def finished(self, keep: bool) -> None:
        self.kept = keep

    def cut(self) -> None:
        self.kept = False


def new_stream(line: Line) -> ResponseBody:
    clock = SystemClock()
    return ResponseBody(
        line, clock, Sweeper(clock), Deadlines(), started_ns=0, has_body=True, decoded_bytes_max=1_000_000
    )


async def fed(*pieces: bytes) -> tuple[int, bytes | type[Failure], bool | None]:
    """Status, the body or what failed, and whether the connection may be kept. Read after each piece."""
    line = Line()
    stream = new_stream(line)
    for piece in pieces:
        if line.kept is None:
            stream.feed(piece)
    if line.kept is None:
        stream.ended(orderly=True)
    body = []
    try:
        await stream.head()
        while data := await stream.read():
            body.append(data)
    except Failure as failure:
        return stream.status, type(failure), line.kept
    return stream.status, b"".join(body), line.kept


def test_it_reads_the_same_however_it_is_cut_in_two() -> None:
    async def main() -> None:
        for served, status, body in KEPT.values():
            for at in range(1, min(len(served), 400)):
                assert await fed(served[:at], served[at:]) == (status, body, True)

    asyncio.run(main())


@given(st.sampled_from(sorted(KEPT)), st.lists(st.integers(0, 400), max_size=12))
@settings(max_examples=300, deadline=None)
def test_it_reads_the_same_however_it_is_cut(name: str, cuts: list[int]) -> None:
    served, status, body = KEPT[name]
    places = [0, *sorted({at for at in cuts if 0 < at < len(served)}), len(served)]
    pieces = [served[begin:end] for begin, end in pairwise(places)]
    assert asyncio.run(fed(*pieces)) == (status, body, True)


@given(st.lists(st.binary(max_size=300), max_size=6), st.sampled_from([b"", OK, *[row[0] for row in KEPT.values()]]))
@settings(max_examples=500, deadline=None)
def test_no_bytes_whatever_do_harm(pieces: list[bytes], before: bytes) -> None:
    """They make an answer or a failure of ours, and the connection's fate is settled."""
    _, _, kept = asyncio.run(fed(before[:200], *pieces))
    assert kept is not None


@given(st.sampled_from(sorted(KEPT)), st.integers(0, 399), st.integers(0, 255))
@settings(max_examples=500, deadline=None)
def test_one_changed_byte_does_no_harm(name: str, at: int, byte: int) -> None:
    served = bytearray(KEPT[name][0])
    served[at % len(served)] = byte
    _, _, kept = asyncio.run(fed(bytes(served)))
    assert kept is not None


def test_damage_shows_however_it_is_cut() -> None:
    async def main() -> None:
        for name, served in DAMAGED.items():
            for at in range(1, len(served), max(1, len(served) // 100)):
                status, body, _ = await fed(served[:at], served[at:])
                assert (status, body) == (200, UpstreamBroke), name

    asyncio.run(main())


def test_reading_stops_at_the_high_water_mark_and_goes_on_when_the_queue_was_taken() -> None:
    async def main() -> None:
        line = Line()
        stream = new_stream(line)
        stream.feed(OK + b"content-length: 1000000\r\n\r\n" + bytes(QUEUE_BYTES_MAX))
        assert line.asked == []
        stream.feed(b"x")
        assert line.asked == ["pause"]
        read = 0
        while read < QUEUE_BYTES_MAX + 1:
            read += len(await stream.read())
        assert line.asked == ["pause", "resume"]
        stream.abort()

    asyncio.run(main())


def test_of_much_that_has_come_others_have_a_turn_before_each_part() -> None:
    sent = bytes(range(256)) * 1024 + b"the end"

    async def main() -> None:
        stream, turns = new_stream(Line()), 0

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        beside = asyncio.ensure_future(others())
        stream.feed(OK + b"content-length: %d\r\n\r\n" % len(sent))
        for at in range(0, len(sent), 100_000):
            stream.feed(sent[at : at + 100_000])
        parts, seen = [], []
        while part := await stream.read():
            parts.append(part)
            seen.append(turns)
        beside.cancel()
        assert b"".join(parts) == sent
        assert [len(part) for part in parts] == [TURN_BYTES] * (len(sent) // TURN_BYTES) + [7]
        assert seen[0] < seen[1] < seen[2] < seen[3]

    asyncio.run(main())


def test_a_call_that_is_given_up_between_two_parts_reads_no_more() -> None:
    async def main() -> None:
        stream = new_stream(Line())
        stream.feed(OK + b"content-length: 1000000\r\n\r\n" + bytes(4 * TURN_BYTES))
        assert len(await stream.read()) == TURN_BYTES
        asyncio.get_running_loop().call_soon(stream.abort)
        with pytest.raises(UpstreamBroke):
            await stream.read()

    asyncio.run(main())


def test_what_has_come_is_read_without_a_turn_of_the_loop() -> None:
    async def main() -> None:
        stream = new_stream(Line())
        stream.feed(OK + b"content-length: 10\r\n\r\nhello")
        stream.feed(b"world")
        for step, expected in ((stream.head(), None), (stream.read(), b"helloworld"), (stream.read(), b"")):
            with pytest.raises(StopIteration) as done:
                step.send(None)
            assert done.value.value == expected

    asyncio.run(main())
