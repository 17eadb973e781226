"""Chunked bodies: the same body and the same end wherever the network cuts them."""

from itertools import combinations

import pytest

from tests.edge.wire_client import Raw, chunked, get
from tests.edge.wire_server import mirror, running
from tollhouse.core.failure import BadRequest, HeadersTooLarge
from tollhouse.edge.chunks import Chunks

BODY = b"6;a=b\r\na\r\n\r\nb\r\n2\r\nbc\r\n0\r\nT: u\r\n\r\n"
PLAIN = b"a\r\n\r\nbbc"
BEHIND = b"GET / HTTP/1.1\r\n\r\n"


def taken_apart(pieces: list[bytes]) -> tuple[bytes, bytes]:
    """The body, and what is behind it."""
    chunks = Chunks(framing_bytes_max=1000)
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
        assert taken_apart([whole[:first], whole[first:second], whole[second:]]) == (PLAIN, BEHIND)


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


@pytest.mark.parametrize("size", [10, 1000, 100_000])
def test_a_large_chunked_body_arrives_whole(size: int) -> None:
    body = b"%x\r\n%b\r\n" % (size, b"a" * size) * (1_000_000 // size) + b"0\r\n\r\n"
    with running(mirror) as server, Raw(server.port) as client:
        answer = client.send(chunked(body) + get(b"/second")).answer()
        assert answer is not None
        assert answer.json()["length"] == 1_000_000
        second = client.answer()
        assert second is not None
        assert second.json()["path"] == "/second"
