"""Chunked bodies: the same body and the same end wherever the network cuts them."""

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.edge.wire_client import RawClient, chunked, get
from tests.edge.wire_server import mirror, running
from tollhouse.core.failure import BadRequest, HeadersTooLarge
from tollhouse.edge.chunks import Chunks

BODY = b"6;a=b\r\na\r\n\r\nb\r\n2\r\nbc\r\n0\r\nT: u\r\n\r\n"
PLAIN = b"a\r\n\r\nbbc"
BEHIND = b"GET / HTTP/1.1\r\n\r\n"


class CountedReads(Chunks):
    pieces = 0

    def _feed(self, data: bytes, begin: int, end: int) -> None:
        self.pieces += 1
        super()._feed(data, begin, end)


def taken_apart(pieces: list[bytes], framing_bytes_max: int = 1000) -> tuple[bytes, bytes]:
    """The body, and what is behind it."""
    chunks = Chunks(framing_bytes_max)
    body = rest = b""
    for piece in pieces:
        if chunks.done:
            rest += piece
        else:
            more, behind = chunks.feed(piece)
            body += more
            rest += behind
    assert chunks.done
    return body, rest


def test_every_way_of_cutting_a_body_twice_gives_the_same() -> None:
    whole = BODY + BEHIND
    for first, second in combinations(range(len(whole) + 1), 2):
        assert taken_apart([whole[:first], whole[first:second], whole[second:]], 2000) == (PLAIN, BEHIND)


def test_a_body_byte_by_byte_gives_the_same() -> None:
    assert taken_apart([bytes([byte]) for byte in BODY + BEHIND]) == (PLAIN, BEHIND)


def test_the_end_is_not_mistaken_within_the_data() -> None:
    data = b"\r\n0\r\n\r\n" * 50
    assert taken_apart([b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data) + BEHIND]) == (data, BEHIND)


def test_framing_may_not_outweigh_the_body_but_a_large_body_may_have_much_of_it() -> None:
    assert taken_apart([b"8;x\r\nabcdefgh\r\n" * 3000, b"0\r\n\r\n"]) == (b"abcdefgh" * 3000, b"")
    with pytest.raises(HeadersTooLarge, match="too small"):  # each chunk costs a call, however small it is
        taken_apart([b"1\r\na\r\n" * 400, b"0\r\n\r\n"])
    with pytest.raises(HeadersTooLarge):
        taken_apart([b"1;", *[b"x" * 100] * 20])
    with pytest.raises(HeadersTooLarge):
        taken_apart([b"0\r\n", *[b"A: b\r\n"] * 300])


def test_what_is_no_chunk_is_refused_wherever_it_comes() -> None:
    with pytest.raises(BadRequest):
        taken_apart([b"1\r\na\r\n", b"x\r\n"])


@given(
    st.lists(st.tuples(st.text("\r\n0;a", min_size=1, max_size=80), st.sampled_from(("", ";x", ";" + "y" * 90)))),
    st.lists(st.integers(0, 400), max_size=5),
)
def test_data_that_looks_like_framing_is_data_however_cut(chunks: list[tuple[str, str]], cuts: list[int]) -> None:
    whole = "".join(f"{len(data):x}{more}\r\n{data}\r\n" for data, more in chunks).encode() + b"0\r\n\r\n" + BEHIND
    places = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    pieces = [whole[begin:end] for begin, end in pairwise(places)]
    assert taken_apart(pieces, 20_000) == ("".join(data for data, _ in chunks).encode(), BEHIND)


@pytest.mark.parametrize("reads", [1, 16])
def test_a_chunk_full_of_empty_lines_costs_a_few_calls_and_many_such_chunks_are_refused(reads: int) -> None:
    lines = b"\r\n" * 512 * 1024
    size = len(lines) // reads
    chunks = CountedReads(65_536)
    for at in range(0, len(lines), size):
        head = b"%x\r\n" % len(lines) if at == 0 else b""
        assert chunks.feed(head + lines[at : at + size])[0] == lines[at : at + size]
    assert chunks.pieces <= reads + 2
    with pytest.raises(HeadersTooLarge, match="too small"):
        Chunks(65_536).feed(b"8\r\n\r\n\r\n\r\n\r\n\r\n" * 10_000)


@pytest.mark.parametrize("size", [10, 1000, 100_000])
def test_a_large_chunked_body_arrives_whole(size: int) -> None:
    body = b"%x\r\n%b\r\n" % (size, b"a" * size) * (1_000_000 // size) + b"0\r\n\r\n"
    with running(mirror) as server, RawClient(server.port) as client:
        answer = client.send(chunked(body) + get(b"/second")).answer()
        assert answer is not None
        assert answer.json()["length"] == 1_000_000
        second = client.answer()
        assert second is not None
        assert second.json()["path"] == "/second"
